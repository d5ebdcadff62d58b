"""Uploads: bodies that come piece by piece, and are never in memory as a whole.

The engine reads from a pipe, and waits for it as for a socket. Who writes into it is a thread for what iterates, or a task of the event loop for
what iterates asynchronously; a full pipe makes them wait. So the engine's own threads never call Python.

    parts()  ── pipe ──▶ submit ──▶ begin(id) ── pieces ──▶ end(response)
                                        └── the iterable fails: the request is cancelled, and its error says why
"""

import contextvars
import os
import threading

from ._errors import InputError

_PIECE = 64 * 1024


def _path(descriptor):
    """Opened anew for each attempt, whoever else has it open."""
    return f"/proc/self/fd/{descriptor}"


class _Unwanted(Exception):
    """The response came before the body's end."""


class OpenFile:
    """A file that is open: sent with its size as Content-Length, from its beginning, again where that is called for."""

    is_async = False

    def __init__(self, file):
        self._file = file

    def opened(self, _client):
        return _HeldFile(os.dup(self._file.fileno()))


class _HeldFile:
    """It stays open until the response is there, whatever its owner does."""

    def __init__(self, descriptor):
        self._descriptor = descriptor

    @property
    def source(self):
        return ("file", _path(self._descriptor), self)

    def begin(self, _id):
        pass

    def end(self, _response):
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self):
        self.end(None)


class Pieces:
    """What a body is made of: an iterable, an async one, or a file of which only the rest is to be sent."""

    def __init__(self, content):
        self._content = content
        self._was_used = False
        self.is_async = hasattr(content, "__aiter__")

    def opened(self, client):
        return Upload(self, client)

    def begin(self):
        """An iterator; of one that cannot begin anew only once."""
        content = self._content
        if not self.is_async and hasattr(content, "read"):
            return iter(lambda: content.read(_PIECE), b"")
        iterator = content.__aiter__() if self.is_async else iter(content)
        if iterator is content:
            if self._was_used:
                raise ValueError(f"{type(content).__name__} was used up by another request: give each request one of its own")
            self._was_used = True
        return iterator


class Upload:
    """The body of one request that was handed over."""

    def __init__(self, pieces, client):
        self._pieces = pieces
        self._client = client
        self._read_end, self._write_end = os.pipe()
        self._lock = threading.Lock()
        self._error = None
        self._is_ended = False
        self._task = None
        self.id = 0

    @property
    def source(self):
        return ("pipe", _path(self._read_end), self)

    # --- what the engine says ---

    def begin(self, number):
        self.id = number
        try:
            self._start()
        except RuntimeError as error:  # no thread can be started
            self._stop(error)

    def end(self, response):
        """The request is over: nobody reads on. A thread learns it from the pipe, a task is cancelled."""
        with self._lock:
            self._is_ended = True
            self._close_read_end()
            if self._error is not None or not self.id:
                self._close_write_end()
        if self._task is not None:
            self._task.cancel()
        if self._error is not None and response is not None:
            trouble = InputError(f"input: the body of {response.method} {response.url} broke off: {type(self._error).__name__}: {self._error}",
                                 code="input", stage="send", response=response)
            trouble.__cause__ = self._error
            response._own_error = trouble

    def __del__(self):
        """It was never handed over."""
        if not self.id:
            self.end(None)

    # --- who writes ---

    def _start(self):
        if self._pieces.is_async:
            os.set_blocking(self._write_end, False)
            self._task = self._client._loop.spawn(self._afeed(self._client._loop))
        else:
            context = contextvars.copy_context()
            threading.Thread(target=context.run, args=(self._feed,), name=f"muster upload {self.id}", daemon=True).start()

    def _feed(self):
        iterator = None
        try:
            iterator = self._pieces.begin()
            for piece in iterator:
                self._write_all(_bytes_of(piece))
            self._close_write_end()
        except BaseException as error:
            self._stop(error)
        try:  # what it holds is given back by the thread that used it
            if hasattr(iterator, "close"):
                iterator.close()
        except Exception as error:
            self._stop(error)

    def _write_all(self, view):
        while view:
            view = view[self._write(view):]

    async def _afeed(self, loop):
        iterator = None
        try:
            iterator = self._pieces.begin()
            async for piece in iterator:
                await self._awrite_all(loop, _bytes_of(piece))
            self._close_write_end()
        except BaseException as error:
            self._stop(error)
            if not isinstance(error, Exception):
                raise
        finally:
            await self._aover(iterator)

    async def _aover(self, iterator):
        try:
            if hasattr(iterator, "aclose"):
                await iterator.aclose()
        except Exception as error:
            self._stop(error)

    async def _awrite_all(self, loop, view):
        while view:
            try:
                view = view[self._write(view):]
            except BlockingIOError:
                await loop.writable(self._write_end)

    def _write(self, view):
        try:
            return os.write(self._write_end, view)
        except BrokenPipeError:
            raise _Unwanted from None

    def _stop(self, error):
        """No more comes. If the request still wants it, the request is cancelled; the pipe stays open, as its end would be that of the body."""
        with self._lock:
            if self._is_ended or isinstance(error, _Unwanted):
                self._close_write_end()
                return
            if self._write_end < 0 or self._error is not None:
                return
            self._error = error
        self._client._cancel_upload(self.id)

    # --- the pipe ---

    def _close_read_end(self):
        if self._read_end >= 0:
            os.close(self._read_end)
            self._read_end = -1

    def _close_write_end(self):
        if self._write_end >= 0:
            os.close(self._write_end)
            self._write_end = -1


def _bytes_of(piece):
    if isinstance(piece, str):
        raise TypeError("the pieces of a body are bytes, not str")
    return memoryview(piece).cast("B")
