"""Servers: the lab, and some that do one thing."""

import asyncio

import pytest
import servers
from lab import Lab


@pytest.fixture(scope="session")
def lab():
    one = Lab("--listener", "plain", "--listener", "tls", "--tls", "good", "--h2")
    yield one
    one.stop()


@pytest.fixture
def refused():
    """A URL whose port nobody listens on."""
    import socket

    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}/"


@pytest.fixture
def silent():
    """A URL whose server accepts and never says a word."""
    with servers.Server(servers.silent) as server:
        yield server.url


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request):
    """asyncio.run(), and that of uvloop."""
    if request.param == "asyncio":
        return asyncio.run
    return pytest.importorskip("uvloop", reason="uvloop is not installed").run
