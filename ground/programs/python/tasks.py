"""Loads tasks in threads of asyncio: tasks.py URL COUNT"""
import asyncio
import sys

import requests
from requests.adapters import HTTPAdapter


class Tasks:
    def __init__(self, base):
        self.base = base
        self.session = requests.Session()
        self.session.mount("http://", HTTPAdapter(pool_maxsize=100))

    def load(self, number):
        response = self.session.get(f"{self.base}/json/1k?n={number}", timeout=60)
        response.raise_for_status()
        return len(response.content)


async def main():
    tasks = Tasks(sys.argv[1])
    sizes = await asyncio.gather(*[asyncio.to_thread(tasks.load, number) for number in range(int(sys.argv[2]))])
    print(len(sizes), "tasks,", sum(sizes), "bytes")


asyncio.run(main())
