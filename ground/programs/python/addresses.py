"""Looks up addresses with threads: addresses.py URL COUNT"""
import sys
from concurrent.futures import ThreadPoolExecutor

import requests


def address(url):
    response = requests.get(url, timeout=30)
    response.raise_for_status()
    return len(response.content)


def main(base, count):
    urls = [f"{base}/json/1k?n={number}" for number in range(count)]
    with ThreadPoolExecutor(max_workers=16) as pool:
        sizes = list(pool.map(address, urls))
    print(f"{len(sizes)} addresses, {sum(sizes)} bytes")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
