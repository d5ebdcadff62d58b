"""Loads flights of a day: flights.py URL COUNT"""
import asyncio
import sys

import httpx

LIMITS = httpx.Limits(max_connections=5, max_keepalive_connections=5)


async def flight(client, number):
    response = await client.get("/json/1k", params={"n": number})
    return response.status_code, len(response.content)


async def main(base, count):
    async with httpx.AsyncClient(base_url=base, limits=LIMITS, timeout=None) as client:
        flights = await asyncio.gather(*[flight(client, number) for number in range(count)])
    print(len(flights), "flights,", sum(size for _, size in flights), "bytes")


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
