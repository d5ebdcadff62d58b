# SPDX-License-Identifier: MIT
"""
A request on its way: what each library's hook fills in

A list for each, since nothing in Python is made faster. It becomes a row when the response has been read to its end, was given up, or the request failed.
"""

import sys
from _contextvars import ContextVar
from _thread import _local, get_ident, get_native_id
from time import monotonic_ns as now

from . import log, sites

START, QUEUED, CONNECTING, STATUS, CLIENT, SITE, METHOD, URL, OVER, CALLER = range(10)

UNREAD = 2
AGAIN = 8
# What takes less is no wait but the library's own way there.
LEAST_WAIT_NS = 1_000_000

put = log.put
current = ContextVar("muster_watch", default=None)
limits_held = ContextVar("muster_watch_limits", default=None)  # the last semaphore that was acquired
local_thread = _local()
_getframe = sys._getframe
_sites_of = sites.pair
clients = {}  # id(session): its number; the next session at an address overwrites it
_n_clients = 0
_again = set()  # id(call) of those that follow another try
_open = {}  # id(call): the call, when its head came, and in which thread
thread_seen = None  # of locks: a thread made its first request
is_by_timeout = None  # of cancels: was the task that runs now cancelled by a time-out?
held_in = None  # of holds: how long was this thread's loop held between two moments?


def thread():
    """The kernel's number of this thread; asking for it is a system call."""
    try:
        return local_thread.number
    except AttributeError:
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
    limit = limits_held.get()
    if limit is not None:
        limit.makes_requests = True
    site, caller = _sites_of(_getframe(depth))
    return [now(), 0, 0, 0, clients.get(id(owner), 0), site, method, url, False, caller]


def again(call):
    """Its library makes it once more, by itself."""
    _again.add(id(call))


def waited(call, took):
    """It has a connection, for which it has waited for so long; to make it is not counted."""
    took -= call[CONNECTING]
    if took > LEAST_WAIT_NS:
        call[QUEUED] = took


def end(call, status, flags=0, error=""):
    """Its response has been read, or was given up."""
    if call[OVER]:
        return
    call[OVER] = True
    start, queued, connecting, _, client, site, method, url, _, caller = call
    at = now()
    if _again and id(call) in _again:
        _again.discard(id(call))
        flags |= AGAIN
    put(("request", start, at, queued, connecting, status, flags | (connecting == 0 and status != 0), client, site, thread(), method, url, error, caller))
    if at > log.due:
        log.flush()


def head(call, status):
    """The head of its response is there, and more is to come."""
    call[STATUS] = status
    _open[id(call)] = (call, now(), thread())


def closed(call, flags=0, error=""):
    """What began with head() is over."""
    _open.pop(id(call), None)
    end(call, call[STATUS], flags, error)


def _leave_open():
    """Responses that are still open when the process ends were never read."""
    while _open:
        call, at, of_thread = _open.popitem()[1]
        if not call[OVER]:
            call[OVER] = True
            start, queued, connecting, status, client, site, method, url, _, caller = call
            put(("request", start, at, queued, connecting, status, UNREAD | 4 | (connecting == 0), client, site, of_thread, method, url, "", caller))


def fail(call, timeouts=()):
    """It failed by the exception that is handled now."""
    if call[OVER]:
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
    _open.clear()
    _again.clear()
    local_thread.__dict__.clear()
    sites.forget()
    for name, version in _libraries.items():
        put(("library", name, version))
