"""The hook in Python programs (watch/python): what their own code bounds their requests with, where they sleep, and what holds their loops."""
from hooked import PLAIN, both, python, run  # noqa: F401


def test_what_the_program_bounds_its_requests_with(lab, run, python):
    source = """import asyncio, sys, aiohttp
async def fetch(session, limit):
    async with limit, session.get(sys.argv[1] + "/bytes/1") as response:
        await response.read()
async def main():
    limit = asyncio.Semaphore(2)
    other = asyncio.Semaphore(5)
    async with aiohttp.ClientSession() as session:
        await asyncio.wait([asyncio.ensure_future(fetch(session, limit)) for _ in range(8)])
        for each in asyncio.as_completed([fetch(session, limit) for _ in range(3)]):
            await each
    async with other:
        pass
    await asyncio.get_running_loop().getaddrinfo("127.0.0.1", 80)
asyncio.run(main())
"""
    log, = both(run, python, source, lab("--delay", "10ms").url("")).logs
    limit, = log.semaphore
    assert (limit.value, limit.n_acquired, log.line_of(limit)) == (2, 11, 6) and limit.n_waited >= 6 and limit.most_waiting == 6
    assert [(row.n, log.line_of(row)) for row in log.gather] == [(8, 9), (3, 10)]
    assert [(row.kind, row.n) for row in log.executor] == [("getaddrinfo", 1)]


def test_pauses_between_requests_have_lines(lab, run):
    source = """import sys, time, urllib.request
def fetch():
    return len(urllib.request.urlopen(sys.argv[1] + "/bytes/9").read())
def wait(seconds):
    time.sleep(seconds)
for _ in range(3):
    fetch()
    wait(0.4)
"""
    log, = both(run, PLAIN, source, lab().url("")).logs
    assert {log.line_of(row) for row in log.pause} == {5} and 0.5e9 < sum(row.took for row in log.pause) < 2e9


def test_pauses_of_tasks_that_make_requests_have_lines(lab, run, python):
    """Of them alone: another task may sleep all the time."""
    source = """import asyncio, sys, aiohttp
async def beat():
    while True:
        await asyncio.sleep(0.005)
async def rest():
    await asyncio.sleep(0.02)
    await asyncio.sleep(0)
async def fetch(session):
    async with session.get(sys.argv[1] + "/bytes/9") as response:
        await response.read()
async def main():
    beating = asyncio.create_task(beat())
    async with aiohttp.ClientSession() as session:
        for _ in range(3):
            await fetch(session)
            await rest()
    beating.cancel()
asyncio.run(main())
"""
    log, = both(run, python, source, lab().url("")).logs
    row, = log.pause
    assert (row.n, log.line_of(row)) == (3, 6) and 0.06e9 <= row.took < 1e9


def test_limits_and_batches_of_threads_have_lines(lab, run):
    source = """import sys, urllib.request
from concurrent.futures import ThreadPoolExecutor, as_completed, wait
from multiprocessing.pool import ThreadPool
def fetch(n):
    return len(urllib.request.urlopen(sys.argv[1] + "/bytes/9").read())
with ThreadPoolExecutor(3) as pool:
    print(sum(pool.map(fetch, range(5))))
    wait([pool.submit(fetch, n) for n in range(4)])
    futures = [pool.submit(fetch, n) for n in range(6)]
    for future in as_completed(futures):
        future.result()
with ThreadPool(4) as pool:
    print(pool.map(fetch, range(8)))
"""
    log, = both(run, PLAIN, source, lab().url("")).logs
    assert [(row.n, log.line_of(row)) for row in log.gather] == [(5, 7), (4, 8), (6, 10)]
    assert [(row.threads, row.n, log.line_of(row)) for row in log.executor] == [(4, 0, 12), (3, 15, 6)]


def test_limiters_of_anyio_have_lines(lab, run, python):
    source = """import sys, anyio, httpx
async def fetch(client, limiter):
    async with limiter:
        await client.get(sys.argv[1] + "/bytes/9")
async def main():
    limiter, other = anyio.CapacityLimiter(3), anyio.Semaphore(5)
    async with httpx.AsyncClient() as client, anyio.create_task_group() as group:
        for _ in range(6):
            group.start_soon(fetch, client, limiter)
anyio.run(main)
"""
    log, = both(run, python, source, lab().url("")).logs
    assert [(row.threads, row.n, log.line_of(row)) for row in log.executor if row.site] == [(3, 0, 6), (5, 0, 6)]


def test_a_semaphore_whose_holders_have_threads_make_requests(lab, run):
    source = """import asyncio, sys, urllib.request
async def work(limit):
    async with limit:
        await asyncio.get_running_loop().run_in_executor(None, lambda: urllib.request.urlopen(sys.argv[1] + "/bytes/9").read())
async def main():
    limit = asyncio.Semaphore(2)
    await asyncio.gather(*(work(limit) for _ in range(6)))
asyncio.run(main())
"""
    log, = both(run, PLAIN, source, lab("--delay", "10ms").url("")).logs
    assert [(row.value, row.n_acquired, log.line_of(row)) for row in log.semaphore] == [(2, 6, 6)]
    assert [(row.kind, row.n, row.site) for row in log.executor] == [("other", 6, 0)]


def test_what_holds_the_loop_is_found_by_its_line(lab, run, python):
    source = """import asyncio, json, sys, time, aiohttp
text = json.dumps([{"a": n, "b": [1, 2, 3]} for n in range(30000)])
def compute():
    n = 0
    while n < 1000000:
        n += 1
async def fetch(session, what):
    async with session.get(sys.argv[1] + "/bytes/1") as response:
        await response.read()
        if what == 0:
            time.sleep(0.03)
        elif what == 1:
            json.loads(text)
        else:
            compute()
async def main():
    async with aiohttp.ClientSession() as session:
        for what in range(3):
            await asyncio.gather(*(fetch(session, what) for _ in range(12)))
asyncio.run(main())
"""
    log, = both(run, python, source, lab().url("")).logs
    took = {}
    for row in log.held:
        took[log.site(row.site), row.name] = took.get((log.site(row.site), row.name), 0) + row.end - row.start
    most = sorted(took, key=took.get)[-3:]
    names = {name for _, name in most}
    assert "time.sleep" in names and "json.loads" in names, took
    lines = {name: site[0] for site, name in most}
    assert lines["time.sleep"] == 11 and lines["json.loads"] == 13 and set(lines.values()) - {11, 13} <= {5, 6}, took
    sleeps = [row for row in log.held if row.name == "time.sleep" and row.cpu >= 0 and row.line_share == 100]
    assert sleeps and sorted(row.cpu for row in sleeps)[len(sleeps) // 2] < 15e6


def test_a_callback_that_waits_as_a_loop_does_is_found_by_its_line(lab, run, python):
    source = """import asyncio, subprocess, sys, aiohttp
async def fetch(session):
    async with session.get(sys.argv[1] + "/bytes/1") as response:
        data = await response.read()
    return subprocess.run("sleep 0.04; cat", shell=True, input=data, capture_output=True).stdout
async def main():
    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(fetch(session) for _ in range(20)))
asyncio.run(main())
"""
    log, = [log for log in both(run, python, source, lab().url("")).logs if log.held]
    took = {}
    for row in log.held:
        took[log.line_of(row), row.name] = took.get((log.line_of(row), row.name), 0) + row.end - row.start
    assert max(took, key=took.get) == (5, "subprocess.run"), took


def test_http2_and_uvloop(lab, run, python):
    source = """import asyncio, sys, httpx, uvloop
async def main():
    async with httpx.AsyncClient(http2=True, verify=sys.argv[2]) as client:
        print([r.http_version for r in await asyncio.gather(*(client.get(sys.argv[1] + "/bytes/10") for _ in range(4)))])
uvloop.install()
asyncio.run(main())
"""
    server = lab("--listener", "s", "--tls", "good", "--h2")
    log, = both(run, python, source, server.url("", "s"), server.ca).logs
    assert [row.status for row in log.request] == [200] * 4 and {row.url for row in log.request} == {server.url("/bytes/10", "s")}


def test_uvloop_that_is_held_and_uvloop_that_is_only_busy(lab, run, python):
    source = """import asyncio, sys, time, aiohttp, uvloop
async def fetch(session, holds):
    async with session.get(sys.argv[1] + "/bytes/1") as response:
        await response.read()
        if holds:
            time.sleep(0.1)
async def main():
    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(fetch(session, True) for _ in range(10)))
        for _ in range(300):
            await fetch(session, False)
uvloop.install()
asyncio.run(main())
"""
    log, = both(run, python, source, lab().url("")).logs
    assert [row.name for row in log.loop] == ["uvloop"]
    held = {}
    for row in log.held:
        held[log.line_of(row), row.name] = held.get((log.line_of(row), row.name), 0) + row.end - row.start
    assert max(held, key=held.get) == (6, "time.sleep") and held[6, "time.sleep"] > 300e6, held
