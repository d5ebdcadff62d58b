"""RequestsAdapter: requests over muster. `session.mount("https://", muster.RequestsAdapter())`.

requests goes on doing what is its own: redirects, cookies, authentication, content codings. What follows a request is in
response.raw.muster.
"""

import email.parser
import io
import os

import requests
import urllib3
from requests.adapters import HTTPAdapter

from . import _errors
from ._client import Client
from ._options import Timeout, request_members
from ._request import Request

_OURS = {"host", "connection", "transfer-encoding", "content-length"}


class _Body(io.RawIOBase):
    """The body as it comes, as a file."""

    def __init__(self, response):
        self._response = response
        self._rest = b""

    def readable(self):
        return True

    def readinto(self, buffer):
        if not self._rest:
            self._rest = self._response._client._read(self._response, max(len(buffer), 1))
        n = min(len(buffer), len(self._rest))
        buffer[:n] = self._rest[:n]
        self._rest = self._rest[n:]
        return n


class _Original:
    """Where requests looks for cookies."""

    def __init__(self, fields):
        head = "".join(f"{name}: {value}\r\n" for name, value in fields)
        self.msg = email.parser.Parser().parsestr(head + "\r\n")

    def isclosed(self):
        return True


def _translated(error, request):
    if isinstance(error, _errors.TimeoutError):
        kind = requests.ConnectTimeout if error.stage in ("dns", "tcp", "tunnel", "tls", "queue") else requests.ReadTimeout
    else:
        kind = next((theirs for ours, theirs in [
            (_errors.CertificateError, requests.exceptions.SSLError),
            (_errors.TLSError, requests.exceptions.SSLError),
            (_errors.ProxyError, requests.exceptions.ProxyError),
            (_errors.URLError, requests.exceptions.InvalidURL),
            (_errors.TooLargeError, requests.exceptions.ChunkedEncodingError),
        ] if isinstance(error, ours)), requests.ConnectionError)
    return kind(error, request=request)


class RequestsAdapter(HTTPAdapter):
    """An adapter for requests.Session.mount(). Options are those of muster.Client; verify, cert and proxies come from the session."""

    def __init__(self, **options):
        super().__init__()
        self._options = {"trust_env": False, **options, "follow_redirects": False, "decode": False}
        self._clients = {}

    def client_for(self, verify=True, cert=None, proxy=None):
        """The client below: its stats, and explain() with record=True."""
        key = (verify, cert, proxy)
        if key not in self._clients:
            options = dict(self._options, verify=verify)
            if cert:
                options["cert"] = cert
            if proxy:
                options["proxy"] = proxy
            self._clients[key] = Client(**options)
        return self._clients[key]

    def _asked(self, request, timeout):
        asked = Request(request.method, request.url, content=request.body or None)
        names = {name.lower() for name in request.headers}
        asked.headers = [(name, value if isinstance(value, str) else value.decode("latin-1")) for name, value in request.headers.items()
                         if name.lower() not in _OURS or name.lower() == "host"]
        asked.headers += [(name, None) for name in ("Accept", "Accept-Encoding", "User-Agent") if name.lower() not in names]
        asked.options = request_members({"stream": True})
        if timeout is not None:
            connect, read = timeout if isinstance(timeout, tuple) else (timeout, timeout)
            asked.options.update(Timeout(connect=connect, read=read)._members)
        return asked

    def send(self, request, stream=False, timeout=None, verify=True, cert=None, proxies=None):
        proxy = requests.utils.select_proxy(request.url, proxies)
        if isinstance(verify, os.PathLike):
            verify = os.fspath(verify)
        client = self.client_for(verify, tuple(cert) if isinstance(cert, list) else cert, proxy)
        try:
            answer = client.send(self._asked(request, timeout))
        except _errors.Error as error:
            raise _translated(error, request) from error
        raw = urllib3.HTTPResponse(body=io.BufferedReader(_Body(answer)), headers=urllib3.HTTPHeaderDict(answer.fields), status=answer.status,
                                   version=answer.http_version, reason=answer.reason, preload_content=False, decode_content=False,
                                   request_method=request.method, original_response=_Original(answer.fields))
        raw.muster = answer
        return self.build_response(request, raw)

    def close(self):
        for client in self._clients.values():
            client.close()
        self._clients.clear()
