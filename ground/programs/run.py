"""Runs a program of the ground as it is, watched, and its remedied twin, each on a bed of its own."""
import contextlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from ground.harness import end_group, environment
from ground.programs.result import Result

TIMED = Path(__file__).parent / "timed.py"
PATIENCE = 120  # seconds for one run; the longest takes about ten


@dataclass
class Ending:
    """How a run of a program ended."""

    status: int
    output: bytes
    errors: bytes
    wall_s: float
    cpu_s: float

    def difference(self, other):
        """In what it is not as the other was, or None."""
        for name in ("status", "output", "errors"):
            if getattr(self, name) != getattr(other, name):
                return f"{name} {getattr(other, name)!r} became {getattr(self, name)!r}"[:300] + self.last_words(name)
        return None

    def last_words(self, name):
        """Why the status is another one, if that was said."""
        lines = self.errors.decode(errors="replace").strip().splitlines()
        return f" ({lines[-1][:200]})" if name == "status" and lines else ""


class Programs:
    """What all programs of a calibration share."""

    def __init__(self, muster, shared, libraries, records=None, keeps_all=False):
        self.muster = str(muster)
        self.shared = shared
        self.libraries = libraries
        self.records = records
        self.keeps_all = keeps_all

    def surroundings(self, entry, known):
        """The environment of the entry as words of env(1), where the lab can replace what it knows."""
        words = [f"{name}={value}" for name, value in {**self.libraries.environment(), **entry.environment}.items()]
        return ["env", *(replaced(word, known) for word in words)]

    def command(self, entry, path, url):
        return [str(word) for word in self.libraries.command(entry, path)] + [url, str(entry.n)]

    def run(self, entry, directory, path, watch=()):
        """An Ending; watch are the words that watch."""
        with entry.bed.ready(self, directory) as (before, url, known):
            words = [*before, *self.surroundings(entry, known), *watch, *self.command(entry, path, url)]
            return ended(words, directory)

    def explained(self, directory):
        told = directory / "watch.json"
        if not told.exists() or not told.stat().st_size:
            return None
        return json.loads(told.read_text())

    @contextlib.contextmanager
    def place_for(self, entry, text):
        """(a directory of one run, the program's path)."""
        with tempfile.TemporaryDirectory(prefix="run-", dir=self.shared) as name:
            path = Path(name) / entry.path.name if text else entry.path
            if text:
                path.write_text(text)
            yield Path(name), path

    def watched(self, entry, keep=None, text=None):
        """(Ending, what muster watch says); with a text, of the twin that has it."""
        with self.place_for(entry, text) as (directory, path):
            record = directory / "run.db"
            ending = self.run(entry, directory, path, self.watching(directory, ["--record", str(record)] if keep else []))
            if keep and record.exists():
                shutil.copy(record, keep)
            return ending, self.explained(directory)

    def watching(self, directory, options=()):
        """The words that watch what stands behind them."""
        return [self.muster, "watch", "--json", "--output", str(directory / "watch.json"), *options, "--"]

    def processor_s(self, entry, is_watched):
        """Processor time of the program alone, in seconds: without that of the command which watches it, and makes the page."""
        with self.place_for(entry, None) as (directory, path):
            told = directory / "processor"
            self.run(entry, directory, path, [*(self.watching(directory) if is_watched else []), sys.executable, "-I", "-S", str(TIMED), str(told)])
            return float(told.read_text())

    def unwatched(self, entry, text=None):
        """An Ending; with a text, of the twin that has it."""
        with self.place_for(entry, text) as (directory, path):
            return self.run(entry, directory, path)

    def calibrate(self, entry, rounds):
        """An entry's Result."""
        result = Result(entry.name, entry.cause, strength=self.libraries.version if entry.language == "python" else "", also=entry.likewise, looks_like=entry.blamed,
                        lines=frozenset(entry.lines()), program_name=entry.path.name)
        kept = self.records / f"{result.full_name}.db" if self.records else None
        try:
            self.try_out(entry, result, kept, rounds)
        except (RuntimeError, OSError, subprocess.SubprocessError, ValueError) as error:
            result.fail(str(error))
        if kept and kept.exists() and result.is_right and not self.keeps_all:
            kept.unlink()
        return result

    def try_out(self, entry, result, kept, rounds):
        before = self.unwatched(entry)
        result.unwatched = before.wall_s
        ending, explanation = self.watched(entry, kept)
        result.difference, result.cpu = ending.difference(before), (ending.cpu_s, before.cpu_s)
        if explanation and not explanation["run"]:
            result.take_unseen(explanation)
            return
        if not explanation:
            result.fail(" ".join(ending.errors.decode(errors="replace").strip().splitlines()[-1:]) or "nothing was told")
            return
        result.take(explanation)
        result.can_be_put_right = bool(entry.put_right) and result.is_right
        if result.can_be_put_right and result.found == entry.cause and result.predicted is not None:
            self.measure(entry, result, rounds)

    def measure(self, entry, result, rounds):
        """The twin, as often as there are rounds: watched, so that both times are of the same kind."""
        walls = []
        for number in range(1, rounds + 1):
            kept = twin_record(self.records, result.full_name, number) if self.keeps_all else None
            ending, explanation = self.watched(entry, kept, entry.remedied(result.proposed))
            if ending.status or not explanation or not explanation["run"]:
                result.trouble = f"the twin ended with {ending.status}: {ending.errors.decode(errors='replace').strip()[-200:]}"
                return
            walls.append(explanation["run"]["wall_ns"] / 1e9)
        result.measured = statistics.median(walls)


def twin_record(directory, name, number):
    """Where the record of a twin's run is kept."""
    return directory / f"{name}.twin{number}.db"


def twin_records(directory, name):
    return sorted(directory.glob(f"{name}.twin*.db"))


def replaced(word, known):
    for name, value in known.items():
        word = word.replace(name, value)
    return word


def cpu_s():
    """Of children that are over, and theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def ended(words, directory):
    """Runs it to its end. A group of its own, which is ended whatever happens."""
    kept = {name: value for name, value in environment(directory).items() if name not in ("LD_PRELOAD", "PYTHONPATH", "NODE_OPTIONS")}
    kept["PATH"] = os.environ.get("PATH", "")
    with open(directory / "stdout", "wb") as output, open(directory / "stderr", "wb") as errors:
        start, used = time.monotonic(), cpu_s()
        process = subprocess.Popen(words, cwd=directory, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, start_new_session=True, env=kept)
        try:
            status = process.wait(PATIENCE)
        finally:
            with contextlib.suppress(ProcessLookupError):
                end_group(process)
        wall, used = time.monotonic() - start, cpu_s() - used
    return Ending(status, (directory / "stdout").read_bytes(), (directory / "stderr").read_bytes(), wall, used)
