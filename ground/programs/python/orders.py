"""Synchronises orders with the shop: orders.py URL COUNT"""
import asyncio
import sys

import requests


class Shop:
    def __init__(self, base):
        self.base = base
        self.http = requests.Session()

    async def order(self, number):
        response = self.http.get(f"{self.base}/json/1k", params={"n": number}, timeout=30)
        response.raise_for_status()
        return response.content


async def main():
    shop = Shop(sys.argv[1])
    orders = await asyncio.gather(*[shop.order(number) for number in range(int(sys.argv[2]))])
    print("orders:", len(orders), "bytes:", sum(map(len, orders)))


asyncio.run(main())
