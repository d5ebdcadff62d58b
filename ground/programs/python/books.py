"""Loads descriptions of books: books.py URL COUNT"""
import sys

import requests


def description(session, base, isbn):
    response = session.get(f"{base}/json/1k", params={"n": isbn}, timeout=10)
    response.raise_for_status()
    return response.json()


def main():
    base, count = sys.argv[1], int(sys.argv[2])
    session = requests.Session()
    session.headers["User-Agent"] = "books/2.1"
    books = {}
    for isbn in range(count):
        books[isbn] = description(session, base, isbn)
    print(len(books), "books")


main()
