"""Reads what kind of document is behind each address: heads.py URL COUNT"""
import collections
import sys
import threading

import urllib3


def kinds_of(http, urls, kinds):
    for url in urls:
        response = http.request("GET", url, preload_content=False)
        kinds[response.headers.get("Content-Type", "unknown")] += 1
        response.close()


def main():
    base, count = sys.argv[1], int(sys.argv[2])
    http = urllib3.PoolManager(maxsize=8)
    kinds = collections.Counter()
    urls = [f"{base}/bytes/20k?n={number}" for number in range(count)]
    threads = [threading.Thread(target=kinds_of, args=(http, urls[start::8], kinds)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(sum(kinds.values()), "documents,", len(kinds), "kinds")


main()
