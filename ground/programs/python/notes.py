"""Loads notes with http.client: notes.py URL COUNT"""
import http.client
import sys
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

server = urlsplit(sys.argv[1])


def note(number):
    connection = http.client.HTTPConnection(server.hostname, server.port or 80, timeout=30)
    try:
        connection.request("GET", f"/bytes/1k?n={number}")
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


with ThreadPoolExecutor(16) as pool:
    notes = list(pool.map(note, range(int(sys.argv[2]))))
print(len(notes), "notes,", sum(len(text) for _, text in notes), "bytes")
