"""Programs with which nothing is wrong."""
from ground.programs.bed import Lab, Servers
from ground.programs.entries.beds import FAR, NEAR, TRUSTED
from ground.programs.entry import BLAMES, HEALTHY, Entry
from ground.servers.nginx import Nginx
from ground.servers.own import Asyncio

NGINX = Servers({"web": Nginx("rewrite ^ /4k break;")})
NGINX_TLS = Servers({"web": Nginx("rewrite ^ /4k break;", tls="ec")})
BEHIND = Servers({"app": Asyncio({"": {"delay_ms": 100}}), "web": Nginx("location / { proxy_pass http://{app}; }")})


def healthy(name, program, n, bed, **more):
    """What takes time is one answer of the server, for which all wait at once: to say so is right, too, and so is that others have the processors."""
    return Entry(name, HEALTHY, program, n, bed, likewise=("server-slow", "processor-busy"), looks_like=BLAMES, **more)


ENTRIES = [
    healthy("aiohttp-gather", "python/albums.py", 100, Lab("--delay 100ms")),
    healthy("aiohttp-gather-nginx", "python/albums.py", 160, BEHIND),
    healthy("aiohttp-workers-uvloop", "python/songs.py", 64, Lab("--delay 200ms")),
    healthy("aiohttp-groups", "python/steps.py", 40, Lab("--delay 150ms")),
    healthy("aiohttp-saves-in-thread", "python/comments.py", 100, Lab("--delay 150ms")),
    healthy("httpx-async", "python/menus.py", 60, Lab("--delay 200ms")),
    healthy("httpx-h2", "python/streams.py", 100, Lab("--tls good --h2 --delay 200ms"), environment=TRUSTED),
    healthy("requests-threads", "python/members.py", 20, Lab("--delay 300ms")),
    healthy("node-fetch", "node/albums.mjs", 100, Lab("--delay 200ms")),
    healthy("undici-pool", "node/songs.js", 64, Lab("--delay 200ms"), needs=("undici",)),
    healthy("curl-parallel", "curl/albums.sh", 100, Lab("--delay 200ms")),
]
