"""Downloads licences: licences.py URL COUNT"""
import sys
from concurrent.futures import ThreadPoolExecutor

import urllib3

RETRIES = urllib3.Retry(total=2, backoff_factor=0.1)


def licence(url):
    http = urllib3.PoolManager(retries=RETRIES)
    response = http.request("GET", url)
    if response.status != 200:
        raise SystemExit(f"{url}: {response.status}")
    return response.data.decode()


def main(base, count):
    with ThreadPoolExecutor(max_workers=12) as pool:
        texts = list(pool.map(licence, [f"{base}/bytes/2k?n={number}" for number in range(count)]))
    print(len(texts), "licences,", sum(map(len, texts)), "characters")


main(sys.argv[1], int(sys.argv[2]))
