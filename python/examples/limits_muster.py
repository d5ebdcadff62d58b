"""At most 32 URLs of the standard input at a time, and at most 2 s for each."""
import sys

import muster

if __name__ == "__main__":
    urls = (line.strip() for line in sys.stdin)
    for response in muster.stream(urls, concurrency=32, total_timeout=2):
        if response.is_ok:
            print(response.url, response.status, response.body_bytes)
        elif isinstance(response.error, TimeoutError):
            print(response.url, "timed out")
        else:
            print(response.url, "failed")
