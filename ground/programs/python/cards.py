"""Loads cards without a session of its own: cards.py URL COUNT"""
import asyncio
import sys

import aiohttp


async def card(slots, url):
    async with slots, aiohttp.request("GET", url) as response:
        return len(await response.read())


async def main():
    base, count = sys.argv[1], int(sys.argv[2])
    slots = asyncio.Semaphore(10)
    cards = await asyncio.gather(*(card(slots, f"{base}/bytes/1k?n={number}") for number in range(count)))
    print(len(cards), "cards,", sum(cards), "bytes")


asyncio.run(main())
