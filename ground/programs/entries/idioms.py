"""Idioms of other people, in several languages and libraries."""
from ground.programs.bed import Lab
from ground.programs.entries.beds import FAR, FAR_PLAIN, NEAR, TRUSTED, UNEVEN
from ground.programs.entry import HEALTHY, Entry

ENTRIES = [
    Entry("aiohttp-task-group", "semaphore-small", "python/weather.py", 180, NEAR, r"Semaphore\(6\)", put_right=(("Semaphore(6)", "Semaphore({proposed})"),)),
    Entry("aiohttp-wait-for", "awaited-one-by-one", "python/fares.py", 120, NEAR, r"await asyncio\.wait_for\(|session\.get\(", put_right=(
        ("        for number in range(count):\n", "        async def one(number):\n"),
        ("    print(len(fares)", "        await asyncio.gather(*map(one, range(count)))\n    print(len(fares)"))),
    Entry("httpx-consumers", "semaphore-small", "python/pipeline.py", 160, NEAR, r"CONSUMERS|client\.get\(|asyncio\.gather", likewise=("pool-limit",), put_right=(("CONSUMERS = 4", "CONSUMERS = {proposed}"),)),
    Entry("aiohttp-as-completed", HEALTHY, "python/suppliers.py", 100, NEAR),
    Entry("requests-executor-map", "semaphore-small", "python/mails.py", 160, Lab("--delay 100ms"), r"ThreadPoolExecutor\(\)", likewise=("pool-limit",), put_right=(("ThreadPoolExecutor()", "ThreadPoolExecutor({proposed})"),)),
    # A server that fails now and then, and a program that asks again after a while: neither is a matter of its HTTP.
    Entry("requests-retries", "throttled", "python/payments.py", 30, NEAR, likewise=("server-errors", "rate-limited", HEALTHY)),
    Entry("aiohttp-bare-uvloop", "awaited-one-by-one", "python/voyages.py", 120, NEAR, r"await self\.length\(|session\.get\(", put_right=(
        ("return [await self.length(session, number) for number in range(count)]", "return await asyncio.gather(*[self.length(session, number) for number in range(count)])"),)),
    Entry("requests-redirects", "redirects", "python/shortlinks.py", 80, NEAR, likewise=("pool-limit",)),
    Entry("httpx-pages", "awaited-one-by-one", "python/ledger.py", 80, NEAR, r"client\.get\(|for page in pages"),
    Entry("requests-lock", "awaited-one-by-one", "python/balances.py", 120, NEAR, r"session\.get\(|with lock"),
    # It pauses on purpose, and that is not its semaphore's fault.
    Entry("aiohttp-polite", "own-pauses", "python/tides.py", 120, NEAR, r"asyncio\.sleep\(", likewise=(HEALTHY,)),
    Entry("requests-pauses", "own-pauses", "python/buoys.py", 25, NEAR, r"time\.sleep\(", put_right=(("time.sleep(0.2)", "pass"),)),
    Entry("aiohttp-runs-programs", "loop-held", "python/stamps.py", 40, NEAR, r"subprocess\.run\("),
    Entry("requests-pool-each-batch", "gather-barrier", "python/seeds.py", 160, UNEVEN, r"ThreadPoolExecutor\(|wait\(|range\(0, count", likewise=("semaphore-small",)),
    Entry("aiohttp-request-each", "client-each-request", "python/cards.py", 160, FAR, r"aiohttp\.request\(", environment=TRUSTED),
    Entry("urllib-contexts", "contexts-again", "python/seals.py", 60, Lab("--tls good --delay 5ms"), r"create_default_context\(|load_verify_locations\(", likewise=("no-keep-alive",), environment=TRUSTED),
    Entry("node-for-await", "awaited-one-by-one", "node/recipes.mjs", 120, NEAR, r"await fetch\(|for await"),
    Entry("node-limit", "semaphore-small", "node/players.mjs", 160, NEAR, r"limited\(4\)|await fetch\(|Promise\.all\(", likewise=("pool-limit",), put_right=(("limited(4)", "limited({proposed})"),)),
    Entry("node-client", "no-keep-alive", "node/clients.js", 200, FAR, r"transport\.Agent\(|transport\.request\(", environment=TRUSTED, put_right=(
        ("Agent({ timeout: 30_000 })", "Agent({ timeout: 30_000, keepAlive: true })"),)),
    # A place that is free is taken at once, and so is its connection: two that are kept are enough.
    Entry("go-slots", "semaphore-small", "go/parcels.go", 300, FAR_PLAIN, put_right=(("make(chan struct{}, 24)", "make(chan struct{}, {proposed})"),)),
]
