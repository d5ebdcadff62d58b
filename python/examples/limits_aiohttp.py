"""At most 32 URLs of the standard input at a time, and at most 2 s for each."""
import asyncio
import sys

import aiohttp


async def fetch(session, limit, url):
    async with limit:
        try:
            async with session.get(url) as response:
                return f"{url} {response.status} {len(await response.read())}"
        except asyncio.TimeoutError:
            return f"{url} timed out"
        except aiohttp.ClientError:
            return f"{url} failed"


async def main(urls):
    limit = asyncio.Semaphore(32)
    timeout = aiohttp.ClientTimeout(total=2)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        tasks = [asyncio.create_task(fetch(session, limit, url)) for url in urls]
        for task in asyncio.as_completed(tasks):
            print(await task)


if __name__ == "__main__":
    asyncio.run(main(sys.stdin.read().split()))
