"""Downloads images with 32 threads, each with a pause between two: images.py URL COUNT"""
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import requests

N_THREADS = 32
PAUSE = 0.1


def main(base, count):
    session = requests.Session()

    def download(number):
        with session.get(f"{base}/bytes/2k", params={"n": number}, timeout=30) as response:
            response.raise_for_status()
            size = len(response.content)
        time.sleep(PAUSE)
        return size

    with ThreadPoolExecutor(N_THREADS) as pool:
        sizes = list(pool.map(download, range(count)))
    print(f"{len(sizes)} images, {sum(sizes)} bytes")


main(sys.argv[1], int(sys.argv[2]))
