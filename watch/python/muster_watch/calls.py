# SPDX-License-Identifier: MIT
"""
A request on its way: what each library's hook fills in

A list for each, since nothing in Python is made faster. It is the row as well: it is put when the response has been read to its end, was given up, or the
request failed. What libraries do for each request is counted in microseconds, so hooks ask for as little as they can: statements in the library's function that call
nothing but C, and functions of ours only where something is to be said.
"""

import sys
from _contextvars import ContextVar
from _thread import _local, get_ident, get_native_id
from time import monotonic_ns as now

from . import log, sites

START, END, QUEUED, CONNECTING, STATUS, FLAGS, CLIENT, SITE, THREAD, METHOD, URL, ERROR, CALLER, HEAD = range(14)

REUSED = 1
UNREAD = 2
HEAD_ONLY = 4
AGAIN = 8
# What takes less is no wait but the library's own way there.
LEAST_WAIT_NS = 1_000_000

put = log.put
_put_request = log.put_request
current = ContextVar("muster_watch", default=None)
limits_held = ContextVar("muster_watch_limits", default=None)  # the last semaphore that was acquired
limit_held = limits_held.get
_getframe = sys._getframe
_sites_of = sites.pair
clients = {}  # id(session): its number; the next session at an address overwrites it
_n_clients = 0
open_calls = {}  # id(call): a call whose head is there
thread_seen = None  # of locks: a thread made its first request
is_by_timeout = None  # of cancels: was the task that runs now cancelled by a time-out?
held_in = None  # of holds: how long was this thread's loop held between two moments?


GOT_NONE = None, 0, 0


class _Thread(_local):
    """What a thread has of its own."""

    number = 0  # the kernel's; to ask for it is a system call
    owner = 0  # of urllib3: the client whose turn it is
    got = GOT_NONE  # of urllib3: a connection, and when it was asked for and there


local_thread = _Thread()


def new_thread():
    """This one makes its first request."""
    number = local_thread.number = get_native_id()
    if thread_seen is None:
        from . import locks  # noqa: F401, which sets it
    thread_seen(get_ident(), number)
    return number


def client(library, owner, limit, per_host, kept, site):
    """A session or pool was made."""
    global _n_clients
    _n_clients += 1
    clients[id(owner)] = _n_clients
    put(("client", now(), _n_clients, library, site, limit or 0, per_host or 0, kept or 0))
    return _n_clients


def client_of(owner):
    return clients.get(id(owner), 0)


def forget_client(owner):
    """This object is none, whatever was at its address before."""
    clients.pop(id(owner), None)


def client_end(owner):
    number = clients.pop(id(owner), 0)
    if number:
        put(("client-end", now(), number))


def begin(owner, method, url, depth=2):
    """A request begins in the function that calls this."""
    limit = limit_held()
    if limit is not None:
        limit.makes_requests = True
    site, caller = _sites_of(_getframe(depth))
    return [now(), 0, 0, 0, 0, 0, clients.get(id(owner), 0), site, local_thread.number or new_thread(), method, url, "", caller, 0]


def waited(call, took):
    """It has a connection, for which it has waited for so long; to make it is not counted."""
    took -= call[CONNECTING]
    if took > LEAST_WAIT_NS:
        call[QUEUED] = took


def end(call, status, flags=0, error=""):
    """Its response has been read, or was given up."""
    if call[END]:
        return
    at = call[END] = now()
    call[STATUS] = status
    if status and not call[CONNECTING]:
        flags |= REUSED
    if flags:
        call[FLAGS] |= flags
    if error:
        call[ERROR] = error
    _put_request(call)
    if at > log.due:
        log.flush()


def head(call, status):
    """The head of its response is there, and more is to come."""
    call[STATUS] = status
    call[HEAD] = now()
    open_calls[id(call)] = call


def closed(call, flags=0, error=""):
    """What began with head() is over."""
    open_calls.pop(id(call), None)
    end(call, call[STATUS], flags, error)


def _leave_open():
    """Responses that are still open when the process ends were never read."""
    while open_calls:
        call = open_calls.popitem()[1]
        if not call[END]:
            call[END] = call[HEAD]
            call[FLAGS] |= UNREAD | HEAD_ONLY | (not call[CONNECTING])
            _put_request(call)


def fail(call, timeouts=()):
    """It failed by the exception that is handled now."""
    if call[END]:
        return
    kind = sys.exc_info()[0]
    name = kind.__name__
    at = now()
    is_timeout = timeouts and issubclass(kind, timeouts)
    if name == "CancelledError" and not is_timeout and is_by_timeout is not None and is_by_timeout():
        name, is_timeout = "TimeoutError", True  # which is what the program is given
    if is_timeout:
        held = held_in(call[START], at) if held_in is not None else 0
        put(("timeout", at, call[CLIENT], call[SITE], held))
    end(call, call[STATUS], 0, name)


def version_of(package):
    """Of a library that was imported; its own __init__ may be running still."""
    found = getattr(sys.modules.get(package), "__version__", None)
    return found if isinstance(found, str) else ""


_libraries = {}


def library(name, version=""):
    """A hook is in this library."""
    if name not in _libraries or (version and not _libraries[name]):
        _libraries[name] = version
        put(("library", name, version))


log.before_end(_leave_open)


def after_fork():
    open_calls.clear()
    local_thread.__dict__.clear()
    sites.forget()
    for name, version in _libraries.items():
        put(("library", name, version))
