"""Reads secrets of a vault whose certificate is the company's own: vault.py URL COUNT"""
import asyncio
import os
import ssl
import sys

import aiohttp


def trust():
    context = ssl.create_default_context()
    context.load_verify_locations(os.environ["COMPANY_CA"])
    return context


async def secret(session, base, name):
    async with session.get(f"{base}/plain?n={name}", ssl=trust()) as response:
        response.raise_for_status()
        return await response.text()


async def main():
    base, count = sys.argv[1], int(sys.argv[2])
    async with aiohttp.ClientSession() as session:
        secrets = await asyncio.gather(*(secret(session, base, name) for name in range(count)))
    print(len(secrets), "secrets")


asyncio.run(main())
