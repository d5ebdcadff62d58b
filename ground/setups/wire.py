"""What passes between head and body, how much comes, and what leads elsewhere."""
from ground.servers.apache import Apache
from ground.servers.nginx import Nginx
from ground.servers.own import Asyncio, Go, Node, Threaded
from ground.setup import Setup, fetch, graded, urls

NODELAY = {"nodelay": True, "whole": True, "backlog": 128}


def nagle(slots):
    """http.server as it is: the head, then the body, and Nagle's algorithm holds the body until the head is acknowledged."""
    return Setup("nagle-threaded", "nagle", {"web": Threaded(settings={"backlog": 128})}, fetch(f"-c {slots}", urls(24 * slots)),
                 looks_like=("server-slow", "concurrency-too-low", "pause-in-body", "slow-body"), better_servers={"web": Threaded(settings=NODELAY)})


def pause(kind, name):
    def make(pause_ms):
        n = 64 * max(2, min(16, 400 // pause_ms))
        return Setup(name, "pause-in-body", {"web": kind({"": {"pause_ms": pause_ms}})}, fetch("", urls(n)), also=("slow-body",),
                     looks_like=("nagle", "slow-start", "bandwidth", "loss"), better_servers={"web": kind()})
    return make


def pause_flushed(pause_ms):
    """The threaded server with Nagle's algorithm on, which flushes its head and computes: nothing waits for an acknowledgement."""
    settings = {"backlog": 128, "nodelay": True}
    return Setup("pause-threaded", "pause-in-body", {"web": Threaded({"": {"pause_ms": pause_ms}}, settings)}, fetch("-c 16", urls(160)), also=("slow-body",),
                 looks_like=("nagle", "slow-start", "bandwidth"), better_servers={"web": Threaded({}, settings)})


def drip(drip_ms):
    return Setup("drip", "slow-body", {"web": Asyncio({"": {"body": 8000, "drip_ms": drip_ms}})}, fetch("", urls(120)),
                 also=("pause-in-body", "connection-bandwidth"), looks_like=("nagle", "bandwidth", "slow-start"), better_servers={"web": Asyncio({"": {"body": 8000}})})


def limit_rate(rate):
    """Each connection has its own rate, so more of them bring more."""
    return Setup("limit-rate", "connection-bandwidth", {"web": Nginx(f"limit_rate {rate};")}, fetch("-c 4", urls(24, "http://{web}/100k")),
                 also=("concurrency-too-low",), looks_like=("bandwidth", "server-slow", "slow-start", "nagle"), better_servers={"web": Nginx()})


def limit_rate_apache(kilobytes):
    directives = f'<Location "/"> \n SetOutputFilter RATE_LIMIT \n SetEnv rate-limit {kilobytes} \n </Location>'
    return Setup("ratelimit-apache", "connection-bandwidth", {"web": Apache(directives=directives)}, fetch("-c 4", urls(16, "http://{web}/100k")),
                 also=("concurrency-too-low",), looks_like=("bandwidth", "server-slow", "slow-start", "nagle"), better_servers={"web": Apache()})


def shared(rate):
    """All connections share one rate: more of them bring no more. The remedy is a rate twice as high."""
    answer = {"": {"body": 100000}}
    return Setup("shared-rate", "bandwidth", {"web": Asyncio(answer, {"rate": rate})}, fetch("-c 16", urls(24)),
                 looks_like=("concurrency-too-low", "connection-bandwidth", "server-slow", "slow-start"), better_servers={"web": Asyncio(answer, {"rate": 2 * rate})})


def redirects(delay_ms):
    to = {"delay_ms": delay_ms, "status": 301, "location": "/final?{query}"}
    listing = urls(160, "http://{web}/old")
    return Setup("redirects", "redirects", {"web": Asyncio({"/old": to, "/final": {"delay_ms": delay_ms}})}, fetch("-c 16 -L", listing),
                 also=("concurrency-too-low",), looks_like=("server-slow",), better_command=fetch("-c 16 -L", urls(160, "http://{web}/final")))


def redirects_nginx(n):
    """A redirect by the server next to where the answers come from: it costs nothing of note."""
    behind = Node({"": {"delay_ms": 60}})
    server = "location / { return 301 http://{behind}/item?$query_string; }"
    return Setup("redirects-cheap", "server-slow", {"behind": behind, "web": Nginx(server)}, fetch("-c 64 -L", urls(n)), also=("healthy", "slow-host"), looks_like=("redirects",))


def expect(slots):
    """A server that knows nothing of Expect: 100-continue; each upload waits a second before its body is sent."""
    upload = f"truncate -s 1100k upload; {urls(2 * slots)}"
    return Setup("expect", "expect", {"web": Asyncio()}, fetch(f"-X POST -T upload -c {slots}", f"({upload})"),
                 looks_like=("server-slow", "concurrency-too-low"), better_command=fetch(f"-H Expect: -X POST -T upload -c {slots}", f"({upload})"))


SETUPS = [
    *graded(4, 8, 2, nagle),
    *graded(8, 28, 120, pause(Asyncio, "pause-asyncio")),
    *graded(8, 45, 120, pause(Node, "pause-node")),
    *graded(12, 40, 90, pause(Go, "pause-go")),
    *graded(25, 45, 150, pause_flushed),
    *graded(4, 15, 50, drip),
    *graded("800k", "400k", "200k", limit_rate),
    *graded(400, 200, 100, limit_rate_apache),
    *graded(6000000, 3000000, 1200000, shared),
    *graded(8, 30, 100, redirects),
    *graded(16, 32, 60, redirects_nginx),
    *graded(16, 8, 4, expect),
]
