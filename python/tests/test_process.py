"""Work on bodies, in processes."""

import asyncio
import concurrent.futures
import os
import subprocess
import threading
import time

import muster
import pytest
from lab import MUSTER


def length_and_process(content):
    return len(content), os.getpid()


def fail(content):
    raise ValueError("not what it should be")


def test_in_processes(lab):
    with muster.Client() as client:
        results = list(client.stream([lab.url("/bytes/1k")] * 10, process=length_and_process))
    assert {r.processed[0] for r in results} == {1024} and os.getpid() not in {r.processed[1] for r in results}
    assert all(r.process_seconds >= 0 for r in results)


def test_inline(lab):
    results = list(muster.stream([lab.url("/bytes/1k")] * 3, process=length_and_process, inline=True))
    assert [r.processed for r in results] == [(1024, os.getpid())] * 3


def test_own_executor(lab):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(muster.stream([lab.url("/bytes/1k")] * 10, process=length_and_process, executor=pool))
    assert [r.processed for r in results] == [(1024, os.getpid())] * 10


@pytest.mark.parametrize("inline", [False, True])
def test_that_fails(lab, refused, inline):
    by_url = {r.url: r for r in muster.stream([lab.url(), refused], process=fail, inline=inline)}
    error = by_url[lab.url()].error
    assert isinstance(error, muster.ProcessError) and isinstance(error.__cause__, ValueError) and "not what it should be" in str(error)
    assert isinstance(by_url[refused].error, muster.ConnectError)


def kill_at_times(content):
    if b"kill" in content:
        os.kill(os.getpid(), 9)
    return len(content)


@pytest.mark.parametrize("kind", ["client", "async"])
def test_a_worker_that_dies(lab, kind):
    """It takes along what the pool had. The rest gets another pool."""
    requests = [muster.Request("POST", lab.url("/echo"), content=b"kill" if i == 20 else b"x") for i in range(200)]

    async def main():
        async with muster.AsyncClient(concurrency=4) as client:
            return await client.fetch(requests, process=kill_at_times)

    results = muster.fetch(requests, process=kill_at_times, concurrency=4) if kind == "client" else asyncio.run(main())
    failed = [response.index for response in results if not response.is_ok]
    assert 20 in failed and len(failed) <= 4 * os.cpu_count()
    assert all(isinstance(results[i].error.__cause__, concurrent.futures.BrokenExecutor) for i in failed)
    assert all(response.processed > 0 for response in results if response.is_ok)


def test_in_an_event_loop(lab):
    async def main():
        async with muster.AsyncClient() as client:
            return [r.processed[0] async for r in client.stream([lab.url("/bytes/1k")] * 10, process=length_and_process)]

    assert asyncio.run(main()) == [1024] * 10


def doze(content):
    time.sleep(0.1)


def moments(lab):
    """When each of two processed responses came, of which the second takes a second; by Client and by AsyncClient."""
    urls = [lab.url(), lab.url("/delay/1s")]
    with concurrent.futures.ThreadPoolExecutor(2) as pool, muster.Client() as client:
        start = time.monotonic()
        yield [time.monotonic() - start for _ in client.stream(urls, process=doze, executor=pool)]

    async def main():
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            async with muster.AsyncClient() as client:
                start = time.monotonic()
                return [time.monotonic() - start async for _ in client.stream(urls, process=doze, executor=pool)]

    yield asyncio.run(main())


def test_what_is_done_comes_at_once(lab):
    """Not when the next response does."""
    for first, second in moments(lab):
        assert first < 0.7 and second > 0.9


def sleep(content):
    time.sleep(0.5)


def test_responses_are_read_while_all_workers_are_busy(lab):
    """The engine stands still for nobody: what comes meanwhile is read when it comes."""
    urls = [lab.url()] * 2 + [lab.url("/delay/200ms")] * 3
    with concurrent.futures.ThreadPoolExecutor(1) as pool, muster.Client() as client:
        results = client.fetch(urls, process=sleep, executor=pool)
    assert max(r.phases.lag for r in results) < 0.15
    assert {r.status for r in results} == {200}


def test_only_so_many_are_with_the_workers(lab):
    """The rest waits where it is, so an endless list fits in memory."""
    taken = []

    def urls():
        while True:
            taken.append(None)
            yield lab.url()

    with concurrent.futures.ThreadPoolExecutor(1) as pool, muster.Client(concurrency=4) as client:
        stream = client.stream(urls(), process=sleep, executor=pool)
        next(stream)
        assert len(taken) <= 12
        stream.close()


def test_other_threads_go_on_while_workers_are_busy(lab):
    with concurrent.futures.ThreadPoolExecutor(1) as pool, muster.Client() as client:
        stream = threading.Thread(target=client.fetch, args=([lab.url()] * 4,), kwargs={"process": sleep, "executor": pool})
        stream.start()
        start = time.monotonic()
        assert [client.get(lab.url()).status for _ in range(20)] == [200] * 20
        assert time.monotonic() - start < 1 and stream.is_alive()
        stream.join(10)


def test_verdict_on_busy_workers(lab):
    """What the engine sees is that few requests come; the reason is known here."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool, muster.record() as rec:
        muster.fetch([lab.url()] * 30, process=doze, executor=pool)
    told = rec.explain()
    assert str(told).startswith("The workers that process bodies did not keep up"), told
    causes = [finding["cause"] for finding in told.findings]
    assert causes[0] == "workers-busy" and not {"input-slow", "slow-consumer"} & set(causes)
    assert "all workers (1) had bodies" in told.findings[0]["evidence"][0] and "30 bodies" in told.findings[0]["evidence"][1]


def test_verdict_where_workers_are_idle(lab):
    with concurrent.futures.ThreadPoolExecutor(4) as pool, muster.record() as rec:
        muster.fetch([lab.url("/delay/20ms")] * 60, process=len, executor=pool, concurrency=2)
    assert rec.explain().findings[0]["cause"] == "concurrency-too-low", str(rec.explain())


def test_verdict_on_busy_workers_of_an_event_loop(lab):
    async def main():
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            async with muster.AsyncClient(record=True) as client:
                await client.fetch([lab.url()] * 15, process=doze, executor=pool)
                return client.explain()

    assert asyncio.run(main()).findings[0]["cause"] == "workers-busy"


def test_the_command_says_the_same_of_the_record(lab, tmp_path):
    """What the workers did is in the file."""
    path = tmp_path / "run.db"
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        with muster.Client(record=path) as client:
            client.fetch([lab.url()] * 15, process=doze, executor=pool)
        told = client.explain()
    assert muster.explain(path)["findings"] == told["findings"] and told.findings[0]["cause"] == "workers-busy"
    says = subprocess.run([MUSTER, "explain", path], capture_output=True, text=True)
    assert says.returncode == 0 and told.findings[0]["title"] in says.stdout and told.findings[0]["evidence"][0] in says.stdout, says


def test_what_is_no_function(lab):
    """Told before anything is asked for."""
    with muster.Client() as client:
        with pytest.raises(TypeError, match='process: a function .* or "json", not 7'):
            client.stream([lab.url()], process=7)

    async def main():
        async with muster.AsyncClient() as client:
            with pytest.raises(TypeError, match='process: a function .* or "json", not 7'):
                client.stream([lab.url()], process=7)

    asyncio.run(main())
