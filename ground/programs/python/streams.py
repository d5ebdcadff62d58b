"""Loads parts of a document over HTTP/2: streams.py URL COUNT"""
import asyncio
import sys

import httpx


async def part(client, number):
    response = await client.get("/bytes/2k", params={"n": number})
    response.raise_for_status()
    return response.http_version, len(response.content)


async def main(base, count):
    async with httpx.AsyncClient(base_url=base, http2=True, timeout=60) as client:
        await part(client, 0)
        parts = await asyncio.gather(*(part(client, number) for number in range(1, count)))
    print(sorted({version for version, _ in parts}), sum(size for _, size in parts))


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
