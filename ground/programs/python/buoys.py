"""Asks for buoys, and rests a while after each: buoys.py URL COUNT"""
import sys
import time

import requests

base, count = sys.argv[1], int(sys.argv[2])
session = requests.Session()
heights = []
for number in range(count):
    response = session.get(f"{base}/json/1k?n={number}", timeout=30)
    response.raise_for_status()
    heights.append(len(response.text))
    time.sleep(0.2)
print(len(heights), "buoys")
