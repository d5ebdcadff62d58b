"""Loads forecasts of all regions: forecasts.py URL COUNT"""
import asyncio
import json
import sys

import aiohttp


async def forecast(session, base, region):
    async with session.get(f"{base}/json/2k?n={region}") as response:
        response.raise_for_status()
        return json.loads(await response.text())


async def main(base, count):
    connector = aiohttp.TCPConnector(limit=30)
    async with aiohttp.ClientSession(connector=connector) as session:
        forecasts = await asyncio.gather(*[forecast(session, base, region) for region in range(count)])
    print(len(forecasts), "forecasts")


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
