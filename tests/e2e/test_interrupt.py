"""Signals: Ctrl-C once and twice, and a program that was stopped for a while."""
import json
import os
import re
import signal
import subprocess
import time

import pytest

from command import MUSTER, PATIENCE, TRACED, sent_at
from scripted import ok


def wait_until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_first_interrupt(muster, server, hole):
    s = server(lambda r: [0.3, ok()])
    process = muster.start("fetch", "-c", "4", hole, *[s.url()] * 500)
    wait_until(lambda: len(s.requests) >= 10)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    results = [json.loads(line) for line in stdout.splitlines()]
    assert process.returncode == 1
    assert len(results) == 501  # all had been read: each has its line
    done = [result for result in results if result["ok"]]
    cancelled = [result for result in results if not result["ok"]]
    assert len(done) >= 10 and all(result["error"]["code"] == "cancelled" for result in cancelled)
    assert f"{len(done)} done, {len(cancelled)} cancelled" in stderr.decode()
    assert len(s.requests) == len(done)  # what was in flight was let finish, and nothing new was begun


@pytest.mark.parametrize("number, name", [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")])
def test_cancelled_is_neither_done_nor_failed(muster, server, number, name):
    s = server(lambda r: [0.1, ok()])
    process = muster.start("fetch", "-c", "2", "--summary", *[s.url()] * 200)
    wait_until(lambda: len(s.requests) >= 10)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=60)
    errors = [result["error"] for result in map(json.loads, stdout.splitlines()) if result["error"]]
    assert {error["text"] for error in errors} == {f"cancelled: by {name}"}
    n_done = 200 - len(errors)
    summary = re.search(rf"^requests +{n_done} in ([\d.]+ m?s), (\d+)/s; {n_done} succeeded, 0 failed; {len(errors)} others cancelled$",
                        stderr.decode(), re.M)
    assert summary, stderr.decode()
    assert int(summary[2]) <= 20  # two at a time, a tenth of a second each
    assert f"responses    2xx: {n_done}\n" in stderr.decode() and "\nfailed" not in stderr.decode()


def test_second_interrupt(muster, hole):
    process = muster.start("fetch", hole)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert time.monotonic() - start < 1.5


def test_response_that_came_while_stopped(muster, server):
    """Stopped for longer than the timeout: the response that arrived meanwhile counts, and its lag shows the stop."""
    s = server(lambda r: [0.3, ok()])
    process = muster.start("fetch", "-m", "1s", s.url())
    wait_until(lambda: s.requests)
    process.send_signal(signal.SIGSTOP)
    os.waitpid(process.pid, os.WUNTRACED)
    time.sleep(2)
    process.send_signal(signal.SIGCONT)
    stdout, _ = process.communicate(timeout=60)
    result = json.loads(stdout)
    assert result["ok"] and result["status"] == 200
    assert result["phases_us"]["lag"] > 1_000_000
    assert result["phases_us"]["wait"] < 1_000_000
    assert sum(result["phases_us"].values()) == result["total_us"]


# --- while something is saved -------------------------------------------------------------------------------------------


@pytest.fixture
def saving(server, certificates, tmp_path):
    """saving(option, call, signal): what is left of the folder and the old text when a signal comes with that system call."""
    one = server(lambda r: ok(b"hi", "Set-Cookie: new=1; Max-Age=1000", "Strict-Transport-Security: max-age=1000"), tls=certificates.context("good"))

    def run(option, call, number):
        file = tmp_path / "kept"
        file.write_text("# old\n")
        with open(tmp_path / "results", "wb") as results:
            process = subprocess.Popen([*sent_at(call, number), MUSTER, "fetch", "--cacert", certificates.path("ca"), option, file,
                                        one.url(host="localhost")], stdout=results, env=TRACED)
            status = process.wait(PATIENCE)
        assert (tmp_path / "results").read_bytes().count(b"\n") == 1
        (tmp_path / "results").unlink()
        left = {path.name: path for path in tmp_path.iterdir()}
        return status, left, left.pop("kept").read_text()

    return run


KEPT = [("--cookie-jar", r"localhost\t.*\tnew\t1\n"), ("--hsts", r'localhost "\d{8} [\d:]{8}"\n'), ("--ssl-sessions", r"[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+\n")]


@pytest.mark.parametrize("call", ["fchmod", "fsync", "/^rename"])
@pytest.mark.parametrize("option, last", KEPT)
def test_interrupt_while_saving(saving, option, last, call):
    """The run was over: what it learnt is written whole, and nothing is left beside it."""
    status, left, text = saving(option, call, signal.SIGINT)
    assert re.search(last + "$", text), text
    assert not left and status == 0


@pytest.mark.parametrize("call", ["fchmod", "fsync", "/^rename"])
@pytest.mark.parametrize("option, last", KEPT)
def test_killed_while_saving(saving, option, last, call):
    """The old file stays as it was; the new one has another name, that nobody can guess, and is nobody else's."""
    status, left, text = saving(option, call, signal.SIGKILL)
    assert status == -signal.SIGKILL and text == "# old\n"
    ((name, path),) = left.items()
    assert re.fullmatch(r"kept\.[A-Za-z0-9]{6}", name)
    if call == "fchmod":
        assert path.stat().st_mode & 0o777 == 0o600
    else:
        assert re.search(last + "$", path.read_text())


@pytest.mark.parametrize("option, last", KEPT)
def test_what_is_beside_is_not_written_through(saving, tmp_path, option, last):
    """Nor is a file, or a link to one, that bears such a name taken for ours."""
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "kept.XXXXXX").symlink_to(tmp_path / "precious")
    status, left, text = saving(option, "fsync", signal.SIGWINCH)
    assert status == 0 and re.search(last + "$", text) and set(left) == {"precious", "kept.XXXXXX"}
    assert left["precious"].read_text() == "precious"
