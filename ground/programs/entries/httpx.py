"""httpx, sync and async, with HTTP/2 and without."""
from ground.programs.bed import Lab
from ground.programs.entries.beds import FAR, FAR_PLAIN, NEAR, SLOW, TRUSTED
from ground.programs.entry import Entry

ENTRIES = [
    Entry("httpx-get-each", "client-each-request", "python/branches.py", 60, NEAR, r"httpx\.get\(", likewise=("contexts-again",)),
    Entry("httpx-loop", "awaited-one-by-one", "python/invoices.py", 100, NEAR, r"self\.client\.get\(|invoices\.load\("),
    Entry("httpx-await-for", "awaited-one-by-one", "python/customers.py", 100, NEAR, r"await client\.get\("),
    Entry("httpx-limit-default", "pool-limit", "python/parcels.py", 160, Lab("--delay 800ms"), r"AsyncClient\(", put_right=(
        ("timeout=httpx.Timeout(10, pool=None)", "timeout=httpx.Timeout(10, pool=None), limits=httpx.Limits(max_connections={proposed}, max_keepalive_connections={proposed})"),)),
    Entry("httpx-limit-5", "pool-limit", "python/flights.py", 100, Lab("--delay 50ms"), r"max_connections=5|AsyncClient\(", put_right=(
        ("max_connections=5, max_keepalive_connections=5", "max_connections={proposed}, max_keepalive_connections={proposed}"),)),
    Entry("httpx-client-each", "client-each-request", "python/hotels.py", 80, NEAR, r"AsyncClient\(", likewise=("contexts-again",), put_right=(
        ("async def offer(base, hotel):\n    async with httpx.AsyncClient(timeout=60) as client:\n", "async def offer(client, base, hotel):\n    if True:\n"),
        ("    offers = await asyncio.gather(*(offer(base, hotel)", "    client = httpx.AsyncClient(timeout=60)\n    offers = await asyncio.gather(*(offer(client, base, hotel)"))),
    Entry("httpx-keep-none", "no-keep-alive", "python/metrics.py", 200, FAR, r"max_keepalive_connections=0|AsyncClient\(", environment=TRUSTED, put_right=(
        ("max_keepalive_connections=0", "max_keepalive_connections=100"),)),
    Entry("httpx-unread", "unread-bodies", "python/uptime.py", 120, FAR, r"client\.stream\(", environment=TRUSTED, put_right=(
        ("        return response.status_code == 200", "        response.read()\n        return response.status_code == 200"),)),
    Entry("httpx-h2-loop", "awaited-one-by-one", "python/chapters.py", 80, Lab("--tls good --h2 --delay 20ms"), r"client\.get\(", environment=TRUSTED),
]
