"""`muster compare`: that the ways do the same work in the order that was promised, and that the words follow from the counters."""
import json
import os
import signal
import subprocess

import pytest
from command import MUSTER, PATIENCE, measure
from measured import measured
from scripted import ok, response

pytestmark = pytest.mark.quiet

FEW = ["--threads", "2", "--concurrency", "2,4"]  # ways: new, keep-alive, threads, and two loops
N_WAYS = 5


def compare(*arguments, **named):
    return measure("compare", *arguments, **named)


def figures(*arguments, **named):
    """The object of --json, with its modes by what they are."""
    (line,) = compare("--json", "-s", *arguments, **named).stdout.splitlines()
    told = json.loads(line)
    told["by"] = {(mode["mode"], mode["threads"] * mode["concurrency"]): mode for mode in told["modes"]}
    told["text"] = "\n".join(told["words"])
    return told


# --- what is measured ---------------------------------------------------------------------------------------------------


def test_higher_latency_and_yet_faster(lab):
    """The question that it is for: a server of four workers, of which a single client at a time uses one."""
    one = lab("--workers", 4, "--service-time", "10ms")

    def run():
        return figures(one.url("/bytes/1000"), "--requests", 32)

    def is_good(told):
        alone, loop = told["by"]["one_by_one", 1], told["by"]["loop", 16]
        is_as_expected = 2.5 < loop["speedup"]["median"] < 4.5 and loop["latency_mean_us"] > 2 * alone["latency_mean_us"]
        return is_as_expected and "is enough" in told["text"]  # and not that it cannot be told

    told = measured(run, is_good)
    assert told["same_work"] and told["complete"] and told["rounds"] == 6 and told["requests"] == 32 and told["listed"] == 1
    assert list(told["by"]) == [("one_by_one_new", 1), ("one_by_one", 1), ("threads", 16), ("loop", 8), ("loop", 16), ("loop", 64)]
    assert [mode["connections"] for mode in told["modes"]] == [32, 1, 16, 8, 16, 32]
    assert [mode["keep_alive"] for mode in told["modes"]] == [False] + [True] * 5
    for mode in told["modes"]:
        assert mode["failed"] == mode["different"] == 0 and len(mode["walls_us"]) == 6
        assert mode["wall_us"]["low"] <= mode["wall_us"]["median"] <= mode["wall_us"]["high"]
        # Little's law, of medians.
        assert mode["in_flight"] == pytest.approx(32 * mode["latency_mean_us"] / mode["wall_us"]["median"], rel=0.15)
        assert mode["in_flight"] <= mode["threads"] * mode["concurrency"]
    assert "A single request takes longer in the event loop" in told["text"] and "wait at the same time" in told["text"]
    assert "the server, or the path to it" in told["text"]


def test_limit_that_is_too_low(lab):
    one = lab("--delay", "20ms")
    told = figures(one.url(), "--requests", 32, "--concurrency", "2,16", "--threads", 4)
    assert "Fastest: the event loop with 16 at once" in told["text"]
    assert "A limit of 2 at once is too low: with 16" in told["text"] and "muster sweep finds the best limit" in told["text"]
    assert told["by"]["loop", 16]["wall_us"]["median"] < told["by"]["loop", 2]["wall_us"]["median"] / 4


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="threads gain nothing on one processor")
def test_loop_that_really_is_slower(lab):
    """Decoding is work for one thread in a loop, and for all processors with threads."""
    one = lab()
    one.get("/encoded/gzip/1M")  # made once
    told = measured(lambda: figures(one.url("/encoded/gzip/1M"), "--requests", 300), lambda told: "really is slower" in told["text"])
    loop = told["by"]["loop", 16]
    assert "it was busy for" in told["text"] and "--process-workers" in told["text"]
    assert loop["busy"] > 0.85 and loop["lag_mean_us"] > 500


def test_server_that_closes(server):
    s = server(lambda request: ok(b"x", "Connection: close"))
    told = figures(s.url(), *FEW, "--requests", 10)
    assert "Keep-alive has no effect: 10 connections for 10 requests, because the server closes them" in told["text"]


def test_many_hosts(server):
    """One by one there is room for as many idle connections as in the loops, so that hosts which take turns each keep theirs."""
    servers = [server(lambda request: ok(b"x")) for _ in range(6)]
    urls = "".join(s.url(f"/{i}\n") for i in range(8) for s in servers)
    told = figures(*FEW, "--requests", 48, input=urls)
    assert told["by"]["one_by_one", 1]["connections"] == 6 and told["by"]["threads", 2]["connections"] <= 12
    assert "Keep-alive has" not in told["text"]
    told = figures(*FEW, "--requests", 6, input=urls)
    assert "closes" not in told["text"]


def test_latency_is_of_all(server):
    """The mean and what 99 % are within are of the same requests: those that failed are among them."""
    s = server(lambda request: "hang" if request.path == "/hang" else ok(b"x"))
    told = figures(*FEW, "-m", "100ms", "--requests", 5, input="".join(s.url(path) for path in ["/\n", "/\n", "/\n", "/\n", "/hang\n"]), status=1)
    for mode in told["modes"]:
        assert mode["failed"] == 6 and mode["latency_mean_us"] >= 20_000 and mode["latency_p99_us"] >= 99_000


# --- fairness -----------------------------------------------------------------------------------------------------------


def test_order_of_rounds(server):
    """The first way alone says that it closes: it is first in even rounds and last in odd ones, and all make the same requests."""
    s = server(lambda request: ok(b"x"))
    n = 6
    told = figures(s.url(), *FEW, "--requests", n)
    assert told["same_work"] and told["rounds"] == 6
    runs = [request.fields.get("connection") == "close" for request in s.requests]
    counted = runs[-N_WAYS * n * 7:]  # before these was a look, for about a second
    assert all(runs[:-N_WAYS * n * 7])
    for round in range(7):
        closing = [all(counted[at:at + n]) for at in range(round * N_WAYS * n, (round + 1) * N_WAYS * n, n)]
        forward = round % 2 == 1 or round == 0  # the first one does not count; then they alternate, beginning forward
        assert closing == [forward] + [False] * (N_WAYS - 2) + [not forward]


def test_work_that_is_not_the_same(server):
    s = server(lambda request: ok(b"x" * (request.n % 7)))
    told = figures(s.url(), *FEW, "--requests", 10)
    assert not told["same_work"] and any(mode["different"] for mode in told["modes"])
    assert told["words"][0].startswith("THE WORK DIFFERED")


def test_statuses_are_compared_too(server):
    s = server(lambda request: response("200 OK" if request.n % 3 else "404 Not Found"))
    assert not figures(s.url(), *FEW, "--requests", 10)["same_work"]


def test_sample_is_spread_over_the_list(server):
    s = server(lambda request: ok(b"x"))
    done = compare(*FEW, "-n", 5, input="".join(s.url(f"/{i}\n") for i in range(20)))
    assert "5 requests of 20, spread over the list" in done.stdout
    after_look = [request.path for request in s.requests][-N_WAYS * 7 * 5:]
    assert set(after_look) == {"/0", "/4", "/8", "/12", "/16"}
    assert "using 5 of the 20 requests" in done.stderr


# --- what is asked ------------------------------------------------------------------------------------------------------


def test_options_reach_the_requests(server):
    s = server(lambda request: ok(b"x"))
    figures("-H", "X-A: b", "-A", "me", "--no-compressed", "-n", 3, *FEW, "-X", "HEAD", s.url("/a"))
    assert {(r.method, r.path, r.fields["x-a"], r.fields["user-agent"], r.fields.get("accept-encoding")) for r in s.requests} == {("HEAD", "/a", "b", "me", None)}


def test_json_lines(server):
    s = server(lambda request: ok(request.fields.get("a", "").encode()))
    lines = [json.dumps({"url": s.url("/1"), "headers": {"A": "xyz"}}), "{}", json.dumps({"url": s.url("/2"), "method": "OPTIONS"})]
    done = compare(*FEW, "-n", 4, input="\n".join(lines), status=1)
    assert "left out 1 unusable input lines; first: input: line 2: url is missing" in done.stderr
    assert {(r.method, r.path, r.fields.get("a")) for r in s.requests} == {("GET", "/1", "xyz"), ("OPTIONS", "/2", None)}


def test_unsafe_methods(server):
    s = server(lambda request: ok(b"x"))
    for arguments, input in [(["-d", "a=b", s.url()], None), (["-X", "DELETE", s.url()], None), ([], json.dumps({"url": s.url(), "method": "POST"}))]:
        done = compare(*arguments, input=input, status=2)
        assert "may change something on the server" in done.stderr and "--unsafe" in done.stderr
    assert not s.requests
    assert figures("--unsafe", "-d", "a=b", "-n", 3, *FEW, s.url())["same_work"]
    assert {(request.method, request.body) for request in s.requests} == {("POST", b"a=b")}


def test_refusals_are_no_successes(server):
    s = server(lambda request: response("404 Not Found"))
    told = figures(s.url("/gone"), "-n", 8, *FEW)
    assert all(mode["failed"] == 0 and mode["answered_4xx_5xx"] == 48 for mode in told["modes"])
    assert told["words"][0].startswith("NOT ALL SUCCEEDED: 48 of 48 requests") and f"404 from {s.url('/gone')}" in told["words"][0]


def test_failures():
    told = figures("http://127.0.0.1:1/", "-n", 8, *FEW, status=1)
    assert all(mode["failed"] == 48 for mode in told["modes"]) and "REQUESTS FAILED" in told["words"][0]
    assert "connection refused" in told["words"][0] and len(told["words"]) == 1


@pytest.mark.parametrize("arguments, words", [
    (["--rounds", "5", "http://h/"], '--rounds: "5" is not a number from 6 to 100'),
    (["--rounds", "7", "http://h/"], '--rounds: "7" is odd; rounds run forward and backward in turn'),
    (["--threads", "0", "http://h/"], "--threads: "),
    (["--threads", "1001", "http://h/"], "--threads: "),
    (["--concurrency", "4,,8", "http://h/"], "is not a list of numbers from 1; write 4,16,64"),
    (["--retry", "3", "http://h/"], "unknown option --retry"),
    (["--output", "x", "http://h/"], "unknown option --output"),
    (["-i", "/no/such/file"], "cannot read /no/such/file"),
    ([], "the input is empty"),
])
def test_usage(arguments, words):
    done = subprocess.run([MUSTER, "compare", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == (3 if "/no/such" in words else 2) and words in done.stderr and done.stdout == ""


# --- text and the end ---------------------------------------------------------------------------------------------------


def test_text(lab):
    one = lab("--delay", "5ms")
    done = compare(one.url(), *FEW, "-n", 10, "-s")
    lines = done.stdout.splitlines()
    assert done.stderr == "" and "\033" not in done.stdout and all(line == line.rstrip() for line in lines)
    rows = [line for line in lines if line.startswith(("one by one,", "2 blocking threads", "event loop,"))]
    assert len(rows) == N_WAYS and lines[-1]
    assert all(len(line) <= 130 for line in lines)
    assert any(line.startswith("- Fastest: the event loop with 4 at once") for line in lines)


def test_interrupt(lab):
    """Announced before it begins; what is not complete is not told."""
    one = lab("--delay", "100ms")
    process = subprocess.Popen([MUSTER, "compare"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdin.write(one.url("/\n") * 1000)
    process.stdin.close()
    announced = process.stderr.readline()
    assert "one by one; " in announced and " of the 1000 requests, spread over the list" in announced and "6 modes, 7 rounds: about " in announced
    process.send_signal(signal.SIGINT)
    stderr, stdout = process.stderr.read(), process.stdout.read()
    assert process.wait(PATIENCE) == 1 and "interrupted after 0 of 6 rounds" in stderr and stdout == ""


def test_interrupt_with_json(lab):
    """An object comes in any case: here at the first look, and before the first round is complete."""
    one = lab("--delay", "50ms")
    for n in (2, 40):
        process = subprocess.Popen([MUSTER, "compare", "--json", "-s", "-n", "20", *FEW, one.url()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        n += one.stats()["requests"]
        while one.stats()["requests"] < n:
            pass
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=PATIENCE)
        told = json.loads(stdout)
        assert process.returncode == 1 and not told["complete"] and told["rounds"] == 0 and told["same_work"] is None
        assert told["listed"] == 1 and told["modes"] == [] and told["words"] == ["INTERRUPTED before the first round was complete: there are no results."]
        assert "interrupted after 0 of 6 rounds" in stderr


def test_interrupt_between_rounds(lab):
    one = lab("--delay", "10ms")
    process = subprocess.Popen([MUSTER, "compare", "--json", "--rounds", "100", "-n", "20", *FEW, one.url()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while one.stats()["requests"] < 20 * N_WAYS * 4 + 150:  # the look, the first round, and more than one that counts
        pass
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=PATIENCE)
    told = json.loads(stdout)
    assert process.returncode == 1 and not told["complete"] and 1 <= told["rounds"] < 100
    assert f"interrupted after {told['rounds']} of 100 rounds" in stderr
    assert all(len(mode["walls_us"]) == told["rounds"] for mode in told["modes"])
