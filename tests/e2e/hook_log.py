"""The log of a hook (src/watch/hook_log.h), read in Python."""
import struct
from collections import namedtuple
from pathlib import Path

FIELDS = {
    "muster-hook": "version language language_version pid",
    "library": "name version",
    "runtime": "name has_lock switch",
    "interpreter": "first last waited n_asked n_taken site share name",
    "loop": "name",
    "site": "id file line function",
    "client": "t id library site limit per_host kept",
    "client-end": "t id",
    "request": "start end queued connecting status flags client site thread method url error caller",
    "held": "start end cpu site line_share name",
    "held-at": "start site line_share name",
    "semaphore": "first last value n_acquired n_waited waited most_waiting site",
    "gather": "start end n site",
    "executor": "first last threads n waited most_waiting kind site",
    "context": "t took site",
    "pause": "first last n took site",
    "timeout": "t client site held",
    "lost": "n",
}
PACKED = struct.Struct("=13d")
REUSED, UNREAD, HEAD_ONLY, AGAIN = 1, 2, 4, 8
TEXTS = {"language", "language_version", "name", "version", "file", "function", "library", "method", "url", "error", "kind"}
KINDS = {kind: namedtuple("".join(word.title() for word in kind.split("-")), fields) for kind, fields in FIELDS.items()}


class Log:
    """The rows of one process, by kind: log.request is a list."""

    def __init__(self, path):
        self.rows = []
        self.words = [""]
        rest = Path(path).read_bytes()
        while rest:
            line, end, rest = rest.partition(b"\n")
            assert end
            kind, *values = line.decode().split("\t")
            if kind == "word":
                assert int(values[0]) == len(self.words)
                self.words.append(values[1])
                continue
            if kind == "requests":
                size = int(values[0])
                assert size <= len(rest)
                self.rows.extend(("request", request) for request in self.unpacked(rest[:size]))
                rest = rest[size:]
                continue
            fields = FIELDS[kind].split()
            if kind == "request" and len(values) == len(fields) - 1:
                values.append("0")  # the caller may be missing
            assert len(values) == len(fields), line
            is_text = [name in TEXTS and not (kind == "muster-hook" and name == "version") for name in fields]
            self.rows.append((kind, KINDS[kind](*(value if text else int(value) for value, text in zip(values, is_text)))))
        assert self.rows[0][0] == "muster-hook"

    def unpacked(self, block):
        """The requests that stand behind a row "requests"."""
        while block:
            *numbers, size = map(int, PACKED.unpack_from(block))
            path = block[PACKED.size:PACKED.size + size].decode()
            block = block[PACKED.size + (size + 7) // 8 * 8:]
            method, origin, error = (self.words[number] for number in numbers[9:])
            yield KINDS["request"](*numbers[:9], method, origin + path, error, 0)

    def __getattr__(self, kind):
        return [row for name, row in self.rows if name == kind]

    def site(self, number):
        """(line, function) of a place; None: not known."""
        return next(((row.line, row.function) for name, row in self.rows if name == "site" and row.id == number), None)

    def line_of(self, row):
        return (self.site(row.site) or (0,))[0]


def logs(folder):
    return [Log(path) for path in sorted(Path(folder).glob("hook.*"))]
