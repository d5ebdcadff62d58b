"""A checksum of each body, which takes a processor some milliseconds; meanwhile the event loop stands still."""
import asyncio
import sys

import aiohttp


def checksum(body):
    total = 0
    for byte in body:
        total = (total * 31 + byte) % 65521
    return total


async def fetch(session, limit, url):
    async with limit:
        async with session.get(url) as response:
            return url, checksum(await response.read())


async def main(urls):
    limit = asyncio.Semaphore(32)
    async with aiohttp.ClientSession() as session:
        tasks = [asyncio.create_task(fetch(session, limit, url)) for url in urls]
        for task in asyncio.as_completed(tasks):
            print(*await task)


if __name__ == "__main__":
    asyncio.run(main(sys.stdin.read().split()))
