"""The lab's figures: what it promises of time and capacity, measured from outside."""
import json
import socket
import statistics
import subprocess
import threading
import time

import pytest
from command import MUSTER, PATIENCE
from measured import measured

pytestmark = [pytest.mark.quiet, pytest.mark.skipif("asan" in MUSTER, reason="a build with sanitizers cannot keep these promises")]


def near(expected, share):
    return lambda value: abs(value / expected - 1) <= share


def load(one, muster, n, c, path="/plain"):
    """`n` requests, `c` at once: (requests a second, median latency in seconds)."""
    one.get("/lab/reset")
    start = time.monotonic()
    process = muster.start("fetch", "-c", c, "--body", "none", "-i", "-", stdin=subprocess.PIPE)
    stdout, _ = process.communicate(f"{one.url(path)}\n".encode() * n, timeout=PATIENCE)
    rate = n / (time.monotonic() - start)
    results = [json.loads(line) for line in stdout.splitlines()]
    assert process.returncode == 0 and len(results) == n
    return rate, statistics.median(result["total_us"] - result["phases_us"]["queue"] for result in results) / 1e6


class Oversleeping:
    """How late this machine wakes up who sleeps for a moment, while something else is measured."""

    def __enter__(self):
        self.late, self.is_over = [], threading.Event()
        self.thread = threading.Thread(target=self.sleep)
        self.thread.start()
        return self

    def sleep(self):
        while not self.is_over.is_set():
            start = time.perf_counter()
            time.sleep(0.01)
            self.late.append(time.perf_counter() - start - 0.01)

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()

    def p99(self):
        return sorted(self.late)[int(0.99 * len(self.late))]


def test_precision_of_a_delay(lab):
    """From four connections in turn, so that 200 samples take 2.5 s. No delay can be more precise than the machine is."""
    one = lab()
    request = b"GET /delay/50ms HTTP/1.1\r\nHost: h\r\n\r\n"
    connections = [one.connect() for _ in range(4)]
    for connection in connections:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def late_p99():
        sent, late = [], []
        for connection in connections:
            sent.append(time.perf_counter())
            connection.sendall(request)
            time.sleep(0.0125)
        with Oversleeping() as machine:
            for i in range(200):
                connection = connections[i % 4]
                assert connection.recv(4096).endswith(b"a while\n")
                late.append(time.perf_counter() - sent[i % 4] - 0.05)
                sent[i % 4] = time.perf_counter()
                connection.sendall(request)
        for connection in connections:
            connection.recv(4096)
        assert min(late) >= 0
        return sorted(late)[197], machine.p99()

    measured(late_p99, lambda p99: p99[0] < 0.001 + p99[1], tries=3)
    for connection in connections:
        connection.close()


def test_capacity_of_workers(lab, muster):
    one = lab("--workers", "4", "--service-time", "10ms")
    measured(lambda: load(one, muster, 800, 32)[0], near(400, 0.05))
    stats = one.stats()
    assert (stats["served"], stats["queue_max"], stats["workers"]) == (800, 28, 4) and near(8_000_000, 0.001)(stats["service_us"])
    measured(lambda: load(one, muster, 60, 2)[1], lambda latency: 0.01 <= latency < 0.0108)
    assert one.stats()["queue_max"] == 0


def test_knee(lab, muster):
    """More at once bring more until all workers are busy; from there on they only wait."""
    one = lab("--workers", "4", "--service-time", "10ms")
    for c in [1, 2, 4, 8, 16]:
        expected = min(c, 4) / 0.01
        measured(lambda: load(one, muster, int(expected * 0.3), c)[1], near(c / expected, 0.08))


def repairman(n, service, think):
    """Throughput of n clients that think for so long between requests to one exponential server, exactly."""
    terms = [1.0]
    for i in range(n):
        terms.append(terms[-1] * (n - i) * service / think)
    return (1 - 1 / sum(terms)) / service


def test_exponential_service_by_formula(lab, muster):
    """One worker, exponential service of 1 ms; 5 clients whose requests are delayed by 4 ms after it: the machine repairman's model."""
    one = lab("--workers", "1", "--service-time", "exp:1ms", "--delay", "4ms")

    def ratio():
        rate, _ = load(one, muster, 3000, 5)
        stats = one.stats()
        return rate / repairman(5, stats["service_us"] / 1e6 / stats["served"], 0.004)

    measured(ratio, near(1, 0.05))
    stats = one.stats()
    assert near(0.001, 0.08)(stats["service_us"] / 1e6 / stats["served"])  # 4 sigma


@pytest.mark.parametrize("kind", ["uniform", "fixed"])
def test_service_distributions(lab, muster, kind):
    one = lab("--workers", "8", "--service-time", "4ms", "--service-dist", kind)
    load(one, muster, 1000, 32)
    stats = one.stats()
    assert near(0.004, 0.08 if kind == "uniform" else 0.0001)(stats["service_us"] / 1e6 / stats["served"])


def test_coherency(lab, muster):
    """S(n) = D (1 + k (n - 1)): with enough of them at once fewer are done."""
    one = lab("--workers", "8", "--service-time", "10ms", "--coherency", "0.02")
    rates = {c: measured(lambda: load(one, muster, 500, c)[0], near(8 / (0.01 * (1 + 0.02 * (c - 1))), 0.1)) for c in [8, 64]}
    assert rates[64] < 0.6 * rates[8]


def test_contention(lab, muster):
    """Only those at work hinder each other: more that wait change nothing."""
    one = lab("--workers", "8", "--service-time", "10ms", "--contention", "0.1")
    for c in [1, 8, 32]:
        measured(lambda: load(one, muster, 50 * min(c, 8), c)[0], near(min(c, 8) / (0.01 * (1 + 0.1 * (min(c, 8) - 1))), 0.1))


def test_full_queue(lab, muster):
    one = lab("--workers", "1", "--service-time", "300ms", "--queue", "2")
    results = muster("fetch", "-c", "6", *[one.url("/plain")] * 6).results
    assert sorted(result["status"] for result in results) == [200] * 3 + [503] * 3
    assert ["retry-after", "1"] in results[0]["headers"] and results[0]["status"] == 503
    stats = one.stats()
    assert (stats["refused"], stats["queue_max"], stats["served"]) == (3, 2, 3)
    one = lab("--workers", "1", "--service-time", "300ms", "--queue", "0", "--refuse", "close")
    run = muster("fetch", "-c", "3", *[one.url("/plain")] * 3)
    assert sorted(result["error"]["code"] if result["error"] else "" for result in run.results) == ["", "closed", "closed"]


def test_clients_that_leave_the_queue(lab, muster):
    """They are worked on no more: the next one has its worker at once."""
    one = lab("--workers", "1", "--service-time", "500ms")
    run = muster("fetch", "-c", "8", "-m", "200ms", *[one.url("/plain")] * 8)
    assert all(result["error"]["code"] == "timeout" for result in run.results)
    assert muster("fetch", one.url("/plain")).result["total_us"] < 1_500_000
    stats = one.stats()
    assert (stats["queue"], stats["workers_busy"], stats["incomplete"]) == (0, 0, 8)
