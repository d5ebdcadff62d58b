"""`muster sweep` against servers whose limit is known: the knee, what is blamed, what is not claimed."""
import json
import signal
import subprocess

import pytest
from command import MUSTER, PATIENCE, measure
from link import why_no_link
from measured import measured
from scripted import ok
from terminal import shown_on_a_terminal

pytestmark = pytest.mark.quiet

QUICK = ["--seconds", "200ms"]


def sweep(*arguments, **named):
    return measure("sweep", *arguments, **named)


def curve(*arguments, **named):
    (line,) = sweep("--json", "-s", *arguments, **named).stdout.splitlines()
    told = json.loads(line)
    told["by"] = {step["concurrency"]: step for step in told["steps"]}
    told["text"] = "\n".join(told["words"])
    return told


# --- where the knee is --------------------------------------------------------------------------------------------------


def test_workers(lab):
    """4 workers of 10 ms: 400 a second from 4 at once on; beyond it only the wait grows."""
    one = lab("--workers", 4, "--service-time", "10ms")
    told = measured(lambda: curve(one.url("/bytes/100"), "--max", 32, *QUICK),
                    lambda told: told["concurrency"] == 4 and told["by"][32]["requests_per_s"] == pytest.approx(400, rel=0.1))
    assert told["limit"] == "server" and told["end"] == "ladder" and list(told["by"]) == [1, 2, 4, 8, 16, 32]
    for n, step in told["by"].items():
        assert step["in_flight"] == pytest.approx(n, rel=0.2) and step["failed"] == step["turned_down"] == 0
        assert step["requests"] >= max(2 * n, 10) and step["seconds"] >= 0.2 and step["connections"] <= n
        assert step["latency_us"]["p50"] <= step["latency_us"]["p99"] and step["latency_us"]["mean"] > 9_000
        assert sum(phase["mean"] for phase in step["phases_us"].values()) == pytest.approx(step["latency_us"]["mean"], rel=0.02)
    assert told["by"][32]["phases_us"]["wait"]["p50"] > 5 * told["by"][4]["phases_us"]["wait"]["p50"]
    assert told["words"][0].startswith("Use --concurrency 4.") and "The server, or a proxy in front of it, is the limit" in told["text"]
    assert told["usl"]["peak"] is None and "throughput peaks at about" not in told["text"]
    assert sum("looks_requests_per_s" in step for step in told["steps"]) == 3  # the best ones, measured again


def test_past_its_knee(lab):
    """Those that are there slow each other down: throughput peaks at 8 workers, then falls, and two falls are enough."""
    one = lab("--workers", 8, "--service-time", "5ms", "--coherency", "0.05")
    told = measured(lambda: curve(one.url(), "--max", 256, *QUICK), lambda told: told["concurrency"] == 8 and told["end"] == "fell")
    assert list(told["by"]) == [1, 2, 4, 8, 16, 32] and told["limit"] == "server"
    assert told["by"][32]["requests_per_s"] < 0.7 * told["by"][8]["requests_per_s"]
    assert told["usl"]["kappa"] > 0.001 and 4 < told["usl"]["peak"] < 20
    assert "fewer are done per second" in told["text"]


def test_no_limit_reached(lab):
    one = lab("--delay", "20ms")
    told = measured(lambda: curve(one.url(), "--max", 16, *QUICK), lambda told: told["concurrency"] == 16)
    assert told["limit"] == "none" and told["usl"] is None  # five points are too few
    assert "No limit was reached: throughput still grew up to 16 at once" in told["text"] and "--max 64" in told["text"]
    assert "Universal" not in told["text"]


def test_this_machine(lab):
    """Empty answers from next door: the client's thread is the limit, and that is said first."""
    one = lab()
    told = measured(lambda: curve(one.url("/status/204"), "--max", 64, *QUICK), lambda told: told["words"][0].startswith("THIS MACHINE"))
    assert told["limit"] == "machine" and told["words"][0].startswith("THIS MACHINE WAS THE LIMIT") and "says nothing about the server" in told["words"][0]


def test_turned_down(lab):
    """A full queue answers 503 at once: many answers, and no throughput. The server is left alone soon."""
    one = lab("--workers", 4, "--service-time", "10ms", "--queue", 8, "--refuse", "503")
    told = curve(one.url(), *QUICK)
    assert told["end"] == "errors" and told["limit"] == "errors" and list(told["by"]) == [1, 2, 4, 8, 16]
    assert told["concurrency"] in (4, 8) and told["by"][16]["turned_down"] > 0.05 * told["by"][16]["requests"]
    assert "Stopped with 16 at once" in told["text"]
    assert one.stats()["responses_5xx"] < 1000


def test_refusals_are_no_successes(lab):
    told = curve(lab().url("/status/404"), "--max", 4, *QUICK)
    assert all(step["answered_4xx"] == step["requests"] and step["failed"] == 0 for step in told["steps"])
    assert any(words.startswith("Not all succeeded: ") and "404 from http://" in words for words in told["words"]), told["words"]


def test_nothing_works():
    told = curve("http://127.0.0.1:1/", *QUICK, status=1)
    assert told["concurrency"] is None and told["end"] == "errors" and len(told["steps"]) == 1
    assert "Not one response was good" in told["words"][0] and "connection refused" in told["text"]
    assert told["steps"][0]["failed"] == told["steps"][0]["requests"] < 1000


@pytest.mark.skipif(bool(why_no_link()), reason=why_no_link())
def test_bandwidth():
    """Over 8 Mbit/s a body of 20 kB takes 20 ms, however many are asked for."""
    done = subprocess.run([MUSTER, "lab", "--link", "rtt=10ms,rate=8mbit", "--", "muster", "sweep", "--json", "--max", "16", *QUICK, "{lab}/bytes/20k"],
                          capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)
    told = json.loads(done.stdout)
    assert told["limit"] == "bandwidth" and told["concurrency"] <= 4, told
    assert any("Bandwidth is the limit" in words for words in told["words"])


def test_connections_are_those_of_the_requests(server):
    """Both are counted while the clock runs: connections before it, and for what is in flight at its end, are none of the answered requests'."""
    closing = server(lambda request: ok(b"x", "Connection: close"))
    step = curve(closing.url(), "--steps", "8", *QUICK)["by"][8]
    assert abs(step["connections"] - step["requests"]) <= 8 < step["requests"]
    keeping = server(lambda request: [0.001, ok(b"x")])
    assert curve(keeping.url(), "--steps", "8", *QUICK)["by"][8]["connections"] == 0


# --- what is asked ------------------------------------------------------------------------------------------------------


def test_goes_through_the_list(server):
    s = server()
    told = curve("--steps", "2,1", *QUICK, "-H", "X-A: b", input="".join(s.url(f"/{i}\n") for i in range(7)))
    assert list(told["by"]) == [1, 2]
    assert {request.path for request in s.requests} == {f"/{i}" for i in range(7)} and all(request.fields["x-a"] == "b" for request in s.requests)
    assert s.n_busy_max <= 2
    counts = [sum(request.path == f"/{i}" for request in s.requests) for i in range(7)]
    assert max(counts) - min(counts) <= 10  # in turn; what waited at the end of a step is not made


@pytest.mark.parametrize("arguments, words", [
    (["--steps", "1,2", "--max", "4", "http://h/"], "exclude each other; give one of them"),
    (["--max", "2000000", "http://h/"], "is above 1000000"),
    (["--steps", "0", "http://h/"], "--steps: "),
    (["--seconds", "soon", "http://h/"], "--seconds: "),
    (["-X", "POST", "http://h/"], "POST may change something on the server"),
    (["--concurrency", "4", "http://h/"], "unknown option --concurrency"),
    ([], "the input is empty"),
])
def test_usage(arguments, words):
    done = subprocess.run([MUSTER, "sweep", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 2 and words in done.stderr and done.stdout == ""


# --- text and the end ---------------------------------------------------------------------------------------------------


def on_terminal(url, **env):
    """What it writes to a terminal of standard output."""
    return shown_on_a_terminal(MUSTER, "sweep", "--steps", "1,2", "--seconds", "50ms", url, stderr=subprocess.DEVNULL, **env).decode()


def test_text(lab):
    one = lab("--delay", "5ms")
    done = sweep(one.url(), "--steps", "1,2,4", "--seconds", "50ms")
    lines = done.stdout.splitlines()
    assert done.stderr == "" and "\033" not in done.stdout and all(line == line.rstrip() for line in lines)
    assert [line.split()[0] for line in lines[2:5]] == ["1", "2", "4"] and sum(line.endswith("<- knee") for line in lines) == 1
    assert any(line.startswith("- Use --concurrency ") for line in lines)
    assert "\033[1m" in on_terminal(one.url(), NO_COLOR="") and "\033" not in on_terminal(one.url(), NO_COLOR="1")


def test_interrupt(lab):
    """What was measured until then is told."""
    one = lab("--delay", "10ms")
    process = subprocess.Popen([MUSTER, "sweep", "--json", "--seconds", "500ms", one.url()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while one.stats()["requests"] < 200:  # in the third step
        pass
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=PATIENCE)
    told = json.loads(stdout)
    assert process.returncode == 1 and told["end"] == "interrupted" and not told["complete"] and 1 <= len(told["steps"]) <= 3
    assert f"interrupted after {len(told['steps'])} of 9 steps" in stderr
    assert told["words"][0].startswith(f"INTERRUPTED after {len(told['steps'])} of 9 steps")
    assert told["concurrency"] is None and not any("--max" in words or "--concurrency" in words for words in told["words"])


def test_interrupt_before_the_first_step(lab):
    """A program that reads the object gets one."""
    one = lab("--delay", "50ms")
    process = subprocess.Popen([MUSTER, "sweep", "--json", one.url()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not one.stats()["requests"]:
        pass
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=PATIENCE)
    told = json.loads(stdout)
    assert process.returncode == 1 and told["end"] == "interrupted" and not told["complete"] and told["steps"] == [] and told["concurrency"] is None
    assert told["words"] == ["INTERRUPTED before the first of 9 steps was complete: there are no results."] and "interrupted after 0 of 9 steps" in stderr


def test_interrupt_of_a_second_look(lab):
    """The climb is complete, and so is what follows from it."""
    one = lab("--workers", 2, "--service-time", "10ms")
    process = subprocess.Popen([MUSTER, "sweep", "--json", "--steps", "1,2,8", "--seconds", "400ms", one.url()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while one.stats()["requests"] < 40 + 80 + 80 + 30:
        pass
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=PATIENCE)
    told = json.loads(stdout)
    assert process.returncode == 1 and told["end"] == "ladder" and not told["complete"] and len(told["steps"]) == 3
    assert told["concurrency"] in (2, 8)  # by a hair, where others keep the processors busy
    assert told["words"][0].startswith("INTERRUPTED while the best steps were measured again") and "while the best steps" in stderr


def test_server_that_breaks_down(server):
    """From the 250th request on nothing is answered: that takes nothing from the steps before, and is no second look at them."""
    s = server(lambda request: [0.01, ok(b"x")] if request.n < 250 else "close")
    told = curve(s.url(), *QUICK, status=1)
    assert told["end"] == told["limit"] == "errors" and told["complete"] and len(told["steps"]) > 2
    last = told["steps"][-1]
    assert last["failed"] > 0.05 * last["requests"] and not any(step["failed"] for step in told["steps"][:-1])
    for step in told["steps"][:-1]:
        assert "looks_requests_per_s" not in step
        assert step["requests_per_s"] == pytest.approx(step["in_flight"] * 1e6 / step["latency_us"]["mean"], rel=0.1)
    assert told["drift"] == 0 and told["concurrency"] == told["steps"][-2]["concurrency"]
    assert told["words"][0].startswith(f"THE SERVER OR THE PATH TO IT BROKE DOWN: {told['concurrency']} at once worked at first")
    assert "of the steps that went well" in told["text"] and "THIS MACHINE" not in told["text"]
