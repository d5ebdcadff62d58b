"""Client: one engine, any number of threads."""

import collections
import threading

from . import _engine, _progress
from ._errors import CancelledError
from ._results import Results
from ._shared import Shared, check_list, named


class _Waiter:
    """A thread that wants something of the engine. `event` is set when its response is there, or when it is to lead."""

    __slots__ = ("event", "response", "error", "parts", "id", "is_leader")

    def __init__(self, parts=None):
        self.event = None
        self.response = self.error = None
        self.parts = parts
        self.id = 0
        self.is_leader = False

    @property
    def is_done(self):
        return self.response is not None or self.error is not None

    @property
    def wants_to_lead(self):
        return self.parts is None


class Client(Shared):
    """Requests from any number of threads over one engine.

    One of the threads that wait leads: it works for all of them, and hands over when it has what it wanted. The others put their requests
    into the inbox and wake it.
    """

    def __init__(self, **options):
        super().__init__(**options)
        self._state = threading.Lock()
        self._inbox = collections.deque()
        self._others = {}  # who waits, and does not lead; the first to come is the first to lead
        self._has_leader = False
        self._leading_thread = None
        self._streams = set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """End everything; threads that wait get a CancelledError. In a child of fork() there is nothing to end."""
        if self._engine.closed or self._engine.is_foreign:
            return
        with self._leading():
            for stream in list(self._streams):
                stream.close()
            self._engine.cancel_all()
            while self._engine.outstanding or self._inbox:
                self._serve()
                self._engine.cancel_all()
                response = self._engine.next(None)
                if response is not None:
                    self._deliver(response)
            self._close_engine()

    # --- leading ---

    def _leading(self):
        return _Leading(self)

    def _lead_or_wait(self, waiter):
        """This thread leads now, if nobody does. Else it is to wait for waiter.event; a request that it has is in the inbox."""
        if self._engine.is_foreign:  # who leads is a thread of the parent, and so may be who holds the lock
            raise RuntimeError("the client was made before this process was forked: make one here")
        with self._state:
            if not self._has_leader:
                self._has_leader = waiter.is_leader = True
                self._leading_thread = threading.get_ident()
                return
            waiter.event = threading.Event()
            self._others[waiter] = None
            if waiter.parts is not None:
                self._inbox.append(waiter)
        self._engine.wake()

    def _wait(self, waiter):
        """Until its response is there, or it leads."""
        waiter.event.wait()
        if waiter.is_leader:
            self._leading_thread = threading.get_ident()

    def _pass_to(self, waiter):
        """With the lock held: `waiter` leads; None: nobody does."""
        self._leading_thread = None
        self._has_leader = waiter is not None
        if waiter is not None:
            self._others.pop(waiter, None)
            waiter.is_leader = True
            waiter.event.set()

    def _next_leader(self):
        """With the lock held: who wants to lead comes before those who wait for a response; None: nobody waits."""
        return next((one for one in self._others if one.wants_to_lead), None) or next((one for one in self._others if not one.is_done), None)

    def _hand_over(self, waiter):
        if waiter.is_leader:
            with self._state:
                waiter.is_leader = False
                self._pass_to(self._next_leader())

    def _give_way(self, waiter):
        """To another thread that wants to lead for a moment, if there is one; `waiter` may be done afterwards, and not lead."""
        with self._state:
            other = self._next_leader()
            if other is None or not other.wants_to_lead:
                return
            waiter.is_leader = False
            waiter.event = threading.Event()
            self._others[waiter] = None
            self._pass_to(other)
        self._wait(waiter)

    def _serve(self):
        """Submit what other threads want."""
        while True:
            with self._state:
                if not self._inbox:
                    return
                waiter = self._inbox.popleft()
            self._submit(waiter)

    def _serve_and_give_way(self):
        self._serve()
        waiter = _Waiter()
        waiter.is_leader = True
        self._give_way(waiter)

    def _submit(self, waiter):
        try:
            waiter.id = self._engine.submit(waiter.parts, waiter)
            if not waiter.id:
                raise RuntimeError("a million requests are outstanding")
        except Exception as error:
            self._finish(waiter, None, error)

    def _finish(self, waiter, response, error=None):
        waiter.response, waiter.error = response, error
        with self._state:
            self._others.pop(waiter, None)
        if waiter.event is not None:
            waiter.event.set()

    def _deliver(self, response):
        """A response that the leader took, to whom it belongs."""
        if response.owner is not None:
            response.owner.deliver(response)
        elif isinstance(response.tag, _Waiter):
            self._finish(response.tag, response)

    def _lead(self, waiter):
        while waiter.is_leader and not waiter.is_done:
            self._serve()
            self._give_way(waiter)
            if not waiter.is_leader or waiter.is_done:
                return
            response = self._engine.next(None)
            if response is not None:
                self._deliver(response)

    # --- one request ---

    def _parts(self, request, work=None):
        if getattr(request.body, "is_async", False):
            raise TypeError("content: an asynchronous iterable needs an AsyncClient")
        return super()._parts(request, work)

    def send(self, request):
        """The response to a request; raises what kept it from coming."""
        waiter = _Waiter(self._parts(request))
        if self._leading_thread == threading.get_ident():
            self._wait_within(waiter)
        else:
            self._wait_for(waiter)
        if waiter.error is not None:
            raise waiter.error
        response = named(waiter.response, request, self)
        if not response.is_ok:
            raise response.error
        return response

    def _wait_for(self, waiter):
        try:
            self._lead_or_wait(waiter)
            if waiter.is_leader:
                self._submit(waiter)
            else:
                self._wait(waiter)
            self._lead(waiter)
        except BaseException:
            self._abandon(waiter)
            raise
        self._hand_over(waiter)

    def _wait_within(self, waiter):
        """The same where this thread leads already: a generator that a stream takes from asks for something itself."""
        waiter.is_leader = True
        try:
            self._submit(waiter)
            self._lead(waiter)
        finally:
            if not waiter.is_leader:
                self._lead_again()
            if waiter.id and not waiter.is_done:
                self._drop(waiter)

    def _lead_again(self):
        """Whoever called this thread relies on it: nothing that interrupts may keep it from that."""
        waiter, interrupt = _Waiter(), None
        self._lead_or_wait(waiter)
        while not waiter.is_leader:
            try:
                self._wait(waiter)
            except BaseException as error:
                interrupt = error
        if interrupt is not None:
            raise interrupt

    def _drop(self, waiter):
        """Nobody wants its response any more. This thread leads."""
        if not self._engine.closed:
            self._engine.cancel(waiter.id)
            for response in self._engine.turn():
                self._deliver(response)

    def _abandon(self, waiter):
        """The thread was interrupted (Ctrl-C): nobody waits for it any more."""
        with self._state:
            self._others.pop(waiter, None)
            if waiter in self._inbox:
                self._inbox.remove(waiter)
        self._hand_over(waiter)
        if waiter.id and not waiter.is_done and not self._engine.closed:
            with self._leading():
                self._drop(waiter)

    def _cancel_upload(self, number):
        """Its body broke off; called by the thread that made it."""
        with self._leading():
            if not self._engine.closed:
                self._engine.cancel(number)

    def request(self, method, url, **arguments):
        return self.send(self.build_request(method, url, **arguments))

    def get(self, url, **arguments):
        return self.request("GET", url, **arguments)

    def head(self, url, **arguments):
        return self.request("HEAD", url, **arguments)

    def options(self, url, **arguments):
        return self.request("OPTIONS", url, **arguments)

    def post(self, url, **arguments):
        return self.request("POST", url, **arguments)

    def put(self, url, **arguments):
        return self.request("PUT", url, **arguments)

    def patch(self, url, **arguments):
        return self.request("PATCH", url, **arguments)

    def delete(self, url, **arguments):
        return self.request("DELETE", url, **arguments)

    # --- what it did ---

    @property
    def stats(self):
        with self._leading():
            return super().stats

    def explain(self):
        with self._leading():
            return super().explain()

    # --- streamed bodies ---

    def _read(self, response, size):
        """A piece of a streamed body, b"" at its end. Between two looks other threads may lead."""
        while True:
            with self._leading():
                piece = response.read_now(size)
                if piece is not None:
                    return piece
                for other in self._engine.work():
                    self._deliver(other)

    # --- many ---

    def stream(self, requests, *, process=None, executor=None, inline=False, progress=None):
        """Responses in the order of completion; failed ones have `error`. `requests` may be a generator, even an endless one: only so much
        is taken from it as is under way.

        process=f gives each body to f in a pool of processes (or `executor`), and Response.processed is what it returned; only so many
        bodies are with it as it has workers, twice. inline=True calls it here, and nothing else is read meanwhile. process="json" has the
        engine's own threads read bodies as JSON.

        progress=True shows a bar (by tqdm); a function is called with each response before it is given out.
        """
        _progress.check(progress)
        check_list(requests)
        if process is None:
            responses = self._stream(requests)
        else:
            from ._process import check, processed, processed_inline

            work = check(process, executor, inline)
            if work is not None:
                responses = self._stream(requests, work=work)
            else:
                responses = processed_inline(self._stream(requests), process) if inline else processed(self, requests, process, executor)
        return _progress.shown(responses, progress, requests) if progress else responses

    def _stream(self, requests, is_called=None, work=None):
        """None comes out instead of a response when is_called() says so, which is asked when the engine is woken."""
        if self._engine.closed:
            raise RuntimeError("the client is closed")
        asked = {}  # by index; a URL that is handed over as it is needs no Request
        is_plain = self._is_plain and (work is None or self._has_bodies and not work.is_inline)
        index = -1

        def counted():
            nonlocal index
            for index, item in enumerate(requests):
                yield item if is_plain or not isinstance(item, str) else self.build_request("GET", item)

        def convert(item):
            """Called for the item that was taken last."""
            asked[index] = self._request_of(item)
            return self._parts(asked[index], work)

        def serve():
            self._serve_and_give_way()
            if is_called is not None and is_called():
                raise _Called

        is_all_plain = is_plain and isinstance(requests, (list, tuple)) and all(type(item) is str for item in requests)
        stream = _engine.Stream(self._engine, requests if is_all_plain else counted(), convert, self._deliver, serve,
                                work and work.name, self._most)
        self._streams.add(stream)
        try:
            while True:
                try:
                    with self._leading():
                        if is_called is not None and is_called():
                            raise _Called  # who led before heard it
                        response = next(stream, None)
                        is_closed = self._engine.closed
                except _Called:
                    yield None
                    continue
                except RuntimeError:
                    if self._engine.closed:
                        raise _closed() from None
                    raise
                if response is None and is_closed:
                    raise _closed()
                if response is None:
                    return
                yield named(response, asked.pop(response.tag, None), self, response.tag)
        finally:
            self._streams.discard(stream)
            if not (self._engine.closed or self._engine.is_foreign):
                with self._leading():
                    stream.close()

    def _work_until(self, is_so):
        """Read on, for all, until is_so(), which is asked when the engine is woken. What comes is kept for those who want it."""
        while not is_so():
            with self._leading():
                self._serve()
                for response in self._engine.work():
                    self._deliver(response)

    def fetch(self, requests, **how):
        """All responses, in the order of `requests`. Arguments are those of stream()."""
        results = {}
        for response in self.stream(requests, **how):
            results[response.index] = response
        return Results(results[index] for index in range(len(results)))


def _closed():
    return CancelledError("cancelled: the client was closed while responses were still to come", code="cancelled", stage="queue")


class _Called(Exception):
    """Whoever takes from a stream is wanted elsewhere."""


class _Leading:
    """`with`: this thread has the engine, others wait."""

    __slots__ = ("_client", "_waiter")

    def __init__(self, client):
        self._client = client
        self._waiter = None

    def __enter__(self):
        client = self._client
        if client._leading_thread == threading.get_ident():
            return
        waiter = _Waiter()
        try:
            client._lead_or_wait(waiter)
            if not waiter.is_leader:
                client._wait(waiter)
        except BaseException:
            with client._state:
                client._others.pop(waiter, None)
            client._hand_over(waiter)
            raise
        self._waiter = waiter

    def __exit__(self, *_):
        if self._waiter is not None:
            self._client._hand_over(self._waiter)
