"""AsyncClient, under asyncio and uvloop."""

import asyncio
import time

import muster
import pytest


def test_gather(run, lab, refused):
    async def main():
        async with muster.AsyncClient(concurrency=16) as client:
            return await asyncio.gather(*[client.get(url) for url in [lab.url()] * 200 + [refused]], return_exceptions=True)

    *responses, error = run(main())
    assert {response.status for response in responses} == {200} and isinstance(error, muster.ConnectError)


def test_more_than_fit(run, lab):
    async def main():
        async with muster.AsyncClient(concurrency=4) as client:
            return sum(r.status == 200 for r in await asyncio.gather(*[client.get(lab.url()) for _ in range(1500)]))

    assert run(main()) == 1500


@pytest.mark.parametrize("path", ["/hang/start", "/hang/body"])
def test_cancelled(run, lab, path):
    """The task's end is the request's."""
    async def main():
        async with muster.AsyncClient() as client:
            task = asyncio.ensure_future(client.get(lab.url(path)))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.sleep(0.05)
            return client.stats["in_flight"], (await client.get(lab.url())).status

    assert run(main()) == (0, 200)


def test_wait_for(run, silent):
    async def main():
        async with muster.AsyncClient() as client:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.get(silent), 0.1)
            await asyncio.sleep(0.05)
            return client.stats["in_flight"]

    assert run(main()) == 0


def test_stream_of_a_list(run, lab):
    async def main():
        async with muster.AsyncClient(concurrency=8) as client:
            return sorted([r.index async for r in client.stream([lab.url()] * 100)])

    assert run(main()) == list(range(100))


def test_back_pressure_of_an_async_generator(run, lab):
    taken = []

    async def urls():
        n = 0
        while True:
            taken.append(n)
            yield lab.url()
            n += 1

    async def main():
        async with muster.AsyncClient(concurrency=4) as client:
            n = 0
            async for response in client.stream(urls()):
                assert response.status == 200
                n += 1
                if n == 50:
                    break

    run(main())
    assert 50 <= len(taken) <= 70


def test_generator_that_fails(run, lab):
    async def urls():
        yield lab.url()
        raise KeyError("broke off")

    async def main():
        async with muster.AsyncClient() as client:
            seen = []
            with pytest.raises(KeyError, match="broke off"):
                async for response in client.stream(urls()):
                    seen.append(response.status)
            return seen

    assert run(main()) == [200]


def test_slow_generator(run, lab):
    """Each response comes when it is there, not when the next URL does."""
    async def urls():
        for _ in range(3):
            yield lab.url()
            await asyncio.sleep(0.2)

    async def main():
        moments = []
        start = time.monotonic()
        async with muster.AsyncClient() as client:
            async for _ in client.stream(urls()):
                moments.append(time.monotonic() - start)
        return moments

    assert run(main())[0] < 0.2


def test_streamed_body(run, lab):
    async def main():
        async with muster.AsyncClient() as client:
            response = await client.get(lab.url("/bytes/300k"), stream=True)
            n = 0
            async for piece in response.aiter_bytes():
                n += len(piece)
            both = await asyncio.gather(*[(await client.get(lab.url("/trickle/300/100/20ms"), stream=True)).aread() for _ in range(3)])
            return n, [len(one) for one in both]

    assert run(main()) == (300 * 1024, [300] * 3)


def test_closed_while_tasks_wait(run, silent):
    async def main():
        client = muster.AsyncClient()
        task = asyncio.ensure_future(client.get(silent))
        await asyncio.sleep(0.05)
        await client.aclose()
        with pytest.raises(muster.CancelledError):
            await task
        with pytest.raises(RuntimeError, match="closed"):
            await client.get(silent)

    run(main())


def test_two_loops(lab):
    client = muster.AsyncClient()

    async def main():
        return (await client.get(lab.url())).status

    assert asyncio.run(main()) == 200
    with pytest.raises(RuntimeError, match="another event loop"):
        asyncio.run(main())


def test_fetch(run, lab):
    async def main():
        async with muster.AsyncClient() as client:
            return [r.status for r in await client.fetch([lab.url("/status/404"), lab.url()])]

    assert run(main()) == [404, 200]
