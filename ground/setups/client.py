"""This side: work on the loop, a reader that is slow, a process that is stopped."""
from ground.servers.nginx import Nginx
from ground.servers.own import Asyncio, Node
from ground.setup import Setup, fetch, graded, urls

BUSY = ("processor-busy",)


def decode(size):
    return Setup("decode-inline", "decode-on-loop", {"web": Asyncio({"": {"gzip": size}})}, fetch("-c 16 --body none --process-inline", urls(400000000 // size)),
                 also=("client-saturated",), busy=BUSY, looks_like=("server-slow", "slow-body", "concurrency-too-low"),
                 better_command=fetch("-c 16 --body none", urls(400000000 // size)))


def process(work_ms):
    n = 900 // (work_ms + 3)
    command = f"--process 'sleep {work_ms / 1000}; cat'"
    return Setup("process-inline", "process-on-loop", {"web": Node({"": {"delay_ms": 30}})}, fetch(f"-c 16 {command} --process-inline", urls(n)),
                 looks_like=("server-slow", "slow-consumer", "concurrency-too-low"), better_command=fetch(f"-c 16 {command}", urls(n)))


def workers(n_workers):
    options = "-c 32 --process 'sleep 0.1; cat' --process-workers"
    return Setup("workers-few", "workers-too-few", {"web": Node({"": {"delay_ms": 10}})},
                 fetch(f"{options} {n_workers}", urls(10 * n_workers)), looks_like=("server-slow", "process-on-loop", "slow-consumer"),
                 better_command=fetch(f"{options} 16", urls(10 * n_workers)))


def consumer_away(away_s):
    """Who reads the results is away for a while; the pipe is full then."""
    listing = urls(400, "http://{web}/4k")
    return Setup("consumer-away", "slow-consumer", {"web": Nginx()}, f"{listing} | muster fetch --summary -c 8 | (sleep {away_s}; cat > results.jsonl)",
                 looks_like=("server-slow", "concurrency-too-low", "stragglers", "processor-busy", "process-stopped"),
                 better_command=f"{listing} | muster fetch --summary -c 8 > results.jsonl")


def consumer_slow(line_ms):
    """Who reads the results takes its time for each, in lines of 4 kB."""
    n = 300 if line_ms < 10 else 120
    listing = urls(n, "http://{web}/4k")
    reader = f"python3 -c 'import sys, time\nfor line in sys.stdin: time.sleep({line_ms / 1000})'"
    return Setup("consumer-slow", "slow-consumer", {"web": Nginx()}, f"{listing} | muster fetch --summary -c 8 | {reader}",
                 looks_like=("server-slow", "concurrency-too-low", "processor-busy", "process-stopped"),
                 better_command=f"{listing} | muster fetch --summary -c 8 > results.jsonl")


def stopped(for_s):
    """This process is stopped for a while, as by Ctrl-Z; it is ended by its own id if it does not end."""
    listing = urls(300)
    run = "muster fetch --summary --force -o results.jsonl -c 8 < list"
    return Setup("stopped", "process-stopped", {"web": Node({"": {"delay_ms": 15}})},
                 f"{listing} > list; {run} & sleep 0.25; kill -STOP $!; sleep {for_s}; kill -CONT $!; wait $!",
                 looks_like=("slow-consumer", "server-pauses", "server-slow", "stragglers", "processor-busy"), better_command=f"{listing} > list; {run}")


SETUPS = [
    *graded(4000000, 8000000, 16000000, decode),
    *graded(8, 20, 60, process),
    *graded(4, 2, 1, workers),
    *graded(0.3, 1, 2, consumer_away),
    *graded(3, 8, 20, consumer_slow),
    *graded(0.3, 0.8, 2, stopped),
]
