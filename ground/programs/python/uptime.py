"""Is each page there? uptime.py URL COUNT"""
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx


def is_up(client, url):
    with client.stream("GET", url) as response:
        return response.status_code == 200


def main():
    base, count = sys.argv[1], int(sys.argv[2])
    urls = [f"{base}/bytes/20k?n={number}" for number in range(count)]
    with httpx.Client(timeout=30) as client, ThreadPoolExecutor(12) as threads:
        up = list(threads.map(lambda url: is_up(client, url), urls))
    print(f"{sum(up)} of {len(up)} pages are up")


main()
