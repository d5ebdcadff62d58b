"""Downloads descriptions of packages: packages.py URL COUNT"""
import asyncio
import sys

import aiohttp


async def description(session, slots, base, number):
    async with slots:
        async with session.get(f"{base}/bytes/1k?n={number}") as response:
            response.raise_for_status()
            return await response.text()


async def main(base, count):
    slots = asyncio.Semaphore(20)
    async with aiohttp.ClientSession(trust_env=True) as session:
        texts = await asyncio.gather(*[description(session, slots, base, number) for number in range(count)])
    print(f"{len(texts)} packages, {sum(map(len, texts))} characters")


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
