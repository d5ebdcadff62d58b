"""Downloads the pages of a catalogue: catalogue.py URL COUNT"""
import asyncio
import sys

import aiohttp

TIMEOUT = aiohttp.ClientTimeout(total=60)


async def fetch(url):
    async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
        async with session.get(url) as response:
            response.raise_for_status()
            return await response.text()


async def worker(queue, pages):
    while True:
        url = await queue.get()
        try:
            pages[url] = await fetch(url)
        finally:
            queue.task_done()


async def main(base, count):
    queue, pages = asyncio.Queue(), {}
    for number in range(count):
        queue.put_nowait(f"{base}/bytes/2k?n={number}")
    workers = [asyncio.create_task(worker(queue, pages)) for _ in range(16)]
    await queue.join()
    for task in workers:
        task.cancel()
    print(f"{len(pages)} pages, {sum(map(len, pages.values()))} characters")


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
