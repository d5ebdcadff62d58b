"""Asks for the branches of a bank, one call each: branches.py URL COUNT"""
import sys

import httpx


def branch(base, number):
    response = httpx.get(f"{base}/json/1k", params={"n": number}, timeout=30)
    response.raise_for_status()
    return response.content


def main():
    base, count = sys.argv[1], int(sys.argv[2])
    found = [branch(base, number) for number in range(count)]
    print(f"{len(found)} branches, {sum(map(len, found))} bytes")


if __name__ == "__main__":
    main()
