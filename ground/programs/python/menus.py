"""Loads menus of restaurants: menus.py URL COUNT"""
import asyncio
import sys

import httpx

AT_A_TIME = 60


async def menu(client, slots, number):
    async with slots:
        response = await client.get("/json/1k", params={"n": number})
        response.raise_for_status()
        return response.json()


async def main(base, count):
    slots = asyncio.Semaphore(AT_A_TIME)
    limits = httpx.Limits(max_connections=AT_A_TIME, max_keepalive_connections=AT_A_TIME)
    async with httpx.AsyncClient(base_url=base, limits=limits, timeout=60) as client:
        menus = await asyncio.gather(*[menu(client, slots, number) for number in range(count)])
    print(len(menus), "menus")


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
