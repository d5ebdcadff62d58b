"""Lists songs, with a queue and workers: songs.py URL COUNT"""
import asyncio
import sys

import aiohttp
import uvloop

N_WORKERS = 64


async def worker(session, base, queue, sizes):
    while not queue.empty():
        number = queue.get_nowait()
        async with session.get(f"{base}/bytes/2k?n={number}") as response:
            sizes.append(len(await response.read()))


async def main():
    base, count = sys.argv[1], int(sys.argv[2])
    queue, sizes = asyncio.Queue(), []
    for number in range(count):
        queue.put_nowait(number)
    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(worker(session, base, queue, sizes) for _ in range(N_WORKERS)))
    print(len(sizes), "songs,", sum(sizes), "bytes")


uvloop.install()
asyncio.run(main())
