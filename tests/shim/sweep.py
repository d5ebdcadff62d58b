#!/usr/bin/python3
"""
The n-th failure: small runs of the command in which one call fails (shim.h), each call in turn, in each way that it can.

    sweep.py [--seconds N] [--seed N] [--jobs N] [--only RUN:CALL] BUILD

Each must end in time, with the right status, one whole line for each input, and nothing left open or allocated. Where there is not time
for all of them, a random part is done; the seed that is printed repeats it. The last line is "N runs, N bad, N left out".
"""
import argparse
import collections
import concurrent.futures
import errno
import functools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PATIENCE = 60  # seconds that one may take; they take milliseconds
SHORT = 0      # one byte is read or written

# How each call can fail. What comes in cannot be said to be less than it is: a loop that is told of each arrival once, as epoll does
# with EPOLLET, would wait for ever, and no kernel does that. EINTR and EAGAIN are no failures: the run must be as if nothing had happened.
WAYS = {
    "alloc": [errno.ENOMEM],
    "open": [errno.EMFILE, errno.EACCES, errno.EINTR],
    "mkdir": [errno.EACCES],
    "read": [errno.EIO, errno.EINTR, SHORT],
    "write": [errno.ENOSPC, errno.EINTR, SHORT],
    "writev": [errno.ECONNRESET, errno.EINTR, SHORT],
    "send": [errno.ECONNRESET, errno.EINTR, SHORT],
    "sendmsg": [errno.ECONNRESET, errno.EINTR, errno.ENOBUFS, SHORT],
    "recv": [errno.ECONNRESET, errno.EINTR],
    "recvmsg": [errno.ECONNRESET, errno.EINTR],
    "stat": [errno.EACCES, errno.ENOENT],
    "rename": [errno.EACCES],
    "unlink": [errno.EACCES],
    "fsync": [errno.EIO],
    "ftruncate": [errno.EIO],
    "fchmod": [errno.EPERM],
    "flock": [errno.ENOLCK, errno.EINTR],
    "lseek": [errno.ESPIPE],
    "fcntl": [errno.EMFILE],
    "mmap": [errno.ENOMEM],
    "close": [errno.EIO, errno.EINTR],
    "socket": [errno.EMFILE, errno.ENOBUFS],
    "connect": [errno.ECONNREFUSED, errno.EADDRNOTAVAIL, errno.EINTR],
    "bind": [errno.EADDRINUSE],
    "sockopt": [errno.ENOPROTOOPT],
    "shutdown": [errno.ENOTCONN],
    "epoll_create": [errno.EMFILE],
    "epoll_ctl": [errno.ENOMEM],
    "epoll_wait": [errno.EINTR],
    "poll": [errno.EINTR, errno.ENOMEM],
    "eventfd": [errno.EMFILE],
    "timerfd": [errno.EMFILE],
    "getrandom": [errno.EINTR, errno.EAGAIN],
    "pipe": [errno.EMFILE],
    "waitpid": [errno.EINTR],
    "thread": [errno.EAGAIN],
    "spawn": [errno.EAGAIN],
}
HARMLESS = {errno.EINTR, errno.EAGAIN, SHORT}
NOT_HARMLESS = {("thread", errno.EAGAIN), ("spawn", errno.EAGAIN), ("open", errno.EINTR), ("close", errno.EINTR), ("connect", errno.EINTR),
                ("flock", errno.EINTR)}  # EINTR is an error where nothing installs a handler without SA_RESTART; asked for again or told

OLD = '{"n":%d,"method":"GET","url":"%s/bytes/%d0","ok":%s,"error":null}\n'  # what the run that is gone on with left

LASTING = {"alloc", "write", "open", "socket", "mmap"}  # also with all that follow failing, as where there is no memory and no room

Run = collections.namedtuple("Run", "name arguments input n")
Case = collections.namedtuple("Case", "run call sys at lasting")


def runs(lab):
    """What is run, of the lab at hand. Another run is a line here."""
    clear, tls, h2 = lab["clear"], lab["tls"], lab["h2"]

    def lines(*items):
        return "".join(json.dumps(item) + "\n" for item in items)

    return [
        Run("h1", ["--no-progress", clear + "/bytes/10", clear + "/redirect/1", clear + "/bytes/70000"], "", 3),
        Run("stdin", ["-o", "out"], lines({"url": clear + "/bytes/10", "id": 1}, {"url": clear + "/upload", "body": "x", "method": "POST"}), 2),
        Run("tls", ["--cacert", lab["ca"], tls + "/bytes/10", tls + "/bytes/20000"], "", 2),
        Run("h2", ["--cacert", lab["ca"], h2 + "/bytes/10", h2 + "/bytes/70000", h2 + "/redirect/1"], "", 3),
        Run("record", ["--record", "run.db", "--summary", clear + "/bytes/10", clear + "/bytes/10"], "", 2),
        Run("files", ["--body", "bodies/{n}", "-o", "out", clear + "/bytes/10", clear + "/bytes/70000"], "", 2),
        Run("upload", [], lines({"url": clear + "/upload", "body_file": "large", "method": "POST"}, {"url": clear + "/upload", "form": {"a": {"file": "large"}}}), 2),
        Run("kept", ["-b", "jar", "--cookie-jar", "jar", "--hsts", "hsts", "--ssl-sessions", "sessions", "--netrc-file", "netrc", "--cacert", lab["ca"], tls + "/bytes/10"], "", 1),
        Run("names", ["--dns-server", lab["dns"], clear.replace("127.0.0.1", "lab.test") + "/bytes/10"], "", 1),
        Run("threads", ["--threads", "2", clear + "/bytes/10", clear + "/bytes/10", clear + "/bytes/10"], "", 3),
        Run("process", ["--parse-json", "--trace", "trace"], lines({"url": clear + "/upload", "body": "x", "method": "POST"}), 1),
        Run("resume", ["--resume", "--failed-only", "--sync", "each", "-o", "out", clear + "/bytes/10", clear + "/bytes/20", clear + "/bytes/30"], "", 3),
    ]


class Sweep:
    def __init__(self, build, lab):
        self.build, self.lab = Path(build).resolve(), lab
        self.is_sanitized = b"__asan_init" in subprocess.run(["nm", self.build / "muster"], capture_output=True).stdout
        self.shim = self.build / "tests" / "shim" / ("shim_calls.so" if self.is_sanitized else "shim.so")
        self.runs = {run.name: run for run in runs(lab)}

    def prepare(self, folder):
        (folder / "large").write_bytes(b"x" * 200000)
        (folder / "netrc").write_text("machine h login a password b\n")
        (folder / "netrc").chmod(0o600)
        (folder / "jar").write_text("# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\ta\tb\n")
        (folder / "hsts").write_text("")

    def perform(self, case):
        """(how it ended, what was wrong; what the shim counted)"""
        run = self.runs[case.run]
        with tempfile.TemporaryDirectory(prefix="muster-sweep-") as name:
            folder = Path(name)
            self.prepare(folder)
            if run.name == "resume":
                (folder / "out").write_text("".join(OLD % (n, self.lab["clear"], n, "true" if n == 1 else "false") for n in (1, 2)))
            shim = folder / "shim.so"  # LD_PRELOAD takes no path with a blank, which the build's may have
            shim.symlink_to(self.shim)
            environment = {**os.environ, "LD_PRELOAD": str(shim), "SHIM_CALLS": case.call, "SHIM_AT": str(case.at), "SHIM_ERRNO": str(case.sys),
                           "SHIM_REPORT": str(folder / "report"), "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=1"}
            if case.lasting:
                environment["SHIM_LASTING"] = "1"
            process = subprocess.Popen([self.build / "muster", "fetch", "-m", "20", *run.arguments], cwd=folder, env=environment, stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            try:
                stdout, stderr = process.communicate(run.input.encode(), timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                return "it hangs: " + process.communicate()[1].decode(errors="replace")[-300:], {}
            if (folder / "out").exists():
                stdout = (folder / "out").read_bytes()
            counts = {}
            if (folder / "report").exists():
                words = (folder / "report").read_text().split()
                counts = dict(zip(words[::2], map(int, words[1::2])))
            return self.judge(case, run, process.returncode, stdout, stderr.decode(errors="replace"), counts), counts

    def judge(self, case, run, status, stdout, stderr, counts):
        if status < 0:
            return f"killed by {signal.Signals(-status).name}: {stderr[-600:]}"
        if "Sanitizer" in stderr or "runtime error" in stderr:
            return f"sanitizer: {stderr[-1500:]}"
        if status not in (0, 1, 2, 3):
            return f"status {status}: {stderr[-300:]}"
        if stdout and not stdout.endswith(b"\n"):
            if status == 3 and case.call == "write" and "-o" not in run.arguments:
                return ""  # what a pipe took cannot be taken back
            return f"the last line is torn: {stdout[-80:]}"
        try:
            results = [json.loads(line) for line in stdout.splitlines()]
        except ValueError as error:
            return f"no JSON: {error}"
        if run.name == "resume" and status == 3:
            results = list({result["n"]: result for result in results}.values())  # what counts no more goes at the end
        if len({result["n"] for result in results}) != len(results):
            return "an input has two lines"
        if status in (0, 1) and len(results) != run.n:
            return f"status {status}, {len(results)} lines of {run.n}: {stderr[-300:]}"
        if status == 0 and not all(result["ok"] for result in results):
            return "status 0, but a request failed"
        if status == 1 and all(result["ok"] for result in results):
            return f"status 1, but no request failed: {stderr[-300:]}"
        if status in (2, 3) and "muster: " not in stderr:
            return f"status {status} without a word: {stderr[-300:]}"
        harmless = case.sys in HARMLESS and (case.call, case.sys) not in NOT_HARMLESS
        if harmless and case.at and not case.lasting and status != 0:
            return f"status {status} after what is no failure: {stderr[-300:]}{[result['error'] for result in results if not result['ok']]}"
        if counts.get("blocks"):
            return f"{counts['blocks']} blocks are not freed (status {status}): {stderr[-200:]}"
        if counts.get("descriptors"):
            return f"{counts['descriptors']} descriptors are not closed (status {status}): {stderr[-200:]}"
        return ""

    def count(self, name):
        """How often the run does each call where none fails."""
        wrong, counts = self.perform(Case(name, ",".join(WAYS), errno.EIO, 0, False))
        if wrong:
            raise SystemExit(f"sweep: {name} does not even run without a failure: {wrong}")
        return counts

    def cases(self, pool, only):
        for name, counts in zip(self.runs, pool.map(self.count, self.runs)):
            for call, ways in WAYS.items():
                if only and only not in (name, call, f"{name}:{call}"):
                    continue
                for sys_ in ways:
                    yield from (Case(name, call, sys_, at, False) for at in range(1, counts[call] + 1))
                if call in LASTING:
                    yield from (Case(name, call, ways[0], at, True) for at in range(1, counts[call] + 1))


def spread(cases, chance):
    """In random order, but the first few have some of each kind."""
    kinds = collections.defaultdict(list)
    for case in cases:
        kinds[case.run, case.call, case.sys, case.lasting].append(case)
    ranked = []
    for kind in kinds.values():
        chance.shuffle(kind)
        ranked += [((place + chance.random()) / len(kind) ** 0.5, case) for place, case in enumerate(kind)]
    return [case for _, case in sorted(ranked, key=lambda pair: pair[0])]


def words_of(case):
    how = errno.errorcode.get(case.sys, "one byte")
    return f"{case.run}: {case.call} {case.at} {how}{' and all after it' if case.lasting else ''}"


def sweep(build, lab, seconds, seed, jobs, only=None, tell=functools.partial(print, flush=True)):
    """(runs done, what was bad, how many were left out)"""
    end = time.monotonic() + seconds
    it = Sweep(build, lab)
    bad, done = [], 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        cases = spread(it.cases(pool, only), random.Random(seed))
        tell(f"sweep: {len(cases)} failures to be tried, seed {seed}")

        def attempt(case):
            return (case, it.perform(case)[0]) if time.monotonic() < end else None

        for outcome in pool.map(attempt, cases):
            if outcome:
                done += 1
                if outcome[1]:
                    bad.append(f"{words_of(outcome[0])}: {outcome[1]}")
                    tell("BAD " + bad[-1])
    return done, bad, len(cases) - done


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=360)
    options.add_argument("--seed", type=int, default=None)
    options.add_argument("--jobs", type=int, default=(os.cpu_count() or 1) + 1)
    options.add_argument("--only")
    options.add_argument("build")
    chosen = options.parse_args()
    seed = chosen.seed if chosen.seed is not None else random.SystemRandom().randrange(1 << 32)
    with serving(Path(chosen.build) / "muster") as lab:
        done, bad, left = sweep(chosen.build, lab, chosen.seconds, seed, chosen.jobs, chosen.only)
    print(f"{done} runs, {len(bad)} bad, {left} left out")
    return bool(bad)


class serving:
    """A lab with a listener of each kind."""

    def __init__(self, muster):
        self.muster = muster

    def __enter__(self):
        self.process = subprocess.Popen([self.muster, "lab", *LAB], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        found = {}
        for line in self.process.stdout:
            name, value = line.split()[:2]
            found[name] = value.rstrip("/")
            if {"ca", "dns", "clear", "tls", "h2"} <= found.keys():
                return found
        raise SystemExit("sweep: the lab does not start")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


LAB = ["--listener", "clear", "--listener", "tls", "--tls", "good", "--listener", "h2", "--tls", "good", "--h2"]

if __name__ == "__main__":
    sys.exit(main())
