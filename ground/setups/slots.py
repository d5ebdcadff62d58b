"""Too few at once, and nothing to do: limits, rates, input."""
from ground.servers.own import Asyncio, Go, Node
from ground.setup import Setup, fetch, graded, urls


def concurrency(slots):
    return Setup("concurrency-node", "concurrency-too-low", {"web": Node({"": {"delay_ms": 30}})}, fetch(f"-c {slots}", urls(30 * slots)),
                 looks_like=("server-slow", "server-saturated"), better_command=fetch("-c 64", urls(30 * slots)))


def concurrency_go(slots):
    return Setup("concurrency-go", "concurrency-too-low", {"web": Go({"": {"delay_ms": 30}})}, fetch(f"-c {slots}", urls(30 * slots)),
                 looks_like=("server-slow", "server-saturated"), better_command=fetch("-c 64", urls(30 * slots)))


def per_host(slots):
    answer = {"": {"delay_ms": 40}}
    listing = f"({urls(12 * slots, 'http://{web}/a')}; {urls(12 * slots, 'http://{second}/b')})"
    return Setup("per-host", "per-host-limit", {"web": Asyncio(answer), "second": Asyncio(answer)}, fetch(f"-c 64 --per-host {slots}", listing),
                 looks_like=("server-slow", "concurrency-too-low"), better_command=fetch("-c 64 --per-host 32", listing))


def rate(per_s):
    return Setup("rate", "rate-too-low", {"web": Node({"": {"delay_ms": 10}})}, fetch(f"-c 16 --rate {per_s}/s", urls(per_s)),
                 looks_like=("server-slow", "concurrency-too-low"), better_command=fetch("-c 16", urls(per_s)))


def one_at_a_time(delay_ms):
    n = 1000 // (delay_ms + 2)
    return Setup("one-at-a-time", "one-at-a-time", {"web": Node({"": {"delay_ms": delay_ms}})}, fetch("", f"{urls(n)} | {{feed}} 1"),
                 looks_like=("server-slow", "concurrency-too-low", "input-slow"), better_command=fetch("", urls(n)))


def input_slow(gap_ms):
    listing = f"(for i in $(seq {1200 // gap_ms}); do echo http://{{web}}/item?$i; sleep {gap_ms / 1000}; done)"
    return Setup("input-slow", "input-slow", {"web": Asyncio({"": {"delay_ms": 5}})}, fetch("", listing),
                 looks_like=("one-at-a-time", "server-slow", "concurrency-too-low"), better_command=fetch("", urls(1200 // gap_ms)))


def input_bursts(gap_ms):
    listing = f"(for i in 1 2 3 4; do {urls(50, 'http://{web}/burst$i')}; sleep {gap_ms / 1000}; done)".replace("'", '"')
    return Setup("input-bursts", "input-slow", {"web": Node({"": {"delay_ms": 15}})}, fetch("", listing),
                 looks_like=("batch-barrier", "one-at-a-time"), better_command=fetch("", urls(200)))


def barrier(slow_ms):
    """Rounds of twenty, each of which waits for its slowest."""
    listing = f"for round in 1 2 3 4; do {urls(19, 'http://{web}/item$round')}; echo http://{{web}}/slow?$round; done".replace("'", '"')
    return Setup("barrier", "batch-barrier", {"web": Asyncio({"": {"delay_ms": 30}, "/slow": {"delay_ms": slow_ms}})}, fetch("", f"({listing}) | {{feed}} 20"),
                 looks_like=("input-slow", "one-at-a-time", "concurrency-too-low"), better_command=fetch("", f"({listing})"))


def queue_timeout(slots):
    return Setup("queue-timeout", "queue-timeout", {"web": Node({"": {"delay_ms": 200}})}, fetch(f"-c {slots} --queue-timeout 0.5", urls(48)) + "; true",
                 also=("concurrency-too-low",))


def stragglers(slow_ms):
    listing = f"({urls(200)}; {urls(2, 'http://{web}/slow')})"
    return Setup("stragglers", "stragglers", {"web": Asyncio({"": {"delay_ms": 10}, "/slow": {"delay_ms": slow_ms}})}, fetch("-c 32", listing),
                 also=("slow-path",), looks_like=("server-slow", "concurrency-too-low", "server-pauses"), better_command=fetch("-c 32", urls(200)))


def hang(for_s):
    """A few requests are never answered; the others are done soon, so many at a time that the server has to queue them for a moment."""
    quick = {"body": 2000}
    return Setup("hang", "stragglers", {"web": Node({"": {**quick, "hangs": 25}})}, fetch(f"--max-time {for_s}", urls(300)) + "; true",
                 looks_like=("server-saturated", "server-slow", "concurrency-too-low"), better_servers={"web": Node({"": quick})})


def mixed_urls(slow_ms):
    """URLs as a real list has them; what is slow in it is one path, whose last requests set the end."""
    answers = {"": {"delay_ms": 12}, "/api/orders": {"delay_ms": 25}, "/static/app.js": {"body": 20000}}
    listing = "(for i in $(seq 30); do seq -f 'http://{web}/api/users?page=$i.%g' 4; seq -f 'http://{web}/api/orders?page=$i.%g' 3; " \
        "seq -f 'http://{web}/static/app.js?v=$i.%g' 2; echo http://{web}/search?q=$i; done)".replace("'", '"')
    return Setup("mixed-urls", "slow-path", {"web": Node({**answers, "/search": {"delay_ms": slow_ms}})}, fetch("-c 16", listing),
                 looks_like=("server-slow", "server-saturated", "concurrency-too-low", "duplicate-requests"), better_servers={"web": Node(answers)})


def duplicates(workers):
    """Each of twelve URLs is asked for sixteen times, of a server that takes as long for each again."""
    listing = "(for i in $(seq 16); do seq -f 'http://{web}/item?%g' 12; done)"
    return Setup("duplicates", "duplicate-requests", {"web": Go({"": {"delay_ms": 30}}, {"limit": workers})}, fetch("", listing),
                 looks_like=("server-saturated", "concurrency-too-low"), better_command=fetch("", urls(12)))


SETUPS = [
    *graded(8, 4, 2, concurrency),
    *graded(8, 4, 2, concurrency_go),
    *graded(8, 4, 2, per_host),
    *graded(160, 80, 40, rate),
    *graded(5, 25, 100, one_at_a_time),
    *graded(20, 60, 150, input_slow),
    *graded(150, 300, 600, input_bursts),
    *graded(90, 200, 400, barrier),
    *graded(8, 4, 2, queue_timeout),
    *graded(150, 600, 1800, stragglers),
    *graded(0.5, 1, 2, hang),
    *graded(200, 600, 1800, mixed_urls),
    *graded(16, 8, 4, duplicates),
]
