"""Hands over the lines of its input, so many at a time, and the next ones when results.jsonl has a line for each: feed.py 20 < list.

As a program does that asks for the next when it has the answer. A loop of a shell would take longer for that than the server for its answer.
"""
import sys
import time
from pathlib import Path

PAUSE = 0.0005
PATIENCE = 30

n_each, results = int(sys.argv[1]), Path("results.jsonl")
results.touch()
lines = sys.stdin.readlines()
end = time.monotonic() + PATIENCE
for at in range(0, len(lines), n_each):
    sys.stdout.writelines(lines[at:at + n_each])
    sys.stdout.flush()
    while results.read_bytes().count(b"\n") < min(at + n_each, len(lines)) and time.monotonic() < end:
        time.sleep(PAUSE)
