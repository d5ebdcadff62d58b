"""The command: how it is run, and what holds for all of its results and records."""
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MUSTER = os.environ.get("MUSTER", str(ROOT / "build-dev" / "muster"))
PATIENCE = 60  # seconds: for what must happen; never for what must not


class Run:
    """A run of the command that is over."""

    def __init__(self, process, stdout, stderr):
        self.status = process.returncode
        self.stdout = stdout
        self.stderr = stderr.decode(errors="replace")

    @property
    def results(self):
        assert self.stdout == b"" or self.stdout.endswith(b"\n"), "the last line is not whole"
        return [json.loads(line) for line in self.stdout.splitlines()]

    @property
    def result(self):
        (only,) = self.results
        return only


def check(result):
    """What holds for every result line."""
    assert sum(result["phases_us"].values()) == result["total_us"]
    assert result["ok"] == (result["error"] is None)
    return result


def check_record(path):
    """What holds for every record: both accounts of the wall time add up to it, to the nanosecond."""
    told = subprocess.run([MUSTER, "explain", "--json", path], capture_output=True, timeout=PATIENCE)
    if told.returncode == 0:
        page = json.loads(told.stdout)
        assert sum(page["chain"].values()) == page["run"]["wall_ns"] == sum(page["shares"].values())
    else:
        assert b"explain" in told.stderr  # a file that is no record, or one without a request: the tests of explain say which


TRACED = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}  # leaks are not found under strace


def sent_at(call, number):
    """The words before a command that send it a signal at its first system call of that name. It needs the environment TRACED."""
    if not shutil.which("strace") or subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True).returncode != 0:
        pytest.skip("this machine has no strace, or does not let it trace")
    return ["strace", "-f", "-o", os.devnull, "-e", f"trace={call}", "-e", f"inject={call}:signal={number.name}:when=1"]


def measure(command, *arguments, input=None, status=0):
    """muster compare or muster sweep, to its end."""
    stdin = {"input": input} if input is not None else {"stdin": subprocess.DEVNULL}
    done = subprocess.run([MUSTER, command, *map(str, arguments)], **stdin, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == status, done.stderr
    return done


@pytest.fixture
def muster(tmp_path):
    """muster("fetch", ..., input=...) runs it to its end; muster.start(...) gives the process."""
    processes = []

    def start(*arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=None):
        process = subprocess.Popen([MUSTER, *map(str, arguments)], stdin=stdin, stdout=stdout, stderr=subprocess.PIPE,
                                   cwd=tmp_path, env={**os.environ, **(env or {})})
        processes.append(process)
        return process

    def run(*arguments, input=None, env=None):
        stdin = subprocess.PIPE if input is not None else subprocess.DEVNULL
        process = start(*arguments, stdin=stdin, env=env)
        data = input.encode() if isinstance(input, str) else input
        stdout, stderr = process.communicate(data, timeout=PATIENCE)
        done = Run(process, stdout, stderr)
        for result in done.results:
            check(result)
        return done

    run.start = start
    yield run
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()
    for record in tmp_path.glob("*.db"):
        check_record(record)
