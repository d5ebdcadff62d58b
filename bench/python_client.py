"""
One way to make many requests from Python, for bench/python: REQUESTS times URL, CONCURRENCY at a time, each body read.

    python bench/python_client.py WAY URL CONCURRENCY REQUESTS

Prints how many were answered with 200, and the seconds of processor time (of all threads) and of wall time that it took, without the
start of the interpreter and its imports.
"""
import asyncio
import itertools
import sys
import time

# --- muster -------------------------------------------------------------------------------------------------------------


def is_good(response):
    return response.status == 200 and len(response.content) > 0


def n_good(responses):
    return sum(map(is_good, responses))


def muster_stream(url, concurrency, n):
    return n_good(muster.stream(itertools.repeat(url, n), concurrency=concurrency))


def muster_fetch(url, concurrency, n):
    return n_good(muster.fetch(itertools.repeat(url, n), concurrency=concurrency))


def muster_client(url, concurrency, n):
    """One after another: nothing is in flight beside."""
    with muster.Client() as client:
        return n_good(client.get(url) for _ in range(n))


async def muster_gather(url, concurrency, n):
    async with muster.AsyncClient(concurrency=concurrency) as client:
        return n_good(await asyncio.gather(*[client.get(url) for _ in range(n)]))


async def muster_async_stream(url, concurrency, n):
    async with muster.AsyncClient(concurrency=concurrency) as client:
        return sum([is_good(response) async for response in client.stream(itertools.repeat(url, n))])


# --- others -------------------------------------------------------------------------------------------------------------


async def aiohttp_get(session, url):
    async with session.get(url) as response:
        return response.status == 200 and len(await response.read()) > 0


async def aiohttp_gather(url, concurrency, n):
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=concurrency)) as session:
        return sum(await asyncio.gather(*[aiohttp_get(session, url) for _ in range(n)]))


async def aiohttp_workers(url, concurrency, n):
    """As many tasks as there are connections: nothing queues, which is the cheapest way."""
    urls = itertools.repeat(url, n)

    async def work(session):
        return sum([await aiohttp_get(session, one) for one in urls])

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=concurrency)) as session:
        return sum(await asyncio.gather(*[work(session) for _ in range(concurrency)]))


async def httpx_gathered(client, url, concurrency, n):
    """By workers, as httpx's own pool becomes slow with many that wait."""
    urls = itertools.repeat(url, n)

    async def work():
        return sum([(await client.get(one)).status_code == 200 for one in urls])

    async with client:
        return sum(await asyncio.gather(*[work() for _ in range(concurrency)]))


async def httpx_workers(url, concurrency, n):
    limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    return await httpx_gathered(httpx.AsyncClient(limits=limits, trust_env=False), url, concurrency, n)


async def httpx_over_muster(url, concurrency, n):
    transport = muster.HTTPXTransport(concurrency=concurrency)
    return await httpx_gathered(httpx.AsyncClient(transport=transport, trust_env=False), url, concurrency, n)


WAYS = {way.__name__: way for way in (muster_stream, muster_fetch, muster_client, muster_gather, muster_async_stream, aiohttp_gather, aiohttp_workers,
                                      httpx_workers, httpx_over_muster)}


def run(way, loop, url, concurrency, n):
    if not asyncio.iscoroutinefunction(way):
        return way(url, concurrency, n)
    return (uvloop.run if loop == "uvloop" else asyncio.run)(way(url, concurrency, n))


if __name__ == "__main__":
    # Each way has only what it needs: imports are not counted, but the garbage collector looks at what they leave.
    name, _, loop = sys.argv[1].partition("+")
    for package in {"muster", "aiohttp", "httpx"} & set(name.split("_")):
        globals()[package] = __import__(package)
    if loop:
        uvloop = __import__(loop)
    cpu, wall = time.process_time(), time.perf_counter()
    good = run(WAYS[name], loop, sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    print(good, time.process_time() - cpu, time.perf_counter() - wall)
