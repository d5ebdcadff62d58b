"""AsyncClient: one engine, the tasks of one event loop."""

import collections

from . import _progress
from ._loops import resolve, running_loop
from ._results import Results
from ._shared import Shared, check_list, named


class AsyncClient(Shared):
    """Requests from the tasks of one event loop (asyncio, uvloop, trio). Make it anywhere; it belongs to the loop in which it is first used."""

    def __init__(self, **options):
        super().__init__(**options)
        self._loop = None
        self._readers = {}

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.aclose()

    async def aclose(self):
        """End everything; tasks that wait get a CancelledError of muster."""
        if self._engine.closed or self._engine.is_foreign:
            return
        if self._loop is not None:
            self._loop.unwatch(self._engine.fd())
        self._engine.cancel_all()
        while self._engine.outstanding:
            self._turn()
            if self._engine.outstanding:
                await self._loop.pause(0.001)
        self._close_engine()

    def _attach(self):
        loop = self._loop
        if loop is not None and loop.is_here():
            return loop
        if loop is not None:
            raise RuntimeError("the client belongs to another event loop")
        fd = self._engine.fd()
        loop = self._loop = running_loop()
        loop.watch(fd, self._turn)
        return loop

    def _turn(self):
        for response in self._engine.turn():
            response.tag._take(response) if isinstance(response.tag, _Tag) else resolve(response.tag, response)
        if self._readers:
            self._wake_readers()

    # --- one request ---

    async def send(self, request):
        """The response to a request; raises what kept it from coming. A task that is cancelled cancels its request."""
        future = self._attach().create_future()
        number = self._engine.submit(self._parts(request), future)
        if not number:
            raise RuntimeError("a million requests are outstanding")
        try:
            response = await future
        except BaseException:
            self._cancel(number)
            raise
        named(response, request, self)
        if not response.is_ok:
            raise response.error
        return response

    def _cancel_upload(self, number):
        """Its body broke off; called by the task or the thread that made it."""
        self._in_loop(self._cancel, number)

    def _in_loop(self, function, *arguments):
        """Now, or as soon as the loop gets to it; from any thread."""
        if self._loop.is_here():
            function(*arguments)
            return
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            pass  # the loop is over

    def _cancel(self, *numbers):
        """Their results are there at once, which the loop would not notice."""
        if not self._engine.closed:
            for number in numbers:
                self._engine.cancel(number)
            self._turn()

    async def request(self, method, url, **arguments):
        return await self.send(self.build_request(method, url, **arguments))

    async def get(self, url, **arguments):
        return await self.send(self.build_request("GET", url, **arguments))

    async def head(self, url, **arguments):
        return await self.send(self.build_request("HEAD", url, **arguments))

    async def options(self, url, **arguments):
        return await self.send(self.build_request("OPTIONS", url, **arguments))

    async def post(self, url, **arguments):
        return await self.send(self.build_request("POST", url, **arguments))

    async def put(self, url, **arguments):
        return await self.send(self.build_request("PUT", url, **arguments))

    async def patch(self, url, **arguments):
        return await self.send(self.build_request("PATCH", url, **arguments))

    async def delete(self, url, **arguments):
        return await self.send(self.build_request("DELETE", url, **arguments))

    # --- streamed bodies ---

    async def _read(self, response, size):
        """A piece of a streamed body, b"" at its end."""
        while True:
            piece = response.read_now(size)
            if piece is not None:
                return piece
            future = self._attach().create_future()
            self._readers[id(response)] = future
            try:
                await future
            finally:
                self._readers.pop(id(response), None)

    def _wake_readers(self):
        for future in list(self._readers.values()):
            resolve(future, None)

    # --- many ---

    def stream(self, requests, *, process=None, executor=None, progress=None):
        """Responses in the order of completion, as Client.stream(): an asynchronous iterator. `requests` may be an async generator: only so much
        is taken from it as is under way. Who leaves the loop over it cancels what is under way."""
        _progress.check(progress)
        check_list(requests)
        if process is None:
            responses = self._responses(requests)
        else:
            from ._process import aprocessed, check

            work = check(process, executor)
            responses = self._responses(requests, work=work) if work is not None else aprocessed(self, requests, process, executor)
        return _progress.ashown(responses, progress, requests) if progress else responses

    def _responses(self, requests, is_called=None, work=None):
        """None comes out instead of a response when is_called() says so, which is asked after look_again()."""
        return _Responses(self, requests, is_called, work)

    async def fetch(self, requests, **how):
        """All responses, in the order of `requests`. Arguments are those of stream()."""
        results = {}
        async for response in self.stream(requests, **how):
            results[response.index] = response
        return Results(results[index] for index in range(len(results)))


class _Tag:
    """A request of a batch."""

    __slots__ = ("batch", "index", "request", "id")

    def __init__(self, batch, index, request):
        self.batch = batch
        self.index = index
        self.request = request

    def _take(self, response):
        self.batch.take(self, response)


class _Responses:
    """What AsyncClient.stream() gives: the responses of a batch. No async generator, which would have to be closed by hand under trio."""

    def __init__(self, client, requests, is_called, work):
        self._client = client
        self._requests = requests
        self._is_called = is_called
        self._work = work
        self._batch = None

    def __aiter__(self):
        return self

    async def __anext__(self):
        if self._batch is None:
            self._batch = _Batch(self._client, self._requests, self._work)
        try:
            return await self._batch.next(self._is_called)
        except BaseException:
            self._batch.cancel()
            raise

    def look_again(self):
        if self._batch is not None:
            self._batch.tell()

    async def aclose(self):
        if self._batch is not None:
            self._batch.cancel()

    def __del__(self):
        """Garbage is collected in any thread."""
        if self._batch is not None:
            self._client._in_loop(self._batch.cancel)


class _Batch:
    """A list of requests under way in an event loop."""

    def __init__(self, client, requests, work):
        self._client = client
        self._work = work
        self._loop = client._attach()
        self._under_way = {}
        self._done = collections.deque()
        self._n = 0
        self._change = None  # a future: somebody waits for a response
        self._room = None  # ... the feeder for room
        self._is_over = self._is_cancelled = False
        self._failure = None
        self._iterator = self._feeder = None
        if hasattr(requests, "__aiter__"):
            self._feeder = self._loop.spawn(self._feed(requests))
        else:
            self._iterator = iter(requests)

    def take(self, tag, response):
        self._under_way.pop(tag.index, None)
        if self._is_cancelled:
            return
        self._done.append(named(response, tag.request, self._client, tag.index))
        self.tell()

    def tell(self):
        if self._change is not None:
            resolve(self._change, None)

    async def _changed(self):
        self._change = self._loop.create_future()
        try:
            await self._change
        finally:
            self._change = None

    @property
    def _has_room(self):
        return len(self._under_way) + len(self._done) < self._client._most

    def _submit(self, item):
        request = self._client._request_of(item)
        tag = _Tag(self, self._n, request)
        tag.id = self._client._engine.submit(self._client._parts(request, self._work), tag)
        if not tag.id:
            raise RuntimeError("a million requests are outstanding")
        self._under_way[tag.index] = tag
        self._n += 1

    async def _feed(self, items):
        """Takes from an async iterable as there is room. A generator that is not taken to its end is closed: trio insists on that."""
        try:
            try:
                async for item in items:
                    while not self._has_room:
                        self._room = self._loop.create_future()
                        await self._room
                    self._submit(item)
            finally:
                if hasattr(items, "aclose"):
                    await items.aclose()
        except Exception as error:
            self._failure = error
        finally:
            self._is_over = True
            self.tell()

    def _fill(self):
        """The same of an iterable that does not wait."""
        try:
            while not self._is_over and self._has_room:
                item = next(self._iterator, self)
                if item is self:
                    self._is_over = True
                else:
                    self._submit(item)
        except Exception as error:
            self._failure = error
            self._is_over = True

    async def next(self, is_called):
        """The next response; None if is_called(). When all is done, what the iterable failed with comes last."""
        while True:
            if self._iterator is not None:
                self._fill()
            elif self._room is not None and self._has_room:
                resolve(self._room, None)
            if self._done:
                return self._done.popleft()
            if self._is_over and not self._under_way:
                break
            if is_called is not None and is_called():
                return None
            await self._changed()
        failure, self._failure = self._failure, None
        raise failure or StopAsyncIteration

    def cancel(self):
        if self._is_cancelled:
            return
        self._is_cancelled = self._is_over = True
        if self._feeder is not None and not self._feeder.done():
            self._feeder.cancel()
        self._client._cancel(*[tag.id for tag in self._under_way.values()])
