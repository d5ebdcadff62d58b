# SPDX-License-Identifier: MIT
"""
aiohttp: sessions, the connector's queue, requests

A request takes about 100 µs, so what is done for each has room for 3 µs. Statements of ours stand in ClientSession.__init__ and _request, in BaseConnector.connect and in
the _create_connection of its kinds; that a connection was there at once is found out by them, without a call. The call travels from _request to the connector in the
request object. If the body is not there when the head is, the connection tells of its end when it is released.
"""

import sys
from functools import partial
from time import monotonic_ns as now

from . import calls, sites
from .calls import CONNECTING, UNREAD, URL
from .inject import at, into, statements, walk

_end = calls.end
_getframe = sys._getframe
_sites_of = sites.pair
_limit_held = calls.limit_held
_thread = calls.local_thread
_number_of = calls.clients.get
_promised = {}  # id of the frame of a _request that has not begun: the site of who made it
_timeouts = ()
DEFAULT_LIMITS = (100, 0)
CLOSED_BY_PROGRAM = "ClientConnectionError"  # and no kind of it: what response.close() leaves to those who would read on


def promised(coroutine):
    """
    A request is made, and may begin later, in a task that no code of the program is in. The frame of a coroutine is the same object when it runs.
    """
    try:
        _promised[id(coroutine.cr_frame)] = _sites_of(_getframe(3))
    except Exception:
        pass


def begin(session, method, url, params):
    try:
        frame = _getframe(1)
        limit = _limit_held()
        if limit is not None:
            limit.makes_requests = True
        if params or session._base_url is not None:
            url = None
        site, caller = _promised.pop(id(frame), None) or _sites_of(frame.f_back)
        return [now(), 0, 0, 0, 0, 0, _number_of(id(session), 0), site, _thread.number or calls.new_thread(), method, url, "", caller, 0]
    except Exception:
        return None


def made(call, request):
    """The request object of its first hop."""
    try:
        request._mw_call = call
        if call[URL] is None:
            call[URL] = request.url
    except Exception:
        pass


def connected(request, start):
    try:
        calls.waited(request._mw_call, now() - start)
    except Exception:
        pass


def created(request, start):
    try:
        request._mw_call[CONNECTING] += now() - start
    except Exception:
        pass


def end(call, response):
    try:
        connection = response._connection
        if connection is None:
            _end(call, response.status)
        elif response.status == 101:
            _end(call, 101, 4)
        else:
            calls.head(call, response.status)
            connection.add_callback(partial(released, call, connection.protocol))
    except Exception:
        pass


def released(call, protocol):
    """The connection was given back or closed; what is called holds neither it nor the response, whose end they wait for."""
    payload = protocol._payload
    if payload is None or payload.is_eof():
        calls.closed(call)
        return
    error = payload.exception()
    name = type(error).__name__ if error is not None else ""
    calls.closed(call, UNREAD, "" if name == CLOSED_BY_PROGRAM else name)


def fail(call):
    try:
        calls.fail(call, _timeouts)
    except Exception:
        pass


def connector_made(connector):
    try:
        connector._mw_site = calls.sites.here(3)
    except Exception:
        pass


def session_made(session):
    """Its place is that of its connector where somebody set a limit there, or had it close each connection."""
    try:
        connector = session._connector
        limit, per_host = connector._limit, connector._limit_per_host
        is_own = (limit, per_host) != DEFAULT_LIMITS or connector.force_close
        site = getattr(connector, "_mw_site", 0) if is_own else 0
        calls.client("aiohttp", session, limit, per_host, 0, site or calls.sites.here(3))
    except Exception:
        pass


def session_ends(session):
    try:
        calls.client_end(session)
    except Exception:
        pass


def _note_request(node):
    """After each "req = self._request_class(...)"."""
    for parent in list(walk(node)):
        body = getattr(parent, "body", None)
        for i, child in enumerate(body if isinstance(body, list) else ()):
            function = getattr(getattr(child, "value", None), "func", None)
            if child.__class__.__name__ == "Assign" and getattr(function, "attr", "") == "_request_class":
                body.insert(i + 1, at(statements("_mw_made(_mw_call, req)")[0], child))
                return


def in_client(module):
    global _timeouts
    _timeouts = (module.asyncio.TimeoutError,)
    session = module.ClientSession
    into(session.__init__, {"_mw_session": session_made}, then="_mw_session(self)")
    into(session.close, {"_mw_session_ends": session_ends}, before="_mw_session_ends(self)")
    into(module._BaseRequestContextManager.__init__, {"_mw_promised": promised}, before="_mw_promised(coro)")
    if into(
        session._request,
        {"_mw_begin": begin, "_mw_made": made, "_mw_end": end, "_mw_fail": fail},
        before="_mw_call = _mw_begin(self, method, str_or_url, params)",
        then="_mw_end(_mw_call, _mw_value)",
        failed="_mw_fail(_mw_call)",
        edit=_note_request,
    ):
        calls.library("aiohttp", calls.version_of("aiohttp"))


def in_connector(module):
    names = {"_mw_now": now, "_mw_connected": connected, "_mw_created": created}
    into(
        module.BaseConnector.connect,
        names,
        before="_mw_start = _mw_now()",
        then="if _mw_now() - _mw_start > %d: _mw_connected(req, _mw_start)" % calls.LEAST_WAIT_NS,
        failed="_mw_connected(req, _mw_start)",
    )
    into(module.BaseConnector.__init__, {"_mw_connector": connector_made}, then="_mw_connector(self)")
    for kind in ("TCPConnector", "UnixConnector"):
        into(
            getattr(module, kind)._create_connection,
            names,
            before="_mw_start = _mw_now()",
            then="_mw_created(req, _mw_start)",
            failed="_mw_created(req, _mw_start)",
        )
