"""Loads articles with threads and takes the links out of them: articles.py URL COUNT"""
import re
import sys
from concurrent.futures import ThreadPoolExecutor

import requests
from requests.adapters import HTTPAdapter

N_THREADS = 16


def tokens(text):
    counts = {}
    for word in re.split(r"\W+", text):
        for size in range(1, len(word)):
            counts[word[:size]] = counts.get(word[:size], 0) + 1
    return len(counts)


def load(session, url):
    response = session.get(url, timeout=60)
    response.raise_for_status()
    return tokens(response.text)


def main(base, count):
    with requests.Session() as session, ThreadPoolExecutor(N_THREADS) as pool:
        session.mount("http://", HTTPAdapter(pool_maxsize=N_THREADS))
        found = list(pool.map(lambda number: load(session, f"{base}/json/100k?n={number}"), range(count)))
    print(len(found), "articles with", sum(found), "tokens")


main(sys.argv[1], int(sys.argv[2]))
