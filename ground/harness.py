"""Runs a set-up: its servers, its command line, processor hogs beside it where asked for, then again with what was wrong put right.

Every process is ours and is ended by its id, also when this one is interrupted. Nothing listens or is reached outside of loopback.
"""
import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from ground import remedy
from ground.row import Row
from ground.servers import Place, free_port, warm_up

PATIENCE = 60  # seconds for one run; the longest takes about five
FEED = Path(__file__).with_name("feed.py")
HOG = f"import time\nend = time.monotonic() + {PATIENCE}\nwhile time.monotonic() < end: pass"


def environment(directory):
    """Without a proxy that this machine may need, and with our command first."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy") and name != "MUSTER_SWAY"}
    return dict(kept, PATH=f"{directory}:{kept.get('PATH', '')}")


@contextlib.contextmanager
def hogs(n, directory):
    """Processes that each keep a processor busy, for no longer than a run may take."""
    running = [subprocess.Popen([sys.executable, "-c", HOG], stdin=subprocess.DEVNULL, cwd=directory) for _ in range(n)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
        for process in running:
            process.wait()


@contextlib.contextmanager
def started(servers, ports, directory, shared):
    with contextlib.ExitStack() as stack:
        for name, server in servers.items():
            own = directory / f"server-{name}"
            own.mkdir()
            stack.callback(server.start(Place(own, ports[name], ports, shared)).stop)
            if server.warms:
                warm_up(server, ports[name])
        yield


def end_group(process):
    """Ends a process and what it started, which are a group of ours."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGCONT)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class Ground:
    """What all set-ups of a calibration share: the command to try, certificates, compiled programs."""

    def __init__(self, muster, shared, records=None, is_shared=False, keeps_all=False):
        self.muster = muster
        self.is_shared = is_shared  # others may use the processors, too
        self.shared = shared
        self.records = records
        self.keeps_all = keeps_all  # of the records; else of runs in which the first finding was wrong
        (shared / "bin").mkdir()
        (shared / "bin" / "muster").symlink_to(muster)
        self.environment = environment(shared / "bin")

    @staticmethod
    def filled(text, ports):
        """The command line of a set-up as the shell gets it."""
        text = text.replace("{feed}", f"{sys.executable} {FEED}")
        for name, port in ports.items():
            text = text.replace("{" + name + "}", f"127.0.0.1:{port}").replace("{" + name + ":port}", str(port))
        return text

    @staticmethod
    def recording(command, record):
        return re.sub(r"\bmuster fetch\b", f"muster fetch --record {shlex.quote(str(record))}", command, count=1)

    def run(self, command, directory):
        """To its end; why it failed, or None."""
        errors = directory / "stderr"
        with open(errors, "wb") as stderr:
            process = subprocess.Popen(["bash", "-c", command], cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr,
                                       start_new_session=True, env=self.environment)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                return f"no end within {PATIENCE} s"
            finally:
                end_group(process)
        return None

    def explained(self, record):
        done = subprocess.run([self.muster, "explain", "--json", record], env=self.environment, capture_output=True, timeout=PATIENCE)
        if done.returncode:
            return None, done.stderr.decode(errors="replace").strip()
        return json.loads(done.stdout), None

    def recorded(self, servers, command, ports, n_hogs, directory):
        """Its record, or None and why there is none."""
        record = directory / "run.db"
        with started(servers, ports, directory, self.shared), hogs(n_hogs, directory):
            trouble = self.run(self.recording(self.filled(command, ports), record), directory)
        if not record.exists() and not trouble:
            trouble = " ".join((directory / "stderr").read_text(errors="replace").strip().splitlines()[-1:]) or "no record"
        return (None, trouble) if trouble else (record, None)

    def attempt(self, servers, command, ports, n_hogs, keep=None):
        """One run with servers of its own; what explain says of it, or None and why not."""
        with tempfile.TemporaryDirectory(prefix="run-", dir=self.shared) as name:
            try:
                record, trouble = self.recorded(servers, command, ports, n_hogs, Path(name))
            except (RuntimeError, OSError, subprocess.SubprocessError) as error:
                return None, str(error)
            if not record:
                return None, trouble
            if keep:
                shutil.copy(record, keep)
            return self.explained(record)

    def put_right(self, setup, explanation, ports):
        """(servers, command) with what was wrong put right; None where nobody says how."""
        option = explanation["findings"][0].get("option")
        if option:
            return setup.servers, remedy.applied(self.filled(setup.command, ports), option)
        if setup.is_remedied and explanation["findings"][0]["cause"] in (setup.cause, *setup.likewise):
            return setup.better_servers or setup.servers, setup.better_command or setup.command
        return None

    def calibrate(self, setup, rounds, is_busy=False):
        """A set-up's row."""
        n_hogs = os.cpu_count() if is_busy else 0
        row = Row(setup.name, setup.cause, setup.strength, is_busy, setup.also + setup.likewise + (setup.busy if is_busy or self.is_shared else ()), setup.looks_like)
        ports = {name: free_port() for name in setup.servers}
        kept = self.records / f"{row.full_name}.db" if self.records else None
        before, row.trouble = self.attempt(setup.servers, setup.command, ports, n_hogs, kept)
        if before is None:
            return row
        row.take(before)
        if kept and row.is_right and not self.keeps_all:
            kept.unlink()
        if row.is_right and before["findings"]:
            self.measure(row, setup, before, ports, rounds, n_hogs)
        return row

    def measure(self, row, setup, before, ports, rounds, n_hogs):
        """What was wrong is put right, by the option that the finding names or else by the set-up, and run again."""
        better = self.put_right(setup, before, ports)
        row.can_be_put_right = better is not None
        if not better or row.predicted is None:
            return
        walls = []
        for _ in range(rounds):
            after, row.trouble = self.attempt(*better, ports, n_hogs)
            if after is None:
                return
            row.check(after)
            walls.append(after["run"]["wall_ns"] / 1e9)
        row.measured = statistics.median(walls)

    def verify(self, setup):
        """(seconds, seconds with what was wrong put right as the set-up says, trouble): is that what makes it slow?"""
        ports = {name: free_port() for name in setup.servers}
        better = (setup.better_servers or setup.servers, setup.better_command or setup.command)
        walls = []
        for servers, command in ((setup.servers, setup.command), better):
            explanation, trouble = self.attempt(servers, command, ports, 0)
            if trouble:
                return None, None, trouble
            walls.append(explanation["run"]["wall_ns"] / 1e9)
        return *walls, None
