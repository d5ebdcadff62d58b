"""A name server that answers from a table."""
import socket
import threading

import pytest


class NameServer:
    """Answers A questions from a table; AAAA have no address; what is not there does not exist."""

    def __init__(self, names):
        self.names = names
        self.questions = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            data, peer = self.socket.recvfrom(512)
            if data == b"stop":
                return
            labels, at = [], 12
            while data[at]:
                labels.append(data[at + 1:at + 1 + data[at]].decode())
                at += data[at] + 1
            name, kind = ".".join(labels), data[at + 2]
            self.questions.append((name, kind))
            question = data[12:at + 5]
            address = self.names.get(name) if kind == 1 else None
            flags = b"\x81\x80" if name in self.names else b"\x81\x83"
            record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04" + socket.inet_aton(address) if address else b""
            self.socket.sendto(data[:2] + flags + b"\x00\x01\x00%c\x00\x00\x00\x00" % bool(address) + question + record, peer)

    def stop(self):
        self.socket.sendto(b"stop", self.socket.getsockname())
        self.thread.join()
        self.socket.close()


@pytest.fixture
def name_server():
    servers = []

    def start(names):
        servers.append(NameServer(names))
        return servers[-1]

    yield start
    for one in servers:
        one.stop()
