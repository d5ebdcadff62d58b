"""Work on bodies away from the thread that reads them, in processes, with back-pressure."""

import concurrent.futures
import contextlib
import os
import time

from ._errors import ProcessError
from ._loops import resolve, running_loop
from ._request import process_name

_WORKERS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Named:
    """A function in C, which the engine calls: in threads of its own, or where it reads."""

    def __init__(self, name, is_inline):
        self.name = name
        self.is_inline = is_inline


def check(process, executor=None, inline=False):
    """Before anything is asked for. What the engine does by itself, or None: it is a function of Python."""
    if callable(process):
        return None
    if not isinstance(process, str):
        raise TypeError(f"process: a function that is called with each body, or \"json\", not {process!r}")
    if executor is not None:
        raise TypeError("process: a function in C has the engine's own threads, no executor=")
    return Named(process_name(process), bool(inline))


def timed(function, content):
    """In the worker: what came out, and how long it took. Functions are found by name there, as pickle does it."""
    start = time.perf_counter()
    return function(content), time.perf_counter() - start


def _note(response, outcome):
    """outcome() returns what timed() did, or raises."""
    try:
        response._processed = outcome()
    except Exception as error:
        trouble = ProcessError(f"process: {type(error).__name__}: {error}", code="process", stage="process", response=response)
        trouble.__cause__ = error
        response._own_error = trouble
    return response


class Workload:
    """How the workers of a client's streams did. The engine is told: to itself it looks as if requests came slowly."""

    def __init__(self):
        self.full_s = 0.0  # they had all that they may have, and a stream waited for them
        self.busy_s = 0.0
        self.n_bodies = self.n_workers = 0

    def tell(self, engine):
        if self.n_workers:
            engine.tell_workers(self.n_workers, self.n_bodies, int(self.busy_s * 1e6), int(self.full_s * 1e6))


class _Pool:
    """What is with the workers. `tell` is called from a thread of theirs when one is done."""

    def __init__(self, function, executor, workload, tell):
        self._function = function
        self._workload = workload
        self._is_own = executor is None
        self._executor = executor or concurrent.futures.ProcessPoolExecutor(_WORKERS)
        workload.n_workers = getattr(self._executor, "_max_workers", None) or _WORKERS
        self._most = 2 * workload.n_workers
        self._tell = tell
        self._under_way = {}

    def __bool__(self):
        return bool(self._under_way)

    @property
    def is_full(self):
        return len(self._under_way) >= self._most

    def submit(self, response):
        """A worker that dies takes its pool along, and all bodies that are there: what comes later gets another one."""
        try:
            future = self._executor.submit(timed, self._function, response.content)
        except concurrent.futures.BrokenExecutor:
            if not self._is_own:
                raise
            self._executor.shutdown(wait=False)
            self._executor = concurrent.futures.ProcessPoolExecutor(_WORKERS)
            future = self._executor.submit(timed, self._function, response.content)
        self._under_way[future] = response
        future.add_done_callback(self._tell)

    def has_done(self):
        return any(future.done() for future in self._under_way)

    def done(self):
        """Responses that were worked on."""
        responses = [_note(self._under_way.pop(future), future.result) for future in [future for future in self._under_way if future.done()]]
        self._workload.n_bodies += len(responses)
        self._workload.busy_s += sum(response.process_seconds or 0 for response in responses)
        return responses

    @contextlib.contextmanager
    def waited_for(self):
        start = time.monotonic()
        yield
        self._workload.full_s += time.monotonic() - start

    def close(self):
        for future in self._under_way:
            future.cancel()
        if self._is_own:
            self._executor.shutdown(wait=False, cancel_futures=True)


def processed_inline(responses, function):
    for response in responses:
        yield _note(response, lambda: timed(function, response.content)) if response.is_ok else response


def processed(client, requests, function, executor):
    """Whatever is waited for, a response or a worker, the other is noticed as well: nothing that is done waits, and the engine reads on."""
    pool = _Pool(function, executor, client._workload, lambda _future: client._engine.wake())
    responses = client._stream(requests, pool.has_done)
    try:
        for response in responses:
            if response is not None and response.is_ok:
                pool.submit(response)
            elif response is not None:
                yield response
            if pool.is_full:
                with pool.waited_for():
                    client._work_until(pool.has_done)
            yield from pool.done()
        while pool:
            client._work_until(pool.has_done)
            yield from pool.done()
    finally:
        responses.close()
        pool.close()


class _Bell:
    """A task of an event loop sleeps until it rings, in whatever thread."""

    def __init__(self):
        self._loop = running_loop()
        self._future = None
        self.also = None  # called when it rings

    def ring(self, _future=None):
        try:
            self._loop.call_soon_threadsafe(self._wake)
        except RuntimeError:
            pass  # the loop is over

    def _wake(self):
        self.also()
        if self._future is not None:
            resolve(self._future, None)

    async def wait_until(self, is_so):
        while not is_so():
            self._future = self._loop.create_future()
            await self._future


async def aprocessed(client, requests, function, executor):
    """The same in an event loop."""
    bell = _Bell()
    pool = _Pool(function, executor, client._workload, bell.ring)
    responses = client._responses(requests, pool.has_done)
    bell.also = responses.look_again
    try:
        async for response in responses:
            if response is not None and response.is_ok:
                pool.submit(response)
            elif response is not None:
                yield response
            if pool.is_full:
                with pool.waited_for():
                    await bell.wait_until(pool.has_done)
            for one in pool.done():
                yield one
        while pool:
            await bell.wait_until(pool.has_done)
            for one in pool.done():
                yield one
    finally:
        await responses.aclose()
        pool.close()
