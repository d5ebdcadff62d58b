# SPDX-License-Identifier: MIT
"""
The rows of the log, from memory into the file

What is seen is put as a tuple into a list, which is all that the program waits for. The list is made text and written in batches: by the
watchdog twice a second, when it is long, and when the process ends. The file is opened for each batch and closed again, so that no descriptor of
ours is in the way of a program that counts or closes its own. Format: src/watch/hook_log.h.
"""

import _signal
import os
import sys
from _operator import itemgetter
from _thread import allocate_lock
from itertools import groupby
from time import monotonic_ns

BATCH = 1000
PERIOD_NS = 500_000_000
MOST_ROWS = 500_000

rows = []
put = rows.append
_path = None
_lock = allocate_lock()
_n_written = 0
_n_lost = 0
_before_flush = []  # what still has rows to put
_before_end = []
is_last = False  # the process ends
due = 0  # when the next batch is to be written

_TOO_LARGE = (_signal.SIGXFSZ,)
_REQUEST = "\t".join(["%s"] + ["%d"] * 9 + ["%s"] * 3 + ["%d"])
_REQUEST_TABS = _REQUEST.count("\t")
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
    del rows[:]
    put(("muster-hook", 1, language, version, os.getpid()))
    put(("runtime", sys.implementation.name, int(getattr(sys, "_is_gil_enabled", lambda: True)()), int(sys.getswitchinterval() * 1e9)))


def _line(row):
    """A row, whatever it has; None: a value of the program whose str() fails."""
    try:
        return "\t".join([field if field.__class__ is str and field.isalnum() else text(field) for field in row])
    except Exception:
        return None


def _lines_of_requests(rows):
    """Most rows are requests, and hardly any has what is to be escaped: they are made at once, and looked through at once."""
    try:
        lines = "\n".join([_REQUEST % row for row in rows])
        if "%" not in lines and "\r" not in lines and lines.count("\n") == len(rows) - 1 and lines.count("\t") == _REQUEST_TABS * len(rows):
            return [lines]
    except Exception:
        pass
    return [_line(row) for row in rows]


def _lines(batch):
    for kind, rows in groupby(batch, itemgetter(0)):
        for line in _lines_of_requests(list(rows)) if kind == "request" else map(_line, rows):
            if line is not None:
                yield line


def flush():
    """Write what there is. Whoever comes while another does it has nothing to do."""
    global _n_written, _n_lost, due
    if _path is None or not _lock.acquire(False):
        return
    due = monotonic_ns() + PERIOD_NS
    try:
        for function in _before_flush:
            function()
        while rows:
            batch = rows[:BATCH]
            del rows[: len(batch)]
            room = MOST_ROWS - _n_written
            _n_lost += max(0, len(batch) - room)
            _n_written += min(len(batch), room)
            if room > 0:
                _write("\n".join(_lines(batch[:room])) + "\n")
    except Exception:
        pass
    finally:
        _lock.release()


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
