"""Asks for payments; what fails is asked for again after a pause: payments.py URL COUNT"""
import functools
import sys
import time

import requests

TRIES, PAUSE = 6, 0.25


def retried(function):
    @functools.wraps(function)
    def wrapper(*arguments):
        for attempt in range(1, TRIES + 1):
            try:
                return function(*arguments)
            except requests.HTTPError:
                if attempt == TRIES:
                    raise
                time.sleep(PAUSE * attempt)
    return wrapper


@retried
def payment(session, url):
    response = session.get(url, timeout=10)
    response.raise_for_status()
    return len(response.content)


def main():
    base, count = sys.argv[1], int(sys.argv[2])
    with requests.Session() as session:
        sizes = [payment(session, f"{base}/flaky/0.3/503?n={number}") for number in range(count)]
    print(len(sizes), "payments")


main()
