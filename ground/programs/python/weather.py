"""Asks for the weather of places, a task for each in a group: weather.py URL COUNT"""
import asyncio
import sys

import aiohttp

try:
    from asyncio import TaskGroup
except ImportError:
    sys.exit("needs Python 3.11")

AT_ONCE = asyncio.Semaphore(6)


async def weather_at(session, place):
    async with AT_ONCE:
        async with session.get(f"/json/1k?n={place}") as response:
            response.raise_for_status()
            return len(await response.read())


async def main(base, count):
    async with aiohttp.ClientSession(base) as session, TaskGroup() as group:
        tasks = [group.create_task(weather_at(session, place)) for place in range(count)]
    print(sum(task.result() for task in tasks), "bytes of weather")


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
