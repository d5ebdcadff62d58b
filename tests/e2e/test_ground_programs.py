"""script/calibrate --ground programs: the table of programs, what is enough, and a run."""
import json
import os
import subprocess
import sys

import pytest
from command import MUSTER, PATIENCE, ROOT

sys.path.insert(0, str(ROOT))

from ground.programs.entries import ENTRIES  # noqa: E402
from ground.programs.entry import BLAMES, FOLDER  # noqa: E402
from ground.programs.result import UNSEEN, Result, number_in  # noqa: E402
from ground.programs.run import Ending  # noqa: E402
from ground.programs.totals import judge_programs  # noqa: E402
from ground.row import HEALTHY  # noqa: E402

HAS_COMMAND = subprocess.run([MUSTER, "watch", "--help"], stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE).returncode == 0


def explanation(*findings, wall_s=1.0):
    """findings: (cause, line, expected wall in seconds or None)."""
    wall_ns = round(wall_s * 1e9)
    return {"run": {"wall_ns": wall_ns}, "chain": {"wait": wall_ns}, "shares": {"wait": wall_ns}, "verdict": "",
            "findings": [{"cause": cause, "grade": "A", "file": "/somewhere/one.py", "line": line, "wall_s": wall and {"expected": wall, "low": wall / 2, "high": 1.0}}
                         for cause, line, wall in findings]}


def result_of(expected, *findings, lines=(), **more):
    result = Result("one", expected, lines=frozenset(lines), program_name="one.py", **more)
    result.take(explanation(*findings))
    return result


def test_the_table_has_what_it_should():
    blamed = [entry for entry in ENTRIES if entry.cause in BLAMES]
    assert len({entry.program for entry in blamed}) >= 40 and len(ENTRIES) - len(blamed) >= 8
    assert len({entry.name for entry in ENTRIES}) == len(ENTRIES)
    assert {entry.language for entry in ENTRIES} == {"python", "node", "curl", "go"}
    assert {entry.cause for entry in blamed} == set(BLAMES)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_an_entry_fits_its_program(entry):
    if entry.line:
        assert 1 <= len(entry.lines()) <= 5, "its lines"
    if entry.put_right:
        assert entry.remedied() != entry.path.read_text()
    if entry.cause == HEALTHY or entry.cause == UNSEEN:
        assert not entry.line and not entry.put_right
    assert set(entry.likewise) <= {*entry.likewise} - set(entry.blamed)


@pytest.mark.parametrize("path", sorted(path for path in FOLDER.glob("*/*") if path.parent.name in ("python", "node", "curl", "go")), ids=lambda path: path.name)
def test_a_program_does_not_say_what_is_wrong_with_it(path):
    text = path.read_text().lower()
    assert str(path.relative_to(FOLDER)) in {entry.program for entry in ENTRIES}, "it is in the table"
    assert not [word for word in (*BLAMES, "slow", "blocking", "blocked", "wrong", "bottleneck", "one by one", "healthy", "sequential", "inefficient", "muster") if word in text]
    assert len(text.splitlines()) <= 60


@pytest.mark.parametrize("why, results, is_enough, names_are", [
    ("right, with the right line", [result_of("pool-limit", ("pool-limit", 7, 0.5), lines=[7])], True, True),
    ("right, with another line", [result_of("pool-limit", ("pool-limit", 8, 0.5), lines=[7])], False, True),
    ("right, and no line is at fault", [result_of("proxy-unknown", ("proxy-unknown", None, None))], True, True),
    ("another cause", [result_of("pool-limit", ("loop-held", 7, 0.5), lines=[7])], False, True),
    ("healthy", [result_of(HEALTHY)], True, True),
    ("healthy, and blamed", [result_of(HEALTHY, ("loop-held", 7, 0.5), looks_like=BLAMES)], False, False),
    ("the server's fault", [result_of("server-slow", ("server-slow", None, None), looks_like=BLAMES)], True, True),
    ("the server's fault, and the program is blamed", [result_of("server-slow", ("pool-limit", 7, 0.5), looks_like=BLAMES)], False, False),
    ("it ended in another way", [result_of(HEALTHY, difference="status 0 became 1")], False, False),
    ("nothing was run", [], False, False),
])
def test_what_is_enough(why, results, is_enough, names_are):
    assert judge_programs(results) == is_enough, why
    assert judge_programs(results, asks_predictions=False) == names_are, why


def test_endings_differ_in_status_output_and_errors():
    one = Ending(0, b"out", b"", 1.0, 0.5)
    assert one.difference(Ending(0, b"out", b"", 2.0, 0.7)) is None
    for other in (Ending(1, b"out", b"", 1.0, 0.5), Ending(0, b"our", b"", 1.0, 0.5), Ending(0, b"out", b"x", 1.0, 0.5)):
        assert one.difference(other)


def test_what_a_remedy_proposes_is_done():
    assert number_in("Allow 1,600 connections, if the server can take it: aiohttp.TCPConnector(limit=1600).") == 1600
    assert number_in("Use one client for all.") is None
    entry = next(entry for entry in ENTRIES if entry.name == "aiohttp-limit-5")
    assert "limit=80)" in entry.remedied(80)


@pytest.mark.quiet
@pytest.mark.skipif(not HAS_COMMAND, reason="the command has no watch")
def test_a_program_is_run_and_judged(tmp_path):
    done = subprocess.run([ROOT / "script" / "calibrate", "--muster", MUSTER, "--ground", "programs", "--json", "curl-one-by-one"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, env=dict(os.environ, TMPDIR=str(tmp_path)), timeout=3 * PATIENCE)
    row = json.loads(done.stdout.splitlines()[0])
    assert (row["scenario"], row["expected"], row["found"], row["difference"]) == ("curl-one-by-one", "awaited-one-by-one", "awaited-one-by-one", None), done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.quiet
@pytest.mark.skipif(not HAS_COMMAND, reason="the command has no watch")
def test_what_was_kept_is_explained_again(tmp_path):
    calibrate = [ROOT / "script" / "calibrate", "--muster", MUSTER, "--json", "--rough"]
    kept = tmp_path / "kept"
    done = subprocess.run([*calibrate, "--ground", "programs", "--records-all", kept, "curl-close"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=3 * PATIENCE)
    if "left out" in done.stderr:
        pytest.skip(done.stderr)
    row = json.loads(done.stdout.splitlines()[0])
    assert sorted(path.name for path in kept.iterdir()) == ["curl-close.db", "curl-close.twin1.db", "rows.jsonl"], done.stderr
    again = subprocess.run([*calibrate, "--replay", kept], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
    same = ("scenario", "found", "wall_s", "predicted_s", "measured_s", "difference")
    assert [json.loads(again.stdout.splitlines()[0])[name] for name in same] == [row[name] for name in same], again.stderr
