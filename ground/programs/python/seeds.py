"""Loads seeds, sixteen at a time, with threads for each sixteen: seeds.py URL COUNT"""
import sys
from concurrent.futures import ThreadPoolExecutor, wait

import requests
from requests.adapters import HTTPAdapter

AT_A_TIME = 16
session = requests.Session()
session.mount("http://", HTTPAdapter(pool_maxsize=AT_A_TIME))


def load(url):
    return session.get(url, timeout=60).status_code


base, count = sys.argv[1], int(sys.argv[2])
answers = []
for start in range(0, count, AT_A_TIME):
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        futures = [pool.submit(load, f"{base}/bytes/1k?n={number}") for number in range(start, min(count, start + AT_A_TIME))]
        wait(futures)
    answers += [future.result() for future in futures]
print(len(answers), "seeds,", answers.count(200), "found")
