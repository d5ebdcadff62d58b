"""Reads what weather stations measured: stations.py URL COUNT"""
import asyncio
import sys

import aiohttp


class Service:
    def __init__(self, base):
        self.base = base
        self.connector = aiohttp.TCPConnector(limit=5)
        self.session = aiohttp.ClientSession(connector=self.connector)

    async def measurement(self, station):
        async with self.session.get(f"{self.base}/json/1k?n={station}") as response:
            return await response.read()

    async def close(self):
        await self.session.close()


async def main():
    service = Service(sys.argv[1])
    try:
        found = await asyncio.gather(*(service.measurement(station) for station in range(int(sys.argv[2]))))
    finally:
        await service.close()
    print(len(found), "stations,", sum(len(text) for text in found), "bytes")


asyncio.run(main())
