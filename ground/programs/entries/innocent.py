"""Look-alikes: slow, and not by the program's fault. Nothing that blames it may be named first."""
from ground.programs.bed import Lab, Servers
from ground.programs.entries.beds import NARROW
from ground.programs.entry import HEALTHY, Entry
from ground.servers.nginx import Nginx
from ground.servers.own import Asyncio, Pool

SERVER = ("server-slow", "server-saturated", "workers-too-few", "workers-held", "slow-path", "slow-host", "connection-limit", "queue-timeout")
SLOW = ("server-slow", "slow-path", "slow-host")
WIRE = ("bandwidth", "connection-bandwidth", "slow-body", "slow-start")
REFUSES = ("rate-limited", "retries-withheld", "server-saturated", "rate-limit", "refused", "limit-rate")

ENTRIES = [
    # Its 60 are all asked at once, and each takes 1.5 s.
    Entry("server-slow", "server-slow", "python/albums.py", 60, Lab("--delay 1.5s"), likewise=(*SERVER, HEALTHY)),
    # A limit of 30 with a queue before it, and a server that does 4 at a time: a higher limit gains nothing.
    Entry("server-few-workers", "server-saturated", "python/forecasts.py", 120, Lab("--workers 4 --service-time 40ms"), likewise=(*SERVER, HEALTHY)),
    # A semaphore of 40 before the same.
    Entry("server-full-semaphore", "server-saturated", "python/exports.py", 120, Lab("--workers 4 --service-time 40ms"), likewise=(*SERVER, HEALTHY)),
    # It waits as it is told by 429.
    Entry("server-limits", "rate-limited", "python/exports.py", 80, Lab("--rate-limit 30/s,20"), likewise=(*REFUSES, HEALTHY)),
    Entry("server-limits-nginx", "rate-limited", "python/exports.py", 60, Servers({"web": Nginx(
        "location / { limit_req zone=one burst=10 nodelay; limit_req_status 429; try_files /4k =404; }",
        "limit_req_zone $server_name zone=one:1m rate=30r/s;")}), likewise=(*REFUSES, HEALTHY)),
    # The link is full; eight at a time share it.
    Entry("link-narrow", "bandwidth", "python/videos.py", 16, NARROW, likewise=(*WIRE, HEALTHY)),
    # Each body drips.
    Entry("body-drips", "slow-body", "python/albums.py", 60, Servers({"web": Asyncio({"": {"body": 4000, "drip_ms": 150}})}), likewise=("pause-in-body", *WIRE, *SERVER, HEALTHY)),
    # The server ends each connection; the program asks to keep it.
    Entry("server-closes", "server-closes", "python/members.py", 240, Servers({"web": Nginx("rewrite ^ /4k break;", "keepalive_timeout 0;")}),
          likewise=("no-keep-alive", HEALTHY)),
    # Threads with a semaphore's look, and a pool of servers that is smaller.
    Entry("server-pool", "server-saturated", "python/members.py", 160, Servers({"web": Pool({"": {"delay_ms": 40}}, {"workers": 4, "keep_s": 0})}), likewise=(*SERVER, HEALTHY)),
    Entry("node-server-slow", "server-slow", "node/albums.mjs", 60, Lab("--delay 1.5s"), likewise=(*SERVER, HEALTHY)),
    Entry("node-server-full", "server-saturated", "node/albums.mjs", 120, Lab("--workers 4 --service-time 40ms"), likewise=(*SERVER, HEALTHY)),
    Entry("curl-server-full", "server-saturated", "curl/albums.sh", 120, Lab("--workers 4 --service-time 40ms"), likewise=(*SERVER, HEALTHY)),
    # One of them holds the others up: a batch's look, and the last one is slow by itself.
    Entry("requests-server-slow", "server-slow", "python/members.py", 20, Lab("--delay 1.2s"), likewise=(*SERVER, HEALTHY)),
]
