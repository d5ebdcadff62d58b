"""Loads the chapters of a book over HTTP/2: chapters.py URL COUNT"""
import sys

import httpx


def main():
    base, count = sys.argv[1], int(sys.argv[2])
    text = []
    with httpx.Client(http2=True, timeout=30) as client:
        for chapter in range(count):
            response = client.get(f"{base}/bytes/2k?n={chapter}")
            response.raise_for_status()
            text.append(response.text)
    print(len(text), "chapters,", sum(map(len, text)), "characters")


main()
