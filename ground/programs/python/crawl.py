"""Fetches every page of a site map: crawl.py URL COUNT"""
import asyncio
import sys

import aiohttp


async def page(session, url):
    async with session.get(url) as response:
        return await response.read()


async def main(base, count):
    urls = [f"{base}/bytes/2k?n={number}" for number in range(count)]
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        pages = await asyncio.gather(*[page(session, url) for url in urls])
    print(f"{len(pages)} pages, {sum(map(len, pages))} bytes")


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
