"""On uvloop without asyncio.run(): voyages.py URL COUNT"""
import asyncio
import sys

import aiohttp
import uvloop


class Voyages:
    def __init__(self, base, loop):
        self.base = base
        self.loop = loop

    async def length(self, session, number):
        async with session.get(f"{self.base}/json/1k?n={number}") as response:
            document = await response.json(content_type=None)
            return len(str(document))

    async def all(self, count):
        async with aiohttp.ClientSession() as session:
            return [await self.length(session, number) for number in range(count)]


loop = uvloop.new_event_loop()
asyncio.set_event_loop(loop)
print(len(loop.run_until_complete(Voyages(sys.argv[1], loop).all(int(sys.argv[2])))), "voyages")
loop.close()
