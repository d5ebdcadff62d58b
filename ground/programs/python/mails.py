"""Fetches mails with ThreadPoolExecutor.map: mails.py URL COUNT"""
import functools
import sys
from concurrent.futures import ThreadPoolExecutor

import requests


def mail(session, base, number):
    response = session.get(f"{base}/bytes/4k", params={"n": number}, timeout=20)
    response.raise_for_status()
    return response.content


def main():
    base, count = sys.argv[1:]
    with requests.Session() as session, ThreadPoolExecutor() as pool:
        mails = list(pool.map(functools.partial(mail, session, base), range(int(count))))
    print(len(mails), "mails,", sum(map(len, mails)), "bytes")


main()
