"""Has a command make a stamp of each picture: stamps.py URL COUNT"""
import asyncio
import subprocess
import sys

import aiohttp


async def stamp(session, url):
    async with session.get(url) as response:
        picture = await response.read()
    done = subprocess.run(["sh", "-c", "sleep 0.03; wc -c"], input=picture, capture_output=True, check=True)
    return int(done.stdout)


async def main():
    base, count = sys.argv[1], int(sys.argv[2])
    async with aiohttp.ClientSession() as session:
        tasks = [asyncio.create_task(stamp(session, f"{base}/bytes/4k?n={number}")) for number in range(count)]
        print(sum([await task for task in asyncio.as_completed(tasks)]), "bytes of stamps")


asyncio.run(main())
