"""Does three kinds of calls at once, each kind in its own task: steps.py URL COUNT"""
import asyncio
import sys

import aiohttp


async def call(session, url):
    async with session.get(url) as response:
        response.raise_for_status()
        return len(await response.read())


async def main():
    base, count = sys.argv[1], int(sys.argv[2])
    urls = [[f"{base}/bytes/{size}k?n={number}" for number in range(count)] for size in (1, 2, 3)]
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call(session, url)) for kind in urls for url in kind]
    print(sum(task.result() for task in tasks), "bytes in", len(tasks), "calls")


asyncio.run(main())
