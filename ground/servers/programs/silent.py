"""A listener on "address" that accepts nobody and whose queue is full: the kernel answers no SYN to it, as a host that is gone would not.

No packet leaves loopback: "address" is one of 127.0.0.0/8.
"""
import errno
import socket
import time

from answers import settings

SETTINGS = settings()
ADDRESS = (SETTINGS["address"], SETTINGS["port"])
assert ADDRESS[0].startswith("127."), "only loopback"

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(ADDRESS)
listener.listen(0)
kept = []
for _ in range(4):
    client = socket.socket()
    client.setblocking(False)
    assert client.connect_ex(ADDRESS) in (0, errno.EINPROGRESS)
    kept.append(client)
time.sleep(3600)
