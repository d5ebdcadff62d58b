"""A producer, four consumers and a queue between them: pipeline.py URL COUNT"""
import asyncio
import sys

import httpx

CONSUMERS = 4


async def produce(queue, base, count):
    for number in range(count):
        await queue.put(f"{base}/bytes/2k?n={number}")
    for _ in range(CONSUMERS):
        await queue.put(None)


async def consume(queue, client, sizes):
    while (url := await queue.get()) is not None:
        response = await client.get(url)
        sizes.append(len(response.content))
        queue.task_done()


async def main():
    queue, sizes = asyncio.Queue(maxsize=20), []
    async with httpx.AsyncClient() as client:
        await asyncio.gather(produce(queue, sys.argv[1], int(sys.argv[2])), *(consume(queue, client, sizes) for _ in range(CONSUMERS)))
    print(len(sizes), "parts,", sum(sizes), "bytes")


asyncio.run(main())
