# SPDX-License-Identifier: MIT
"""
http.client, and urllib.request above it

Each connection is a client of its own that may have one connection. urllib3's connections are of these classes, too; what they do has its call already (of_urllib3.py),
which is found out without a call: `_mw_call` and `_mw_client` are in the classes, too, None for those that have none.
"""

import sys
from time import monotonic_ns as now

from . import calls
from .calls import CONNECTING, END, UNREAD
from .inject import into

_seen = False


def begin(connection, method, url):
    global _seen
    try:
        if not _seen:
            _seen = True
            calls.library("http.client")
        frame = sys._getframe(2)
        if connection._mw_client is None:
            while frame is not None and frame.f_code.co_filename.endswith("http/client.py"):
                frame = frame.f_back
            name = "urllib.request" if frame is not None and frame.f_code.co_name == "do_open" else "http.client"
            connection._mw_client = calls.client(name, connection, 1, 0, 1, calls.sites.of(frame))
        if url[:1] == "/":
            port = "" if connection.port == connection.default_port else ":%d" % connection.port
            url = "http%s://%s%s%s" % ("s" if connection.default_port == 443 else "", connection.host, port, url)
        call = connection._mw_call = calls.begin(connection, method, url, 3)
        return call
    except Exception:
        return None


def fail(call):
    try:
        if call is not None:
            calls.fail(call, sys.modules["socket"].timeout)
    except Exception:
        pass


def connected(connection, start):
    try:
        call = connection._mw_call
        if call is not None and not call[END]:
            call[CONNECTING] = now() - start
    except Exception:
        pass


def head(connection, response):
    try:
        call, connection._mw_call = connection._mw_call, None
        if call is not None:
            calls.head(call, response.status)
            if response.isclosed():
                calls.closed(call)
            else:
                response._mw_call = call
    except Exception:
        pass


def not_answered(connection):
    call, connection._mw_call = connection._mw_call, None
    fail(call)


def closed(response):
    try:
        call, response._mw_call = response._mw_call, None
        calls.closed(call, UNREAD if response.length else 0)
    except Exception:
        pass


def in_client(module):
    names = {"_mw_now": now, "_mw_begin": begin, "_mw_fail": fail, "_mw_connected": connected, "_mw_head": head, "_mw_unanswered": not_answered, "_mw_closed": closed}
    connection = module.HTTPConnection
    connection._mw_call = connection._mw_client = module.HTTPResponse._mw_call = None
    into(
        connection._send_request,
        names,
        before="_mw_call = _mw_begin(self, method, url) if self._mw_call is None or self._mw_call[%d] else None" % END,
        failed="_mw_fail(_mw_call)",
    )
    into(
        connection.getresponse,
        names,
        then="if self._mw_client is not None: _mw_head(self, _mw_value)",
        failed="if self._mw_client is not None: _mw_unanswered(self)",
    )
    into(module.HTTPResponse._close_conn, names, before="if self._mw_call is not None: _mw_closed(self)")
    for name in ("HTTPConnection", "HTTPSConnection"):
        kind = getattr(module, name, None)
        if kind is not None:
            into(kind.connect, names, before="_mw_start = _mw_now()", then="_mw_connected(self, _mw_start)", failed="_mw_connected(self, _mw_start)")
