"""Node, curl, Go."""
from ground.programs.bed import Lab, Servers
from ground.programs.entries.beds import FAR, FAR_PLAIN, NEAR, TRUSTED, UNEVEN
from ground.programs.entry import HEALTHY, Entry
from ground.programs.result import UNSEEN
from ground.servers.own import Asyncio, Proxy

ENTRIES = [
    Entry("node-for", "awaited-one-by-one", "node/prices.mjs", 120, NEAR, r"await price\(|await fetch\("),
    Entry("node-batches", "gather-barrier", "node/archive.mjs", 200, UNEVEN, r"Promise\.all\(", put_right=(
        ("""  for (let start = 0; start < numbers.length; start += AT_A_TIME) {
    const part = numbers.slice(start, start + AT_A_TIME);
    records.push(...await Promise.all(part.map(record)));
  }
""", """  const worker = async () => { while (numbers.length) records.push(await record(numbers.shift())); };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
"""),)),
    Entry("node-max-sockets", "pool-limit", "node/stations.js", 200, NEAR, r"maxSockets: 5|http\.get\(", put_right=(("maxSockets: 5", "maxSockets: {proposed}"),)),
    Entry("node-agent-no-keep", "no-keep-alive", "node/rates.js", 200, FAR, r"https\.Agent\(|https\.get\(", environment=TRUSTED, put_right=(("{ maxSockets: 50 }", "{ maxSockets: 50, keepAlive: true }"),)),
    Entry("node-hash", "loop-held", "node/checksums.mjs", 60, NEAR, r"pbkdf2Sync|keyOf\(data, String", likewise=("processor-bound",)),
    Entry("node-exec", "loop-held", "node/thumbnails.mjs", 40, NEAR, r"execFileSync\(\.\.\."),
    Entry("node-workers-3", "semaphore-small", "node/tickets.mjs", 120, NEAR, r"N_WORKERS|await load\(|await fetch\(|Promise\.all\(", likewise=("pool-limit", "awaited-one-by-one"), put_right=(
        ("N_WORKERS = 3", "N_WORKERS = {proposed}"),)),
    Entry("undici-connections-4", "pool-limit", "node/sensors.js", 160, NEAR, r"connections: 4", needs=("undici",), put_right=(("connections: 4", "connections: {proposed}"),)),
    Entry("node-timeouts", "timeout-by-loop", "node/quotes.mjs", 24, Lab("--delay 100ms"), r"createHash\(|score\(await|for \(let i = 0", likewise=("loop-held", "processor-bound")),
    Entry("node-aborts", "unread-bodies", "node/links.mjs", 120, FAR, r"await fetch\(|controller\.abort\(\)", environment=TRUSTED, put_right=(
        ("  controller.abort();\n", "  await response.arrayBuffer();\n"),)),
    Entry("curl-loop", "client-each-request", "curl/prices.sh", 60, NEAR, likewise=("awaited-one-by-one",)),
    Entry("curl-xargs", "client-each-request", "curl/pages.sh", 160, FAR, environment=TRUSTED, likewise=("no-keep-alive",)),
    Entry("curl-one-by-one", "awaited-one-by-one", "curl/books.sh", 100, NEAR),
    Entry("curl-parallel-4", "semaphore-small", "curl/stations.sh", 160, NEAR, likewise=("pool-limit",), put_right=(("--parallel-max 4", "--parallel-max {proposed}"),)),
    Entry("curl-close", "no-keep-alive", "curl/rates.sh", 200, FAR, environment=TRUSTED, put_right=((" --header 'Connection: close'", ""),)),
    Entry("curl-proxy", "proxy-unknown", "curl/albums.sh", 160, Servers({
        "web": Asyncio({"": {"delay_ms": 20}}), "proxy": Proxy(settings={"delay_ms": 300})}), environment={"http_proxy": "http://{proxy}"}, put_right=(
        ("curl --no", "curl --noproxy '*' --no"),)),
    # Go asks the kernel itself: its connections are seen from outside, and no line of its code.
    Entry("go-loop", "awaited-one-by-one", "go/prices.go", 100, NEAR),
    Entry("go-no-keep", "no-keep-alive", "go/pages.go", 200, FAR_PLAIN, put_right=(
        ("	var total atomic.Int64\n", "	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 24}}\n	var total atomic.Int64\n"),
        ("			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}\n", ""))),
    Entry("go-few-kept", "no-keep-alive", "go/stations.go", 200, FAR_PLAIN, put_right=(("&http.Transport{}", "&http.Transport{MaxIdleConnsPerHost: 24}"),)),
    Entry("go-unread", "no-keep-alive", "go/links.go", 160, FAR_PLAIN, put_right=(
        ("	return response.StatusCode, response.Body.Close()", "	io.Copy(io.Discard, response.Body)\n	return response.StatusCode, response.Body.Close()"),)),
    Entry("go-workers-4", "semaphore-small", "go/tickets.go", 200, NEAR, put_right=(("const workers = 4", "const workers = 64"),)),
    Entry("go-workers", HEALTHY, "go/albums.go", 64, Lab("--delay 200ms"), likewise=("server-slow",)),
    Entry("go-http2", UNSEEN, "go/rates.go", 200, Lab("--delay 20ms --tls good --h2"), environment=TRUSTED),
]
