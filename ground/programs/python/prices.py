"""Adds up the prices of a list of articles: prices.py URL COUNT"""
import asyncio
import sys

import aiohttp


async def price_of(session, base, article):
    async with session.get(f"{base}/json/1k", params={"n": article}) as response:
        response.raise_for_status()
        document = await response.json(content_type=None)
    return len(str(document))


async def main(base, count):
    total = 0
    async with aiohttp.ClientSession() as session:
        for article in range(count):
            total += await price_of(session, base, article)
    print(f"{count} articles, total {total}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
