"""Loads suppliers with as_completed, all at once: suppliers.py URL COUNT"""
import asyncio
import sys

import aiohttp


async def supplier(session, url):
    async with session.get(url) as response:
        return len(await response.read())


async def main():
    base, total = sys.argv[1], 0
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=50)) as session:
        tasks = [asyncio.ensure_future(supplier(session, f"{base}/json/2k?n={number}")) for number in range(int(sys.argv[2]))]
        for done in asyncio.as_completed(tasks):
            total += await done
    print("suppliers:", total, "bytes")


asyncio.run(main())
