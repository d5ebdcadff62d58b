"""Asks for quotes and scores them, with a short timeout: quotes.py URL COUNT"""
import asyncio
import hashlib
import sys

import aiohttp


def score(text):
    value = text
    for _ in range(250_000):
        value = hashlib.md5(value).digest()
    return value[0]


async def quote(session, base, number):
    for attempt in range(30):
        try:
            async with session.get(f"{base}/bytes/1k?n={number}") as response:
                return score(await response.read())
        except asyncio.TimeoutError:
            continue
    return None


async def main(base, count):
    timeout = aiohttp.ClientTimeout(total=0.5)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        scores = await asyncio.gather(*[quote(session, base, number) for number in range(count)])
    print(len(scores), "quotes")


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
