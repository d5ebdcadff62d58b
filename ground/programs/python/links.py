"""Checks links; prints how many work: links.py URL COUNT"""
import asyncio
import sys

import aiohttp

SLOTS = 16


async def works(session, slots, url):
    async with slots:
        response = await session.get(url)
        okay = response.status < 400
        response.close()
        return okay


async def main():
    base, count = sys.argv[1], int(sys.argv[2])
    slots = asyncio.Semaphore(SLOTS)
    async with aiohttp.ClientSession() as session:
        checks = [works(session, slots, f"{base}/bytes/20k?n={number}") for number in range(count)]
        results = await asyncio.gather(*checks)
    print(f"{sum(results)} of {len(results)} links work")


asyncio.run(main())
