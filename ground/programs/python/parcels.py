"""Tracks parcels: parcels.py URL COUNT"""
import asyncio
import sys

import httpx


async def track(client, parcel):
    response = await client.get("/plain", params={"n": parcel})
    response.raise_for_status()
    return response.text.strip()


async def main():
    base, count = sys.argv[1], int(sys.argv[2])
    async with httpx.AsyncClient(base_url=base, timeout=httpx.Timeout(10, pool=None)) as client:
        states = await asyncio.gather(*(track(client, parcel) for parcel in range(count)))
    print(len(states), "parcels:", ", ".join(sorted(set(states))))


asyncio.run(main())
