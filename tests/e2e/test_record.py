"""The record: what muster-record(5) says of it holds, it tells what the results tell, and nothing that ends a run spoils it."""
import json
import os
import re
import signal
import sqlite3
import time
from pathlib import Path

import pytest
from command import PATIENCE, measure

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "man" / "muster-record.5").read_text()
PHASES = "queue backoff dns tcp tunnel tls send wait lag receive decode process deliver".split()


@pytest.fixture
def record(muster, lab, tmp_path):
    """(its connection, the run) of a run with a bit of everything."""
    server = lab("--workers", 16, "--service-time", "5ms")
    urls = [server.url("/plain?n=%d" % n) for n in range(40)]
    urls += [server.url("/redirect/2"), server.url("/status/503"), server.url("/bytes/300k"), "http://127.0.0.1:1/", "nonsense:"]
    run = muster("fetch", "-c", 4, "--retry", 1, "--body", "none", "--record", "run.db", input="\n".join(urls) + "\n")
    assert run.status == 1, run.stderr
    with sqlite3.connect(tmp_path / "run.db") as db:
        yield db, run


@pytest.fixture
def watched(muster, lab, tmp_path):
    """Of a program that was watched: the connection to its record."""
    url = lab().url("/plain")
    run = muster("watch", "--record", "watched.db", "--", "curl", "-s", "-o", os.devnull, url, "-o", os.devnull, url)
    assert run.status == 0, run.stderr
    with sqlite3.connect(tmp_path / "watched.db") as db:
        yield db


def sections(heading):
    """{name: its text} of the .Ss of a .Sh."""
    text = re.search(rf"^\.Sh {heading}\n(.*?)^\.Sh ", PAGE, flags=re.DOTALL | re.MULTILINE)[1]
    parts = re.split(r"^\.Ss (\w+)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


def described_columns(text):
    items = re.findall(r"^\.It Va (.*)$", text, flags=re.MULTILINE)
    return [name for item in items for name in item.split(" , ")]


def columns(db, table):
    return [row[1] for row in db.execute(f"PRAGMA table_info({table})")]


def examples():
    text = re.search(r"^\.Sh EXAMPLES\n(.*?)^\.Sh ", PAGE, flags=re.DOTALL | re.MULTILINE)[1]
    return re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed$", text, flags=re.DOTALL | re.MULTILINE)


# --- the page -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind, heading", [("table", "TABLES"), ("view", "VIEWS")])
def test_every_column_is_described(record, watched, kind, heading):
    """Some are in records of watched programs only."""
    described = sections(heading)
    of_all, of_programs = ({name for name, in db.execute("SELECT name FROM sqlite_schema WHERE type = ?", [kind])} for db in (record[0], watched))
    assert set(described) == of_programs > of_all
    for name, text in described.items():
        if name != "slowest":
            assert sorted(described_columns(text)) == sorted(columns(watched, name)), name
    for db in (record[0], watched):
        assert columns(db, "slowest") == columns(db, "requests")
    for name in of_all:
        assert columns(record[0], name) == columns(watched, name)


def test_examples_have_answers(record, watched):
    assert len(examples()) >= 8
    for query in examples():
        db = watched if "FROM calls" in query else record[0]
        assert db.execute(query).fetchall(), query


def test_header_says_what_it_is(record):
    db, _ = record
    assert hex(db.execute("PRAGMA application_id").fetchone()[0]) in PAGE
    assert f"described here: {db.execute('PRAGMA user_version').fetchone()[0]}." in PAGE


def test_words_are_those_of_the_page(record, watched):
    db, _ = record
    kinds = re.search(r"^\.It Va kind\n(.*?)^\.It", sections("TABLES")["word"], flags=re.DOTALL | re.MULTILINE)[1]
    assert set(re.findall(r"^\.Li (\w+)", kinds, flags=re.MULTILINE)) == {kind for kind, in watched.execute("SELECT DISTINCT kind FROM word")}
    for kind, view, place in (("outcome", "phases", "outcome"), ("wait", "phases", "waited_for"), ("closer", "connections", "closed_by"), ("fate", "tries", "fate")):
        text = re.search(rf"^\.It Va {place}\n(.*?)^\.It", sections("VIEWS")[view], flags=re.DOTALL | re.MULTILINE)[1]
        for word, in db.execute("SELECT word FROM word WHERE kind = ?", [kind]):
            assert re.search(rf"^\.(Li|Ql) {word}\b", text, flags=re.MULTILINE), word


# --- what it says -------------------------------------------------------------------------------------------------------


def test_requests_are_the_results(record):
    db, run = record
    db.row_factory = sqlite3.Row
    rows = {row["id"]: row for row in db.execute("SELECT * FROM requests")}
    results = run.results
    assert len(rows) == len(results) == 45
    for result in results:
        row = rows[result["n"]]
        assert row["status"] == (result["status"] or 0)
        assert row["error"] == (result["error"]["code"] if result["error"] else None)
        assert row["wire_bytes"] == result["wire_bytes"] and row["body_bytes"] == result["body_bytes"]
        assert row["attempts"] == max(result["attempts"], 1)
        if row["url"]:
            assert row["url"] == result["url"]
        assert sum(row[f"{phase}_ms"] for phase in PHASES) == pytest.approx(row["total_ms"], abs=1e-6)
        for phase in PHASES:
            # A result is written before it is let go of; its last phase ends when it is taken.
            assert row[f"{phase}_ms"] * 1000 == pytest.approx(result["phases_us"][phase], abs=2), (phase, result)


def test_attempts_of_a_redirect(record):
    db, _ = record
    request, = db.execute("SELECT id FROM requests WHERE url LIKE '%/redirect/2'").fetchone()
    rows = db.execute("SELECT n, outcome, status, is_last FROM phases WHERE request = ? ORDER BY n", [request]).fetchall()
    assert [row[:2] for row in rows] == [(1, "redirected"), (2, "redirected"), (3, "result")]
    assert [row[3] for row in rows] == [0, 0, 1]


def test_slots_are_handed_on(record):
    """Nobody has a slot before the one who gave it away ended, and no more than four have one at once."""
    db, _ = record
    assert db.execute("SELECT max(in_flight) FROM attempt").fetchone() == (4,)
    pairs = db.execute("""SELECT b.start_ns + b.slot_ns - a.start_ns - a.end_ns FROM attempt b JOIN attempt a ON a.number = b.slot_from""").fetchall()
    assert len(pairs) >= 30
    assert all(gap >= 0 for gap, in pairs)


def test_flags_say_what_was_asked(muster, lab, tmp_path):
    server = lab()
    lines = [
        '{"url": "%s", "method": "HEAD"}' % server.url("/plain"),
        '{"url": "%s", "headers": {"x-a": "b"}}' % server.url("/plain"),
        '{"url": "%s", "method": "POST", "body": "b"}' % server.url("/plain"),
        '{"url": "%s"}' % server.url("/plain").replace("://", "://me:secret@"),
        '{"url": "%s"}' % server.url("/plain"),
    ]
    assert muster("fetch", "-c", 1, "--body", "none", "--record", "run.db", input="\n".join(lines) + "\n").status in (0, 1)
    with sqlite3.connect(tmp_path / "run.db") as db:
        rows = db.execute("""SELECT flags & 4 > 0, flags & 8 > 0, flags & 32 > 0, word, url FROM attempt
                             JOIN word ON kind = 'method' AND word.number = flags >> 20 & 15 ORDER BY attempt.number""").fetchall()
        assert [row[:4] for row in rows] == [(1, 0, 0, "HEAD"), (1, 0, 1, "GET"), (0, 0, 0, "other"), (1, 0, 1, "GET"), (1, 1, 0, "GET")]
        assert not any("secret" in row[4] for row in rows)
    assert b"secret" not in (tmp_path / "run.db").read_bytes()


# --- what ends a run ----------------------------------------------------------------------------------------------------


def start_endless(muster, lab, tmp_path):
    """A run that goes on, once rows of it are in its file."""
    server = lab("--workers", 64, "--service-time", "2ms")
    (tmp_path / "urls").write_text(f"{server.url('/plain')}\n" * 1_000_000)
    process = muster.start("fetch", "-c", 8, "--body", "none", "-o", "/dev/null", "-i", "urls", "--record", "run.db")
    deadline = time.monotonic() + PATIENCE
    while n_attempts(tmp_path / "run.db") < 500:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.05)
    return process


def n_attempts(path):
    """Of the file as it is; it is being written."""
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=PATIENCE) as db:
            return db.execute("SELECT count(*) FROM attempt").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


def test_killed_run_leaves_what_was_written(muster, lab, tmp_path):
    process = start_endless(muster, lab, tmp_path)
    process.send_signal(signal.SIGKILL)
    process.wait(PATIENCE)
    with sqlite3.connect(tmp_path / "run.db") as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("SELECT is_complete, end_ns FROM run").fetchone() == (0, None)
        assert db.execute("SELECT count(*) FROM requests").fetchone()[0] >= 500
        assert db.execute("SELECT count(*) FROM counter WHERE after IS NOT NULL").fetchone() == (0,)


def test_run_that_goes_on_is_told_from_one_that_was_cut_short(muster, lab, tmp_path):
    process = start_endless(muster, lab, tmp_path)
    assert "still being recorded" in measure("explain", tmp_path / "run.db").stdout
    process.send_signal(signal.SIGKILL)
    process.wait(PATIENCE)
    assert "was cut short" in measure("explain", tmp_path / "run.db").stdout


def test_somebody_reads_for_long(muster, lab, tmp_path):
    """Nothing can be written meanwhile, for longer than SQLite's users wait by default; then all of it is."""
    server = lab()
    (tmp_path / "urls").write_text(f"{server.url('/plain')}\n" * 1300)
    process = muster.start("fetch", "--rate", 100, "--body", "none", "-o", "/dev/null", "-i", "urls", "--record", "run.db")
    deadline = time.monotonic() + PATIENCE
    while n_attempts(tmp_path / "run.db") < 1:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.05)
    with sqlite3.connect(tmp_path / "run.db", isolation_level=None) as db:
        db.execute("BEGIN")
        seen, = db.execute("SELECT count(*) FROM attempt").fetchone()
        time.sleep(11)
        assert db.execute("SELECT count(*) FROM attempt").fetchone() == (seen,)
        db.execute("COMMIT")
    assert process.wait(PATIENCE) == 0
    with sqlite3.connect(tmp_path / "run.db") as db:
        assert db.execute("SELECT is_complete, dropped FROM run").fetchone() == (1, 0)
        assert n_attempts(tmp_path / "run.db") == 1300


def test_interrupted_run_is_complete(muster, lab, tmp_path):
    process = start_endless(muster, lab, tmp_path)
    process.send_signal(signal.SIGINT)
    process.wait(PATIENCE)
    with sqlite3.connect(tmp_path / "run.db") as db:
        is_complete, end_ns, dropped = db.execute("SELECT is_complete, end_ns, dropped FROM run").fetchone()
        assert (is_complete, dropped) == (1, 0)
        last_ns, = db.execute("SELECT max(start_ns + ifnull(taken_ns, end_ns)) FROM attempt").fetchone()
        assert last_ns <= end_ns
    assert not os.path.exists(tmp_path / "run.db-journal")


# --- what the command tells of itself -----------------------------------------------------------------------------------


def option(path, name):
    with sqlite3.connect(path) as db:
        return db.execute("SELECT value FROM option WHERE name = ?", [name]).fetchone()[0]


def test_what_the_results_are_written_to(muster, lab, tmp_path):
    url = lab("--workers", 4, "--service-time", "1ms").url("/")
    muster("fetch", "--record", "pipe.db", url)
    muster("fetch", "--record", "file.db", "-o", "results", url)
    muster("fetch", "--record", "null.db", "-o", "/dev/null", url)
    assert option(tmp_path / "pipe.db", "output") == "pipe"
    assert option(tmp_path / "file.db", "output") == "file"
    assert option(tmp_path / "null.db", "output") == "none"
    assert counter(tmp_path / "file.db", "output.stalled_us") == 0


def test_where_the_requests_come_from(muster, lab, tmp_path):
    url = lab("--workers", 4, "--service-time", "1ms").url("/")
    (tmp_path / "urls").write_text(url + "\n")
    muster("fetch", "--record", "arguments.db", url)
    muster("fetch", "--record", "file.db", "-i", "urls")
    muster("fetch", "--record", "pipe.db", input=url + "\n")
    muster("fetch", "--record", "both.db", "-i", "urls", "-i", "-", input=url + "\n")
    assert option(tmp_path / "arguments.db", "input") == "arguments"
    assert option(tmp_path / "file.db", "input") == "file"
    assert option(tmp_path / "pipe.db", "input") == "pipe"
    assert option(tmp_path / "both.db", "input") == "pipe"


def counter(path, name):
    with sqlite3.connect(path) as db:
        return db.execute("SELECT after FROM counter WHERE name = ?", [name]).fetchone()[0]


def test_stops_are_counted(muster, lab, tmp_path):
    server = lab("--workers", 4, "--service-time", "50ms")
    run = muster.start("fetch", "-c", 1, "--record", "run.db", *[server.url("/")] * 5)
    run.stdout.readline()
    run.send_signal(signal.SIGSTOP)
    run.send_signal(signal.SIGCONT)
    run.stdout.read()
    assert run.wait(PATIENCE) == 0
    assert counter(tmp_path / "run.db", "process.stops") == 1


@pytest.mark.quiet
def test_a_stop_is_told_as_one(muster, lab, tmp_path):
    """The answer comes while the program stands still: neither the server nor the reader of the output was slow."""
    server = lab("--workers", 4, "--service-time", "50ms")
    run = muster.start("fetch", "-c", 1, "--record", "run.db", *[server.url("/")] * 20)
    run.stdout.readline()
    run.send_signal(signal.SIGSTOP)
    time.sleep(1)
    run.send_signal(signal.SIGCONT)
    run.stdout.read()
    assert run.wait(PATIENCE) == 0
    first = json.loads(measure("explain", "--json", tmp_path / "run.db").stdout)["findings"][0]
    assert first["cause"] == "process-stopped", first
