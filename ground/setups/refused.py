"""Answers that made us try again, and a proxy in between."""
from ground.servers.nginx import Nginx
from ground.servers.own import Asyncio, Node, Proxy
from ground.setup import Setup, fetch, graded, urls


def limit_req(status):
    def make(rate):
        http = f"limit_req_zone $binary_remote_addr zone=all:1m rate={rate}r/s; limit_req_status {status};"
        server = "location / { limit_req zone=all burst=10 nodelay; }"
        return Setup(f"limit-req-{status}", "throttled", {"web": Nginx(server, http)}, fetch("-c 16 --retry 6 -f", urls(max(40, rate), "http://{web}/small")) + "; true",
                     also=("retries", "retries-withheld") if status == 503 else ("retries-withheld",),
                     looks_like=("server-slow", "concurrency-too-low", "connection-limit"), better_servers={"web": Nginx()})
    return make


def refused_for_good(rate):
    """Nobody tries again what is refused, and whoever asks for more at once is refused more."""
    http = f"limit_req_zone $binary_remote_addr zone=all:1m rate={rate}r/s; limit_req_status 429;"
    server = "location / { limit_req zone=all burst=20 nodelay; proxy_pass http://{behind}; }"
    return Setup("refused-for-good", "throttled", {"behind": Node({"": {"delay_ms": 15}}), "web": Nginx(server, http)}, fetch("-f", urls(160)) + "; true",
                 looks_like=("server-slow", "concurrency-too-low", "connection-limit", "server-saturated"))


def fails(every):
    return Setup("fails", "retries", {"web": Asyncio({"": {"delay_ms": 10, "fails": every}})}, fetch("-c 16 --retry 5 -f", urls(160)) + "; true",
                 also=("retries-withheld",), looks_like=("server-slow", "throttled", "concurrency-too-low"), better_servers={"web": Asyncio({"": {"delay_ms": 10}})})


def all_fail(share):
    """All answers are 500 and no retry was asked for: the verdict begins with that, as a finding or without one, and nothing would make it faster."""
    return Setup("all-fail", "failures", {"web": Node({"": {"delay_ms": 10, "status": 500}})}, fetch("-f", urls(share)) + "; true", also=("healthy",),
                 looks_like=("concurrency-too-low", "duplicate-requests", "server-slow"))


def slow_proxy(delay_ms):
    web = Node({"": {"delay_ms": 5}})
    return Setup("slow-proxy", "slow-proxy", {"web": web, "proxy": Proxy(settings={"delay_ms": delay_ms})}, fetch("-x http://{proxy} -c 40", urls(80)),
                 also=("server-slow",), looks_like=("concurrency-too-low", "slow-connect"), better_servers={"web": web, "proxy": Proxy()})


SETUPS = [
    *graded(100, 50, 20, limit_req(429)),
    *graded(100, 50, 20, limit_req(503)),
    *graded(200, 50, 10, refused_for_good),
    *graded(20, 10, 4, fails),
    *graded(20, 60, 200, all_fail),
    *graded(30, 120, 500, slow_proxy),
]
