"""Signals: Ctrl-C once and twice, and a program that was stopped for a while."""
import json
import os
import re
import signal
import time

import pytest

from command import MUSTER, PATIENCE, TRACED, sent_at
from scripted import ok


def wait_until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_first_interrupt(muster, server, hole):
    s = server(lambda r: [0.3, ok()])
    process = muster.start("fetch", "-c", "4", hole, *[s.url()] * 500)
    wait_until(lambda: len(s.requests) >= 10)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    results = [json.loads(line) for line in stdout.splitlines()]
    assert process.returncode == 1
    assert len(results) == 501  # all had been read: each has its line
    done = [result for result in results if result["ok"]]
    cancelled = [result for result in results if not result["ok"]]
    assert len(done) >= 10 and all(result["error"]["code"] == "cancelled" for result in cancelled)
    assert f"{len(done)} done, {len(cancelled)} cancelled" in stderr.decode()
    assert len(s.requests) == len(done)  # what was in flight was let finish, and nothing new was begun


@pytest.mark.parametrize("number, name", [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")])
def test_cancelled_is_neither_done_nor_failed(muster, server, number, name):
    s = server(lambda r: [0.1, ok()])
    process = muster.start("fetch", "-c", "2", "--summary", *[s.url()] * 200)
    wait_until(lambda: len(s.requests) >= 10)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=60)
    errors = [result["error"] for result in map(json.loads, stdout.splitlines()) if result["error"]]
    assert {error["text"] for error in errors} == {f"cancelled: by {name}"}
    n_done = 200 - len(errors)
    summary = re.search(rf"^requests +{n_done} in ([\d.]+ m?s), (\d+)/s; {n_done} succeeded, 0 failed; {len(errors)} others cancelled$",
                        stderr.decode(), re.M)
    assert summary, stderr.decode()
    assert int(summary[2]) <= 20  # two at a time, a tenth of a second each
    assert f"responses    2xx: {n_done}\n" in stderr.decode() and "\nfailed" not in stderr.decode()


def test_second_interrupt(muster, hole):
    process = muster.start("fetch", hole)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert time.monotonic() - start < 1.5


def test_response_that_came_while_stopped(muster, server):
    """Stopped for longer than the timeout: the response that arrived meanwhile counts, and its lag shows the stop."""
    s = server(lambda r: [0.3, ok()])
    process = muster.start("fetch", "-m", "1s", s.url())
    wait_until(lambda: s.requests)
    process.send_signal(signal.SIGSTOP)
    os.waitpid(process.pid, os.WUNTRACED)
    time.sleep(2)
    process.send_signal(signal.SIGCONT)
    stdout, _ = process.communicate(timeout=60)
    result = json.loads(stdout)
    assert result["ok"] and result["status"] == 200
    assert result["phases_us"]["lag"] > 1_000_000
    assert result["phases_us"]["wait"] < 1_000_000
    assert sum(result["phases_us"].values()) == result["total_us"]
