"""Threads that share a session, and a lock around it: balances.py URL COUNT"""
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import requests

lock = threading.Lock()
session = requests.Session()


def balance(url):
    with lock:
        return len(session.get(url, timeout=30).content)


base, count = sys.argv[1], int(sys.argv[2])
with ThreadPoolExecutor(16) as pool:
    balances = list(pool.map(balance, (f"{base}/bytes/1k?n={number}" for number in range(count))))
print(len(balances), "balances")
