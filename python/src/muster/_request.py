"""Request: what to ask, and its form for the engine."""

import json as _json
import io
import os
import stat
from collections.abc import Mapping
from urllib.parse import urlencode

from ._options import auth_parts, request_members
from ._upload import OpenFile, Pieces

try:
    import orjson as _orjson
except ImportError:
    _orjson = None


def dump_json(value):
    return _orjson.dumps(value) if _orjson else _json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


class Request:
    """A request that can be given to stream(), fetch() or Client.send(). Arguments are those of Client.request().

    `content` is bytes or anything with a buffer, a str (UTF-8), a file's path as os.PathLike, an open file, or an iterable of bytes, which may be
    asynchronous: it is sent as it comes, in chunks. `data` is a dict or pairs for a form, `files` what httpx takes there, `json` anything for
    json.dumps(). `extra` is the caller's: it comes back as Response.request.extra.
    """

    __slots__ = ("method", "url", "headers", "body", "auth", "options", "process", "extra")

    def __init__(self, method, url, *, params=None, headers=None, content=None, data=None, files=None, json=..., auth=None, process=None, extra=None,
                 **options):
        self.method = method
        self.url = with_params(url, params)
        self.headers = header_pairs(headers)
        self.auth = auth
        self.options = request_members(options) if options else None
        self.process = process_name(process, self.options)
        self.extra = extra
        self.body = None
        self._set_body(content, data, files, json)

    def _set_body(self, content, data, files, json):
        if sum(value is not None for value in (content, data or None, files or None)) + (json is not ...) > 1 + bool(data and files):
            raise TypeError("a request has one of content, data (with files), json")
        if content is not None:
            self.body = as_body(content)
        elif files:
            self.body = ("form", form_parts(data, files))
        elif data is not None:
            self._set_pairs(data)
        elif json is not ...:
            self.body = dump_json(json)
            self._add_type("application/json")

    def _set_pairs(self, data):
        """As web forms without files send them; what is no pairs is content, as requests has it."""
        if isinstance(data, (str, bytes, bytearray, memoryview)) or hasattr(data, "read") or hasattr(data, "__aiter__"):
            self.body = as_body(data)
            return
        self.body = urlencode(list(data.items()) if hasattr(data, "items") else list(data), doseq=True).encode()
        self._add_type("application/x-www-form-urlencoded")

    def _add_type(self, media_type):
        if not any(name.lower() == "content-type" for name, _ in self.headers or ()):
            self.headers = (self.headers or []) + [("Content-Type", media_type)]

    def _parts(self, client, base_headers=None, base_auth=None, work=None):
        """For the engine of `client`, whose fields come first, and only those that the request has not. `work` is what a stream has done with
        all of its responses."""
        headers = self.headers
        if base_headers:
            own = {name.lower() for name, _ in headers or ()}
            headers = [pair for pair in base_headers if pair[0].lower() not in own] + (headers or [])
        body = self.body
        if isinstance(body, (OpenFile, Pieces)):
            body = body.opened(client).source
        process, options = self.process, self.options
        if work is not None and process is None:
            process = process_name(work.name, options)
            options = {**(options or {}), "process_inline": True} if work.is_inline else options
        return (self.method, self.url, headers, body, auth_parts(self.auth if self.auth is not None else base_auth), options,
                process)

    def __repr__(self):
        return f"<Request {self.method} {self.url}>"


def process_name(process, options=None):
    """That of a function in C, or None."""
    if process is None:
        return None
    if not isinstance(process, str):
        raise TypeError("process: a request has the name of a function in C; functions of Python are for stream() and fetch()")
    if process != "json":
        raise ValueError(f"process: {process!r} is no function in C, there is 'json'")
    if options and (options.get("stream") or options.get("discard_body")):
        raise TypeError("process: there is no whole body to work on with stream=True or discard_body=True")
    return process


def header_pairs(headers):
    """(name, value) pairs of a mapping or of pairs; None where there are none. A value None keeps the field from being sent."""
    if not headers:
        return None
    pairs = headers.items() if hasattr(headers, "items") else headers
    return [(as_text(name), None if value is None else as_text(value)) for name, value in pairs]


def as_text(value):
    return value.decode("latin-1") if isinstance(value, bytes) else value if isinstance(value, str) else str(value)


def with_params(url, params):
    url = url if isinstance(url, str) else str(url)
    if not params:
        return url
    query = params if isinstance(params, str) else urlencode(list(params.items()) if hasattr(params, "items") else list(params), doseq=True)
    base, hash_mark, fragment = url.partition("#")
    return base + ("&" if "?" in base else "?") + query + hash_mark + fragment


def as_body(content):
    """Bytes, a file by its path, or what gives them piece by piece."""
    if isinstance(content, io.BytesIO):
        return content.read()
    if hasattr(content, "__aiter__"):
        return Pieces(content)
    if hasattr(content, "read"):
        return OpenFile(content) if _is_whole_file(content) else Pieces(content)
    if isinstance(content, (str, os.PathLike)) or _has_buffer(content):
        return as_part(content)
    if hasattr(content, "__iter__") and not isinstance(content, Mapping):
        return Pieces(content)
    raise TypeError(f"content: bytes, text, a file or an iterable of bytes, not {type(content).__name__}")


def as_part(content):
    """The same of what is in a form, which is read now."""
    if isinstance(content, str):
        return content.encode()
    if isinstance(content, os.PathLike):
        return ("file", os.fspath(content))
    if hasattr(content, "read"):
        return content.read()
    return content


def _has_buffer(content):
    try:
        memoryview(content)
    except TypeError:
        return False
    return True


def _is_whole_file(file):
    """A regular one of bytes, of which nothing was read yet."""
    try:
        return isinstance(file, (io.BufferedIOBase, io.RawIOBase)) and stat.S_ISREG(os.fstat(file.fileno()).st_mode) and file.tell() == 0
    except OSError:  # it has no descriptor, or is no place to go back to
        return False


def form_parts(data, files):
    """(name, content, filename, type) of each field: data first."""
    parts = []
    for name, value in (data.items() if hasattr(data, "items") else data or ()):
        for one in value if isinstance(value, (list, tuple)) else [value]:
            parts.append((name, as_part(one if isinstance(one, (bytes, str)) else str(one)), None, None))
    for name, value in files.items() if hasattr(files, "items") else files:
        filename, content, media_type = value + (None,) * (3 - len(value)) if isinstance(value, tuple) else (None, value, None)
        if filename is None:
            filename = os.path.basename(getattr(content, "name", None) or (os.fspath(content) if isinstance(content, os.PathLike) else "upload"))
        parts.append((name, as_part(content), filename, media_type))
    return parts
