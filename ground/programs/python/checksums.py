"""Derives a key of each document and prints what they come to: checksums.py URL COUNT"""
import asyncio
import hashlib
import sys

import aiohttp


def key_of(data, salt):
    return hashlib.pbkdf2_hmac("sha256", data, salt, 60_000)


async def digest(session, base, number):
    async with session.get(f"{base}/bytes/1k?n={number}") as response:
        data = await response.read()
    return key_of(data, str(number).encode())


async def main(base, count):
    async with aiohttp.ClientSession() as session:
        keys = await asyncio.gather(*(digest(session, base, number) for number in range(count)))
    print(hashlib.sha256(b"".join(keys)).hexdigest())


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
