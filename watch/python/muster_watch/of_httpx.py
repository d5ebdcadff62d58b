# SPDX-License-Identifier: MIT
"""
httpx, and httpcore below it: clients, their pools' queues, requests

A request of httpx is one on the wire: each redirect and each try of a login is one of its own. httpcore does not know of it, so it looks for the call in the context.
"""

import sys
from time import monotonic_ns as now

from . import calls
from .calls import CONNECTING, QUEUED, START, UNREAD
from .inject import into

_timeouts = ()


def begin(client, request):
    try:
        call = calls.begin(client, request.method, request.url, 3)
        calls.current.set(call)
        return call
    except Exception:
        return None


def head(call, response):
    try:
        calls.head(call, response.status_code)
        response.stream._mw_call = call
    except Exception:
        pass


def fail(call):
    try:
        calls.fail(call, _timeouts)
    except Exception:
        pass


def closed(stream):
    try:
        error = sys.exc_info()[0]
        calls.closed(stream._mw_call, 0 if _is_read(stream._response) else UNREAD, error.__name__ if error not in (None, GeneratorExit) else "")
    except Exception:
        pass


def _is_read(response):
    if response.request.method == "HEAD" or response.status_code in (204, 304):
        return True
    for _, name, value in response.headers._list:
        if name == b"content-length":
            return response.num_bytes_downloaded >= int(value)
    return response.is_stream_consumed


def client_made(client):
    try:
        pool = getattr(client._transport, "_pool", None)
        limits = [getattr(pool, name, None) for name in ("_max_connections", "_max_keepalive_connections")]
        limit, kept = [0 if n in (None, sys.maxsize) else n for n in limits]
        calls.client("httpx", client, limit, 0, kept, calls.sites.here(3))
    except Exception:
        pass


def client_ends(client):
    try:
        calls.client_end(client)
    except Exception:
        pass


def in_client(module):
    global _timeouts
    _timeouts = (module.TimeoutException,) if hasattr(module, "TimeoutException") else (sys.modules["httpx._exceptions"].TimeoutException,)
    done = []
    for client, ends, stream, close in (
        (module.Client, ("close", "__exit__"), module.BoundSyncStream, "close"),
        (module.AsyncClient, ("aclose", "__aexit__"), module.BoundAsyncStream, "aclose"),
    ):
        into(client.__init__, {"_mw_client": client_made}, then="_mw_client(self)")
        for name in ends:
            into(getattr(client, name), {"_mw_client_ends": client_ends}, before="_mw_client_ends(self)")
        done.append(
            into(
                client._send_single_request,
                {"_mw_begin": begin, "_mw_head": head, "_mw_fail": fail},
                before="_mw_call = _mw_begin(self, request)",
                then="_mw_head(_mw_call, _mw_value)",
                failed="_mw_fail(_mw_call)",
            )
            and into(getattr(stream, close), {"_mw_closed": closed}, before="_mw_closed(self)")
        )
    if any(done):
        calls.library("httpx", calls.version_of("httpx"))


# It asks the clock only where there is no connection for it: what it waits for then is no more than the loop.
_ASKS = "_mw_start = _mw_now() if self.connection is None else 0"
_HAS_WAITED = """
_mw_call = _mw_current()
if _mw_call is not None and (_mw_call[%d] or _mw_start and _mw_now() - _mw_start > %d):
    _mw_got(_mw_call)
""" % (QUEUED, calls.LEAST_WAIT_NS)


def got(call):
    """
    All of its life so far was for a connection: httpcore before 1.0 gives one that is free to all who wait, and others take it first.
    Then the next one is waited for, here and at the lock around the pool.
    """
    call[QUEUED] = now() - call[START]


def connected(start):
    try:
        calls.current.get()[CONNECTING] += now() - start
    except Exception:
        pass


def in_pool(module):
    for name in ("AsyncPoolRequest", "PoolRequest", "RequestStatus"):
        request = getattr(module, name, None)
        if request is not None:
            into(
                request.wait_for_connection,
                {"_mw_now": now, "_mw_current": calls.current.get, "_mw_got": got},
                before=_ASKS,
                then=_HAS_WAITED,
                failed=_HAS_WAITED,
            )


def in_connection(module):
    for name in ("AsyncHTTPConnection", "HTTPConnection"):
        connection = getattr(module, name, None)
        if connection is not None:
            into(
                connection._connect,
                {"_mw_now": now, "_mw_connected": connected},
                before="_mw_start = _mw_now()",
                then="_mw_connected(_mw_start)",
                failed="_mw_connected(_mw_start)",
            )
