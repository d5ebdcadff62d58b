# SPDX-License-Identifier: MIT
"""
Code that was made once, for the next process

To parse and compile a library's functions takes about 10 ms, so what comes of it is kept in the user's folder for such things (~/.cache/muster/watch), if that is theirs. A file
holds what was made from one file of a library, and is of no use when that one, the interpreter, or ours has changed.
"""

import marshal
import os
import sys

from . import kept_in as folder
from . import log

_files = {}  # path of a library's file: _File


class _File:
    def __init__(self, path):
        facts = os.stat(path)
        self.stamp = (2, sys.hexversion, path, facts.st_mtime_ns, facts.st_size, _own_stamp())
        self.path = os.path.join(folder or "/nonexistent", "injected-%s-%s.bin" % (os.path.basename(path), "%016x" % _hash("%s %s" % (path, sys.hexversion))))
        self.made = {}
        self.is_new = False
        try:
            with open(self.path, "rb") as file:
                if os.fstat(file.fileno()).st_uid != os.geteuid():
                    return
                stamp, made = marshal.loads(file.read())
            if stamp == self.stamp:
                self.made = made
        except (OSError, ValueError, EOFError, TypeError):
            pass


def _hash(text):
    value = 0xCBF29CE484222325
    for byte in text.encode("utf-8", "surrogateescape"):
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def _own_stamp():
    from . import inject

    return os.stat(inject.__file__).st_mtime_ns


def _of(path):
    file = _files.get(path)
    if file is None:
        file = _files[path] = _File(path)
    return file


def get(path, key):
    return _of(path).made.get(key)


def put(path, key, code):
    file = _of(path)
    file.made[key] = code
    file.is_new = True


def save():
    """Whole files only: another process may be reading."""
    for file in _files.values():
        if file.is_new and folder:
            file.is_new = False
            try:
                new = "%s.%d" % (file.path, os.getpid())
                fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                try:
                    log.write_all(fd, marshal.dumps((file.stamp, file.made)))
                    os.rename(new, file.path)
                except OSError:
                    os.unlink(new)
                finally:
                    os.close(fd)
            except OSError:
                pass


log.before_end(save)
