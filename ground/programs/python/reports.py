"""Loads reports and counts words in them: reports.py URL COUNT"""
import asyncio
import collections
import re
import sys

import aiohttp
import uvloop

WORD = re.compile(rb"[a-z]{2,}", re.IGNORECASE)


def words_in(report):
    words = collections.Counter()
    for match in WORD.finditer(report):
        words[match.group().lower()] += 1
    return words


async def load(session, url):
    async with session.get(url) as response:
        response.raise_for_status()
        report = await response.read()
    return sum(words_in(report).values())


async def main():
    base, count = sys.argv[1], int(sys.argv[2])
    async with aiohttp.ClientSession() as session:
        found = await asyncio.gather(*(load(session, f"{base}/json/300k?n={number}") for number in range(count)))
    print(len(found), "reports with", sum(found), "words")


asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
asyncio.run(main())
