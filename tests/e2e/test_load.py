"""Load runs: so many requests, for so long, at a rate or on a ramp; and the page that tells of them."""
import json
import os
import re
import signal
import sqlite3
import subprocess
import time
from contextlib import closing

import pytest
from command import MUSTER, PATIENCE
from terminal import shown_on_a_terminal


class Load:
    """A load run that is over: its page, and the same as an object."""

    def __init__(self, process, stdout, stderr, json_file):
        self.status, self.page, self.stderr = process.returncode, stdout, stderr
        self.object = json.loads(json_file.read_text()) if json_file.exists() else None


@pytest.fixture
def load(tmp_path):
    processes = []

    def start(*arguments):
        process = subprocess.Popen([MUSTER, "fetch", *map(str, arguments), "--load-json", str(tmp_path / "page.json")], cwd=tmp_path,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        processes.append(process)
        return process

    def finish(process, input=None):
        stdout, stderr = process.communicate(input, timeout=PATIENCE)
        return Load(process, stdout, stderr, tmp_path / "page.json")

    def run(*arguments, input=None):
        return finish(start(*arguments), input)

    run.start, run.finish = start, finish
    yield run
    for process in processes:
        if process.poll() is None:
            process.kill()
            process.wait()


def refused(*arguments):
    done = subprocess.run([MUSTER, "fetch", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 2 and done.stdout == ""
    return done.stderr


def test_so_many_requests(lab, load):
    one = lab()
    done = load("--requests", 777, "-c", 8, one.url("/plain"))
    assert done.status == 0 and done.stderr == ""
    assert "777 requests" in done.page and "777 succeeded, 0 failed" in done.page
    page = done.object
    assert page["done"] == page["succeeded"] == page["from_start_us"]["requests"] == 777
    assert page["plan"]["requests"] == 777 and page["plan"]["rate_per_s"] is None and page["from_plan_us"] is None
    assert sum(span["requests"] for span in page["timeline"]) == 777
    assert sum(n for _, _, n in page["from_start_us"]["buckets"]) == 777
    assert all(high - low <= low / 1000 for low, high, _ in page["from_start_us"]["buckets"] if low > 1)
    assert page["from_start_us"]["p99"] is not None and page["from_start_us"]["p99.9"] is None
    assert "p99.9 needs at least 1,000 requests without an error, there were 777" in done.page


def test_a_list_is_repeated_in_its_order(lab, load, tmp_path):
    one = lab()
    lines = f'{{"url":"{one.url("/plain")}","id":"a"}}\n{{"url":"{one.url("/status/404")}","id":"b","method":"HEAD"}}\nthis is none\n'
    done = load("--requests", 10, "-c", 1, "-o", "out.jsonl", "--input-format", "jsonl", input=lines)
    results = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert done.status == 1
    assert [result["n"] for result in sorted(results, key=lambda result: result["n"])] == list(range(1, 11))
    by_n = {result["n"]: result for result in results}
    assert by_n[3]["error"]["code"] == "input"  # once
    assert [by_n[n]["id"] for n in (1, 2, 4, 5, 6, 7, 8, 9, 10)] == ["a", "b", "a", "b", "a", "b", "a", "b", "a"]
    assert done.object["refused"] == 4 and done.object["statuses"] == {"404": 4} and done.object["errors"] == {"input": 1}


@pytest.mark.parametrize("kind", ["argument", "file", "rows", "pipe"])
def test_all_inputs_are_repeated(lab, load, tmp_path, kind):
    one = lab()
    url, arguments, given = one.url("/plain"), [], None
    if kind == "argument":
        arguments = [url, url]
    elif kind == "file":
        (tmp_path / "urls.txt").write_text(f"# a list\n{url}\n\n{url}")
        arguments = ["-i", "urls.txt"]
    elif kind == "rows":
        (tmp_path / "urls.csv").write_text(f'url,id\n"{url}",1\n{url},2\n')
        arguments = ["-i", "urls.csv"]
    else:
        given = f"{url}\n{url}\n"
    done = load("--requests", 9, *arguments, input=given)
    assert done.status == 0 and done.object["succeeded"] == 9


def test_a_list_that_is_longer_is_not_read_to_its_end(lab, load):
    one = lab()
    done = load("--requests", 3, input="".join(one.url(f"/plain?{i}\n") for i in range(100)))
    assert done.status == 0 and done.object["done"] == 3


def test_for_so_long(lab, load):
    one = lab("--delay", "50ms")
    started = time.monotonic()
    done = load("--duration", "1s", "-c", 4, one.url("/plain"))
    assert time.monotonic() - started >= 1
    assert done.status == 0 and done.object["failed"] == done.object["cancelled"] == done.object["not_started"] == 0
    assert done.object["done"] <= 4 * 20  # none began later, and none is told that did not begin
    assert done.object["done"] == done.object["succeeded"]


def test_the_end_does_not_wait_for_input(lab, load):
    one = lab()
    process = load.start("--duration", "500ms")
    process.stdin.write(one.url("/plain\n") * 2)
    process.stdin.flush()
    assert process.wait(timeout=PATIENCE) == 0  # although more may come
    assert load.finish(process).object["done"] == 2


def test_a_rate_is_a_plan(lab, load):
    one = lab()
    done = load("--duration", "1s", "--rate", "300/s", one.url("/plain"))
    page = done.object
    assert done.status == 0
    assert page["done"] + page["not_started"] == 300  # none more, however fast the server is
    assert page["from_plan_us"]["requests"] == page["from_start_us"]["requests"] == page["done"]
    assert page["from_plan_us"]["p50"] >= page["from_start_us"]["p50"]
    assert re.search(r"^from the plan ", done.page, re.M) and re.search(r"^from the start ", done.page, re.M)


def test_too_few_slots(lab, load):
    one = lab("--delay", "200ms")
    done = load("--duration", "2s", "--rate", "100/s", "-c", 4, one.url("/plain"))
    page = done.object
    assert page["done"] <= 44 and page["done"] + page["not_started"] == 200
    assert page["late_starts"]["requests"] > 20 and page["late_starts"]["waited_for_slot"] > 20
    assert page["from_plan_us"]["max"] > 1_000_000 > page["from_start_us"]["max"]
    assert "no slot was free" in done.page and "so use -c" in done.page
    assert f"{page['not_started']} of the planned starts" in done.page


def test_a_pause_shows_only_from_the_plan(lab, load):
    """The closed loop asks nothing while the server pauses; with a plan who came meanwhile counts."""
    one = lab()
    done = load("--duration", "2s", "--rate", "100/s", "-c", 1, one.url("/delay/300ms"), *[one.url("/plain")] * 99)
    page = done.object
    assert page["from_start_us"]["p95"] < 300_000
    assert page["from_plan_us"]["p95"] > page["from_start_us"]["p95"]
    assert sum(n for low, _, n in page["from_plan_us"]["buckets"] if low > 100_000) > 15


def test_a_ramp_tells_how_far_the_server_keeps_up(lab, load):
    one = lab("--workers", "2", "--service-time", "20ms")  # 100 a second
    done = load("--ramp", "10/s..200/s:4s", "-c", 1000, one.url("/plain"))
    ramp = done.object["ramp"]
    assert done.status == 0 and done.object["done"] == 420 and done.object["not_started"] == 0
    assert [step["planned"] for step in ramp["steps"]] == [step["requests"] for step in ramp["steps"]]
    assert len(ramp["steps"]) == 20 and sum(step["planned"] for step in ramp["steps"]) == 420
    assert ramp["kept_up"] is False and 70 <= ramp["kept_up_to_per_s"] <= 150
    assert "the server kept up to about" in done.page and "<- from here on" in done.page


def test_a_ramp_and_more(lab, load):
    one = lab()
    done = load("--ramp", "0..200/s:1s", "--duration", "1500ms", one.url("/plain"))
    assert done.object["done"] + done.object["not_started"] == 200
    assert len(done.object["ramp"]["steps"]) == 21
    assert done.object["plan"]["ramp"] == {"from_per_s": 0.0, "to_per_s": 200.0, "seconds": 1.0}


def test_ctrl_c_shows_the_page_of_what_was_done(lab, load, tmp_path):
    one = lab()
    process = load.start("--duration", "1h", "--rate", "100/s", "-o", "out.jsonl", one.url("/plain"))
    deadline = time.monotonic() + PATIENCE
    while not (tmp_path / "out.jsonl").exists() or not (tmp_path / "out.jsonl").read_text().count("\n") > 20:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    done = load.finish(process)
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    assert done.status == 1 and done.object["complete"] is False
    assert done.object["done"] + done.object["cancelled"] == len(lines)
    assert "interrupted after" in done.page and "from the plan" in done.page
    assert "muster: interrupted:" in done.stderr


def test_lines_go_where_they_are_asked_for(lab, tmp_path):
    one = lab()

    def run(*arguments):
        return subprocess.run([MUSTER, "fetch", "--requests", "3", *map(str, arguments), one.url("/plain")], stdin=subprocess.DEVNULL, cwd=tmp_path,
                              capture_output=True, text=True, timeout=PATIENCE)

    only = run()
    assert only.stdout.startswith("plan ") and only.stderr == ""
    both = run("-o", "-")
    assert [json.loads(line)["n"] for line in both.stdout.splitlines()] and both.stderr.startswith("plan ")
    written = run("-w", "%{http_code}\\n")
    assert written.stdout == "200\n" * 3 and written.stderr.startswith("plan ")
    to_file = run("-o", "lines.jsonl")
    assert to_file.stdout.startswith("plan ") and len((tmp_path / "lines.jsonl").read_text().splitlines()) == 3
    silent = run("-s", "--load-json", "-")
    assert json.loads(silent.stdout)["done"] == 3 and silent.stderr == ""
    charts = run("--charts", "-s")
    assert charts.stdout == ""


def test_charts_are_for_terminals(lab):
    one = lab()
    command = [MUSTER, "fetch", "--duration", "500ms", "--rate", "100/s", one.url("/plain")]
    piped = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE).stdout
    asked = subprocess.run([*command, "--charts"], capture_output=True, text=True, timeout=PATIENCE, env={"LC_ALL": "C"}).stdout
    shown = shown_on_a_terminal(*command, columns=80, LC_ALL="C.UTF-8", NO_COLOR="1")
    shown = shown if isinstance(shown, str) else shown.decode()
    assert "over time" not in piped and "█" not in piped
    assert "over time" in asked and re.search(r" #+$", asked, re.M) and asked.isascii()
    assert "over time" in shown and "█" in shown
    charts = shown[shown.index("requests by latency"):]
    assert all(len(line) <= 80 for line in charts.splitlines())


def test_errors_are_told_by_kind_and_over_time(lab, load):
    one = lab()
    done = load("--requests", 20, one.url("/status/503"), one.url("/plain"))
    assert done.status == 0 and done.object["refused"] == 10 and done.object["statuses"] == {"503": 10}
    assert sum(span["refused"] for span in done.object["timeline"]) == 10
    failed = load("--requests", 4, "http://127.0.0.1:1/")
    assert failed.status == 1 and failed.object["failed"] == 4 and failed.object["errors"] == {"connect": 4}
    assert failed.object["from_start_us"]["max"] is None and "latency" not in failed.page


def test_what_is_refused():
    url = "http://127.0.0.1:1/"
    assert "is not a number of 1 or more" in refused("--requests", "0", url)
    assert "is not a number of 1 or more" in refused("--requests", "-1", url)
    assert "is not a number of 1 or more" in refused("--requests", "10k", url)
    assert "not a duration" in refused("--duration", "soon", url)
    assert "is no time" in refused("--duration", "0", url)
    assert "10/s..500/s:60s" in refused("--ramp", "10/s", url)
    assert "write the lower rate first" in refused("--ramp", "500/s..10/s:60s", url)
    assert "use --rate and --duration" in refused("--ramp", "10/s..10/s:60s", url)
    assert "leave out --rate" in refused("--ramp", "10/s..20/s:60s", "--rate", "5/s", url)
    assert "would seem to keep up" in refused("--ramp", "10/s..20/s:60s", "--rate-per-host", "5/s", url)
    assert "before --ramp has reached its last rate" in refused("--ramp", "10/s..20/s:60s", "--duration", "30s", url)
    assert "say how long with --requests" in refused("--charts", url)
    assert "say how long with --requests" in refused("--load-json", "x", url)
    assert "does each line of it once" in refused("--duration", "1s", "-o", "out", "--resume", url)
    assert "--confirm compares how long" in refused("--duration", "1s", "--confirm", url)
    assert "is both" in refused("--duration", "1s", "-o", "same", "--load-json", "same", url)


def test_a_confirmation_leaves_the_page_alone(lab, load, tmp_path):
    """The run is made again without a page, and the object stays that of the run itself."""
    one = lab("--delay", "20ms")
    done = load("--requests", 40, "-c", 1, "--confirm", one.url("/plain"))
    assert done.status == 0 and done.page.count("\nrequests ") == 1
    assert done.object["plan"]["concurrency"] == 1 and "confirm" in done.stderr


def test_a_server_of_another_make(nginx, load, certificates, tmp_path):
    (tmp_path / "urls").write_text(f"{nginx.url('/small')}\n{nginx.tls_url('/small')}\n")
    done = load("--requests", 5000, "--threads", 2, "--cacert", certificates.path("ca"), "-i", "urls")
    assert done.status == 0 and done.object["succeeded"] == 5000 and done.object["from_start_us"]["p99.9"] is not None
    done = load("--duration", "1s", "--rate", "500/s", "--threads", 2, "--cacert", certificates.path("ca"), "-i", "urls")
    assert done.status == 0 and done.object["failed"] == 0 and done.object["done"] + done.object["not_started"] == 500


@pytest.mark.skipif("asan" in MUSTER or "san" in MUSTER, reason="the sanitizer keeps memory that is freed")
def test_memory_does_not_grow(nginx, tmp_path):
    def peak(n):
        with open("/dev/null", "w") as null:
            process = subprocess.Popen([MUSTER, "fetch", "--requests", str(n), "-c", "16", nginx.url("/small")], stdin=subprocess.DEVNULL, stdout=null)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert status == 0
        return usage.ru_maxrss

    few, many = peak(10_000), peak(60_000)
    assert many < few + 2048  # KiB; 50,000 results kept would be tens of MB


def test_a_record_has_the_options(lab, load, tmp_path):
    one = lab()
    done = load("--ramp", "10/s..100/s:500ms", "--record", "run.db", one.url("/plain"))
    assert done.status == 0 and re.search(r"^verdict", done.page, re.M)
    told = subprocess.run([MUSTER, "explain", "--json", str(tmp_path / "run.db")], capture_output=True, text=True, timeout=PATIENCE)
    assert told.returncode == 0, told.stderr
    with closing(sqlite3.connect(tmp_path / "run.db")) as record:
        options = dict(record.execute("SELECT name, value FROM option"))
        (command,) = record.execute("SELECT command FROM run").fetchone()
    assert options["rate_from_per_s"] == 10 and options["rate_per_s"] == 100 and options["rate_ramp_ns"] == 500_000_000
    assert "--ramp" in command and "10/s..100/s:500ms" in command
