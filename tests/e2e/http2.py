"""What tests of HTTP/2 against servers that others wrote share: how these start and stop, and what holds for all results."""
import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from command import PATIENCE, check
from ports import wait_for_port

SERVERS = Path(__file__).resolve().parent / "servers"
LARGE = bytes(range(256)) * 4096 * 2  # 2 MiB
UPLOAD = bytes(i % 251 for i in range(251)) * 80_000  # 20 MB


def pattern(n):
    return (bytes(range(251)) * (n // 251 + 1))[:n]


def digest(data):
    return hashlib.sha256(data).hexdigest()


def start(command, port=None, **named):
    process = subprocess.Popen([*map(str, command)], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **named)
    if port:
        wait_for_port(port)
    return process


def stop(process):
    process.terminate()
    try:
        process.wait(PATIENCE / 2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


def lines(stdout):
    assert stdout.endswith(b"\n")
    return [check(json.loads(line)) for line in stdout.splitlines()]


def conns(results):
    return len({result["conn"]["id"] for result in results if result["conn"]})


def codes(results):
    return {result["error"]["code"] if result["error"] else None for result in results}


def one_each(results, n):
    """Each request has one result, and each of them is right."""
    assert len(results) == n
    assert {(result["status"], result["error"] and result["error"]["text"]) for result in results} == {(200, None)}
    return results


@pytest.fixture
def trust(certificates):
    return "--cacert", certificates.path("ca")


class Program:
    """A server of tests/e2e/servers, that prints its port."""

    def __init__(self, command):
        self.process = start(command, stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())

    def url(self, path):
        return f"https://localhost:{self.port}{path}"
