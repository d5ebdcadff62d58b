"""Which versions are there? versions.py URL COUNT"""
import queue
import sys
import threading
import time

import urllib3

PAUSE = 0.1


def work(http, jobs, versions):
    while True:
        try:
            url = jobs.get_nowait()
        except queue.Empty:
            return
        response = http.request("GET", url, timeout=30.0)
        versions.append((response.status, len(response.data)))
        time.sleep(PAUSE)


def main():
    base, count = sys.argv[1], int(sys.argv[2])
    http, jobs, versions = urllib3.PoolManager(num_pools=10), queue.Queue(), []
    for number in range(count):
        jobs.put(f"{base}/bytes/1k?n={number}")
    threads = [threading.Thread(target=work, args=(http, jobs, versions)) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(len(versions), "versions", sum(size for _, size in versions), "bytes")


main()
