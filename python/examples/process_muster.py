"""A checksum of each body, which takes a processor some milliseconds; off the event loop, in a pool of processes."""
import sys

import muster


def checksum(body):
    total = 0
    for byte in body:
        total = (total * 31 + byte) % 65521
    return total


if __name__ == "__main__":
    urls = (line.strip() for line in sys.stdin)
    for response in muster.stream(urls, concurrency=32, process=checksum):
        response.raise_for_status()
        print(response.url, response.processed)
