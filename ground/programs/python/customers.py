"""Loads customers with their addresses: customers.py URL COUNT"""
import asyncio
import sys

import httpx


async def main(base, count):
    n_bytes = 0
    async with httpx.AsyncClient(base_url=base, timeout=30) as client:
        for number in range(count):
            response = await client.get("/json/1k", params={"n": number})
            response.raise_for_status()
            n_bytes += len(response.content)
    print(f"{count} customers, {n_bytes} bytes")


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
