"""Collects exchange rates of many days: rates.py URL COUNT"""
import asyncio
import sys

import aiohttp

N_WORKERS = 24


async def work(session, base, days, rates):
    while days:
        day = days.pop()
        async with session.get(f"{base}/json/1k?n={day}") as response:
            rates[day] = await response.json(content_type=None)


async def main(base, count):
    days, rates = list(range(count)), {}
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*[work(session, base, days, rates) for _ in range(N_WORKERS)])
    print("days:", len(rates))


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
