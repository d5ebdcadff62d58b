"""Lists albums: albums.py URL COUNT"""
import asyncio
import sys

import aiohttp


async def album(session, base, number):
    async with session.get(f"{base}/json/1k", params={"n": number}) as response:
        response.raise_for_status()
        return len(await response.read())


async def main(base, count):
    connector = aiohttp.TCPConnector(limit=200)
    async with aiohttp.ClientSession(connector=connector) as session:
        sizes = await asyncio.gather(*[album(session, base, number) for number in range(count)])
    print(f"{len(sizes)} albums, {sum(sizes)} bytes")


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
