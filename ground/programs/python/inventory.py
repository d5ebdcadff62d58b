"""Counts what is in stock: inventory.py URL COUNT"""
import asyncio
import sys

import aiohttp

HEADERS = {"Accept": "application/json", "Connection": "close"}


async def stock(session, slots, base, article):
    async with slots, session.get(f"{base}/json/1k?n={article}") as response:
        response.raise_for_status()
        return len(await response.read())


async def main():
    base, count = sys.argv[1], int(sys.argv[2])
    slots = asyncio.Semaphore(24)
    async with aiohttp.ClientSession(headers=HEADERS) as session:
        found = await asyncio.gather(*(stock(session, slots, base, article) for article in range(count)))
    print(f"{count} articles: {sum(found)}")


asyncio.run(main())
