"""Response: what came, read on demand."""

import codecs
import datetime
import json as _json
from collections.abc import Mapping
from typing import NamedTuple

from . import _engine
from ._errors import StatusError

try:
    import orjson as _orjson
except ImportError:
    _orjson = None

_CHUNK = 64 * 1024


class Phases(NamedTuple):
    """Where a request's time went, in seconds. They add up to the whole."""

    queue: float
    backoff: float
    dns: float
    tcp: float
    tls: float
    send: float
    wait: float
    lag: float
    receive: float
    decode: float
    process: float
    deliver: float
    tunnel: float

    @property
    def total(self):
        return sum(self)


def _phases(phases_ns):
    return Phases(*(ns / 1e9 for ns in phases_ns))


class Attempt(NamedTuple):
    """One try at one hop. `code` is "ok" or the engine's name of its error."""

    code: str
    status: int
    phases: Phases
    backoff: float
    connection: int


class Headers(Mapping):
    """Header fields: names in any case. headers[name] joins the values of several fields with ", ", as RFC 9110 section 5.3 has it."""

    __slots__ = ("_pairs", "_by_name")

    def __init__(self, pairs=()):
        self._pairs = list(pairs.items() if hasattr(pairs, "items") else pairs)
        self._by_name = {}
        for name, value in self._pairs:
            self._by_name.setdefault(name.lower(), []).append(value)

    def __getitem__(self, name):
        return ", ".join(self._by_name[name.lower()])

    def __contains__(self, name):
        return isinstance(name, str) and name.lower() in self._by_name

    def __iter__(self):
        return iter(self._by_name)

    def __len__(self):
        return len(self._by_name)

    def get_list(self, name):
        """Each field's value by itself: Set-Cookie must not be joined."""
        return list(self._by_name.get(name.lower(), ()))

    getall = get_list

    def multi_items(self):
        """All fields as they came, in their order."""
        return list(self._pairs)

    def __repr__(self):
        return f"Headers({self._pairs!r})"


class Response(_engine.Response):
    """The result of a request, also of one that failed: `error` is an exception then, and the rest is what was known.

    memoryview(response) is the body where it lies, without a copy; `content` is a copy, made once.
    """

    __slots__ = ("request", "index", "_processed", "_own_error", "_headers", "_text", "_encoding", "_read", "_client")

    def __init__(self, *_):
        raise TypeError("responses come from a client")

    # --- how it ended ---

    @property
    def error(self):
        """An exception, or None: a response came whole, whatever its status, and neither its request's body broke off nor processing it failed."""
        return getattr(self, "_own_error", None) or super().error

    @property
    def is_ok(self):
        return not hasattr(self, "_own_error") and super().is_ok

    @property
    def status_code(self):
        return self.status

    @property
    def ok(self):
        """A response came, and its status is below 400."""
        return self.is_ok and self.status < 400

    is_success = ok

    @property
    def reason(self):
        """The usual words for the status; HTTP/2 sends none."""
        import http

        try:
            return http.HTTPStatus(self.status).phrase
        except ValueError:
            return ""

    reason_phrase = reason

    def raise_for_status(self):
        """Raise the error, or StatusError for 400 and above; else return the response."""
        error = self.error
        if error is None and self.status >= 400:
            error = StatusError(f"status: {self.method} {self.final_url or self.url} was answered with {self.status} {self.reason}".rstrip(),
                                code="status", stage="receive", response=self)
        if error is not None:
            raise error
        return self

    # --- work on it ---

    @property
    def processed(self):
        """What the function that was given as process= returned; None: there was none, or it failed. With process="json" the objects are made when
        they are asked for first."""
        if not hasattr(self, "_processed"):
            if self.process_ns is None:
                return None
            self._processed = self.build(), self.process_ns / 1e9
        return self._processed[0]

    @property
    def process_seconds(self):
        """How long it took, in the process or thread that ran it."""
        if hasattr(self, "_processed"):
            return self._processed[1]
        return None if self.process_ns is None else self.process_ns / 1e9

    # --- head ---

    @property
    def headers(self):
        try:
            return self._headers
        except AttributeError:
            self._headers = Headers(self.fields)
            return self._headers

    # --- body ---

    @property
    def content(self):
        """Of a streamed body what was read by read(), or as it is read to its end now."""
        try:
            return self._read
        except AttributeError:
            return super().content

    @property
    def encoding(self):
        """By Content-Type where it says so, else UTF-8. May be set."""
        try:
            return self._encoding
        except AttributeError:
            return _charset(self.header("content-type") or "") or "utf-8"

    @encoding.setter
    def encoding(self, encoding):
        self._encoding = codecs.lookup(encoding).name
        if hasattr(self, "_text"):
            del self._text

    @property
    def text(self):
        """Decoded by `encoding`; bytes that do not fit become U+FFFD."""
        try:
            return self._text
        except AttributeError:
            self._text = self.content.decode(self.encoding, "replace")
            return self._text

    def json(self, **options):
        """The body as JSON: what process="json" has read, else by orjson where it is installed and there are no options."""
        if not options and self.process_ns is not None:
            return self.processed
        if _orjson and not options:
            return _orjson.loads(self.content)
        return _json.loads(self.content, **options)

    def iter_bytes(self, chunk_size=_CHUNK):
        """Piece by piece: of a request with stream=True as they come."""
        if hasattr(self, "_read") or not self._is_streamed:
            content = self.content
            for start in range(0, len(content), chunk_size):
                yield content[start:start + chunk_size]
            return
        while True:
            piece = self._client._read(self, chunk_size)
            if not piece:
                return
            yield piece

    def iter_lines(self):
        """Lines of the text, without their ends."""
        decoder = codecs.getincrementaldecoder(self.encoding)("replace")
        rest = ""
        for piece in self.iter_bytes():
            rest += decoder.decode(piece)
            *lines, rest = rest.split("\n")
            for line in lines:
                yield line.rstrip("\r")
        rest += decoder.decode(b"", True)
        if rest:
            yield rest

    async def aiter_bytes(self, chunk_size=_CHUNK):
        while True:
            piece = await self._client._read(self, chunk_size)
            if not piece:
                return
            yield piece

    def read_all(self):
        """Read the rest of a streamed body; it is `content` then."""
        self._read = b"".join(self.iter_bytes())
        return self._read

    async def aread(self):
        self._read = b"".join([piece async for piece in self.aiter_bytes()])
        return self._read

    @property
    def _is_streamed(self):
        request = self.request
        return bool(request is not None and request.options and request.options.get("stream"))

    # --- time ---

    @property
    def phases(self):
        return _phases(self.phases_ns)

    @property
    def elapsed(self):
        """From the moment it was handed over until its result was taken."""
        return datetime.timedelta(microseconds=self.total_ns / 1000)

    @property
    def latency(self):
        """Seconds from its slot to its end: without the wait for a slot, and for you to take it."""
        phases = self.phases_ns
        return (self.total_ns - phases[0] - phases[11]) / 1e9

    @property
    def tries(self):
        """The last 16 attempts."""
        return [Attempt(one["code"], one["status"], _phases(one["phases_ns"]), one["backoff_ns"] / 1e9, one["connection"]) for one in self.attempts]

    @property
    def history(self):
        """The attempts that were redirected."""
        return [one for one in self.tries[:-1] if one.code == "ok" and 300 <= one.status < 400]

    def to_dict(self):
        """For tables: a flat dict of numbers and text, without the body."""
        error = self.error
        record = {"index": getattr(self, "index", None), "url": self.url, "method": self.method, "status": self.status,
                  "error": error.code if error else None, "message": str(error) if error else None, "attempts": self.n_attempts,
                  "redirects": self.n_redirects, "connection": self.connection["id"] if self.connection else None, "body_bytes": self.body_bytes,
                  "elapsed": self.total_ns / 1e9}
        record.update(zip(Phases._fields, self.phases))
        return record

    def __repr__(self):
        error = self.error
        outcome = f"{self.status} {self.reason}".strip() if error is None else error.code
        return f"<Response [{outcome}] {self.method} {self.url}>"


def _charset(content_type):
    """The charset parameter (RFC 9110 section 8.3.1) if Python knows it; else None."""
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            try:
                return codecs.lookup(value.strip().strip("\"'")).name
            except LookupError:
                return None
    return None
