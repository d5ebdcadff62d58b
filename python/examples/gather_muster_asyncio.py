"""All URLs of the standard input at once; a failure is a line, and keeps no other from coming."""
import asyncio
import sys

import muster


async def main(urls):
    async with muster.AsyncClient(concurrency=100) as client:
        return await asyncio.gather(*[client.get(url) for url in urls], return_exceptions=True)


if __name__ == "__main__":
    urls = sys.stdin.read().split()
    for url, outcome in zip(urls, asyncio.run(main(urls))):
        if isinstance(outcome, BaseException):
            print(url, "failed")
        else:
            print(url, outcome.status, outcome.body_bytes)
