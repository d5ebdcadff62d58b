"""Downloads tiles of a map: maps.py URL COUNT"""
import sys
from concurrent.futures import ThreadPoolExecutor

import requests
from requests.adapters import HTTPAdapter


def make_session():
    session = requests.Session()
    adapter = HTTPAdapter(pool_connections=4, pool_maxsize=4, pool_block=True)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def main():
    base, count = sys.argv[1], int(sys.argv[2])
    session = make_session()
    with ThreadPoolExecutor(max_workers=40) as pool:
        tiles = list(pool.map(lambda number: session.get(f"{base}/bytes/4k?n={number}", timeout=60).content, range(count)))
    print(len(tiles), "tiles,", sum(map(len, tiles)), "bytes")


main()
