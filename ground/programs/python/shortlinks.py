"""Where do short links lead? shortlinks.py URL COUNT"""
import sys
from concurrent.futures import ThreadPoolExecutor

import requests

session = requests.Session()
adapter = requests.adapters.HTTPAdapter(pool_maxsize=4, pool_block=True)
session.mount("http://", adapter)


def target(url):
    response = session.get(url, timeout=30)
    return response.url, len(response.history)


base, count = sys.argv[1], int(sys.argv[2])
with ThreadPoolExecutor(24) as pool:
    targets = list(pool.map(target, [f"{base}/redirect/2/302?n={number}" for number in range(count)]))
print(len(targets), "targets over", sum(hops for _, hops in targets), "redirects")
