"""Uploads nothing, downloads photos: photos.py URL COUNT"""
import sys
from concurrent.futures import ThreadPoolExecutor

import requests


def photo(url):
    with requests.Session() as session:
        session.headers.update({"User-Agent": "photos/0.9", "Accept": "image/*"})
        response = session.get(url, timeout=30)
        response.raise_for_status()
        return len(response.content)


def main():
    base, count = sys.argv[1], int(sys.argv[2])
    with ThreadPoolExecutor(max_workers=12) as pool:
        sizes = list(pool.map(photo, (f"{base}/bytes/3k?n={number}" for number in range(count))))
    print(sum(sizes), "bytes in", len(sizes), "photos")


main()
