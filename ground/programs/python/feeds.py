"""Fetches feeds and counts their entries: feeds.py URL COUNT"""
import asyncio
import sys

import aiohttp


def make_session():
    connector = aiohttp.TCPConnector(limit=200, limit_per_host=4, ttl_dns_cache=600)
    return aiohttp.ClientSession(connector=connector, headers={"User-Agent": "feeds/1.0"})


async def entries(session, url):
    try:
        async with session.get(url) as response:
            if response.status != 200:
                return 0
            return len((await response.text()).splitlines())
    except aiohttp.ClientError:
        return 0


async def main():
    base, count = sys.argv[1], int(sys.argv[2])
    urls = [f"{base}/bytes/4k?n={number}" for number in range(count)]
    async with make_session() as session:
        counts = []
        for done in asyncio.as_completed([entries(session, url) for url in urls]):
            counts.append(await done)
    print(f"{len(counts)} feeds, {sum(counts)} lines")


asyncio.run(main())
