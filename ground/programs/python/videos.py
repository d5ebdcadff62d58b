"""Downloads files as a whole: videos.py URL COUNT"""
import asyncio
import hashlib
import sys

import aiohttp


async def download(session, slots, url):
    digest = hashlib.sha256()
    async with slots, session.get(url) as response:
        response.raise_for_status()
        async for piece in response.content.iter_chunked(65536):
            digest.update(piece)
    return digest.hexdigest()


async def main(base, count):
    slots = asyncio.Semaphore(8)
    async with aiohttp.ClientSession() as session:
        digests = await asyncio.gather(*(download(session, slots, f"{base}/bytes/400k?n={number}") for number in range(count)))
    print("\n".join(sorted(set(digests))), len(digests))


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
