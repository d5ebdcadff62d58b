"""HTTPXTransport: httpx over muster. One line of a program changes, and it gets HTTP/2, pooling, phases and the verdict.

httpx goes on doing what is its own: redirects, cookies, content codings, authentication. What follows a request is in
response.extensions["muster"].
"""

import httpx

from . import _errors
from ._async_client import AsyncClient
from ._client import Client
from ._options import request_members, Timeout
from ._request import Request

_TIMEOUTS = {"connect": "connect", "read": "read", "pool": "queue"}
_CONNECTING = {"dns", "tcp", "tunnel", "tls"}
_VERSIONS = {10: b"HTTP/1.0", 11: b"HTTP/1.1", 20: b"HTTP/2"}
# httpx writes these; the engine writes its own.
_OURS = {"host", "connection", "transfer-encoding", "content-length"}


def _timeout_class(stage):
    if stage in _CONNECTING:
        return httpx.ConnectTimeout
    return {"queue": httpx.PoolTimeout, "send": httpx.WriteTimeout}.get(stage, httpx.ReadTimeout)


def _translated(error, request):
    """In the tree of httpx; the cause is ours."""
    if isinstance(error, _errors.TimeoutError):
        kind = _timeout_class(error.stage)
    else:
        kind = next((theirs for ours, theirs in [
            (_errors.ProxyError, httpx.ProxyError),
            (_errors.ConnectError, httpx.ConnectError),
            (_errors.SendError, httpx.WriteError),
            (_errors.InputError, httpx.WriteError),
            (_errors.ClosedError, httpx.RemoteProtocolError),
            (_errors.ProtocolError, httpx.RemoteProtocolError),
            (_errors.URLError, httpx.UnsupportedProtocol),
            (_errors.TooLargeError, httpx.ReadError),
        ] if isinstance(error, ours)), httpx.TransportError)
    return kind(str(error), request=request)


def _fields(request):
    """As httpx has them. A field that httpx left out is not to be added."""
    given = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
    names = {name.lower() for name, _ in given}
    host = str(request.url.netloc, "ascii")
    fields = [(name, value) for name, value in given if name.lower() not in _OURS or name.lower() == "host" and value != host]
    return fields + [(name, None) for name in ("Accept", "Accept-Encoding", "User-Agent") if name.lower() not in names]


def _comes_in_pieces(request):
    """httpx was given an iterable: it is passed on as it comes."""
    return request.headers.get("transfer-encoding", "").lower() == "chunked"


def _asked(request, body):
    asked = Request(request.method, str(request.url), content=body or None)
    asked.headers = _fields(request)
    asked.options = request_members({"stream": True})
    clocks = request.extensions.get("timeout", {})
    asked.options.update(Timeout(**{ours: clocks[theirs] for theirs, ours in _TIMEOUTS.items() if theirs in clocks})._members)
    return asked


def _answer(response, stream):
    fields = [(name.encode("latin-1", "replace"), value.encode("utf-8")) for name, value in response.fields]
    return httpx.Response(response.status, headers=fields, stream=stream,
                          extensions={"http_version": _VERSIONS.get(response.http_version, b"HTTP/1.1"), "muster": response})


class _Stream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body as it comes."""

    def __init__(self, response, request):
        self._response = response
        self._request = request

    def __iter__(self):
        try:
            yield from self._response.iter_bytes()
        except _errors.Error as error:
            raise _translated(error, self._request) from error

    async def __aiter__(self):
        try:
            async for piece in self._response.aiter_bytes():
                yield piece
        except _errors.Error as error:
            raise _translated(error, self._request) from error

    def close(self):
        self._response = None

    async def aclose(self):
        self._response = None


class HTTPXTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """For httpx.Client and httpx.AsyncClient: `transport=muster.HTTPXTransport()`. Options are those of muster.Client."""

    def __init__(self, **options):
        self._options = {**options, "follow_redirects": False, "decode": False}
        self._client = self._async_client = None

    @property
    def client(self):
        """The client below: its stats, and explain() with record=True."""
        return self._client or self._async_client

    def handle_request(self, request):
        if self._client is None:
            self._client = Client(**self._options)
        try:
            response = self._client.send(_asked(request, iter(request.stream) if _comes_in_pieces(request) else request.read()))
        except _errors.Error as error:
            raise _translated(error, request) from error
        return _answer(response, _Stream(response, request))

    async def handle_async_request(self, request):
        if self._async_client is None:
            self._async_client = AsyncClient(**self._options)
        try:
            body = request.stream.__aiter__() if _comes_in_pieces(request) else await request.aread()
            response = await self._async_client.send(_asked(request, body))
        except _errors.Error as error:
            raise _translated(error, request) from error
        return _answer(response, _Stream(response, request))

    def close(self):
        if self._client is not None:
            self._client.close()

    async def aclose(self):
        if self._async_client is not None:
            await self._async_client.aclose()
