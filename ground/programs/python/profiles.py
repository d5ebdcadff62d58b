"""Fetches profiles; the service asks for a pause after each: profiles.py URL COUNT"""
import asyncio
import sys
import time

import aiohttp

PAUSE = 0.02


async def profile(session, base, user):
    async with session.get(f"{base}/json/1k?n={user}") as response:
        data = await response.read()
    time.sleep(PAUSE)
    return len(data)


async def main():
    base, count = sys.argv[1], int(sys.argv[2])
    async with aiohttp.ClientSession() as session:
        sizes = await asyncio.gather(*[profile(session, base, user) for user in range(count)])
    print(f"{len(sizes)} profiles, {sum(sizes)} bytes")


asyncio.run(main())
