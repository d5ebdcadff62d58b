"""Fetches letters with a pool of threads: letters.py URL COUNT"""
import sys
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed

import requests

local = threading.local()


def session():
    if not hasattr(local, "session"):
        local.session = requests.Session()
    return local.session


def letter(base, number):
    response = session().get(f"{base}/bytes/1k?n={number}", timeout=30)
    response.raise_for_status()
    return response.text


def main():
    base, count = sys.argv[1], int(sys.argv[2])
    texts = []
    with ThreadPoolExecutor(max_workers=3) as pool:
        futures = [pool.submit(letter, base, number) for number in range(count)]
        for future in as_completed(futures):
            texts.append(future.result())
    print(len(texts), "letters,", sum(map(len, texts)), "characters")


main()
