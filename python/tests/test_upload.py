"""Bodies that come from iterables, piece by piece."""

import asyncio
import contextvars
import gc
import io
import os
import sysconfig
import threading
import time

import muster
import pytest
import servers

MIB = 1024 * 1024
FLAT_KIB = (32 if sysconfig.get_config_var("Py_GIL_DISABLED") else 8) * 1024  # mimalloc keeps more of what is given back


def peak_kib():
    """Of this process, since the last reset."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def reset_peak():
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


@pytest.fixture
def client():
    with muster.Client(concurrency=8) as one:
        yield one


@pytest.fixture(scope="module")
def warm_loops():
    """uvloop keeps two descriptors of its own once it has run."""
    try:
        import uvloop
    except ImportError:
        return
    uvloop.run(asyncio.sleep(0))


@pytest.fixture(autouse=True)
def nothing_is_left(warm_loops):
    """No descriptor and no thread outlives its upload."""
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    yield
    gc.collect()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and any(thread.name.startswith("muster upload") for thread in threading.enumerate()):
        time.sleep(0.01)
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("muster upload")]
    assert len(os.listdir("/proc/self/fd")) <= before


def test_what_a_body_may_be(client, lab, tmp_path):
    (tmp_path / "file").write_bytes(b"from a file")

    class Again:
        def __iter__(self):
            return iter([b"anew", b" each time"])

    def sent(content, **more):
        return client.post(lab.url("/echo"), content=content, **more).json()["body"]

    assert sent(iter([b"a", b"", bytearray(b"b"), memoryview(b"c")])) == "abc"
    assert sent(piece for piece in [b"x", b"y"]) == "xy"
    assert sent([b"1", b"2"]) == "12" and sent(()) == ""
    assert sent(io.BytesIO(b"in memory")) == "in memory"
    assert sent(Again()) == sent(Again()) == "anew each time"
    with open(tmp_path / "file", "rb") as file:
        assert sent(file) == "from a file"
        file.seek(5)
        assert sent(file) == "a file", "the rest of it"
        file.seek(5)
        assert client.post(lab.url("/echo"), data=file).json()["body"] == "a file"
    with pytest.raises(TypeError, match="not dict"):
        sent({"a": 1})
    with pytest.raises(TypeError, match="not int"):
        sent(7)


def test_a_file_has_a_length_and_can_be_sent_again(client, lab, tmp_path):
    (tmp_path / "file").write_bytes(b"x" * 100_000)
    with open(tmp_path / "file", "rb") as file:
        response = client.post(lab.url("/redirect/2/307"), content=file)
    assert response.status == 200 and response.n_redirects == 2


def test_a_request_sent_twice(client, lab):
    again = muster.Request("POST", lab.url("/echo"), content=[b"a", b"b"])
    assert [client.send(again).json()["body"] for _ in range(2)] == ["ab", "ab"]
    once = muster.Request("POST", lab.url("/echo"), content=iter([b"a", b"b"]))
    assert client.send(once).json()["body"] == "ab"
    with pytest.raises(muster.InputError, match="used up by another request"):
        client.send(once)


def test_memory_stays_flat(client, lab):
    """200 MB through a few pieces."""
    piece = bytes(MIB)
    client.post(lab.url("/plain"), content=iter([piece]))
    reset_peak()
    before = peak_kib()
    response = client.post(lab.url("/plain"), content=(piece for _ in range(200)))
    assert response.status == 200
    assert peak_kib() - before < FLAT_KIB


def test_memory_stays_flat_in_a_loop(lab):
    async def body(n):
        for _ in range(n):
            yield bytes(MIB)

    async def main():
        async with muster.AsyncClient() as client:
            await client.post(lab.url("/plain"), content=body(1))
            reset_peak()
            before = peak_kib()
            response = await client.post(lab.url("/plain"), content=body(200))
            return response.status, peak_kib() - before

    status, grown = asyncio.run(main())
    assert status == 200 and grown < FLAT_KIB


def test_generator_that_raises(client, lab):
    closed = []

    def body():
        try:
            yield b"a" * 100_000
            raise KeyError("broke off")
        finally:
            closed.append(True)

    with pytest.raises(muster.InputError, match="POST .*/echo broke off: KeyError: 'broke off'") as raised:
        client.post(lab.url("/echo"), content=body())
    assert isinstance(raised.value.__cause__, KeyError) and raised.value.stage == "send" and raised.value.response.status == 0
    assert closed and client.get(lab.url()).status == 200


def test_what_broke_off_is_not_taken_for_whole():
    """The server must not see the end of the body."""
    def body():
        yield b"a" * 1000
        time.sleep(0.1)
        raise KeyError

    for threads in (1, 2):
        with servers.Server(servers.counting_bodies) as server:
            with muster.Client(threads=threads) as client, pytest.raises(muster.InputError):
                client.post(server.url, content=body())
            server.wait_for("broken")


def test_pieces_that_are_no_bytes(client, lab):
    with pytest.raises(muster.InputError, match="bytes, not str"):
        client.post(lab.url("/echo"), content=iter(["text"]))


def test_slow_generator_keeps_nobody_waiting(client, lab):
    def body():
        for _ in range(3):
            yield b"a"
            time.sleep(0.2)

    answers = []
    thread = threading.Thread(target=lambda: answers.append(client.post(lab.url("/echo"), content=body())))
    start = time.monotonic()
    thread.start()
    assert [client.get(lab.url()).status for _ in range(20)] == [200] * 20
    assert time.monotonic() - start < 0.5
    thread.join(10)
    assert answers[0].json()["body"] == "aaa" and answers[0].elapsed.total_seconds() >= 0.5


def test_timeouts_count(client, lab):
    """A generator that gives nothing does not hold its request for ever; what it holds is given back when it goes on."""
    go_on = threading.Event()
    closed = threading.Event()

    def body():
        try:
            yield b"a"
            go_on.wait(10)
            yield b"b"
        finally:
            closed.set()

    with pytest.raises(muster.TimeoutError):
        client.post(lab.url("/echo"), content=body(), timeout=0.2)
    go_on.set()
    assert closed.wait(5)


@pytest.mark.parametrize("status", [307, 308])
def test_redirect_of_what_cannot_be_read_again(client, lab, status):
    with pytest.raises(muster.RedirectError, match="the body must be sent again to .* but its source cannot be rewound"):
        client.post(lab.url(f"/redirect/1/{status}"), content=iter([b"a"]))
    assert client.post(lab.url("/redirect/1/303"), content=iter([b"a"])).status == 200, "that one becomes a GET"


def test_answer_before_the_end(client):
    """The server wants no more: neither does the generator go on."""
    taken = []

    def endless():
        while True:
            taken.append(True)
            yield bytes(64 * 1024)

    with servers.Server(servers.refusing) as server:
        assert client.post(server.url, content=endless()).status == 413
    n = len(taken)
    time.sleep(0.1)
    assert len(taken) <= n + 1


def test_in_a_stream(client, lab, refused):
    def body(n):
        yield b"a" * n
        if n == 3:
            raise ValueError("three")

    items = [{"method": "POST", "url": lab.url("/echo"), "content": body(n)} for n in range(1, 40)]
    results = client.fetch(items + [{"method": "POST", "url": refused, "content": body(1)}])
    assert [len(r.json()["body"]) for r in results if r.is_ok] == [n for n in range(1, 40) if n != 3]
    assert [type(r.error) for r in results.failed] == [muster.InputError, muster.ConnectError]


def test_stream_that_is_left(client, lab):
    def body():
        while True:
            yield bytes(1000)
            time.sleep(0.001)

    items = [lab.url("/delay/50ms")] + [{"method": "POST", "url": lab.url("/echo"), "content": body()} for _ in range(4)]
    stream = client.stream(items)
    assert next(stream).status == 200
    stream.close()
    assert client.get(lab.url()).status == 200


def test_context_goes_along(client, lab):
    who = contextvars.ContextVar("who", default=b"nobody")
    who.set(b"me")

    def body():
        yield who.get()

    assert client.post(lab.url("/echo"), content=body()).json()["body"] == "me"


def test_https_and_http2(lab):
    url = lab.url("/echo", "tls").replace("127.0.0.1", "localhost")
    with muster.Client(verify=lab.ca) as client:
        response = client.post(url, content=iter([b"a" * 100, b"b"]))
        assert response.http_version == 20 and response.json()["body"] == "a" * 100 + "b"


def test_async_iterable_in_a_client_without_a_loop(client, lab):
    async def body():
        yield b"a"

    with pytest.raises(TypeError, match="AsyncClient"):
        client.post(lab.url("/echo"), content=body())


# --- in an event loop --------------------------------------------------------------------------------------------------------


def test_async_generators(run, lab):
    async def body(n):
        for _ in range(n):
            yield b"ab"
            await asyncio.sleep(0.001)

    async def main():
        async with muster.AsyncClient() as client:
            answers = await asyncio.gather(*[client.post(lab.url("/echo"), content=body(n)) for n in range(1, 20)])
            return [len(answer.json()["body"]) for answer in answers], (await client.post(lab.url("/echo"), content=iter([b"x", b"y"]))).json()["body"]

    assert run(main()) == ([2 * n for n in range(1, 20)], "xy")


def test_generators_that_raise(run, lab):
    async def body():
        yield b"a" * 100_000
        raise KeyError("broke off")

    def plain():
        yield b"a"
        raise KeyError("broke off")

    async def main():
        async with muster.AsyncClient() as client:
            for one in (body(), plain()):
                with pytest.raises(muster.InputError, match="broke off") as raised:
                    await client.post(lab.url("/echo"), content=one)
                assert isinstance(raised.value.__cause__, KeyError)

    run(main())


def test_cancelled_while_it_comes(run, lab):
    """The generator ends with its request."""
    ended = []

    async def body():
        try:
            yield b"a"
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    async def main():
        async with muster.AsyncClient() as client:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.post(lab.url("/echo"), content=body()), 0.1)
            await asyncio.sleep(0.05)
            return client.stats["in_flight"], list(ended)

    assert run(main()) == (0, [True])


def test_back_pressure(run):
    taken = []

    async def body():
        for _ in range(1000):
            taken.append(True)
            yield bytes(64 * 1024)

    async def main():
        async with muster.AsyncClient() as client:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.post(server.url, content=body()), 0.3)

    with servers.Server(lambda _server, connection: time.sleep(1)) as server:
        run(main())
    assert len(taken) < 200, "what the sockets and the pipe hold"
