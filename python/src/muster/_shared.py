"""What both kinds of clients have: options, defaults of requests, recording; and what they give back."""

import threading

from . import _engine
from ._errors import InputError
from ._options import client_members, hsts_file
from ._process import Workload
from ._request import Request, header_pairs, with_params

recorders = threading.local()


class Shared:
    """What both have: options, defaults of requests, recording."""

    def __init__(self, *, headers=None, auth=None, base_url="", params=None, record=None, **options):
        self._headers = header_pairs(headers)
        self._auth = auth
        self._params = params
        self._base_url = base_url.rstrip("/") if base_url else ""
        members = client_members(options)
        self.cookies = members.get("cookies")
        self.hsts = members.get("hsts")
        self._hsts_file = hsts_file(options)
        self._has_bodies = not members.get("discard_body")
        self._most = 2 * members.get("concurrency", 64)
        members.setdefault("queue_size", 1_000_000)
        self._engine = _engine.Engine(members)
        self._explanation = None
        self._workload = Workload()
        recorder = getattr(recorders, "current", None)
        self._is_recorded = bool(record) or recorder is not None
        if record:
            self._engine.record(*(() if record is True else (str(record),)))
        elif recorder is not None:
            self._engine.record()
        if recorder is not None:
            recorder._clients.append(self)

    def _url(self, url):
        if self._base_url and "://" not in url:
            url = f"{self._base_url}/{url.lstrip('/')}"
        return with_params(url, self._params)

    def build_request(self, method, url, **arguments):
        return Request(method, self._url(url), **arguments)

    def _request_of(self, item):
        """An item of a list: a URL, a Request, a dict of a Request's arguments, or (method, url)."""
        if isinstance(item, Request):
            return item
        if isinstance(item, str):
            return self.build_request("GET", item)
        if isinstance(item, dict):
            return self.build_request(**{"method": "GET", **item})
        if isinstance(item, (tuple, list)) and len(item) == 2:
            return self.build_request(*item)
        return self.build_request("GET", str(item))

    def _parts(self, request, work=None):
        parts = request._parts(self, self._headers, self._auth, work)
        if not (self._has_bodies or parts[-1] is None):
            raise TypeError("process: a client with discard_body=True has no bodies to work on")
        return parts

    @property
    def _is_plain(self):
        """May a str be handed over as the GET that it is?"""
        return not (self._headers or self._auth or self._params or self._base_url)

    @property
    def stats(self):
        """Counters since the client was made: requests, connections, retries."""
        return self._engine.stats()

    def explain(self):
        """What limited the requests so far; the client must record (record=True, or within muster.record())."""
        if self._explanation is not None:
            return self._explanation
        self._workload.tell(self._engine)
        return Explanation(self._engine.explain())

    def _told(self):
        try:
            return self.explain()
        except InputError:
            return None

    def _close_engine(self):
        """Nothing is outstanding any more. What it did can be asked for later."""
        if self._is_recorded:
            self._explanation = self._told()
        self._engine.close()
        if self._hsts_file is not None and self.hsts.has_changed:
            self.hsts.save(self._hsts_file)

    @property
    def is_closed(self):
        return self._engine.closed


class Explanation(dict):
    """A verdict: str() is its sentence; "findings" are the causes, with evidence, remedy and prediction."""

    def __str__(self):
        return self["verdict"]

    @property
    def verdict(self):
        return self["verdict"]

    @property
    def findings(self):
        return self["findings"]


def check_list(requests):
    """A str can be iterated over, too: letter by letter."""
    if isinstance(requests, (str, bytes)):
        raise TypeError(f"requests: a list of URLs, not one; get({requests!r}) is for one")


def named(response, request, client, index=None):
    response.request = request
    response.index = index
    response._client = client
    return response
