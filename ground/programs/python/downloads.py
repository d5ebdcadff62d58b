"""Asks how large files are: downloads.py URL COUNT"""
import sys
from concurrent.futures import ThreadPoolExecutor

import requests


def size(session, url):
    response = session.get(url, stream=True, timeout=30)
    response.raise_for_status()
    length = int(response.headers["Content-Length"])
    response.close()
    return length


def main():
    base, count = sys.argv[1], int(sys.argv[2])
    session = requests.Session()
    with ThreadPoolExecutor(8) as pool:
        sizes = list(pool.map(lambda number: size(session, f"{base}/bytes/20k?n={number}"), range(count)))
    print(f"{len(sizes)} files, {sum(sizes)} bytes")


main()
