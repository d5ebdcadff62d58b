"""muster explain, and what fetch tells of itself: record, verdict, assertions, and the proof."""
import collections
import json
import os
import re
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from command import MUSTER, PATIENCE
from scripted import ok
from terminal import shown_on_a_terminal

N = 100
SERVICE_MS = 20
FIGURES = ["wall", "rate", "error.rate", "requests", "failed", "retries", "redirects", "connects", "concurrency.mean", "concurrency.max"] + [
    f"{name}.{statistic}"
    for name in "latency network server queue backoff dns tcp tls send wait lag receive decode process deliver".split()
    for statistic in "mean min max p50 p90 p95 p99 p99.9".split()
]
UNITS = {"rate": "/s", "error.rate": "%", **dict.fromkeys(FIGURES[3:10], "")}


@pytest.fixture
def slow_lab(lab):
    """A server with many workers, each of which takes a while: it could be asked for more at once."""
    return lab("--workers", 64, "--service-time", f"{SERVICE_MS}ms")


@pytest.fixture
def recorded(muster, slow_lab, tmp_path):
    """(run, path of its record), of a run that asked for too few at once."""
    run = muster("fetch", "-c", 4, "-o", "/dev/null", "--record", "run.db", "--summary", input=f"{slow_lab.url('/plain')}\n" * N)
    assert run.status == 0, run.stderr
    return run, tmp_path / "run.db"


def explain(*arguments, cwd=None, env=None):
    """The command, whose output is not made of result lines."""
    return subprocess.run([MUSTER, "explain", *map(str, arguments)], capture_output=True, text=True, errors="replace", cwd=cwd, env=env, timeout=PATIENCE)


def explained(path, *arguments):
    run = explain(path, "--json", *arguments)
    assert run.returncode in (0, 4), run.stderr
    (line,) = run.stdout.splitlines()
    account = json.loads(line)
    check(account)
    return account


def check(account):
    """What holds for every explanation."""
    wall_ns = account["run"]["wall_ns"]
    assert sum(account["chain"].values()) == wall_ns
    assert sum(account["shares"].values()) == wall_ns
    assert account["verdict"].endswith(".") and "\n" not in account["verdict"]
    assert len(account["findings"]) <= 5
    for finding in account["findings"]:
        assert finding["title"] and finding["evidence"] and finding["grade"] in "ABC"
        if finding["wall_s"]:
            assert 0 < finding["wall_s"]["low"] <= finding["wall_s"]["expected"] < finding["wall_s"]["high"]
    bounds = [bound["ns"] for bound in account["bounds"]]
    assert bounds == sorted(bounds, reverse=True)


# --- the page -----------------------------------------------------------------------------------------------------------


def test_the_verdict_comes_first(recorded):
    run, path = recorded
    page = explain(path)
    assert page.returncode == 0 and page.stderr == ""
    lines = page.stdout.splitlines()
    account = explained(path)
    assert re.sub(r"\s+", " ", page.stdout).startswith(account["verdict"])
    assert max(map(len, lines)) <= 100
    assert "\033" not in page.stdout
    assert any(line.startswith("requests ") and f"{N} in " in line and "all succeeded" in line for line in lines)
    assert f"\nverdict      {account['verdict']}\n" in run.stderr
    for heading in ("Where the ", "With this setup it could not have been faster than", "Findings, largest gain first"):
        assert any(line.startswith(heading) for line in lines), heading


def test_the_right_cause_is_found(recorded):
    account = explained(recorded[1])
    assert account["run"]["requests"] == N and account["run"]["failed"] == 0
    assert account["run"]["complete"] and account["run"]["dropped"] == 0
    assert account["run"]["concurrency"] == 4 and 2 < account["run"]["mean_in_flight"] <= 4
    assert account["run"]["command"][:2] == ["muster", "fetch"]
    first = account["findings"][0]
    assert first["cause"] == "concurrency-too-low"
    assert re.fullmatch(r"--concurrency \d+", first["option"])
    assert first["wall_s"]["expected"] < account["run"]["wall_ns"] / 1e9 / 2
    assert account["confirm"] is None and account["asserts"] == []


def test_colour_only_on_a_terminal(recorded):
    assert b"\033[1m" in shown_on_a_terminal(MUSTER, "explain", recorded[1], TERM="xterm", NO_COLOR="")
    assert b"\033" not in shown_on_a_terminal(MUSTER, "explain", recorded[1], TERM="xterm", NO_COLOR="1")


def test_a_full_disk_is_told(recorded):
    with open("/dev/full", "w") as full:
        run = subprocess.run([MUSTER, "explain", recorded[1]], stdout=full, stderr=subprocess.PIPE, text=True)
    assert run.returncode == 3 and "no space left" in run.stderr.lower()


# --- files that are no record -------------------------------------------------------------------------------------------


def test_files_that_are_no_record(recorded, tmp_path):
    whole = recorded[1].read_bytes()
    (tmp_path / "text").write_text("http://127.0.0.1/\n")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "truncated").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "short").write_bytes(whole[:50])
    (tmp_path / "folder").mkdir()
    other = sqlite3.connect(tmp_path / "other")
    other.execute("create table t (a)")
    other.commit()
    other.close()
    for name in ("missing", "text", "empty", "truncated", "short", "folder", "other"):
        run = explain(tmp_path / name)
        assert run.returncode == 3, (name, run)
        assert run.stdout == "" and len(run.stderr.splitlines()) == 1, (name, run)
        assert name in run.stderr, run.stderr


def test_a_damaged_record_does_not_crash(recorded, tmp_path):
    whole = bytearray(recorded[1].read_bytes())
    for at in range(100, len(whole), max(1, len(whole) // 40)):
        damaged = bytearray(whole)
        damaged[at:at + 16] = b"\xff" * 16
        (tmp_path / "damaged").write_bytes(damaged)
        run = explain(tmp_path / "damaged", "--json")
        assert run.returncode in (0, 3), (at, run)


def test_usage():
    for arguments, says in [
        ([], "no record given"),
        (["a", "b"], "one record at a time"),
        (["a", "--jsn"], "did you mean --json"),
        (["a", "--confirm-rounds", "0"], "from 1 to 20"),
        (["a", "--assert", "wall<5"], "is a duration"),
        (["a", "--assert", "walls<5s"], "known: wall rate"),
    ]:
        run = explain(*arguments)
        assert run.returncode == 2 and says in run.stderr and run.stdout == "", run


# --- fetch --record -----------------------------------------------------------------------------------------------------


def test_a_record_is_replaced_and_other_files_are_not(muster, server, tmp_path):
    one = server()
    for _ in range(2):
        assert muster("fetch", "--record", "run.db", one.url()).status == 0
        assert explained(tmp_path / "run.db")["run"]["requests"] == 1
    (tmp_path / "precious").write_text("precious\n")
    refused = muster("fetch", "--record", "precious", one.url())
    assert refused.status == 3 and "precious" in refused.stderr and refused.stdout == b""
    assert (tmp_path / "precious").read_text() == "precious\n"
    refused = muster("fetch", "--record", "no/such/folder.db", one.url())
    assert refused.status == 3 and "no/such/folder.db" in refused.stderr
    assert len(one.requests) == 2


def test_secrets_are_not_in_the_record(muster, server, tmp_path):
    one = server()
    run = muster("fetch", "--record", "run.db", "-u", "me:hunter2", "-H", "X-Api-Key: hunter2", "-H", "Accept: text/plain",
                 one.url("/").replace("//", "//you:hunter2@"), one.url("/a"))
    assert run.status == 0
    assert all("hunter2" in request.head for request in one.requests)
    for file in tmp_path.glob("run.db*"):
        assert b"hunter2" not in file.read_bytes()
    command = explained(tmp_path / "run.db")["run"]["command"]
    assert "Accept: text/plain" in command and one.url("/a") in command


def test_an_interrupted_run_says_so(muster, server, tmp_path):
    one = server(lambda request: [0.2, ok()])
    process = muster.start("fetch", "-c", 2, "--record", "run.db", "--summary", *[one.url()] * 100)
    while len(one.requests) < 6:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    account = explained(tmp_path / "run.db")
    assert account["run"]["cancelled"] > 50
    page = explain(tmp_path / "run.db")
    assert page.returncode == 0 and "cut short" in page.stdout


def test_a_killed_run_is_explained_as_far_as_it_came(muster, server, tmp_path):
    one = server(lambda request: [0.05, ok()])
    process = muster.start("fetch", "-c", 4, "-o", "/dev/null", "--record", "run.db", *[one.url()] * 1000)
    while len(one.requests) < 120:
        time.sleep(0.01)
    process.kill()
    process.communicate(timeout=PATIENCE)
    page = explain(tmp_path / "run.db")
    assert page.returncode == 0 and "cut short" in page.stdout, page
    account = explained(tmp_path / "run.db")
    assert not account["run"]["complete"] and account["run"]["requests"] > 10
    refused = explain(tmp_path / "run.db", "--confirm")
    assert refused.returncode == 3 or "nothing to try" in refused.stderr


def test_no_requests_are_no_reason_to_fail(muster, tmp_path):
    run = muster("fetch", "--record", "run.db", "--summary", input="")
    assert run.status == 0 and "verdict" not in run.stderr
    assert explain(tmp_path / "run.db").returncode == 3


def test_the_summary_and_the_record_are_about_the_same_time(muster, server, tmp_path):
    """From the first request to the last result, not from the start of the command to the end of its input."""
    one = server(lambda request: [0.05, ok()])
    process = muster.start("fetch", "-c", 1, "-o", "/dev/null", "--record", "run.db", "--summary", stdin=subprocess.PIPE)
    time.sleep(0.4)
    process.stdin.write(f"{one.url()}\n".encode() * 4)
    process.stdin.flush()
    while len(one.requests) < 4:
        time.sleep(0.01)
    time.sleep(0.4)
    _, stderr = process.communicate(timeout=PATIENCE)
    wall_ms = explained(tmp_path / "run.db")["run"]["wall_ns"] / 1e6
    told_ms = float(re.search(rb"^requests +4 in ([\d.]+) ms", stderr, re.M)[1])
    assert told_ms == pytest.approx(wall_ms, abs=1)


# --- assertions ---------------------------------------------------------------------------------------------------------


def test_assertions_decide_the_exit_status(muster, server):
    one = server(lambda request: [0.05, ok()])
    held = muster("fetch", "--assert", "latency.p50>=50ms", "--assert", "wall < 1 min", "--assert", "error.rate<=0", one.url())
    assert held.status == 0
    assert re.findall(r"muster: assert (.*): holds, it was [\d.]+ [\w%]+$", held.stderr, flags=re.MULTILINE) == ["latency.p50>=50ms", "wall < 1 min", "error.rate<=0"]
    failed = muster("fetch", "--assert", "latency.p50<50ms", "--assert", "wall<1min", one.url())
    assert failed.status == 4 and len(failed.results) == 1
    assert re.search(r"^muster: assert latency.p50<50ms: FAILED, it was \d+(\.\d)? ms$", failed.stderr, flags=re.MULTILINE)


def test_a_failed_assertion_goes_before_a_failed_request(muster):
    run = muster("fetch", "--assert", "error.rate<1%", "http://127.0.0.1:1/")
    assert run.status == 4 and "error.rate<1%: FAILED, it was 100 %" in run.stderr
    run = muster("fetch", "--assert", "error.rate<=100%", "http://127.0.0.1:1/")
    assert run.status == 1


def test_wrong_assertions_are_refused_before_anything_is_run(muster, server):
    one = server()
    for wrong in ("latency<1s", "wall<1", "rate>1s", "wall"):
        run = muster("fetch", "--assert", wrong, one.url())
        assert run.status == 2 and run.stdout == b"" and "--assert" in run.stderr
    assert one.requests == []


def test_every_figure_is_known(recorded):
    arguments = [word for figure in FIGURES for word in ("--assert", f"{figure}>=0{UNITS.get(figure, 'ns')}")]
    account = explained(recorded[1], *arguments)
    assert [one["figure"] for one in account["asserts"]] == FIGURES
    assert all(one["holds"] and one["actual"] is not None for one in account["asserts"])
    actual = {one["figure"]: one["actual"] for one in account["asserts"]}
    assert actual["wall"] == account["run"]["wall_ns"]
    assert actual["rate"] == pytest.approx(account["run"]["requests_per_s"], rel=1e-6)
    assert actual["error.rate"] == 0
    assert SERVICE_MS * 1e6 <= actual["wait.p50"] <= actual["wait.p95"] <= actual["wait.max"]
    assert actual["latency.p99"] >= actual["wait.p99"]
    assert explain(recorded[1], "--assert", "wait.p50<1ms").returncode == 4


# --- the proof ----------------------------------------------------------------------------------------------------------


def seconds(text):
    number, unit = re.fullmatch(r"([\d.]+) (us|ms|s)", text).groups()
    return float(number) * {"us": 1e-6, "ms": 1e-3, "s": 1}[unit]


def told(text):
    """Predicted, low, high, measured, before, again: of the line about a confirmation, in seconds."""
    amount = r"([\d.]+ (?:us|ms|s))"
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"\(([\d.]+) to ([\d.]+) (us|ms|s)\)", r"(\1 \3 to \2 \3)", text)  # one unit, for both
    match = re.search(rf"--concurrency \d+: predicted {amount} \({amount} to {amount}\), measured {amount}; "
                      rf"the recorded run took {amount}, and an unchanged repeat {amount}\. (.*?)\.", text)
    assert match, text
    return [seconds(group) for group in match.groups()[:6]] + [match[7]]


def test_fetch_confirms(muster, slow_lab, tmp_path):
    """From standard input, which is read but once; and nothing of the second time gets out."""
    run = muster("fetch", "-c", 4, "--confirm", "--body", "bodies", input=f"{slow_lab.url('/plain')}\n" * N)
    assert run.status == 0 and len(run.results) == N
    assert len(list((tmp_path / "bodies").iterdir())) == N
    predicted, low, high, measured, before, again, conclusion = told(run.stderr)
    assert low <= predicted < high
    assert measured < before / 2 and again > before / 2
    assert conclusion.startswith(("The prediction was right", "The change helps"))
    assert slow_lab.stats()["requests"] == 3 * N


def test_explain_confirms(recorded, slow_lab):
    page = explain(recorded[1], "--confirm")
    assert page.returncode == 0, page.stderr
    predicted, low, high, measured, before, again, conclusion = told(page.stdout)
    assert measured < before / 2
    account = explained(recorded[1], "--confirm", "--confirm-rounds", 2)
    confirm = account["confirm"]
    assert confirm["cause"] == "concurrency-too-low" and confirm["option"] == account["findings"][0]["option"]
    assert confirm["changed"]["requests"] == confirm["unchanged"]["requests"] == 2 * N
    pace = confirm["unchanged"]["median_s"] / confirm["before_s"]
    low, high = (confirm["predicted_s"][end] * pace for end in ("low", "high"))
    assert confirm["within"] == (low <= confirm["changed"]["median_s"] <= high)
    assert len(confirm["changed"]["wall_s"]) == len(confirm["unchanged"]["wall_s"]) == 2
    assert confirm["changed"]["median_s"] < confirm["unchanged"]["median_s"] / 2
    assert slow_lab.stats()["requests"] == N * (1 + 2 + 4)


def test_inputs_are_read_again_as_they_were(muster, slow_lab, tmp_path):
    """Arguments, a list, a table and JSON Lines, each with its own; and the same once more, though a file has changed."""
    (tmp_path / "list").write_text("# a comment\n\n" + f"{slow_lab.url('/plain')}\n" * 30)
    lines = "".join(json.dumps({"url": slow_lab.url("/status/201"), "headers": {"X-A": "b"}}) + "\n" for _ in range(30))
    (tmp_path / "table.csv").write_text("note,url\n" + f'"a ""b"",",{slow_lab.url("/plain")}\n' * 30)
    run = muster("fetch", "-c", 3, "-i", "list", "-i", "table.csv", "-i", "-", slow_lab.url("/plain"), "--confirm", input=lines)
    assert run.status == 0, run.stderr
    statuses = collections.Counter(result["status"] for result in run.results)
    assert statuses == {200: 61, 201: 30}
    told(run.stderr)
    assert slow_lab.stats()["requests"] == 3 * 91


def test_words_of_a_record_run_nothing_unasked(muster, slow_lab, tmp_path):
    marker = tmp_path / "ran"
    lines = f"{slow_lab.url('/plain')}\n" * 60
    assert muster("fetch", "-c", 2, "--record", "run.db", "--process", f"touch {marker}", input=lines).status == 0
    marker.unlink()
    refused = explain(tmp_path / "run.db", "--confirm")
    assert refused.returncode == 3 and "--process" in refused.stderr and "--confirm-unsafe" in refused.stderr
    assert not marker.exists()
    explain(tmp_path / "run.db", "--confirm", "--confirm-unsafe")
    assert marker.exists()


def test_unsafe_requests_are_not_made_again(muster, server, tmp_path):
    one = server(lambda request: [0.03, ok()])
    refused = muster("fetch", "-c", 1, "-d", "a=b", "--confirm", *[one.url()] * 10)
    assert refused.status == 2 and "--confirm-unsafe" in refused.stderr and one.requests == []
    lines = "".join(json.dumps({"url": one.url(), "method": "POST", "body": "a"}) + "\n" for _ in range(20))
    refused = muster("fetch", "-c", 1, "--record", "run.db", "--confirm", input=lines)
    assert refused.status == 3 and "line 1" in refused.stderr and len(refused.results) == 20
    assert len(one.requests) == 20
    for options in ("--confirm",), ("--confirm", "--confirm-unsafe"):  # a body that is in no file cannot be made again, whatever is allowed
        refused = explain(tmp_path / "run.db", *options)
        assert refused.returncode == 3 and "cannot be repeated" in refused.stderr and "--confirm-unsafe" not in refused.stderr
    (tmp_path / "posts").write_text(lines)
    muster("fetch", "-c", 1, "--record", "file.db", "-i", "posts")
    one.requests.clear()
    refused = explain("file.db", "--confirm", cwd=tmp_path)
    assert refused.returncode == 3 and "--confirm-unsafe" in refused.stderr and one.requests == []
    allowed = muster("fetch", "-c", 1, "--confirm", "--confirm-unsafe", input=lines)
    assert allowed.status == 0 and len(one.requests) == 60
    assert all(request.method == "POST" and request.body == b"a" for request in one.requests)


def test_more_than_urls_is_read_again_from_the_files(muster, slow_lab, tmp_path):
    (tmp_path / "list").write_text(f"{slow_lab.url('/plain')}\n" * N)
    assert muster("fetch", "-c", 4, "-H", "X-A: b", "-i", "list", "--record", "run.db").status == 0
    page = explain("run.db", "--confirm", cwd=tmp_path)
    assert page.returncode == 0, page.stderr
    told(page.stdout)
    assert slow_lab.stats()["requests"] == 3 * N


def test_a_password_keeps_explain_from_running_it_again(muster, slow_lab, tmp_path):
    (tmp_path / "list").write_text(f"{slow_lab.url('/plain')}\n" * N)
    assert muster("fetch", "-c", 4, "-u", "me:word", "-i", "list", "--record", "run.db").status == 0
    refused = explain("run.db", "--confirm", cwd=tmp_path)
    assert refused.returncode == 3 and "passwords" in refused.stderr
    assert slow_lab.stats()["requests"] == N


def test_nothing_to_try_is_no_failure(muster, server):
    one = server()
    run = muster("fetch", "--confirm", one.url())
    assert run.status == 0 and "nothing to try" in run.stderr and len(one.requests) == 1


def test_rounds_alone_ask_for_the_proof(recorded, muster, slow_lab):
    assert explained(recorded[1], "--confirm-rounds", 1)["confirm"]
    run = muster("fetch", "-c", 4, "--confirm-rounds", 1, input=f"{slow_lab.url('/plain')}\n" * N)
    assert run.status == 0 and "\nconfirm " in f"\n{run.stderr}"


def test_ctrl_c_while_it_is_tried(slow_lab, tmp_path):
    """A terminal's Ctrl-C is for the whole process group: also then what is under way has a clean end, and nothing is left."""
    (tmp_path / "temporary").mkdir()
    urls = tmp_path / "urls"
    urls.write_text(f"{slow_lab.url('/plain')}\n" * N)
    process = subprocess.Popen([MUSTER, "fetch", "-c", "4", "-i", urls, "-o", "/dev/null", "--confirm-rounds", "20"], stderr=subprocess.PIPE,
                               env={**os.environ, "TMPDIR": str(tmp_path / "temporary")}, start_new_session=True)
    deadline = time.monotonic() + PATIENCE
    while not list(tmp_path.glob("temporary/*/run.db")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert b"--confirm did not finish" in stderr and b"stopped at once" not in stderr
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_confirmation_can_be_stopped(recorded, tmp_path):
    (tmp_path / "temporary").mkdir()
    process = subprocess.Popen([MUSTER, "explain", recorded[1], "--confirm", "--confirm-rounds", "20"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env={**os.environ, "TMPDIR": str(tmp_path / "temporary")})
    deadline = time.monotonic() + PATIENCE
    while not list((tmp_path / "temporary").iterdir()) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1 and b"interrupted" in stderr
    assert list((tmp_path / "temporary").iterdir()) == []


# --- runs that did not do what they were to ------------------------------------------------------------------------------


def test_refused_in_the_end(muster, lab, tmp_path):
    """Answered, but not with what was asked for; and a refusal that takes no time is no reason to expect an answer that takes none."""
    server = lab("--rate-limit", "50/s,10")
    run = muster("fetch", "-c", 4, "--record", "run.db", input=f"{server.url('/plain')}\n" * N)
    account = explained(tmp_path / "run.db")
    n = sum(result["status"] == 429 for result in run.results)
    assert n > N / 2
    first = account["findings"][0]
    assert first["cause"] == "throttled" and first["title"] == f"{n} of {N} requests were finally refused (429)"
    assert not first["wall_s"] or first["wall_s"]["expected"] >= (N - 10) / 50 * 0.9


def test_errors_are_said_before_what_would_be_faster(muster, lab, tmp_path):
    server = lab("--service-time", "20ms", "--workers", 64, "--error-share", "100%")
    urls = f"{server.url('/plain')}\n" * N
    assert muster("fetch", "-c", 4, "--record", "run.db", input=urls).status == 0
    assert muster("fetch", "-c", 4, "-f", "--record", "failed.db", input=urls).status == 1
    verdict = explained(tmp_path / "run.db")["verdict"]
    assert verdict.startswith(f"All {N} requests were answered with status 500, all at {server.url('')}. Look into the server's error log. ")
    assert "--concurrency" not in verdict  # a server that fails is not to be asked for more at once
    account = explained(tmp_path / "failed.db")
    assert account["verdict"].startswith(f"All {N} requests were answered with status 500, ") and account["verdict"].endswith(" The run says nothing about speed.")
    assert account["findings"] == [] and account["failures"]["evidence"][0].startswith(f"{N}: status 500")
    page = explain("failed.db", cwd=tmp_path).stdout
    assert "\nWhat failed\n" in page and "error log" in page.split("\nWhat failed\n")[1]


def test_latency_is_of_those_without_an_error(muster, lab, tmp_path):
    server = lab()
    hanging = server.url("/hang")
    mixed = f"{server.url('/plain')}\n" * 9 + f"{hanging}\nhttp://127.0.0.1:1/\n"
    run = muster("fetch", "--summary", "-m", "0.5", "--record", "run.db", "--assert", "latency.max<500ms", "--assert", "connects<=10", input=mixed)
    assert run.stderr.count(": holds, it was ") == 2, run.stderr
    page = " ".join(explain("run.db", cwd=tmp_path).stdout.split())
    assert "(requests without an error; time in the queue not counted)" in page
    assert f"{explained(tmp_path / 'run.db')['run']['connections']} opened" in run.stderr
    none = muster("fetch", "-m", "0.2", "--record", "none.db", "--assert", "latency.p99<1h", hanging)
    assert none.status == 4 and "FAILED, nothing to measure because every request failed" in none.stderr
    assert "\nlatency " not in explain("none.db", cwd=tmp_path).stdout


def test_what_was_stopped_is_no_failure(slow_lab, tmp_path):
    (tmp_path / "urls").write_text(f"{slow_lab.url('/plain')}\n" * 1000)
    process = subprocess.Popen([MUSTER, "fetch", "-i", "urls", "-c", "4", "-o", "/dev/null", "--record", "run.db"], cwd=tmp_path, stderr=subprocess.PIPE)
    deadline = time.monotonic() + PATIENCE
    while slow_lab.stats()["requests"] < 80 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    account = explained(tmp_path / "run.db")
    assert account["findings"][0]["cause"] == "concurrency-too-low"
    assert re.search(r"With --concurrency \d+ the \d+ requests that were done (should|could) take about", account["verdict"])


# --- thresholds that can be moved ---

JUDGEMENT = Path(__file__).resolve().parents[2] / "src" / "explain" / "judgement.h"


@pytest.fixture
def swayed(recorded):
    """Explain that record with a threshold moved; a build without tests has constants, and takes no notice."""

    def explain_swayed(name, factor):
        return explain("--json", recorded[1], env={**os.environ, "MUSTER_SWAY": f"{name}:{factor}"})

    if explain_swayed("NO_SUCH_THRESHOLD", 1).returncode == 0:
        pytest.skip("this command was built without tests: its thresholds are constants")
    return explain_swayed


def test_each_threshold_can_be_moved(swayed):
    """As script/calibrate --sway does, which reads their names from the header."""
    refused = swayed("NO_SUCH_THRESHOLD", 1.2)
    assert "MUSTER_SWAY" in refused.stderr and "judgement.h" in refused.stderr
    names = re.findall(r"^JUDGE_(?:SHARE|TIMES|COUNT|NS)\((\w+), ", JUDGEMENT.read_text(), re.M)
    assert len(names) > 100
    for name in names:
        moved = swayed(name, 1.2)
        assert moved.returncode == 0, f"{name}: {moved.stderr}"


def test_a_moved_threshold_changes_a_finding(swayed):
    """25 requests for each slot are many, unless many is more."""
    causes = [json.loads(swayed("TURNS_MANY", factor).stdout)["findings"][0]["cause"] for factor in (1, 10)]
    assert causes == ["concurrency-too-low", "server-slow"]
