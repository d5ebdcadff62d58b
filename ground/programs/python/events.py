"""Sends events to a collector, each thread over a connection of its own: events.py URL COUNT"""
import json
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit


class Collector:
    def __init__(self, url):
        parts = urlsplit(url)
        self.host = parts.netloc
        self.connection = socket.create_connection((parts.hostname, parts.port or 80))
        self.answers = self.connection.makefile("rb")

    def post(self, event):
        body = json.dumps(event).encode()
        head = f"POST /upload HTTP/1.1\r\nHost: {self.host}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.connection.sendall(head.encode())
        self.connection.sendall(body)
        return self.answer()

    def answer(self):
        status = int(self.answers.readline().split()[1])
        length = 0
        while (line := self.answers.readline().strip()):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        self.answers.read(length)
        return status


local = threading.local()


def post(number):
    if not hasattr(local, "collector"):
        local.collector = Collector(sys.argv[1])
    return local.collector.post({"event": number, "text": "something happened " * 40})


with ThreadPoolExecutor(16) as pool:
    statuses = list(pool.map(post, range(int(sys.argv[2]))))
print(f"{len(statuses)} events, {statuses.count(200)} accepted")
