"""muster fetch --threads: the same results, limits that are exact over all threads, records whose sums are."""
import contextlib
import json
import resource
import signal
import sqlite3
import subprocess
import time

import pytest

from command import MUSTER, check_record, measure

THREADS = ("--threads", "2")


def everywhere(one):
    """Any name leads to the lab."""
    return "--resolve", f"*:{one.port()}:127.0.0.1"


def urls(one, n, n_hosts, path="/plain"):
    return "".join(f"http://host{i % n_hosts}.test:{one.port()}{path}\n" for i in range(n))


def test_many_hosts(lab, muster):
    one = lab("--delay", "uniform:0ms:5ms")
    done = muster("fetch", *THREADS, "-c", "10", *everywhere(one), input=urls(one, 1000, 30))
    assert done.status == 0 and len(done.results) == 1000
    assert sorted(result["n"] for result in done.results) == list(range(1, 1001))
    assert all(result["status"] == 200 for result in done.results)
    assert one.stats()["requests_at_once_max"] <= 10


def test_in_order(lab, muster):
    one = lab("--delay", "uniform:0ms:5ms")
    done = muster("fetch", *THREADS, "--in-order", *everywhere(one), input=urls(one, 300, 30))
    assert [result["n"] for result in done.results] == list(range(1, 301))


@pytest.mark.parametrize("n_hosts, per_host", [(1, 3), (5, 2)])
def test_per_host_is_exact(lab, muster, n_hosts, per_host):
    one = lab("--delay", "uniform:0ms:5ms")
    done = muster("fetch", *THREADS, "--per-host", per_host, *everywhere(one), input=urls(one, 400, n_hosts))
    assert done.status == 0
    assert one.stats()["requests_at_once_max"] <= n_hosts * per_host


def test_rate_is_one_plan(lab, muster, tmp_path):
    one = lab()
    done = muster("fetch", *THREADS, "--rate", "1000/s", "--record", "run.db", *everywhere(one), input=urls(one, 400, 20))
    assert done.status == 0
    with contextlib.closing(sqlite3.connect(tmp_path / "run.db")) as db:
        starts = db.execute("SELECT start_ns + planned_ns, start_ns + slot_ns FROM attempt ORDER BY 1").fetchall()
    assert len(starts) == 400
    assert all(slot >= planned for planned, slot in starts)
    assert all(after[0] - before[0] >= 999_999 for before, after in zip(starts, starts[1:]))


def test_redirects_from_host_to_host(lab, muster):
    one = lab()
    port = one.port()
    lines = "".join(f"http://host{i % 20}.test:{port}/redirect/1/302?to=http://host{(i + 3) % 20}.test:{port}/bytes/5\n" for i in range(200))
    done = muster("fetch", *THREADS, *everywhere(one), input=lines)
    assert done.status == 0
    for result in done.results:
        assert result["redirects"] == 1 and result["body_bytes"] == 5
        assert f"host{(result['n'] + 2) % 20}." in result["final_url"]


def test_refusals_hold_over_all_threads(lab, muster):
    one = lab("--rate-limit", "100/s,5")
    done = muster("fetch", *THREADS, "--retry", "10", *everywhere(one), input=urls(one, 100, 1))
    assert done.status == 0 and all(result["status"] == 200 for result in done.results)


def test_interrupt(lab, muster):
    one = lab("--delay", "200ms")
    process = muster.start("fetch", *THREADS, "-c", "4", *everywhere(one), *urls(one, 300, 30).split())
    while one.stats()["responses_2xx"] < 8:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    results = [json.loads(line) for line in stdout.splitlines()]
    assert process.returncode == 1 and len(results) == 300
    done = [result for result in results if result["ok"]]
    assert len(done) >= 8 and len(done) == one.stats()["responses_2xx"]
    assert all(result["error"]["code"] == "cancelled" for result in results if not result["ok"])
    assert b"cancelled" in stderr


def test_processing(lab, muster):
    one = lab()
    done = muster("fetch", *THREADS, "--process", "wc -c", *everywhere(one), input=urls(one, 40, 10, "/bytes/1234"))
    assert done.status == 0
    assert all(str(result["processed"]).strip() == "1234" for result in done.results)


def test_record(lab, muster, tmp_path):
    one = lab("--delay", "uniform:0ms:5ms", "--error-share", "3%")
    done = muster("fetch", *THREADS, "--retry", "3", "-c", "8", "--record", "run.db", *everywhere(one), input=urls(one, 1000, 30))
    assert len(done.results) == 1000
    check_record(tmp_path / "run.db")
    db = sqlite3.connect(tmp_path / "run.db")
    (n, n_numbers, n_last), = db.execute("SELECT count(*), count(DISTINCT number), sum(flags & 1) FROM attempt")
    assert n == n_numbers == sum(result["attempts"] for result in done.results) and n_last == 1000
    n_conns, n_ids = db.execute("SELECT count(*), count(DISTINCT id) FROM conn").fetchone()
    assert n_conns == n_ids
    assert db.execute("SELECT count(*) FROM conn WHERE id NOT IN (SELECT conn FROM attempt)").fetchone() == (0,)
    # Each thread tells of itself, and an attempt is on its connection's thread.
    assert db.execute("SELECT DISTINCT ifnull(engine, 1) FROM attempt ORDER BY 1").fetchall() == [(1,), (2,)]
    assert db.execute("SELECT DISTINCT engine FROM sample ORDER BY 1").fetchall() == [(1,), (2,)]
    assert db.execute("SELECT count(*) FROM attempt JOIN conn ON conn = id WHERE ifnull(attempt.engine, 1) != conn.engine").fetchone() == (0,)
    db.close()
    page = json.loads(measure("explain", "--json", tmp_path / "run.db").stdout)
    assert page["run"]["requests"] == 1000


def test_settings_that_make_no_sense(muster):
    for value in ("0", "129", "many", "-1"):
        done = muster("fetch", "--threads", value, "http://127.0.0.1:1/")
        assert done.status == 2
        assert "neither a number from 1 to 128 nor auto" in done.stderr


def test_auto(lab, muster):
    one = lab()
    done = muster("fetch", "--threads", "auto", *everywhere(one), input=urls(one, 50, 10))
    assert done.status == 0 and len(done.results) == 50


def test_threads_that_have_no_files(lab):
    """`auto` takes as many as fit; a number that does not is refused, and is named as what to lower."""
    one = lab()

    def fetch(threads):
        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (250, 250))

        return subprocess.run(
            [MUSTER, "fetch", "-c", "100", "--threads", threads, f"http://127.0.0.1:{one.port()}/plain"],
            capture_output=True,
            preexec_fn=limit,
            timeout=60,
        )

    assert fetch("auto").returncode == 0
    refused = fetch("2")
    assert refused.returncode == 3
    assert b"needs 328 open files" in refused.stderr and b"the concurrency or the number of threads" in refused.stderr


def test_record_from_before_threads(lab, muster, tmp_path):
    """Records of the first version have no column for it: their one loop is the first."""
    one = lab()
    muster("fetch", "--record", "run.db", *everywhere(one), input=urls(one, 50, 10))
    now = json.loads(measure("explain", "--json", tmp_path / "run.db").stdout)
    with contextlib.closing(sqlite3.connect(tmp_path / "run.db", isolation_level=None)) as db:
        for (view,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'view'").fetchall():
            db.execute(f"DROP VIEW {view}")
        for table in ("attempt", "conn", "turn", "sample"):
            db.execute(f"ALTER TABLE {table} DROP COLUMN engine")
    before = json.loads(measure("explain", "--json", tmp_path / "run.db").stdout)
    assert before == now
