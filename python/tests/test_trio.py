"""AsyncClient under trio, and under anyio on both of its backends."""

import time

import muster
import pytest
import servers

trio = pytest.importorskip("trio", reason="trio is not installed")
anyio = pytest.importorskip("anyio", reason="anyio is not installed")


@pytest.fixture(params=["asyncio", "trio"])
def run(request):
    return lambda main: anyio.run(main, backend=request.param)


async def gather(*functions):
    results = [None] * len(functions)

    async def note(index, function):
        results[index] = await function()

    async with anyio.create_task_group() as group:
        for index, function in enumerate(functions):
            group.start_soon(note, index, function)
    return results


def test_many(run, lab):
    async def main():
        async with muster.AsyncClient(concurrency=16) as client:
            return [r.status for r in await gather(*[lambda: client.get(lab.url())] * 300)]

    assert run(main) == [200] * 300


def test_each_failure_is_isolated(run, lab, refused):
    async def main():
        async with muster.AsyncClient() as client:
            with pytest.raises(muster.ConnectError):
                await client.get(refused)
            return [r.status for r in await client.fetch([lab.url(), refused, lab.url("/status/404")])]

    assert run(main) == [200, 0, 404]


def test_fail_after(run):
    async def main():
        async with muster.AsyncClient() as client:
            with pytest.raises(TimeoutError):
                with anyio.fail_after(0.1):
                    await client.get(server.url)
            await anyio.sleep(0.05)
            return client.stats["in_flight"]

    with servers.Server(servers.silent) as server:
        assert run(main) == 0
        assert server.wait_for("gone") - server.wait_for("request") < 1


def test_cancelled_scope(run, lab):
    """One of a group is cancelled; the others go on."""
    async def main():
        async with muster.AsyncClient() as client:
            scope = anyio.CancelScope()
            outcome = []

            async def hang():
                with scope:
                    await client.get(server.url)
                outcome.append(scope.cancelled_caught if hasattr(scope, "cancelled_caught") else True)

            async with anyio.create_task_group() as group:
                group.start_soon(hang)
                await anyio.sleep(0.1)
                scope.cancel()
                outcome.append((await client.get(lab.url())).status)
            server.wait_for("gone")
            return outcome

    with servers.Server(servers.silent) as server:
        assert sorted(run(main)) == [True, 200]


def test_cancelled_group_closes_its_client(run):
    """The client is closed while all around is cancelled."""
    async def main():
        clients = []
        with anyio.move_on_after(0.1):
            async with muster.AsyncClient() as client:
                clients.append(client)
                await gather(*[lambda: client.get(server.url)] * 5)
        return clients[0].is_closed

    with servers.Server(servers.silent) as server:
        assert run(main)
        server.wait_for("gone")


def test_stream_with_back_pressure(run, lab):
    """A generator that waits for room is closed with the loop that reads."""
    taken, closed = [], []

    async def urls():
        try:
            while True:
                taken.append(True)
                yield lab.url()
                await anyio.sleep(0)
        finally:
            closed.append(True)

    async def main():
        async with muster.AsyncClient(concurrency=4) as client:
            n = 0
            async for response in client.stream(urls()):
                assert response.status == 200
                n += 1
                if n == 50:
                    await anyio.sleep(0.05)  # the generator waits for room
                    break
            await anyio.sleep(0.01)
            assert closed

    run(main)
    assert 50 <= len(taken) <= 70


def test_generator_that_fails(run, lab):
    async def urls():
        yield lab.url()
        raise KeyError("broke off")

    async def main():
        async with muster.AsyncClient() as client:
            with pytest.raises(KeyError, match="broke off"):
                async for _ in client.stream(urls()):
                    pass

    run(main)


def test_streamed_body(run, lab):
    async def main():
        async with muster.AsyncClient() as client:
            response = await client.get(lab.url("/trickle/300/100/20ms"), stream=True)
            return len(await response.aread())

    assert run(main) == 300


def test_uploads(run, lab):
    async def body():
        for _ in range(3):
            yield b"a" * 50_000
            await anyio.sleep(0.001)

    async def broken():
        yield b"a"
        raise KeyError("broke off")

    async def main():
        async with muster.AsyncClient() as client:
            whole = await client.post(lab.url("/plain"), content=body())
            plain = await client.post(lab.url("/echo"), content=iter([b"a", b"b"]))
            with pytest.raises(muster.InputError, match="broke off"):
                await client.post(lab.url("/echo"), content=broken())
            return whole.status, plain.json()["body"]

    assert run(main) == (200, "ab")


def test_upload_that_is_cancelled(run, lab):
    ended = []

    async def body():
        try:
            yield b"a"
            await anyio.sleep(60)
        finally:
            ended.append(True)

    async def main():
        async with muster.AsyncClient() as client:
            with anyio.move_on_after(0.1):
                await client.post(lab.url("/echo"), content=body())
            await anyio.sleep(0.1)
            return client.stats["in_flight"], list(ended)

    assert run(main) == (0, [True])


def length(content):
    return len(content)


def test_in_processes(run, lab):
    async def main():
        async with muster.AsyncClient() as client:
            return [r.processed async for r in client.stream([lab.url("/bytes/1k")] * 10, process=length)]

    assert run(main) == [1024] * 10


def test_trio_by_itself(lab):
    async def main():
        async with muster.AsyncClient() as client:
            with trio.move_on_after(0.1) as scope:
                await client.get(server.url)
            start = time.monotonic()
            async with trio.open_nursery() as nursery:
                for _ in range(5):
                    nursery.start_soon(client.get, lab.url("/delay/50ms"))
            assert time.monotonic() - start < 0.24, "beside each other"
            return scope.cancelled_caught, (await client.get(lab.url())).status

    with servers.Server(servers.silent) as server:
        assert trio.run(main) == (True, 200)


def test_two_runs(lab):
    client = muster.AsyncClient()

    async def main():
        return (await client.get(lab.url())).status

    assert trio.run(main) == 200
    with pytest.raises(RuntimeError, match="another event loop"):
        trio.run(main)


def test_no_loop_that_it_knows(lab):
    client = muster.AsyncClient()
    call = client.get(lab.url())
    with pytest.raises(RuntimeError, match="asyncio, uvloop and trio, and none of these runs here"):
        call.send(None)
    assert client.stats["submitted"] == 0


def test_guest_of_asyncio(lab):
    """trio inside asyncio: who asks decides."""
    import asyncio

    async def main():
        async with muster.AsyncClient() as client:
            return (await client.get(lab.url())).status

    async def host():
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        trio.lowlevel.start_guest_run(main, run_sync_soon_threadsafe=loop.call_soon_threadsafe, done_callback=done.set_result)
        outcome = await done
        async with muster.AsyncClient() as client:
            return outcome.unwrap(), (await client.get(lab.url())).status

    assert asyncio.run(host()) == (200, 200)
