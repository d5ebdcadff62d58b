"""Loads comments of posts while it saves the ones before: comments.py URL COUNT"""
import asyncio
import os
import sys
import tempfile

import aiohttp


def save(file, data):
    file.write(data)
    file.flush()
    os.fsync(file.fileno())


async def comments(session, base, post, file):
    async with session.get(f"{base}/json/2k?n={post}") as response:
        data = await response.read()
    await asyncio.to_thread(save, file, data)
    return len(data)


async def main(base, count):
    with tempfile.TemporaryFile() as file:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            sizes = await asyncio.gather(*[comments(session, base, post, file) for post in range(count)])
    print(len(sizes), "posts,", sum(sizes), "bytes")


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
