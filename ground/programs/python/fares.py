"""Asks for fares, each with a time-out of its own: fares.py URL COUNT"""
import asyncio
import sys

import aiohttp

PATIENCE = 5


async def fare(session, url):
    async with session.get(url) as response:
        return len((await response.text()).splitlines())


async def main(base, count):
    fares = {}
    async with aiohttp.ClientSession() as session:
        for number in range(count):
            try:
                fares[number] = await asyncio.wait_for(fare(session, f"{base}/json/1k?n={number}"), PATIENCE)
            except asyncio.TimeoutError:
                fares[number] = None
    print(len(fares), "fares,", sum(value is None for value in fares.values()), "missing")


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
