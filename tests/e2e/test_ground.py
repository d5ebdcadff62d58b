"""script/calibrate on servers that were not written for the lab: what it asks for, how a finding's option is put into a command line, and what it leaves behind."""
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command import MUSTER, PATIENCE, ROOT

sys.path.insert(0, str(ROOT))

from ground.remedy import applied  # noqa: E402
from ground.row import Row  # noqa: E402
from ground.setup import HEALTHY, STRENGTHS  # noqa: E402
from ground.setups import SETUPS  # noqa: E402
from ground.totals import judge  # noqa: E402


def calibrate(*arguments, directory, muster=MUSTER):
    return subprocess.Popen([ROOT / "script" / "calibrate", "--muster", muster, "--ground", "foreign", *arguments], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=dict(os.environ, TMPDIR=str(directory)))


def processes_in(directory):
    """Those that work somewhere below: the directories of servers, of a run and of its hogs are there."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if str(directory) in os.readlink(link):
                found.append(int(link.parent.name))
        except OSError:  # another user's, or over
            pass
    return found


def explanation(wall_s, *findings):
    return {"run": {"wall_ns": round(wall_s * 1e9)}, "chain": {"wait": round(wall_s * 1e9)}, "shares": {"wait": round(wall_s * 1e9)}, "verdict": "",
            "findings": [{"cause": cause, "grade": "A", "wall_s": promised and dict(zip(("expected", "low", "high"), promised))} for cause, promised in findings]}


def row_of(expected, *findings, measured=None, wall_s=1.0, **more):
    row = Row("one", expected, **more)
    row.take(explanation(wall_s, *findings))
    row.measured = measured
    row.can_be_put_right = measured is not None
    return row


@pytest.mark.parametrize("run, option, becomes", [
    ("muster fetch -c 4 -f", "--concurrency 64", "muster fetch -c 64 -f"),
    ("muster fetch -f", "--concurrency 64 --per-host 8", "muster fetch --per-host 8 --concurrency 64 -f"),
    ("muster fetch --rate 5/s -f; true", "without --rate", "muster fetch -f; true"),
    ("muster fetch --http1.0 -f", "without --http1.0", "muster fetch -f"),
    ("muster fetch --resolve a:1:127.0.0.9 --resolve b:1:127.0.0.9", "--resolve b:1:127.0.0.1", "muster fetch --resolve b:1:127.0.0.1 --resolve a:1:127.0.0.9"),
])
def test_an_option_is_put_into_the_command_line(run, option, becomes):
    assert applied(run, option) == becomes


def test_every_cause_is_there_at_three_strengths_and_shows_what_it_is_not():
    by_name = {}
    for setup in SETUPS:
        by_name.setdefault(setup.name, []).append(setup)
        assert setup.cause not in setup.looks_like and not set(setup.also) & set(setup.looks_like), setup.full_name
    assert all([setup.strength for setup in setups] == list(STRENGTHS) for setups in by_name.values())
    assert sum(setup.cause == HEALTHY for setup in SETUPS) >= 20


GOOD = [("server-slow", (0.5, 0.4, 0.6))]


@pytest.mark.parametrize("why, rows, is_enough, names_are", [
    ("right, and within the range", [row_of("server-slow", *GOOD, measured=0.5)], True, True),
    ("healthy, and nothing is found", [row_of(HEALTHY)], True, True),
    ("healthy, and what is found gains nothing of note", [row_of(HEALTHY, ("server-slow", (0.95, 0.9, 1)))], True, True),
    ("healthy, and something is found", [row_of(HEALTHY, ("server-slow", (0.5, 0.4, 0.6)))], False, False),
    ("healthy, and something is found that promises nothing", [row_of(HEALTHY, ("server-slow", None))], False, False),
    ("another cause", [row_of("server-slow", ("loss", None))], False, True),
    ("the cause that it looks like", [row_of("server-slow", ("loss", None), looks_like=("loss",))], False, False),
    ("not within the range", [row_of("server-slow", ("server-slow", (0.5, 0.5, 0.505)), measured=0.51)], False, True),
    ("within the range, but always longer", [row_of("server-slow", *GOOD, measured=0.53)], False, True),
    ("within the range, but far from what was predicted", [row_of("server-slow", *GOOD, measured=0.4)], False, True),
    ("put right, and nothing had been predicted", [row_of("server-slow", ("server-slow", None), measured=0.5)], False, True),
    ("nothing was run", [], False, False),
])
def test_what_is_enough(why, rows, is_enough, names_are):
    assert judge(rows) == is_enough, why
    assert judge(rows, asks_predictions=False) == names_are, why


def test_a_run_that_failed_is_never_told_as_healthy():
    row = Row("one", HEALTHY)
    row.trouble = "no end within 60 s"
    assert not judge([row], asks_predictions=False)


def test_a_run_with_what_was_put_right(tmp_path):
    process = calibrate("--json", "--strength", "plain", "expect", directory=tmp_path)
    lines, _ = process.communicate(timeout=PATIENCE)
    row = json.loads(lines.splitlines()[0])
    assert (row["scenario"], row["strength"], row["hogs"], row["expected"], row["found"]) == ("expect", "plain", False, "expect", "expect")
    assert row["right"] and not row["fooled"] and row["trouble"] is None
    assert row["measured_s"] < row["wall_s"] and row["in_range"] == (row["low_s"] <= row["measured_s"] <= row["high_s"])
    assert not list(tmp_path.iterdir()) and not processes_in(tmp_path)


@pytest.mark.parametrize("n_false, status, right", [(0, 0, [True]), (1, 0, [False, True]), (2, 1, [False, False])])
def test_with_names_only_what_misleads_is_run_once_more(tmp_path, n_false, status, right):
    """A command that tells a false finding of a healthy run as often as that: it counts if it is told twice."""
    runs = tmp_path / "runs"
    runs.mkdir()
    (tmp_path / "false").write_text(json.dumps(explanation(1.0, ("server-slow", (0.5, 0.4, 0.6)))))
    (tmp_path / "times").write_text("x" * n_false)
    (tmp_path / "muster").write_text(f"""#!/bin/sh
if [ "$1" = explain ] && [ -s {tmp_path}/times ]; then
    truncate -s -1 {tmp_path}/times
    cat {tmp_path}/false
else
    exec "{MUSTER}" "$@"
fi
""")
    (tmp_path / "muster").chmod(0o755)
    process = calibrate("--json", "--names-only", "--strength", "mild", "asyncio", directory=runs, muster=tmp_path / "muster")
    lines, _ = process.communicate(timeout=PATIENCE)
    assert [json.loads(line)["right"] for line in lines.splitlines() if line.startswith("{")] == right, lines
    assert process.returncode == status


def test_what_was_kept_is_explained_again_without_a_run(tmp_path):
    kept, runs = tmp_path / "kept", tmp_path / "runs"
    runs.mkdir()
    calibrate("--json", "--strength", "plain", "--records-all", kept, "expect", directory=runs).communicate(timeout=PATIENCE)
    assert (kept / "expect.plain.db").exists() and len((kept / "rows.jsonl").read_text().splitlines()) == 1
    ran = json.loads((kept / "rows.jsonl").read_text())

    process = calibrate("--json", "--replay", kept, directory=runs)
    lines, _ = process.communicate(timeout=PATIENCE)
    row = json.loads(lines.splitlines()[0])
    assert (row["found"], row["wall_s"], row["measured_s"]) == (ran["found"], ran["before"], ran["measured"])
    assert (row["predicted_s"], row["low_s"], row["high_s"]) == (ran["predicted"], ran["low"], ran["high"])

    (kept / "rows.jsonl").write_text(json.dumps(dict(ran, option="--concurrency 3")) + "\n")  # of another remedy
    lines, _ = calibrate("--json", "--replay", kept, directory=runs).communicate(timeout=PATIENCE)
    row = json.loads(lines.splitlines()[0])
    assert row["predicted_s"] is not None and row["measured_s"] is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_behind_when_it_is_interrupted(tmp_path, number):
    process = calibrate("--strength", "strong", "--hogs", "yes", "shared-rate", directory=tmp_path)
    end = time.monotonic() + PATIENCE
    while not list(tmp_path.glob("*/run-*/run.db")) and time.monotonic() < end and process.poll() is None:
        time.sleep(0.01)
    assert processes_in(tmp_path)
    process.send_signal(number)
    process.communicate(timeout=PATIENCE)
    assert process.returncode != 0
    assert not list(tmp_path.iterdir()) and not processes_in(tmp_path)


def test_a_name_that_there_is_not(tmp_path):
    process = calibrate("no-such-thing", directory=tmp_path)
    said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1 and "no-such-thing" in said
