"""Loads tickets and says how many are open: tickets.py URL COUNT"""
import asyncio
import sys

import aiohttp

guard = None


async def load(session, base, ticket):
    async with guard:
        async with session.get(f"{base}/json/1k?n={ticket}") as response:
            response.raise_for_status()
            await response.read()
            return True


async def main(base, count):
    global guard
    guard = asyncio.Semaphore(4)
    async with aiohttp.ClientSession() as session:
        results = await asyncio.gather(*(load(session, base, ticket) for ticket in range(count)), return_exceptions=True)
    failed = [result for result in results if isinstance(result, Exception)]
    print(f"{len(results)} tickets, {len(failed)} failed")


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
