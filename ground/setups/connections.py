"""Connections that are not kept, or that are slow to be opened; names and addresses."""
from ground.servers.nginx import Nginx
from ground.servers.own import Asyncio, Names, Node, Pool, Silent, Threaded
from ground.setup import Setup, fetch, graded, urls


def closes_tls(key):
    """Every answer ends its connection, and each handshake costs what the server's key costs."""
    return Setup("closes-nginx", "server-closes", {"web": Nginx("keepalive_timeout 0;", tls=key)}, fetch("-c 8 -k", urls(200, "https://{web}/small")),
                 likewise=("handshake-cpu",), also=("no-resumption",), looks_like=("server-slow", "concurrency-too-low"), better_servers={"web": Nginx(tls=key)})


def closes_after(requests):
    """So many requests that putting it right gains more than anybody notices: what gains less is not told."""
    return Setup("closes-after", "server-closes", {"web": Nginx(f"keepalive_requests {requests};", tls="rsa:3072")},
                 fetch("-c 8 -k", urls(1500, "https://{web}/small")), likewise=("handshake-cpu",), also=("no-resumption",),
                 looks_like=("server-slow", "concurrency-too-low"),
                 better_servers={"web": Nginx(tls="rsa:3072")})


def not_reused(key):
    listing = urls(200, "https://{web}/small")
    return Setup("http1.0-nginx", "no-keep-alive", {"web": Nginx(tls=key)}, fetch("-c 8 -k --http1.0", listing), likewise=("handshake-cpu",),
                 looks_like=("server-slow", "concurrency-too-low", "server-closes"), better_command=fetch("-c 8 -k", listing))


def no_tickets(key):
    """The server closes after each answer and lets no session be resumed; what could be mended first is that it closes."""
    settings = "ssl_session_tickets off; ssl_session_cache off;"
    return Setup("no-tickets", "server-closes", {"web": Nginx("keepalive_timeout 0; " + settings, tls=key)}, fetch("-c 8 -k", urls(120, "https://{web}/small")),
                 likewise=("handshake-cpu",), also=("no-resumption",), looks_like=("server-slow", "concurrency-too-low"), better_servers={"web": Nginx(settings, tls=key)})


def herd(key):
    """All connections at the same moment, for one request each or a few."""
    listing = urls(180, "https://{web}/small")
    return Setup("herd-nginx", "handshake-herd", {"web": Nginx("ssl_session_tickets off;", tls=key)}, fetch("-c 60 -k", listing),
                 also=("handshake-cpu",), looks_like=("server-slow", "concurrency-too-low", "server-saturated"), better_command=fetch("-c 4 -k", listing))


def syn_dropped(n):
    """A pool whose queue is short, as many by default are, and more connections at once than it holds."""
    answer = {"": {"delay_ms": 10}}
    return Setup("short-queue", "syn-dropped", {"web": Pool(answer, {"workers": 2, "backlog": 5})}, fetch(f"-c {n}", urls(n)),
                 also=("connection-limit",), looks_like=("server-slow", "concurrency-too-low"), better_servers={"web": Pool(answer, {"workers": 2, "backlog": 128})})


def slow_accept(accept_ms):
    """A server whose loop does something for each new connection before it takes the next one."""
    answer, settings = {"": {"delay_ms": 5}}, {"nodelay": True, "whole": True, "backlog": 128}
    return Setup("slow-accept", "slow-accept", {"web": Threaded(answer, {**settings, "accept_ms": accept_ms})}, fetch("-c 24", urls(240)),
                 also=("handshake-herd",), looks_like=("server-slow", "concurrency-too-low", "stragglers"), better_servers={"web": Threaded(answer, settings)})


def silent(n_names):
    """Names of two addresses, of which the first does not answer. No packet leaves loopback."""
    resolve = " ".join(f"--resolve n{i}.test:{{web:port}}:127.0.0.9,127.0.0.1" for i in range(n_names))
    better = " ".join(f"--resolve n{i}.test:{{web:port}}:127.0.0.1" for i in range(n_names))
    listing = "; ".join(urls(8, f"http://n{i}.test:{{web:port}}/item") for i in range(n_names))
    return Setup("silent-address", "address-silent", {"web": Node({"": {"delay_ms": 5}}), "gone": Silent(settings={"address": "127.0.0.9", "port_of": "web"})},
                 fetch(f"-c 8 {resolve}", f"({listing})"), looks_like=("ipv6-broken", "server-slow", "concurrency-too-low", "syn-dropped"),
                 better_command=fetch(f"-c 8 {better}", f"({listing})"))


def refused(n_names):
    """As before, but the first address refuses at once: that costs nothing."""
    resolve = " ".join(f"--resolve n{i}.test:{{web:port}}:127.0.0.8,127.0.0.1" for i in range(n_names))
    listing = "; ".join(urls(40, f"http://n{i}.test:{{web:port}}/item") for i in range(n_names))
    return Setup("refused-address", "healthy", {"web": Node({"": {"delay_ms": 5}})}, fetch(f"-c 64 {resolve}", f"({listing})"),
                 also=("server-slow", "concurrency-too-low"), looks_like=("address-silent", "address-refused", "ipv6-broken"))


def slow_names(delay_ms):
    listing = "; ".join(urls(4, f"http://n{i}.test:{{web:port}}/item") for i in range(16))
    options = "--dns-server {names}"
    return Setup("slow-names", "dns-slow", {"web": Asyncio({"": {"delay_ms": 5}}), "names": Names(settings={"delay_ms": delay_ms})},
                 fetch(f"{options} -c 16", f"({listing})"), looks_like=("server-slow", "concurrency-too-low", "dns-loss"),
                 better_servers={"web": Asyncio({"": {"delay_ms": 5}}), "names": Names()})


SETUPS = [
    *graded("rsa:2048", "rsa:3072", "rsa:4096", closes_tls),
    *graded(6, 3, 1, closes_after),
    *graded("rsa:2048", "rsa:3072", "rsa:4096", not_reused),
    *graded("rsa:2048", "rsa:3072", "rsa:4096", no_tickets),
    *graded("rsa:2048", "rsa:3072", "rsa:4096", herd),
    *graded(16, 24, 32, syn_dropped),
    *graded(10, 20, 50, slow_accept),
    *graded(1, 3, 8, silent),
    *graded(1, 3, 8, refused),
    *graded(30, 120, 500, slow_names),
]
