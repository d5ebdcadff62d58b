"""Waits a while after each answer, within the semaphore: tides.py URL COUNT"""
import asyncio
import sys

import aiohttp

POLITE = 0.05


async def tide(session, slots, url):
    async with slots:
        async with session.get(url) as response:
            text = await response.text()
        await asyncio.sleep(POLITE)
    return len(text)


async def main():
    base, count = sys.argv[1], int(sys.argv[2])
    slots = asyncio.Semaphore(5)
    async with aiohttp.ClientSession() as session:
        tides = await asyncio.gather(*(tide(session, slots, f"{base}/bytes/1k?n={number}") for number in range(count)))
    print(len(tides), "tides")


asyncio.run(main())
