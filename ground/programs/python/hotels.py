"""Compares offers of hotels: hotels.py URL COUNT"""
import asyncio
import sys

import httpx


async def offer(base, hotel):
    async with httpx.AsyncClient(timeout=60) as client:
        response = await client.get(f"{base}/json/1k?n={hotel}")
        response.raise_for_status()
        return len(response.content)


async def main():
    base, count = sys.argv[1], int(sys.argv[2])
    offers = await asyncio.gather(*(offer(base, hotel) for hotel in range(count)))
    print(f"{len(offers)} offers, {sum(offers)} bytes")


asyncio.run(main())
