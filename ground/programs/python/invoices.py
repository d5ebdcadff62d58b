"""Downloads invoices: invoices.py URL COUNT"""
import sys

import httpx


class Invoices:
    def __init__(self, base):
        self.client = httpx.Client(base_url=base, timeout=httpx.Timeout(30), headers={"Accept": "application/json"})

    def load(self, number):
        response = self.client.get("/json/2k", params={"n": number})
        response.raise_for_status()
        return response.json()

    def close(self):
        self.client.close()


def main():
    invoices = Invoices(sys.argv[1])
    loaded = []
    for number in range(int(sys.argv[2])):
        loaded.append(invoices.load(number))
    invoices.close()
    print(len(loaded), "invoices")


main()
