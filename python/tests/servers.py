"""Servers that do one thing, over plain sockets: what the lab has no behaviour for."""

import contextlib
import socket
import struct
import threading
import time

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Calls `serve(server, connection)` for each connection, in a thread of its own."""

    def __init__(self, serve):
        self._serve = serve
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._connections = []
        self.events = []  # what `serve` tells the test
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection = self._socket.accept()[0]
                self._connections.append(connection)
                threading.Thread(target=self._handle, args=(connection,), daemon=True).start()

    def _handle(self, connection):
        with contextlib.suppress(OSError), connection:
            self._serve(self, connection)

    def tell(self, event):
        self.events.append((event, time.monotonic()))

    def wait_for(self, event, seconds=5):
        """When it was told."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for told, when in list(self.events):
                if told == event:
                    return when
            time.sleep(0.002)
        raise AssertionError(f"the server has not seen {event!r} but {[told for told, _ in self.events]}")

    def stop(self):
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for connection in self._connections:
            connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def read_head(connection):
    """Up to the blank line, and what came behind it. b"" where the client has gone."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return b"", b""
        data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def reset(connection):
    """An RST instead of an end in good order."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def answering(*pieces, then=None, pause=0):
    """Each request is answered with these pieces; `then` is done to the connection behind the last one."""
    def serve(server, connection):
        while read_head(connection)[0]:
            server.tell("request")
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause)
            if then is not None:
                then(connection)
                return
    return serve


def silent(server, connection):
    """Never answers, and tells when the client has gone."""
    if read_head(connection)[0]:
        server.tell("request")
    with contextlib.suppress(ConnectionError):
        while connection.recv(65536):
            pass
    server.tell("gone")


def counting_bodies(server, connection):
    """How a body in chunks ends: with its last chunk, or with the connection."""
    head, data = read_head(connection)
    if not head:
        return
    piece = b"?"
    while piece and not data.endswith(b"0\r\n\r\n"):
        try:
            piece = connection.recv(65536)
        except ConnectionError:
            break
        data += piece
    server.tell("whole" if data.endswith(b"0\r\n\r\n") else "broken")
    connection.sendall(OK)


def mirroring(server, connection):
    """Answers with the body that it was sent, as JSON whatever it is."""
    while True:
        head, body = read_head(connection)
        if not head:
            return
        lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        n = int(lengths[0]) if lengths else 0
        body += _read_exactly(connection, n - len(body))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % n + body)


def refusing(server, connection):
    """Answers after a little of the body, and reads no more."""
    read_head(connection)
    connection.recv(1000)
    connection.sendall(b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    connection.shutdown(socket.SHUT_WR)
    with contextlib.suppress(ConnectionError):
        for _ in range(1000):
            if not connection.recv(65536):
                break
            time.sleep(0.001)


# --- HTTP/2, as frames ---------------------------------------------------------------------------------------------------

SETTINGS, HEADERS, RST_STREAM, GOAWAY = 4, 1, 3, 7
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def _frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def _read_exactly(connection, n):
    data = b""
    while len(data) < n:
        piece = connection.recv(n - len(data))
        if not piece:
            raise ConnectionError
        data += piece
    return data


def silent_h2(server, connection):
    """The same over HTTP/2 with prior knowledge: it tells each frame that ends something."""
    _read_exactly(connection, len(PREFACE))
    connection.sendall(_frame(SETTINGS))
    try:
        while True:
            length, kind, flags, stream = struct.unpack(">IBBI", b"\0" + _read_exactly(connection, 9))
            payload = _read_exactly(connection, length)
            if kind == SETTINGS and not flags & 1:
                connection.sendall(_frame(SETTINGS, 1))
            elif kind == HEADERS:
                server.tell(("request", stream))
            elif kind == RST_STREAM:
                server.tell(("reset", stream, struct.unpack(">I", payload)[0]))
    except ConnectionError:
        server.tell("gone")
