# SPDX-License-Identifier: MIT
"""
http.client, and urllib.request above it

Each connection is a client of its own that may have one connection. urllib3's connections are of these classes, too; what they do has its call already (of_urllib3.py).
"""

import sys
from time import monotonic_ns as now

from . import calls
from .calls import CONNECTING, OVER, UNREAD
from .inject import into

_seen = False


def begin(connection, method, url):
    global _seen
    try:
        known = connection.__dict__
        call = known.get("_mw_call")
        if call is not None and not call[OVER]:
            return None
        if not _seen:
            _seen = True
            calls.library("http.client")
        frame = sys._getframe(2)
        if "_mw_client" not in known:
            while frame is not None and frame.f_code.co_filename.endswith("http/client.py"):
                frame = frame.f_back
            name = "urllib.request" if frame is not None and frame.f_code.co_name == "do_open" else "http.client"
            known["_mw_client"] = calls.client(name, connection, 1, 0, 1, calls.sites.of(frame))
        if url[:1] == "/":
            port = "" if connection.port == connection.default_port else ":%d" % connection.port
            url = "http%s://%s%s%s" % ("s" if connection.default_port == 443 else "", connection.host, port, url)
        call = known["_mw_call"] = calls.begin(connection, method, url, 3)
        return call
    except Exception:
        return None


def fail(call):
    try:
        if call is not None:
            calls.fail(call, sys.modules["socket"].timeout)
    except Exception:
        pass


def connected(connection, start, value=None):
    try:
        call = connection.__dict__.get("_mw_call")
        if call is not None and not call[OVER]:
            call[CONNECTING] = now() - start
    except Exception:
        pass
    return value


def head(connection, response):
    try:
        call = connection.__dict__.pop("_mw_call", None) if "_mw_client" in connection.__dict__ else None
        if call is not None:
            calls.head(call, response.status)
            if response.isclosed():
                calls.closed(call)
            else:
                response._mw_call = call
    except Exception:
        pass
    return response


def not_answered(connection):
    if "_mw_client" in connection.__dict__:
        fail(connection.__dict__.pop("_mw_call", None))


def closed(response):
    try:
        call = response.__dict__.pop("_mw_call", None)
        if call is not None:
            calls.closed(call, UNREAD if response.length else 0)
    except Exception:
        pass


def in_client(module):
    names = {"_mw_now": now, "_mw_begin": begin, "_mw_fail": fail, "_mw_connected": connected, "_mw_head": head, "_mw_unanswered": not_answered, "_mw_closed": closed}
    connection = module.HTTPConnection
    into(connection._send_request, names, before="_mw_call = _mw_begin(self, method, url)", failed="_mw_fail(_mw_call)")
    into(connection.getresponse, names, after="_mw_head(self, _mw_value)", failed="_mw_unanswered(self)")
    into(module.HTTPResponse._close_conn, names, before="_mw_closed(self)")
    for name in ("HTTPConnection", "HTTPSConnection"):
        kind = getattr(module, name, None)
        if kind is not None:
            into(
                kind.connect,
                names,
                before="_mw_start = _mw_now()",
                after="_mw_connected(self, _mw_start, _mw_value)",
                failed="_mw_connected(self, _mw_start)",
            )
