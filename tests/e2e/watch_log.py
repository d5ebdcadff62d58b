"""The log of a watched process (src/watch/event.h), read in Python: what the shim writes, for tests."""
import socket
import struct
from collections import namedtuple
from pathlib import Path

HEADER = struct.Struct("=8sIIiiQQQQQQQII512s2048s1448x")
EVENT = struct.Struct("=IHHiiQQqQII")
TCP = struct.Struct("=4I5QII")
KINDS = ("none connect connected close shutdown dup accept nodelay send receive wait away lookup tls_handshake tls_send tls_receive tls_shutdown tls_free "
         "tls_context tls_trust fork exec thread sleep").split()
TEXT, H2, BLOCKS = 1, 2, 4
UNSEEN_TLS, UNSEEN_URING, UNSEEN_STAMPS = 1, 2, 4

Tcp = namedtuple("Tcp", "rtt_us min_rtt_us n_retransmits cwnd bytes_received delivery_rate busy_us rwnd_limited_us sndbuf_limited_us n_unread state")


class Event(namedtuple("Event", "kind flags tid fd at_ns took_ns value extra data")):
    @property
    def end_ns(self):
        return self.at_ns + self.took_ns

    @property
    def address(self):
        """Of a connect or accept: (host, port), or a path."""
        family, = struct.unpack_from("=H", self.data)
        if family == socket.AF_UNIX:
            return self.data[2:].split(b"\0")[0].decode()
        port, = struct.unpack_from("!H", self.data, 2)
        begin, size = {socket.AF_INET: (4, 4), socket.AF_INET6: (8, 16)}[family]
        return socket.inet_ntop(family, self.data[begin:begin + size]), port

    @property
    def tcp(self):
        return Tcp(*TCP.unpack(self.data))


class Log:
    """A file, which must be whole: every event of which there is a size lies within what was taken."""

    def __init__(self, path):
        with open(path, "rb") as file:
            (magic, version, header_size, self.pid, self.ppid, self.start_ns, self.start_wall_ns, self.end_ns, self.end_cpu_ns, self.capacity,
             self.used, self.n_dropped, self.unseen, n_args, exe, args) = HEADER.unpack(file.read(HEADER.size))
            assert (magic, version, header_size) == (b"MUSTERWL", 1, 4096)
            self.exe = exe.split(b"\0")[0].decode()
            self.args = args[:n_args].decode(errors="replace").split("\0")[:-1]
            self.events = list(self.read(file.read(min(self.used, self.capacity))))

    def read(self, data):
        at = 0
        while at + EVENT.size <= len(data):
            size, kind, flags, tid, fd, at_ns, took_ns, value, extra, n_data, _ = EVENT.unpack_from(data, at)
            if size == 0:
                return
            assert size % 8 == 0 and EVENT.size + n_data <= size and kind < len(KINDS), (at, size, kind, n_data)
            if kind:
                body = data[at + EVENT.size:at + EVENT.size + n_data]
                yield Event(KINDS[kind], flags, tid, fd, at_ns, took_ns, value, extra, body)
            at += size

    def of(self, *kinds):
        return [event for event in self.events if event.kind in kinds]


def read_logs(folder):
    """All logs of a folder, the oldest first."""
    return sorted((Log(path) for path in Path(folder).glob("shim.*")), key=lambda log: log.start_ns)


def show(log):
    print(f"{log.exe} pid {log.pid} of {log.ppid}: {log.args}, used {log.used}, dropped {log.n_dropped}, unseen {log.unseen}, cpu {log.end_cpu_ns / 1e6:.1f} ms")
    for event in log.events:
        print(f"{(event.at_ns - log.start_ns) / 1e6:9.3f} {event.took_ns / 1e3:9.1f} us {event.tid} {event.kind:10} fd {event.fd} value {event.value} extra {event.extra}"
              f" flags {event.flags} {event.data[:60]!r}")


if __name__ == "__main__":
    import sys
    for each in read_logs(sys.argv[1]):
        show(each)
