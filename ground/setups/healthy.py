"""Runs in which nothing is wrong. A machine whose processors others use may be named beside hogs, and nothing else."""
from ground.servers.apache import Apache
from ground.servers.nginx import Nginx
from ground.servers.own import Asyncio, Go, Node, Threaded
from ground.setup import HEALTHY, Setup, fetch, graded, urls

BUSY = ("processor-busy",)


def healthy(name, kind, options="", url="http://{web}/small"):
    return graded(1, 60, 400, lambda n: Setup(name, HEALTHY, {"web": kind}, fetch(options, urls(n, url)), busy=BUSY))


def many(name, kind):
    """A server of one thread that has nothing else to do: it may be called full, and nothing that somebody would change here."""
    return graded(1000, 3000, 8000, lambda n: Setup(name, HEALTHY, {"web": kind}, fetch("", urls(n)), also=("server-saturated",), busy=BUSY,
                                                    looks_like=("concurrency-too-low", "server-slow", "cold-start", "slow-accept")))


SETUPS = [
    *healthy("nginx", Nginx()),
    *healthy("nginx-tls", Nginx(tls="ec"), "-c 8 -k", "https://{web}/small"),
    *healthy("nginx-h2", Nginx(tls="ec", http2=True), "-k", "https://{web}/small"),
    *healthy("apache", Apache(), "-c 16"),
    *healthy("apache-tls", Apache(tls="ec"), "-c 8 -k", "https://{web}/small"),
    *healthy("node", Node()),
    *healthy("go", Go()),
    *healthy("asyncio", Asyncio()),
    *many("node-many", Node()),
    *many("asyncio-many", Asyncio()),
    *healthy("threaded", Threaded(settings={"nodelay": True, "whole": True, "backlog": 128}), "-c 8"),
]
