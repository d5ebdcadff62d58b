"""HTTP/2 by nginx, in front of a server that takes its time."""
from ground.servers.nginx import Nginx
from ground.servers.own import Asyncio
from ground.setup import Setup, fetch, graded, urls

SERVER = "location / {{ proxy_pass http://{{behind}}; }} http2_max_concurrent_streams {streams};"


def streams(most):
    behind = Asyncio({"": {"delay_ms": 30}})
    listing = urls(24 * most, "https://{web}/item")
    return Setup("few-streams", "stream-limit", {"behind": behind, "web": Nginx(SERVER.format(streams=most), tls="ec", http2=True)},
                 fetch("-k --h2-conns 1", listing), also=("concurrency-too-low",), looks_like=("server-slow", "server-saturated", "head-of-line"),
                 better_servers={"behind": behind, "web": Nginx(SERVER.format(streams=128), tls="ec", http2=True)})


def slow_h2(delay_ms):
    behind = Asyncio({"": {"delay_ms": delay_ms}})
    return Setup("slow-h2", "server-slow", {"behind": behind, "web": Nginx(SERVER.format(streams=128), tls="ec", http2=True)},
                 fetch("-k", urls(60, "https://{web}/item")), looks_like=("stream-limit", "protocol-unknown", "head-of-line", "concurrency-too-low"),
                 better_servers={"behind": Asyncio(), "web": Nginx(SERVER.format(streams=128), tls="ec", http2=True)})


def more_streams(delay_ms):
    """More at once would share the connections that are there."""
    behind = Asyncio({"": {"delay_ms": delay_ms}})
    listing = urls(600, "https://{web}/item")
    return Setup("more-streams", "server-slow", {"behind": behind, "web": Nginx(SERVER.format(streams=512), tls="ec", http2=True)}, fetch("-k", listing),
                 likewise=("concurrency-too-low",), looks_like=("stream-limit", "server-saturated", "head-of-line"), better_command=fetch("-k -c 512", listing))


SETUPS = [
    *graded(8, 4, 2, streams),
    *graded(60, 150, 500, slow_h2),
    *graded(60, 150, 500, more_streams),
]
