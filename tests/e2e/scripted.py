"""A server that does what it is told, also what no server should."""
import socket
import struct
import threading

import pytest

from command import PATIENCE


def ok(body=b"ok", *fields):
    return response("200 OK", body, *fields)


def response(status, body=b"", *fields):
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields, "", ""]
    return "\r\n".join(head).encode() + body


class Request:
    def __init__(self, head, body, n, connection):
        self.head = head.decode("latin-1")
        self.body = body
        self.n = n  # counts the server's requests from 1
        self.connection = connection  # counts its connections from 1
        self.method, self.path, _ = self.head.split("\r\n")[0].split(" ")
        self.fields = {}
        for line in self.head.split("\r\n")[1:]:
            if line:
                name, value = line.split(":", 1)
                self.fields[name.lower()] = value.strip()


class Server:
    """
    A server in threads. `behave(request, connection)` is called for each request that has come whole: it returns bytes to send, or
    a list of steps: bytes, a number (seconds to wait), "close", "reset", "hang".
    """

    def __init__(self, behave=lambda request: ok(), tls=None):
        self.behave = behave
        self.tls = tls
        self.requests = []
        self.n_connections = 0
        self.n_busy = self.n_busy_max = 0
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.sockets = set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def url(self, path="/", host="127.0.0.1"):
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{path}"

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.n_connections += 1
                n = self.n_connections
                self.sockets.add(connection)
            threading.Thread(target=self.serve, args=(connection, n), daemon=True).start()

    def read_request(self, connection, data):
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                return None, b""
            data += more
        head, _, rest = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n")[1:]:
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
            if line == b"expect: 100-continue" and not rest:
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            if line == b"transfer-encoding: chunked":
                return self.read_chunks(connection, head, rest)
        while len(rest) < length:
            more = connection.recv(65536)
            if not more:
                return None, b""
            rest += more
        return (head, rest[:length]), rest[length:]

    def read_chunks(self, connection, head, rest):
        body = b""
        while True:
            while b"\r\n" not in rest:
                rest += connection.recv(65536)
            size, _, rest = rest.partition(b"\r\n")
            size = int(size, 16)
            while len(rest) < size + 2:
                rest += connection.recv(65536)
            body += rest[:size]
            rest = rest[size + 2:]
            if not size:
                return (head, body), rest

    def serve(self, connection, n):
        data = b""
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
                with self.lock:
                    self.sockets.add(connection)
            while True:
                got, data = self.read_request(connection, data)
                if not got:
                    break
                with self.lock:
                    self.n_busy += 1
                    self.n_busy_max = max(self.n_busy, self.n_busy_max)
                    request = Request(*got, len(self.requests) + 1, n)
                    self.requests.append(request)
                try:
                    if not self.perform(connection, self.behave(request)):
                        break
                finally:
                    with self.lock:
                        self.n_busy -= 1
        except (OSError, ValueError):
            pass
        finally:
            connection.close()

    def perform(self, connection, steps):
        for step in steps if isinstance(steps, list) else [steps]:
            if step == "close":
                return False
            if step == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return False
            if step == "hang":
                self.stopping.wait(PATIENCE)
                return False
            if isinstance(step, bytes):
                connection.sendall(step)
            else:
                self.stopping.wait(step)
        return True

    def drop_connections(self):
        with self.lock:
            for connection in self.sockets:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            self.sockets.clear()

    def stop(self):
        self.stopping.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.drop_connections()
        self.thread.join()


@pytest.fixture
def server():
    """server(behave, tls=None) starts one; all are stopped at the end."""
    servers = []

    def start(*arguments, **named):
        servers.append(Server(*arguments, **named))
        return servers[-1]

    yield start
    for one in servers:
        one.stop()


@pytest.fixture
def hole():
    """An address that accepts connections and never answers."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    listener.close()
