"""Reads a ledger page by page, where each page tells how many there are: ledger.py URL COUNT"""
import sys

import httpx


def pages(client, base, count):
    page = 0
    while page < count:
        response = client.get(f"{base}/json/4k", params={"n": page})
        response.raise_for_status()
        yield response.content
        page += 1


def main():
    with httpx.Client() as client:
        sizes = [len(page) for page in pages(client, sys.argv[1], int(sys.argv[2]))]
    print(len(sizes), "pages,", sum(sizes), "bytes")


main()
