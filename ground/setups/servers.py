"""The server: slow, full, or not steady."""
from ground.servers.apache import Apache
from ground.servers.nginx import Nginx
from ground.servers.own import Asyncio, Go, Node, Pool, Threaded
from ground.setup import Setup, fetch, graded, urls


def slow_node(delay_ms):
    return Setup("slow-node", "server-slow", {"web": Node({"": {"delay_ms": delay_ms}})}, fetch("", urls(60)),
                 looks_like=("server-saturated", "concurrency-too-low", "cold-start"), better_servers={"web": Node()})


def slow_threaded(delay_ms):
    answer = {"": {"delay_ms": delay_ms}}
    settings = {"nodelay": True, "whole": True, "backlog": 128}
    return Setup("slow-threaded", "server-slow", {"web": Threaded(answer, settings)}, fetch("-c 40", urls(40)),
                 looks_like=("server-saturated", "concurrency-too-low", "nagle", "cold-start"), better_servers={"web": Threaded({}, settings)})


def slow_one_by_one(delay_ms):
    """One request alone to a server that takes its time: nothing here would make it faster."""
    return Setup("slow-alone", "server-slow", {"web": Go({"": {"delay_ms": delay_ms}})}, fetch("", urls(1)), also=("healthy",),
                 looks_like=("concurrency-too-low", "one-at-a-time"))


def pool(workers):
    """Workers without kept connections, as gunicorn has them."""
    answer = {"": {"delay_ms": 25}}
    return Setup("saturated-pool", "server-saturated", {"web": Pool(answer, {"workers": workers})}, fetch("", urls(24 * workers)),
                 also=("connection-limit",), looks_like=("concurrency-too-low", "server-slow", "syn-dropped"),
                 better_servers={"web": Pool(answer, {"workers": 64})})


def saturated_go(workers):
    answer = {"": {"delay_ms": 20}}
    return Setup("saturated-go", "server-saturated", {"web": Go(answer, {"limit": workers})}, fetch("-c 64", urls(32 * workers)),
                 looks_like=("concurrency-too-low", "server-slow"), better_servers={"web": Go(answer)})


def saturated_node(block_ms):
    """Each answer is made in the loop's thread: one at a time."""
    return Setup("saturated-node", "server-saturated", {"web": Node({"": {"block_ms": block_ms}})}, fetch("-c 32", urls(500 // block_ms)),
                 also=("server-slow",), looks_like=("concurrency-too-low", "server-pauses", "cold-start"), better_servers={"web": Node()})


def knee(growth_us):
    """Each request that is there makes the others slower."""
    answer = {"": {"delay_ms": 4, "growth_ms": growth_us / 1000}}
    return Setup("knee", "server-saturated", {"web": Asyncio(answer, {"limit": 8})}, fetch("-c 96", urls(256)),
                 looks_like=("concurrency-too-low", "server-slow"), better_command=fetch("-c 8", urls(256)))


def prefork(workers):
    """Apache's children, none of which keeps a connection: the others wait in the kernel's queue."""
    directives = """
        KeepAlive Off
        StartServers {n}
        MinSpareServers {n}
        MaxSpareServers {n}
        ServerLimit {n}
        MaxRequestWorkers {n}
        ProxyPass / http://{behind}/
    """
    behind = Asyncio({"": {"delay_ms": 30}})
    return Setup("prefork-full", "server-saturated", {"behind": behind, "web": Apache("prefork", directives.replace("{n}", str(workers)))},
                 fetch("", urls(20 * workers)), also=("connection-limit",), looks_like=("concurrency-too-low", "workers-held"),
                 better_servers={"behind": behind, "web": Apache("prefork", directives.replace("{n}", "64"))})


def prefork_held(n):
    """Each child keeps its connection, on which nothing comes any more, and others wait until it has been idle for long enough."""
    directives = """
        KeepAlive On
        KeepAliveTimeout 1
        StartServers 4
        MinSpareServers 4
        MaxSpareServers 4
        ServerLimit 4
        MaxRequestWorkers 4
    """
    off = directives.replace("KeepAlive On", "KeepAlive Off")
    return Setup("prefork-held", "workers-held", {"web": Apache("prefork", directives)}, fetch("", urls(n, "http://{web}/small")),
                 looks_like=("server-slow", "server-saturated", "concurrency-too-low", "stragglers"),
                 better_servers={"web": Apache("prefork", off)})


def pool_held(keep_s):
    answer = {"": {"delay_ms": 5}}
    return Setup("pool-held", "workers-held", {"web": Pool(answer, {"workers": 8, "keep_s": keep_s})}, fetch("-c 24", urls(240)),
                 looks_like=("server-slow", "server-saturated", "concurrency-too-low", "stragglers"),
                 better_servers={"web": Pool(answer, {"workers": 8, "keep_s": 0})})


def limit_conn(most):
    """nginx serves so many at once for each address, and answers 503 to the others."""
    behind = Asyncio({"": {"delay_ms": 30}})
    http = "limit_conn_zone $binary_remote_addr zone=addr:1m;"
    location = "location / { %s proxy_pass http://{behind}; }"
    return Setup("limit-conn", "connection-limit", {"behind": behind, "web": Nginx(location % f"limit_conn addr {most};", http)},
                 fetch("-c 32 --retry 3 -f", urls(120)) + "; true",
                 looks_like=("throttled", "server-slow", "concurrency-too-low"), better_servers={"behind": behind, "web": Nginx(location % "")})


def slow_host(delay_ms):
    quick, slow = Asyncio({"": {"delay_ms": 15}}), Asyncio({"": {"delay_ms": delay_ms}})
    listing = f"({'; '.join(urls(24, 'http://{' + name + '}/item') for name in ('web', 'two', 'three', 'four'))})"
    servers = {"web": quick, "two": quick, "three": slow, "four": quick}
    return Setup("slow-host", "slow-host", servers, fetch("-c 32", listing), also=("stragglers",),
                 looks_like=("server-slow", "concurrency-too-low", "slow-path"), better_servers=dict(servers, three=quick))


def slow_path(delay_ms):
    quick = {"": {"delay_ms": 15}}
    listing = f"({urls(60, 'http://{web}/item')}; {urls(30, 'http://{web}/report')}; {urls(60, 'http://{web}/page')})"
    return Setup("slow-path", "slow-path", {"web": Node({**quick, "/report": {"delay_ms": delay_ms}})}, fetch("-c 64", listing),
                 looks_like=("server-slow", "concurrency-too-low", "slow-host"), better_servers={"web": Node(quick)})


def cold_start(cold_ms):
    warm = {"delay_ms": 12}
    return Setup("cold-start", "cold-start", {"web": Node({"": {**warm, "cold": [16, cold_ms]}})}, fetch("-c 16", urls(400)),
                 looks_like=("concurrency-too-low", "server-slow", "handshake-herd"), better_servers={"web": Node({"": warm})})


def pauses(for_ms):
    answer = {"": {"delay_ms": 10}}
    return Setup("pauses", "server-pauses", {"web": Asyncio(answer, {"stop": [400, for_ms]})}, fetch("-c 8", urls(1000)),
                 looks_like=("stragglers", "server-slow", "concurrency-too-low", "process-stopped"), better_servers={"web": Asyncio(answer)})


SETUPS = [
    *graded(25, 120, 500, slow_node),
    *graded(25, 120, 500, slow_threaded),
    *graded(42, 150, 700, slow_one_by_one),
    *graded(16, 6, 2, pool),
    *graded(16, 6, 2, saturated_go),
    *graded(2, 5, 20, saturated_node),
    *graded(250, 500, 1000, knee),
    *graded(16, 6, 3, prefork),
    *graded(8, 12, 20, prefork_held),
    *graded(0.3, 0.7, 1.5, pool_held),
    *graded(16, 8, 4, limit_conn),
    *graded(80, 250, 800, slow_host),
    *graded(80, 250, 800, slow_path),
    *graded(200, 600, 1500, cold_start),
    *graded(150, 400, 900, pauses),
]
