"""Looks what mirrors have of a package: mirrors.py URL COUNT"""
import asyncio
import sys

import aiohttp

N_WORKERS = 40


async def work(session, urls, sizes):
    while urls:
        async with session.get(urls.pop()) as response:
            response.raise_for_status()
            sizes.append(len(await response.read()))


async def main(base, count):
    urls, sizes = [f"{base}/bytes/3k?n={number}" for number in range(count)], []
    connector = aiohttp.TCPConnector(use_dns_cache=False)
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*[work(session, urls, sizes) for _ in range(N_WORKERS)])
    print(f"{len(sizes)} files, {sum(sizes)} bytes")


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
