"""
Whatever the environment is like: the right status, words that say what to do, and what was got is in the output

The table is in docs/RELIABILITY.md.
"""
import fcntl
import itertools
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from command import MUSTER, PATIENCE
from folders import open_to_others
from scripted import ok

IS_SANITIZED = any(word in MUSTER for word in ("asan", "tsan", "san"))


def run(*arguments, prepare=None, **named):
    return subprocess.run([MUSTER, "fetch", *map(str, arguments)], preexec_fn=prepare, timeout=PATIENCE, **{"stdin": subprocess.DEVNULL, **named})


# --- standard descriptors that are closed --------------------------------------------------------------------------------


@pytest.mark.parametrize("closed", [c for n in range(1, 4) for c in itertools.combinations(range(3), n)], ids=str)
@pytest.mark.parametrize("output", [[], ["-o", "out"]], ids=["stdout", "file"])
def test_closed_descriptors(server, tmp_path, closed, output):
    s = server()

    def close():
        for fd in closed:
            os.close(fd)

    done = run(*output, "--record", "run.db", s.url(), prepare=close, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if 1 in closed and not output:
        assert done.returncode == 3 and not s.requests
        assert 2 in closed or b"standard output is closed" in done.stderr and b"-o FILE" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "out").read_bytes() if output else done.stdout
    assert json.loads(text)["ok"] and (tmp_path / "run.db").read_bytes().startswith(b"SQLite format 3")


def test_a_closed_list(tmp_path):
    done = run(prepare=lambda: os.close(0), cwd=tmp_path, capture_output=True)
    assert done.returncode in (2, 3) and b"muster: " in done.stderr and not done.stdout


# --- limits -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", range(3, 24))
def test_few_descriptors(server, tmp_path, n):
    """Either it says that it cannot run, or each request has its line."""
    s = server()
    done = run(*[s.url()] * 20, cwd=tmp_path, capture_output=True, prepare=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (n, n)))
    lines = done.stdout.splitlines()
    assert done.returncode in (0, 1, 3, 127) and (done.returncode not in (0, 1) or len(lines) == 20), (done, n)
    assert done.returncode in (0, 1) or done.stderr  # 127: the loader itself could not open a library


@pytest.mark.skipif(IS_SANITIZED, reason="a sanitizer needs much address space")
@pytest.mark.parametrize("mebibytes", [16, 24, 32, 40, 48, 64, 96])
def test_little_memory(server, tmp_path, mebibytes):
    s = server(lambda r: ok(b"x" * 1000000))
    limit = mebibytes << 20
    if run("--version", capture_output=True, prepare=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit))).returncode < 0:
        pytest.skip("the libraries do not even start in so little")
    done = run(*[s.url()] * 20, cwd=tmp_path, capture_output=True, prepare=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
    lines = done.stdout.splitlines()
    assert done.returncode in (0, 1, 3, 127) and (done.returncode not in (0, 1) or len(lines) == 20), (done.returncode, done.stderr, len(lines))
    assert done.returncode in (0, 1) or done.stderr


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="only root can become a user with a limit of processes")
def test_no_more_processes(server, tmp_path):
    s = server()
    open_to_others(tmp_path, 0o777)
    command = ["setpriv", "--reuid", "65534", "--clear-groups", "prlimit", "--nproc=1", MUSTER, "fetch", "--threads", "4", s.url()]
    if subprocess.run(command[:4] + [MUSTER, "--version"], capture_output=True).returncode:
        pytest.skip("another user cannot run this build")
    environment = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}  # who looks for leaks needs a process
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=PATIENCE, cwd="/", env=environment)
    if done.returncode == 126:
        pytest.skip("another user cannot run this build")
    assert done.returncode in (0, 3) and (b"thread" in done.stderr if done.returncode else len(done.stdout.splitlines()) == 1), done


@pytest.mark.parametrize("path", ["out", "run.db", "bodies"])
def test_files_that_may_not_grow(server, tmp_path, path):
    """SIGXFSZ is an error as a full disk is."""
    s = server(lambda r: ok(b"x" * 100000))
    options = {"out": ["-o", "out"], "run.db": ["--record", "run.db"], "bodies": ["--body", "bodies/{n}"]}[path]
    done = run(*options, s.url(), s.url(), cwd=tmp_path, capture_output=True, prepare=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192)))
    assert done.returncode in (1, 3), done
    assert b"File too large" in done.stderr + done.stdout or b"full" in done.stderr or b"record" in done.stderr, done


# --- disks and folders --------------------------------------------------------------------------------------------------


def test_a_full_device(server, tmp_path):
    s = server()
    with open("/dev/full", "w") as full:
        done = run(s.url(), stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 3 and b"cannot write to standard output: No space left on device; 0 results were written before" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_a_full_file_system(server, tmp_path):
    s = server(lambda r: ok(b"x" * 20000))
    script = 'mount -t tmpfs -o size=64k none "$1" && cd "$1" && shift && "$@"; status=$?; cat out; exit $status'
    done = subprocess.run(["unshare", "-m", "sh", "-c", script, "-", tmp_path, MUSTER, "fetch", "-o", "out", *[s.url()] * 20], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=PATIENCE)
    if b"not permitted" in done.stderr:
        pytest.skip("no mounts here")
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 3 and f"No space left on device; {len(results)} results were written before" in done.stderr.decode(), done.stderr


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="root may write everywhere; only it can become somebody else")
def test_a_folder_that_cannot_be_written(server, tmp_path):
    s = server()
    tmp_path.chmod(0o555)
    for options in (["-o", "out"], ["--record", "run.db"], ["--body", "b/{n}"], ["--trace", "trace"]):
        done = subprocess.run(["setpriv", "--reuid", "65534", "--clear-groups", MUSTER, "fetch", *options, s.url()], cwd="/proc", capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=PATIENCE)
        if b"failed to execute" in done.stderr:
            pytest.skip("another user cannot run this build")
        assert done.returncode == 3 and b"muster: " in done.stderr, done
    assert not s.requests


# --- signals ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT, signal.SIGINT])
def test_a_signal_loses_nothing(muster, server, number):
    s = server(lambda r: [0.2, ok()] if r.n > 4 else ok())
    process = muster.start("fetch", "-c", "4", *[s.url()] * 100)
    while len(s.requests) < 8:
        time.sleep(0.01)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=PATIENCE)
    results = [json.loads(line) for line in stdout.splitlines()]
    assert process.returncode == 1 and len(results) == 100 and b"interrupted" in stderr
    assert sum(result["ok"] for result in results) == len(s.requests)
    name = {signal.SIGINT: "Ctrl-C"}.get(number, number.name)
    assert {result["error"]["text"] for result in results if not result["ok"]} == {f"cancelled: by {name}"}


def test_a_reader_that_goes_away(server):
    s = server(lambda r: ok(b"x" * 100000))
    reader, writer = os.pipe()
    process = subprocess.Popen([MUSTER, "fetch", *[s.url()] * 200], stdin=subprocess.DEVNULL, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    os.read(reader, 1000)
    os.close(reader)
    _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 3 and b"the reader of standard output closed it" in stderr


@pytest.mark.parametrize("make", [os.pipe, lambda: tuple(one.detach() for one in socket.socketpair())], ids=["pipe", "socket"])
@pytest.mark.parametrize("waits_for", ["a server", "a rate", "input"])
def test_a_reader_that_goes_away_while_nothing_is_written(server, make, waits_for):
    """As in `muster fetch ... | head -n 1`: what would come of it nobody waits for."""
    s = server(lambda r: "hang" if r.path == "/hang" else ok())
    reader, writer = make()
    words = {"a server": [s.url(), *[s.url("/hang")] * 3], "a rate": ["--rate", "1/m", *[s.url()] * 3], "input": ["-i", "-", s.url()]}[waits_for]
    process = subprocess.Popen([MUSTER, "fetch", *words], stdin=subprocess.PIPE, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert json.loads(os.read(reader, 1 << 20))["n"] == 1
    os.close(reader)
    assert process.wait(PATIENCE / 2) == 3
    assert process.stderr.read() == b"muster: the reader of standard output closed it; 1 results were written before\n"
    process.stdin.close()
    process.stderr.close()


def test_a_reader_that_says_no_more_still_reads(server):
    s = server(lambda r: [0.5, ok()])
    ours, theirs = socket.socketpair()
    process = subprocess.Popen([MUSTER, "fetch", "-c", "1", *[s.url()] * 2], stdin=subprocess.DEVNULL, stdout=theirs)
    theirs.close()
    ours.shutdown(socket.SHUT_WR)
    with ours.makefile("rb") as lines:
        assert [json.loads(line)["status"] for line in lines] == [200, 200]
    ours.close()
    assert process.wait(PATIENCE) == 0


def test_stopped_and_continued(muster, server):
    s = server(lambda r: [0.1, ok()])
    process = muster.start("fetch", "-m", "5", *[s.url()] * 8)
    while not s.requests:
        time.sleep(0.01)
    process.send_signal(signal.SIGSTOP)
    time.sleep(0.5)
    process.send_signal(signal.SIGCONT)
    stdout, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0 and len(stdout.splitlines()) == 8


# --- readers that stall -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2])
def test_a_reader_that_stalls_does_not_stop_timeouts(server, threads):
    """Nobody reads the results: requests in flight have their time-outs all the same, and those that wait are asked."""
    s = server(lambda r: ["hang"] if r.path == "/hang" else ok(b"x" * 20000))
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    urls = [s.url()] * 60 + [s.url("/hang")] * 4
    process = subprocess.Popen([MUSTER, "fetch", "--threads", str(threads), "-c", "64", "-m", "0.5", *urls], stdin=subprocess.DEVNULL, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    time.sleep(2)  # nothing is read
    before = processor_s(process.pid)
    time.sleep(1)
    assert processor_s(process.pid) - before < 0.5  # nor does it spin
    with open(reader, "rb") as pipe:
        results = [json.loads(line) for line in pipe]
    process.stderr.close()
    assert process.wait(PATIENCE) == 1 and len(results) == 64
    late = [result for result in results if not result["ok"]]
    assert len(late) == 4 and all(result["error"]["code"] == "timeout" and result["total_us"] - result["phases_us"]["deliver"] < 1500000 for result in late), late


def processor_s(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_an_interruption_ends_what_nobody_reads(server):
    s = server(lambda r: ok(b"x" * 50000))
    reader, writer = os.pipe()
    process = subprocess.Popen([MUSTER, "fetch", *[s.url()] * 100], stdin=subprocess.DEVNULL, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    while len(s.requests) < 20:
        time.sleep(0.01)
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=PATIENCE)
    os.close(reader)
    assert process.returncode == 3 and b"nobody reads the results" in stderr


def test_nobody_reads_standard_error(muster, server, tmp_path):
    """A full pipe there stops no request and no result."""
    s = server()
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(writer, True)
    lines = "".join(json.dumps({"url": s.url(), "methods": "GET"}) + "\n" for _ in range(20))  # each would have a warning
    process = subprocess.Popen([MUSTER, "fetch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=writer, cwd=tmp_path)
    os.close(writer)
    stdout, _ = process.communicate(lines.encode(), timeout=PATIENCE)
    os.close(reader)
    assert process.returncode == 0 and len(stdout.splitlines()) == 20


# --- what is missing, or is somebody else's ------------------------------------------------------------------------------


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can hide a file")
@pytest.mark.parametrize("hidden", ["/etc/resolv.conf", "/proc", "/etc", "/tmp"])
def test_what_is_not_there(server, tmp_path, hidden):
    s = server()
    script = '[ -d "$1" ] && mount -t tmpfs none "$1" || mount --bind /dev/null "$1"; shift; exec "$@"'
    folder = "/" if hidden == "/tmp" else tmp_path
    if hidden == "/tmp" and MUSTER.startswith("/tmp"):
        pytest.skip("the build itself is there")
    done = subprocess.run(["unshare", "-m", "sh", "-c", script, "-", hidden, MUSTER, "fetch", s.url(), "http://no-such-name.invalid/"], cwd=folder, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=PATIENCE)
    if b"not permitted" in done.stderr:
        pytest.skip("no mounts here")
    results = {result["url"]: result for result in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 1 and len(results) == 2 and results[s.url()]["ok"], done
    assert results["http://no-such-name.invalid/"]["error"]["code"] == "resolve"


ODD_ENVIRONMENTS = [{}, {"LC_ALL": "xx_XX.nonsense"}, {"HOME": "/no/such/home"}, {"TMPDIR": "/no/such/folder"}, {"TERM": "dumb", "COLUMNS": "0"},
                    {"TZ": "Nowhere/Atlantis"}, {"LANG": "\udcff"}]


@pytest.mark.parametrize("variables", ODD_ENVIRONMENTS, ids=str)
def test_odd_variables(server, tmp_path, variables):
    s = server()
    done = run("--summary", s.url(), cwd=tmp_path, env=variables, capture_output=True)
    assert done.returncode == 0 and json.loads(done.stdout)["ok"], done


def test_a_proxy_that_is_garbage(server, tmp_path):
    s = server()
    done = run(s.url(), cwd=tmp_path, env={"http_proxy": "\x01 :// not a proxy"}, capture_output=True)
    assert done.returncode in (1, 2, 3) and b"proxy" in done.stderr + done.stdout and not s.requests, done


def test_certificates_that_are_elsewhere(server, certificates, tmp_path):
    s = server(tls=certificates.context("good"))
    done = run(s.url(), cwd=tmp_path, env={"SSL_CERT_FILE": "/no/such/file", "SSL_CERT_DIR": "/no/such/folder"}, capture_output=True)
    assert done.returncode in (1, 3) and (done.stderr or json.loads(done.stdout)["error"]["code"].startswith("tls")), done


# --- the clock is set ----------------------------------------------------------------------------------------------------

CLOCK = Path(MUSTER).parent / "tests" / "shim" / "clock.so"


@pytest.mark.skipif(not CLOCK.exists(), reason="the build has no tests")
@pytest.mark.skipif(IS_SANITIZED, reason="a sanitizer must be loaded first")
@pytest.mark.parametrize("step_s", [-3600, 3600])
def test_the_clock_is_set(muster, server, tmp_path, step_s):
    """An hour back or ahead in the middle of a run: time-outs, phases and the record know nothing of it."""
    clock = shutil.copy(CLOCK, tmp_path)  # LD_PRELOAD takes no path with a blank, which the build's may have
    s = server(lambda r: "hang" if r.path == "/hang" else [0.05, ok(b"x" * 1000)])
    run = muster("fetch", "-c", "4", "--read-timeout", "1s", "--record", "run.db", *[s.url()] * 60, s.url("/hang"),
                 env={"LD_PRELOAD": str(clock), "CLOCK_STEP_S": str(step_s)})
    assert sum(result["ok"] for result in run.results) == 60 and len(run.results) == 61
    for result in run.results:
        assert result["total_us"] < 10_000_000 and all(0 <= us < 10_000_000 for us in result["phases_us"].values()), result
        assert abs(sum(result["phases_us"].values()) - result["total_us"]) < 20, result
    assert [result["error"]["code"] for result in run.results if result["error"]] == ["timeout"]
    assert max(result["phases_us"]["lag"] for result in run.results if result["ok"]) < 200_000
    told = subprocess.run([MUSTER, "explain", tmp_path / "run.db"], capture_output=True, text=True, timeout=PATIENCE)
    assert told.returncode == 0 and "3600" not in told.stdout
