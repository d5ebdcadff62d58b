"""Downloads pages with the standard library: pages.py URL COUNT"""
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor


def page(url):
    request = urllib.request.Request(url, headers={"User-Agent": "pages/1.2"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return response.read()


def main():
    base, count = sys.argv[1], int(sys.argv[2])
    with ThreadPoolExecutor(max_workers=16) as pool:
        pages = list(pool.map(page, (f"{base}/bytes/2k?n={number}" for number in range(count))))
    print(len(pages), "pages,", sum(map(len, pages)), "bytes")


main()
