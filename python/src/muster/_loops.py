"""The event loops that AsyncClient works in: asyncio (uvloop, too) and trio. anyio's programs run in one of these.

Each is told apart and then spoken to in the same few words: watch a descriptor, make a future, start a task.
"""

import asyncio
import contextvars
import sys


class AsyncioLoop:
    """The loop that runs this; uvloop's are alike."""

    def __init__(self):
        self._loop = asyncio.get_running_loop()
        self.create_future = self._loop.create_future
        self.call_soon_threadsafe = self._loop.call_soon_threadsafe
        self.spawn = self._loop.create_task

    def is_here(self):
        """Does it run what asks?"""
        return asyncio._get_running_loop() is self._loop

    def watch(self, fd, function):
        self._loop.add_reader(fd, function)

    def unwatch(self, fd):
        self._loop.remove_reader(fd)

    async def writable(self, fd):
        future = self.create_future()
        self._loop.add_writer(fd, resolve, future, None)
        try:
            await future
        finally:
            self._loop.remove_writer(fd)

    async def pause(self, seconds):
        await asyncio.sleep(seconds)


class TrioLoop:
    """Tasks of the client's are trio's system tasks: they belong to the run, and to nobody's nursery."""

    def __init__(self):
        import trio

        self._trio = trio
        self._token = trio.lowlevel.current_trio_token()
        self._watcher = None
        self.call_soon_threadsafe = self._token.run_sync_soon

    def is_here(self):
        try:
            return self._trio.lowlevel.current_trio_token() is self._token
        except RuntimeError:
            return False

    def create_future(self):
        return _TrioFuture(self._trio.lowlevel)

    def spawn(self, coroutine):
        return _TrioTask(self._trio, coroutine)

    def watch(self, fd, function):
        self._watcher = self.spawn(self._call_when_readable(fd, function))

    async def _call_when_readable(self, fd, function):
        while True:
            await self._trio.lowlevel.wait_readable(fd)
            function()

    def unwatch(self, fd):
        if self._watcher is not None:
            self._watcher.cancel()
            self._trio.lowlevel.notify_closing(fd)

    async def writable(self, fd):
        await self._trio.lowlevel.wait_writable(fd)

    async def pause(self, seconds):
        """Also where all around is cancelled: who closes a client does so mostly then."""
        with self._trio.CancelScope(shield=True):
            await self._trio.sleep(seconds)


class _TrioFuture:
    """A value that one task waits for."""

    __slots__ = ("_lowlevel", "_task", "_value", "_is_done")

    def __init__(self, lowlevel):
        self._lowlevel = lowlevel
        self._task = self._value = None
        self._is_done = False

    def done(self):
        return self._is_done

    def set_result(self, value):
        self._value = value
        self._is_done = True
        if self._task is not None:
            self._lowlevel.reschedule(self._task)
            self._task = None

    def _leave(self, _raise_cancel):
        self._task = None
        return self._lowlevel.Abort.SUCCEEDED

    def __await__(self):
        if not self._is_done:
            self._task = self._lowlevel.current_task()
            yield from self._lowlevel.wait_task_rescheduled(self._leave).__await__()
        return self._value


class _TrioTask:
    """A task that can be cancelled by itself."""

    def __init__(self, trio, coroutine):
        self._scope = trio.CancelScope()
        self._closed = trio.ClosedResourceError
        self._is_done = False
        trio.lowlevel.spawn_system_task(self._run, coroutine, context=contextvars.copy_context())

    async def _run(self, coroutine):
        try:
            with self._scope:
                await coroutine
        except self._closed:
            pass  # the descriptor that it watched was closed, with the client
        finally:
            self._is_done = True

    def done(self):
        return self._is_done

    def cancel(self):
        self._scope.cancel()


def resolve(future, value):
    if not future.done():
        future.set_result(value)


def _runs_in_trio():
    trio = sys.modules.get("trio")
    if trio is None:
        return False
    try:
        trio.lowlevel.current_task()
    except RuntimeError:
        return False
    return True


def running_loop():
    """The one that runs this. trio is asked first: it may be a guest of asyncio."""
    if _runs_in_trio():
        return TrioLoop()
    try:
        return AsyncioLoop()
    except RuntimeError:
        raise RuntimeError("AsyncClient works in asyncio, uvloop and trio, and none of these runs here; muster.Client needs no event loop") from None
