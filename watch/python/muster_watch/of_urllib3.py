# SPDX-License-Identifier: MIT
"""
urllib3, and requests above it: sessions, pools, requests

A request is one on the wire. It begins when a connection is asked for and ends when the connection is given back or closed; with a connection its
call is found again. The session above it, or the pool manager, is noted for the thread meanwhile.
"""

import sys
from time import monotonic_ns as now

from . import calls
from .calls import CLIENT, CONNECTING, START, UNREAD
from .inject import into

_thread = calls.local_thread
_timeouts = ()
_unused = {}  # id(session): when and where it was made; its limits are known when it is used


def session_made(session, value):
    try:
        _unused[id(session)] = calls.sites.here(3)
    except Exception:
        pass
    return value


def session_begins(session, request):
    """A request goes through this session. Answers whose turn it was before."""
    try:
        before = getattr(_thread, "owner", 0)
        if _unused and id(session) in _unused:
            site = _unused.pop(id(session))
            adapter = session.get_adapter(request.url)
            size, blocks = getattr(adapter, "_pool_maxsize", 0), getattr(adapter, "_pool_block", False)
            calls.client("requests", session, 0, size if blocks else 0, size, site)
        _thread.owner = calls.client_of(session)
        return before
    except Exception:
        return 0


def session_over(before, value=None):
    _thread.owner = before
    return value


def session_ends(session):
    _unused.pop(id(session), None)
    calls.client_end(session)


def manager_made(manager, value):
    """Where; but urllib3's own, that of urllib3.request(), is made when it is imported."""
    try:
        if sys._getframe(2).f_globals.get("__name__") != "urllib3":
            manager._mw_site = calls.sites.here(3)
    except Exception:
        pass
    return value


def manager_begins(manager):
    try:
        before = getattr(_thread, "owner", 0)
        if not before:
            number = calls.client_of(manager)
            if not number:
                size = manager.connection_pool_kw.get("maxsize", 1)
                site = getattr(manager, "_mw_site", 0) or calls.sites.here(3)
                number = calls.client("urllib3", manager, 0, size if manager.connection_pool_kw.get("block") else 0, size, site)
            _thread.owner = number
        return before
    except Exception:
        return 0


def pool_made(pool, maxsize, value):
    """One that nobody's manager made has no other owner."""
    try:
        frame = sys._getframe(2)
        while frame is not None and frame.f_code.co_name == "__init__":
            frame = frame.f_back
        if frame is not None and frame.f_code.co_name != "_new_pool":
            calls.client("urllib3", pool, 0, maxsize if pool.block else 0, maxsize, calls.sites.of(frame))
        else:
            calls.forget_client(pool)
    except Exception:
        pass
    return value


def got(start, connection):
    try:
        _thread.got = (connection, start, now() - start)
    except Exception:
        pass
    return connection


def connected(connection, start, value=None):
    try:
        connection._mw_connecting = now() - start
    except Exception:
        pass
    return value


def _is_again(frame):
    """A pool's urlopen() calls itself for another try, and for a redirect if there is no manager."""
    if frame.f_back is None or frame.f_back.f_code is not frame.f_code:
        return False
    history = getattr(frame.f_locals.get("retries"), "history", ())
    return bool(history) and not history[-1].redirect_location


def begin(pool, connection, method, url):
    try:
        if url[:1] == "/":
            port = pool.port
            if not port or port == (443 if pool.scheme == "https" else 80):
                url = "%s://%s%s" % (pool.scheme, pool.host, url)
            else:
                url = "%s://%s:%d%s" % (pool.scheme, pool.host, port, url)
        call = calls.begin(pool, method, url, 3)
        call[CLIENT] = getattr(_thread, "owner", 0) or call[CLIENT]
        if _is_again(sys._getframe(2)):
            calls.again(call)
        got_connection, start, took = getattr(_thread, "got", (None, 0, 0))
        if got_connection is connection:
            _thread.got = (None, 0, 0)
            call[START] = start
            if pool.block:  # else nobody waits for a connection, however long it takes to make the object
                calls.waited(call, took)
        if connection.sock is None:
            connection._mw_connecting = 0
        else:
            call[CONNECTING] = connection.__dict__.pop("_mw_connecting", 0)  # to a proxy
        connection._mw_call = call
        return call
    except Exception:
        return None


def head(call, connection, response):
    try:
        call[CONNECTING] += connection.__dict__.pop("_mw_connecting", 0)
        calls.head(call, response.status)
        connection._mw_closes = connection.sock is None
    except Exception:
        pass
    return response


def fail(call, connection):
    try:
        call[CONNECTING] += connection.__dict__.pop("_mw_connecting", 0)
        refused = sys.exc_info()[0].__name__ == "NewConnectionError"  # is a time-out by its class alone
        calls.fail(call, () if refused else _timeouts)
    except Exception:
        pass


def given_back(connection):
    try:
        if connection is None:
            return
        call = connection.__dict__.pop("_mw_call", None)
        if call is None:
            return
        response = connection.__dict__.get("_HTTPConnection__response")
        closed_early = connection.sock is None and not connection._mw_closes
        left = response is not None and not response.isclosed()
        error = sys.exc_info()[0]
        calls.closed(call, UNREAD if closed_early or left else 0, error.__name__ if error is not None and closed_early else "")
    except Exception:
        pass


def in_pool(module):
    global _timeouts
    _timeouts = (module.TimeoutError, sys.modules["socket"].timeout)
    pool = module.HTTPConnectionPool
    names = {"_mw_now": now, "_mw_got": got, "_mw_begin": begin, "_mw_head": head, "_mw_fail": fail, "_mw_given_back": given_back, "_mw_pool": pool_made}
    into(pool.__init__, names, after="_mw_pool(self, maxsize, _mw_value)")
    into(pool._get_conn, names, before="_mw_start = _mw_now()", after="_mw_got(_mw_start, _mw_value)")
    into(pool._put_conn, names, before="_mw_given_back(conn)")
    if into(
        pool._make_request,
        names,
        before="_mw_call = _mw_begin(self, conn, method, url)",
        after="_mw_head(_mw_call, conn, _mw_value)",
        failed="_mw_fail(_mw_call, conn)",
    ):
        calls.library("urllib3", calls.version_of("urllib3"))


def in_connection(module):
    names = {"_mw_now": now, "_mw_connected": connected}
    for name in ("HTTPConnection", "HTTPSConnection"):
        kind = getattr(module, name, None)
        if kind is not None and "connect" in kind.__dict__:
            into(
                kind.connect,
                names,
                before="_mw_start = _mw_now()",
                after="_mw_connected(self, _mw_start, _mw_value)",
                failed="_mw_connected(self, _mw_start)",
            )


def in_manager(module):
    into(module.PoolManager.__init__, {"_mw_manager_made": manager_made}, after="_mw_manager_made(self, _mw_value)")
    into(
        module.PoolManager.urlopen,
        {"_mw_manager": manager_begins, "_mw_over": session_over},
        before="_mw_before = _mw_manager(self)",
        after="_mw_over(_mw_before, _mw_value)",
        failed="_mw_over(_mw_before)",
    )


def in_sessions(module):
    session = module.Session
    names = {"_mw_session": session_made, "_mw_begins": session_begins, "_mw_over": session_over, "_mw_ends": session_ends}
    into(session.__init__, names, after="_mw_session(self, _mw_value)")
    into(session.close, names, before="_mw_ends(self)")
    if into(
        session.send,
        names,
        before="_mw_before = _mw_begins(self, request)",
        after="_mw_over(_mw_before, _mw_value)",
        failed="_mw_over(_mw_before)",
    ):
        calls.library("requests", calls.version_of("requests"))
