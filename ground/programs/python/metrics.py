"""Pulls metrics of servers every run: metrics.py URL COUNT"""
import asyncio
import sys

import httpx


async def pull(client, slots, host):
    async with slots:
        response = await client.get("/bytes/1k", params={"n": host})
    return len(response.content)


async def main(base, count):
    slots = asyncio.Semaphore(16)
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=base, limits=limits, timeout=30) as client:
        sizes = await asyncio.gather(*[pull(client, slots, host) for host in range(count)])
    print(f"{len(sizes)} hosts, {sum(sizes)} bytes")


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
