"""The standard library of Python."""
from ground.programs.entries.beds import FAR_PLAIN, QUICK
from ground.programs.entry import Entry

ENTRIES = [
    Entry("urllib-close", "no-keep-alive", "python/pages.py", 240, FAR_PLAIN, r"urlopen\(", likewise=("client-each-request",)),
    Entry("http-client-each", "client-each-request", "python/notes.py", 240, FAR_PLAIN, r"HTTPConnection\(|connection\.request\(", likewise=("no-keep-alive",)),
    Entry("socket-two-sends", "nagle-own", "python/events.py", 160, QUICK, r"sendall\(", put_right=(
        ("        self.connection.sendall(head.encode())\n        self.connection.sendall(body)\n", "        self.connection.sendall(head.encode() + body)\n"),)),
]
