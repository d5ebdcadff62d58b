"""aiohttp."""
from ground.programs.bed import Lab, Servers
from ground.programs.entries.beds import FAR, FAR_PLAIN, NEAR, QUICK, SLOW, TRUSTED, UNEVEN
from ground.programs.entry import Entry
from ground.servers.nginx import Nginx
from ground.servers.own import Asyncio, Proxy

NAMES = Lab("--link rtt=1ms --no-keep-alive --name 'shop.test 192.0.2.1 delay=60ms' --delay 5ms", url="http://shop.test")

ENTRIES = [
    Entry("aiohttp-for", "awaited-one-by-one", "python/prices.py", 120, NEAR, r"await price_of\(|async with session\.get\(", put_right=(
        ("        for article in range(count):\n            total += await price_of(session, base, article)\n",
         "        total = sum(await asyncio.gather(*(price_of(session, base, article) for article in range(count))))\n"),)),
    Entry("aiohttp-session-each", "client-each-request", "python/catalogue.py", 160, FAR, r"ClientSession\(", environment=TRUSTED, put_right=(
        ("async def fetch(url):\n    async with aiohttp.ClientSession(timeout=TIMEOUT) as session:\n", "async def fetch(url):\n    if True:\n"),
        ("    queue, pages = asyncio.Queue(), {}\n", "    global session\n    session = aiohttp.ClientSession(timeout=TIMEOUT)\n    queue, pages = asyncio.Queue(), {}\n"),
        ("    for task in workers:\n", "    await session.close()\n    for task in workers:\n"))),
    Entry("aiohttp-limit-5", "pool-limit", "python/stations.py", 200, NEAR, r"limit=5", put_right=(("limit=5", "limit={proposed}"),)),
    Entry("aiohttp-limit-5-nginx", "pool-limit", "python/stations.py", 200, Servers({
        "app": Asyncio({"": {"delay_ms": 25}}),
        "web": Nginx("location / { proxy_pass http://{app}; }")}), r"limit=5", put_right=(("limit=5", "limit={proposed}"),)),
    Entry("aiohttp-limit-100", "pool-limit", "python/sensors.py", 500, SLOW, r"ClientSession\(", put_right=(
        ("ClientSession(base)", "ClientSession(base, connector=aiohttp.TCPConnector(limit={proposed}))"),)),
    Entry("aiohttp-limit-per-host", "pool-limit", "python/feeds.py", 160, NEAR, r"limit_per_host=4|ClientSession\(", put_right=(("limit_per_host=4", "limit_per_host={proposed}"),)),
    Entry("aiohttp-batches", "gather-barrier", "python/archive.py", 200, UNEVEN, r"asyncio\.gather\(", put_right=(
        ("AT_A_TIME = 20\n", "AT_A_TIME = 1_000_000\nslots = asyncio.Semaphore(20)\n"), ("    async with session.get(", "    async with slots, session.get("))),
    Entry("aiohttp-semaphore", "semaphore-small", "python/tickets.py", 160, NEAR, r"Semaphore\(4\)", put_right=(("Semaphore(4)", "Semaphore({proposed})"),)),
    Entry("aiohttp-sleep", "loop-held", "python/profiles.py", 80, NEAR, r"time\.sleep\(", put_right=(("    time.sleep(PAUSE)", "    await asyncio.sleep(PAUSE)"),)),
    Entry("aiohttp-hash", "loop-held", "python/checksums.py", 60, NEAR, r"pbkdf2_hmac|key_of\(data, str", likewise=("processor-bound",), put_right=(
        ("    return key_of(data, str(number).encode())", "    return await asyncio.to_thread(key_of, data, str(number).encode())"),)),
    Entry("aiohttp-words-uvloop", "processor-bound", "python/reports.py", 40, NEAR, r"WORD\.finditer|match\.group|words_in\(report\)\.", likewise=("loop-held",)),
    Entry("aiohttp-requests-inside", "loop-held", "python/orders.py", 100, NEAR, r"self\.http\.get\(", put_right=(
        ("    async def order(", "    def order("), ("*[shop.order(number) for", "*[asyncio.to_thread(shop.order, number) for"))),
    Entry("aiohttp-timeouts", "timeout-by-loop", "python/quotes.py", 16, Lab("--delay 100ms"), r"hashlib\.md5|score\(await|for _ in range\(250_000\)",
          likewise=("loop-held", "processor-bound")),
    Entry("aiohttp-names", "names-again", "python/mirrors.py", 240, NAMES, r"use_dns_cache=False|ClientSession\(", put_right=(("use_dns_cache=False", "use_dns_cache=True"),)),
    Entry("aiohttp-close-header", "no-keep-alive", "python/inventory.py", 200, FAR, r"\"Connection\": \"close\"|ClientSession\(|session\.get\(", environment=TRUSTED, put_right=(
        (', "Connection": "close"', ""),)),
    Entry("aiohttp-force-close", "no-keep-alive", "python/rates.py", 240, FAR, r"force_close=True|ClientSession\(", environment=TRUSTED, put_right=(("force_close=True", ""),)),
    Entry("aiohttp-unread", "unread-bodies", "python/links.py", 160, FAR, r"await session\.get\(|response\.close\(\)", environment=TRUSTED, put_right=(
        ("        response.close()\n", "        await response.read()\n"),)),
    Entry("aiohttp-unbounded", "gather-unbounded", "python/crawl.py", 800, Lab("--tls good --delay 5ms"), r"asyncio\.gather\(|limit=0", likewise=("handshake-herd",), environment=TRUSTED, put_right=(
        ("limit=0", "limit={proposed}"),)),
    Entry("aiohttp-contexts", "contexts-again", "python/vault.py", 60, Lab("--tls good --delay 20ms"), r"create_default_context\(\)|load_verify_locations|trust\(\)\)",
          likewise=("loop-held",), environment={"COMPANY_CA": "{ca}"}, put_right=(
        ("def trust():\n", "@functools.cache\ndef trust():\n"), ("import asyncio\n", "import asyncio\nimport functools\n"))),
    Entry("aiohttp-proxy", "proxy-unknown", "python/packages.py", 120, Servers({
        "web": Asyncio({"": {"delay_ms": 20}}), "proxy": Proxy(settings={"delay_ms": 150})}), r"", environment={"HTTP_PROXY": "http://{proxy}"}, put_right=(
        ("trust_env=True", "trust_env=False"),)),
]
