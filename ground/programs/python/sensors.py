"""Asks every sensor for its state: sensors.py URL COUNT"""
import asyncio
import sys

import aiohttp


async def state(session, sensor):
    async with session.get("/plain", params={"n": str(sensor)}) as response:
        return sensor, (await response.text()).strip()


async def main(base, count):
    async with aiohttp.ClientSession(base) as session:
        tasks = [asyncio.ensure_future(state(session, sensor)) for sensor in range(count)]
        states = dict(await asyncio.gather(*tasks))
    answers = set(states.values())
    print(f"{len(states)} sensors say {answers}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
