"""All URLs of the standard input at once; a failure is a line, and keeps no other from coming."""
import sys

import muster

if __name__ == "__main__":
    for response in muster.fetch(sys.stdin.read().split(), concurrency=100):
        if response.error:
            print(response.url, "failed")
        else:
            print(response.url, response.status, response.body_bytes)
