# SPDX-License-Identifier: MIT
"""
The rows of the log, from memory into the file

What is seen is put as a tuple into a list, which is all that the program waits for; requests, of which there are most, have a list of their own. Both are made text and
written in batches: by the watchdog twice a second, and when the process ends. The file is opened for each batch and closed again, so that no descriptor of
ours is in the way of a program that counts or closes its own. Format: src/watch/hook_log.h.
"""

import _signal
import os
import sys
from _thread import allocate_lock
from time import monotonic_ns

BATCH = 1000
PERIOD_NS = 500_000_000
MOST_ROWS = 500_000

rows = []
put = rows.append
requests = []  # calls.py; each is put when all that it names has been
put_request = requests.append
_path = None
_lock = allocate_lock()
_n_written = 0
_n_lost = 0
_before_flush = []  # what still has rows to put
_before_end = []
is_last = False  # the process ends
due = 0  # when the next batch is to be written

_TOO_LARGE = (_signal.SIGXFSZ,)
_REQUEST_FIELDS = 13
_ESCAPES = {ord("%"): "%25", ord("\t"): "%09", ord("\n"): "%0A", ord("\r"): "%0D"}


def text(value):
    """A value as a field."""
    value = str(value)
    if "%" in value or "\t" in value or "\n" in value or "\r" in value:
        value = value.translate(_ESCAPES)
    return value


def before_flush(function):
    _before_flush.append(function)


def before_end(function):
    _before_end.append(function)


def begin(folder, language, version):
    """A log of this process; after a fork that of the child begins anew."""
    global _path, _lock, _n_written, _n_lost
    _lock = allocate_lock()
    _path = os.path.join(folder, "hook.%d.%d" % (os.getpid(), monotonic_ns()))
    _n_written = _n_lost = 0
    del rows[:], requests[:]
    put(("muster-hook", 1, language, version, os.getpid()))
    put(("runtime", sys.implementation.name, int(getattr(sys, "_is_gil_enabled", lambda: True)()), int(sys.getswitchinterval() * 1e9)))


def _line(row):
    """A row, whatever it has; None: a value of the program whose str() fails."""
    try:
        return "\t".join([field if field.__class__ is str and field.isalnum() else text(field) for field in row])
    except Exception:
        return None


def _lines(rows):
    return [line for line in map(_line, rows) if line is not None]


def _lines_of_requests(rows):
    """Hardly any has what is to be escaped: they are made at once, and looked through at once."""
    try:
        lines = [f"request\t{a}\t{b}\t{c}\t{d}\t{e}\t{f}\t{g}\t{h}\t{i}\t{j}\t{k}\t{l}\t{m}" for a, b, c, d, e, f, g, h, i, j, k, l, m, _ in rows]
        lines = "\n".join(lines)
        if lines.count("\n") == len(rows) - 1 and lines.count("\t") == _REQUEST_FIELDS * len(rows):
            return [lines.replace("%", "%25").replace("\r", "%0D")]
    except Exception:
        pass
    return _lines(["request", *row[:_REQUEST_FIELDS]] for row in rows)


def flush():
    """Write what there is. Whoever comes while another does it has nothing to do."""
    global due
    if _path is None or not _lock.acquire(False):
        return
    due = monotonic_ns() + PERIOD_NS
    try:
        for function in _before_flush:
            function()
        n = len(requests)  # what these name is in rows already
        _write_all_of(rows, len(rows), _lines)
        _write_all_of(requests, n, _lines_of_requests)
    except Exception:
        pass
    finally:
        _lock.release()


def _write_all_of(rows, n, lines_of):
    """The first n of the list."""
    global _n_written, _n_lost
    while n > 0:
        batch = rows[: min(n, BATCH)]
        del rows[: len(batch)]
        n -= len(batch)
        room = MOST_ROWS - _n_written
        _n_lost += max(0, len(batch) - room)
        _n_written += min(len(batch), room)
        if room > 0:
            _write("\n".join(lines_of(batch[:room])) + "\n")


def is_due(at):
    return at > due and (rows or requests)


def end():
    """The last of this process."""
    global is_last
    is_last = True
    for function in _before_end:
        try:
            function()
        except Exception:
            pass
    flush()
    if _n_lost:
        _write("lost\t%d\n" % _n_lost)


def write_all(fd, data):
    """A program whose files may not grow is not ended by ours: the signal that comes with EFBIG is taken back."""
    blocked = _signal.pthread_sigmask(_signal.SIG_BLOCK, _TOO_LARGE)
    try:
        while data:
            data = data[os.write(fd, data):]
    except OSError:
        _signal.sigtimedwait(_TOO_LARGE, 0)
        raise
    finally:
        _signal.pthread_sigmask(_signal.SIG_SETMASK, blocked)


def _write(lines):
    data = lines.encode("utf-8", "backslashreplace")
    fd = os.open(_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        write_all(fd, data)
    finally:
        os.close(fd)
