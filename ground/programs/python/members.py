"""Loads the members of a club: members.py URL COUNT"""
import sys
from concurrent.futures import ThreadPoolExecutor

import requests
from requests.adapters import HTTPAdapter

session = requests.Session()
for scheme in ("http://", "https://"):
    session.mount(scheme, HTTPAdapter(pool_maxsize=20))


def member(number):
    response = session.get(f"{sys.argv[1]}/json/1k", params={"n": number}, timeout=60)
    response.raise_for_status()
    return len(response.content)


def main():
    with ThreadPoolExecutor(20) as pool:
        sizes = list(pool.map(member, range(int(sys.argv[2]))))
    print(len(sizes), "members,", sum(sizes), "bytes")


main()
