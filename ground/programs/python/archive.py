"""Copies records of an archive, some at a time: archive.py URL COUNT"""
import asyncio
import sys

import aiohttp

AT_A_TIME = 20


async def record(session, base, number):
    async with session.get(f"{base}/plain?n={number}") as response:
        response.raise_for_status()
        return await response.read()


async def copy(base, numbers):
    records = []
    async with aiohttp.ClientSession() as session:
        for start in range(0, len(numbers), AT_A_TIME):
            part = numbers[start:start + AT_A_TIME]
            records += await asyncio.gather(*[record(session, base, number) for number in part])
    return records


def main():
    records = asyncio.run(copy(sys.argv[1], list(range(int(sys.argv[2])))))
    print("copied", len(records), "records of", sum(map(len, records)), "bytes")


main()
