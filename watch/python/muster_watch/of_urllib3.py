# SPDX-License-Identifier: MIT
"""
urllib3, and requests above it: sessions, pools, requests

A request is one on the wire. It begins when a connection is asked for and ends when the connection is given back or closed; with a connection its
call is found again. The session above it, or the pool manager, is noted for the thread meanwhile.
"""

import sys
from time import monotonic_ns as now

from . import calls, sites
from .calls import AGAIN, CONNECTING, FLAGS, HEAD, LEAST_WAIT_NS, STATUS, UNREAD
from .inject import into

_thread = calls.local_thread
_getframe = sys._getframe
_exc_info = sys.exc_info
_sites_of = sites.pair
_limit_held = calls.limit_held
_number_of = calls.clients.get
_open = calls.open_calls
_timeouts = ()
_unused = {}  # id(session): when and where it was made; its limits are known when it is used


def session_made(session):
    try:
        calls.forget_client(session)
        _unused[id(session)] = sites.here(3)
    except Exception:
        pass


def session_begins(session, request):
    """The first request goes through this session. Answers its number."""
    try:
        site = _unused.pop(id(session), None)
        if site is None:
            return 0
        adapter = session.get_adapter(request.url)
        size, blocks = getattr(adapter, "_pool_maxsize", 0), getattr(adapter, "_pool_block", False)
        return calls.client("requests", session, 0, size if blocks else 0, size, site)
    except Exception:
        return 0


def session_ends(session):
    _unused.pop(id(session), None)
    calls.client_end(session)


def manager_made(manager):
    """Where; but urllib3's own, that of urllib3.request(), is made when it is imported."""
    try:
        calls.forget_client(manager)
        if _getframe(2).f_globals.get("__name__") != "urllib3":
            manager._mw_site = sites.here(3)
    except Exception:
        pass


def manager_begins(manager):
    """The first request goes through this one. Answers its number."""
    try:
        size = manager.connection_pool_kw.get("maxsize", 1)
        site = getattr(manager, "_mw_site", 0) or sites.here(3)
        return calls.client("urllib3", manager, 0, size if manager.connection_pool_kw.get("block") else 0, size, site)
    except Exception:
        return 0


def pool_made(pool, maxsize):
    """One that nobody's manager made has no other owner."""
    try:
        frame = _getframe(2)
        while frame is not None and frame.f_code.co_name == "__init__":
            frame = frame.f_back
        if frame is not None and frame.f_code.co_name != "_new_pool":
            calls.client("urllib3", pool, 0, maxsize if pool.block else 0, maxsize, sites.of(frame))
        else:
            calls.forget_client(pool)
    except Exception:
        pass


def connected(connection, start):
    try:
        connection._mw_connecting = now() - start
    except Exception:
        pass


def _is_again(frame):
    """A pool's urlopen() calls itself for another try, and for a redirect if there is no manager."""
    history = getattr(frame.f_locals.get("retries"), "history", ())
    return bool(history) and not history[-1].redirect_location


def _begin_of_url(pool):
    """What a path is put behind."""
    port = pool.port
    if not port or port == (443 if pool.scheme == "https" else 80):
        pool._mw_url = "%s://%s" % (pool.scheme, pool.host)
    else:
        pool._mw_url = "%s://%s:%d" % (pool.scheme, pool.host, port)
    return pool._mw_url


def begin(pool, connection, method, url):
    try:
        if url[:1] == "/":
            url = (pool._mw_url or _begin_of_url(pool)) + url
        limit = _limit_held()
        if limit is not None:
            limit.makes_requests = True
        frame = _getframe(2)
        site, caller = _sites_of(frame)
        got, start, there = _thread.got
        queued = connecting = 0
        if got is connection:
            _thread.got = calls.GOT_NONE
            # Else nobody waits for a connection, however long it takes to make the object.
            if there - start > LEAST_WAIT_NS and pool.block:
                queued = there - start
        else:
            start = now()
        if connection._mw_connecting:
            if connection.sock is not None:
                connecting = connection._mw_connecting  # to a proxy
            connection._mw_connecting = 0
        number = _thread.owner or _number_of(id(pool), 0)
        call = [start, 0, queued, connecting, 0, 0, number, site, _thread.number or calls.new_thread(), method, url, "", caller, 0]
        if frame.f_back is not None and frame.f_back.f_code is frame.f_code and _is_again(frame):
            call[FLAGS] = AGAIN
        connection._mw_call = call
        return call
    except Exception:
        return None


def head(call, connection, response):
    try:
        if connection._mw_connecting:
            call[CONNECTING] += connection._mw_connecting
            connection._mw_connecting = 0
        call[STATUS] = response.status
        call[HEAD] = now()
        _open[id(call)] = call
        connection._mw_closes = connection.sock is None
    except Exception:
        pass


def fail(call, connection):
    try:
        call[CONNECTING] += connection._mw_connecting
        connection._mw_connecting = 0
        refused = sys.exc_info()[0].__name__ == "NewConnectionError"  # is a time-out by its class alone
        calls.fail(call, () if refused else _timeouts)
    except Exception:
        pass


def given_back(connection):
    try:
        if connection is None:
            return
        call, connection._mw_call = connection._mw_call, None
        if call is None:
            return
        response = getattr(connection, "_HTTPConnection__response", None)
        closed_early = connection.sock is None and not connection._mw_closes
        left = response is not None and not response.isclosed()
        error = _exc_info()[0] if closed_early else None
        calls.closed(call, UNREAD if closed_early or left else 0, error.__name__ if error is not None else "")
    except Exception:
        pass


def in_pool(module):
    global _timeouts
    _timeouts = (module.TimeoutError, sys.modules["socket"].timeout)
    pool = module.HTTPConnectionPool
    pool._mw_url = ""
    names = {"_mw_now": now, "_mw_thread": _thread, "_mw_begin": begin, "_mw_head": head, "_mw_fail": fail, "_mw_given_back": given_back, "_mw_pool": pool_made}
    into(pool.__init__, names, then="_mw_pool(self, maxsize)")
    into(pool._get_conn, names, before="_mw_start = _mw_now()", then="_mw_thread.got = _mw_value, _mw_start, _mw_now()")
    into(pool._put_conn, names, before="_mw_given_back(conn)")
    if into(
        pool._make_request,
        names,
        before="_mw_call = _mw_begin(self, conn, method, url)",
        then="_mw_head(_mw_call, conn, _mw_value)",
        failed="_mw_fail(_mw_call, conn)",
    ):
        calls.library("urllib3", calls.version_of("urllib3"))


def in_connection(module):
    # Connections of the program's own kinds are of http.client's at least.
    of_all = sys.modules["http.client"].HTTPConnection
    of_all._mw_connecting, of_all._mw_closes = 0, False
    names = {"_mw_now": now, "_mw_connected": connected}
    for name in ("HTTPConnection", "HTTPSConnection"):
        kind = getattr(module, name, None)
        if kind is not None and "connect" in kind.__dict__:
            into(kind.connect, names, before="_mw_start = _mw_now()", then="_mw_connected(self, _mw_start)", failed="_mw_connected(self, _mw_start)")


# Whose turn it is, until the request is over; what was before is as a function's variable.
_TAKES_TURN = """
_mw_before = _mw_thread.owner
_mw_thread.owner = %s
"""
_ENDS_TURN = "_mw_thread.owner = _mw_before"


def in_manager(module):
    into(module.PoolManager.__init__, {"_mw_manager_made": manager_made}, then="_mw_manager_made(self)")
    into(
        module.PoolManager.urlopen,
        {"_mw_thread": _thread, "_mw_number": _number_of, "_mw_manager": manager_begins},
        before=_TAKES_TURN % "_mw_before or _mw_number(id(self)) or _mw_manager(self)",
        then=_ENDS_TURN,
        failed=_ENDS_TURN,
    )


def in_sessions(module):
    session = module.Session
    names = {"_mw_session": session_made, "_mw_begins": session_begins, "_mw_ends": session_ends, "_mw_thread": _thread, "_mw_number": _number_of}
    into(session.__init__, names, then="_mw_session(self)")
    into(session.close, names, before="_mw_ends(self)")
    if into(
        session.send,
        names,
        before=_TAKES_TURN % "_mw_number(id(self)) or _mw_begins(self, request)",
        then=_ENDS_TURN,
        failed=_ENDS_TURN,
    ):
        calls.library("requests", calls.version_of("requests"))
