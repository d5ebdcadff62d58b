"""A checksum of each body, which takes a processor some milliseconds; off the event loop, in a pool of processes."""
import asyncio
import concurrent.futures
import sys

import aiohttp


def checksum(body):
    total = 0
    for byte in body:
        total = (total * 31 + byte) % 65521
    return total


async def fetch(session, limit, pool, url):
    async with limit:
        async with session.get(url) as response:
            body = await response.read()
        return url, await asyncio.get_running_loop().run_in_executor(pool, checksum, body)


async def main(urls):
    limit = asyncio.Semaphore(32)
    with concurrent.futures.ProcessPoolExecutor() as pool:
        async with aiohttp.ClientSession() as session:
            tasks = [asyncio.create_task(fetch(session, limit, pool, url)) for url in urls]
            for task in asyncio.as_completed(tasks):
                print(*await task)


if __name__ == "__main__":
    asyncio.run(main(sys.stdin.read().split()))
