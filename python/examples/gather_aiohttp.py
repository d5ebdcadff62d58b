"""All URLs of the standard input at once; a failure is a line, and keeps no other from coming."""
import asyncio
import sys

import aiohttp


async def fetch(session, url):
    async with session.get(url) as response:
        return response.status, await response.read()


async def main(urls):
    async with aiohttp.ClientSession() as session:
        return await asyncio.gather(*[fetch(session, url) for url in urls], return_exceptions=True)


if __name__ == "__main__":
    urls = sys.stdin.read().split()
    for url, outcome in zip(urls, asyncio.run(main(urls))):
        if isinstance(outcome, BaseException):
            print(url, "failed")
        else:
            status, body = outcome
            print(url, status, len(body))
