"""Many HTTP requests at once, and an account of where the time went.

    import muster

    for response in muster.stream(urls, concurrency=64):
        print(response.status, response.url)
"""

import os

from . import _engine, _shared
from ._arrow import Table
from ._async_client import AsyncClient
from ._client import Client
from ._cookies import HSTS, Cookie, CookieJar
from ._errors import (CancelledError, CertificateError, ClosedError, ConnectError, DecodeError, DeniedError, Error, InputError, InternalError,
                      InvalidError, ProcessError, ProtocolError, ProxyError, RedirectError, ResolveError, ResourceError, ResponseError, SendError,
                      StatusError, TimeoutError, TLSError, TooLargeError, TransportError, URLError, make_error)
from ._options import Timeout
from ._request import Request
from ._response import Attempt, Headers, Phases, Response
from ._results import Results
from ._shared import Explanation

__version__ = _engine.version
__all__ = ["AsyncClient", "Attempt", "CancelledError", "CertificateError", "Client", "ClosedError", "ConnectError", "Cookie", "CookieJar", "DecodeError",
           "DeniedError", "Error", "Explanation", "HSTS", "Headers", "InputError", "InternalError", "InvalidError", "Phases", "ProcessError", "ProtocolError", "ProxyError",
           "RedirectError", "Request", "ResolveError", "ResourceError", "Response", "ResponseError", "Results", "SendError", "StatusError",
           "TLSError", "Table", "TimeoutError", "Timeout", "TooLargeError", "TransportError", "URLError", "explain", "fetch", "record", "stream"]

_engine.register(Response, make_error)


def __getattr__(name):
    """What needs a package that may not be installed is imported when it is asked for."""
    if name == "HTTPXTransport":
        from ._httpx import HTTPXTransport as found
    elif name == "RequestsAdapter":
        from ._requests import RequestsAdapter as found
    else:
        raise AttributeError(f"module 'muster' has no attribute {name!r}")
    return found


def stream(requests, *, process=None, executor=None, inline=False, progress=None, **options):
    """Responses in the order of completion, each failure by itself in Response.error. Arguments are those of Client.stream(), options those of
    Client."""
    with Client(**options) as client:
        yield from client.stream(requests, process=process, executor=executor, inline=inline, progress=progress)


def fetch(requests, *, process=None, executor=None, inline=False, progress=None, **options):
    """A list of responses in the order of `requests`. Arguments are those of Client.stream(), options those of Client."""
    with Client(**options) as client:
        return client.fetch(requests, process=process, executor=executor, inline=inline, progress=progress)


class record:
    """`with muster.record() as rec:` clients that are made within record what they do; rec.explain() says what limited them."""

    def __init__(self):
        self._clients = []
        self._before = None
        self._explanations = None

    def __enter__(self):
        self._before = getattr(_shared.recorders, "current", None)
        _shared.recorders.current = self
        return self

    def __exit__(self, *_):
        _shared.recorders.current = self._before

    def explain(self):
        """Of the client that had most requests. InputError if there was none."""
        told = [explanation for client in self._clients if (explanation := client._told()) is not None]
        if not told:
            raise InputError("input: no client was made within record(), or none has ended a request", code="input")
        return max(told, key=lambda explanation: explanation["run"]["requests"])


def explain(path):
    """What `muster explain` says of a record in a file."""
    return Explanation(_engine.explain_file(os.fspath(path)))
