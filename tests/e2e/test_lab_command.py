"""`muster lab` as a command: words and environment, exit statuses, scenarios, what it says of mistakes, signals."""
import json
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from command import MUSTER, PATIENCE, TRACED, sent_at


def run(*arguments, cwd=None, **env):
    return subprocess.run([MUSTER, "lab", *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=PATIENCE,
                          stdin=subprocess.DEVNULL, env={**os.environ, **env})


def wait_until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


# --- a command beside it ------------------------------------------------------------------------------------------------


def test_words(tmp_path):
    done = run("--listener", "one", "--listener", "b-2", "--tls", "good", "--", "printf", "%s\\n", "{one}", "{b-2}/x", "{one:port}", "{dns}", "{ca}",
               '{"a":1}', "{nobody}", "a{one:port}b{one:port}")
    one, two, port, dns, ca, json_text, nobody, both = done.stdout.splitlines()
    assert one == f"http://127.0.0.1:{port}" and two.startswith("https://127.0.0.1:") and two.endswith("/x")
    assert dns.startswith("127.0.0.1:") and ca.endswith("/ca.pem") and not Path(ca).exists()
    assert (json_text, nobody, both) == ('{"a":1}', "{nobody}", f"a{port}b{port}")
    assert done.returncode == 0 and done.stderr == ""


def test_environment():
    done = run("--listener", "one", "--listener", "b-2", "--tls", "good", "--", "env", _X="y")
    variables = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert variables["MUSTER_LAB_ONE"].startswith("http://") and variables["MUSTER_LAB_B_2"].startswith("https://")
    assert variables["MUSTER_LAB_DNS"].startswith("127.0.0.1:") and variables["MUSTER_LAB_CA"].endswith("/ca.pem") and variables["_X"] == "y"
    assert variables["PATH"].split(":")[0] == str(Path(MUSTER).resolve().parent)


def test_command_is_served():
    commands = ["muster fetch {lab}/status/204", "muster fetch --cacert {ca} {tls}/bytes/5", "muster fetch --dns-server {dns} http://a.test:{lab:port}/"]
    done = run("--", "sh", "-c", " && ".join(commands))
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [result["status"] for result in results] == [204, 200, 200] and done.returncode == 0


@pytest.mark.parametrize("command, status", [
    (["true"], 0), (["sh", "-c", "exit 7"], 7), (["sh", "-c", "kill -9 $$"], 137), (["no-such-command"], 127), (["/etc/passwd"], 126),
])
def test_exit_status(command, status):
    done = run("--", *command)
    assert done.returncode == status
    assert ("cannot run" in done.stderr) == (status in (126, 127))


# --- scenarios ----------------------------------------------------------------------------------------------------------


SCENARIO = """\
# a comment, and an empty line

about    what it shows
listener web
  delay  20ms\t
route    /api /bytes/10?status=201
listener safe\r
tls      expired
name     a.test 127.0.0.1, 192.0.2.1 ttl=5s
seed     7
run      muster fetch {web}/api
"""


def test_scenario(tmp_path, lab):
    (tmp_path / "good").write_text(SCENARIO, newline="")
    done = run("--scenario", "good", cwd=tmp_path)
    result = json.loads(done.stdout)
    assert (result["status"], result["body_bytes"], done.returncode) == (201, 10, 0) and result["phases_us"]["wait"] >= 20_000
    assert run("--scenario", "good", "--", "echo", "{safe}", cwd=tmp_path).stdout.startswith("https://")
    one = lab("--scenario", tmp_path / "good", "--serve", "--error-share", "1")
    assert list(one.urls) == ["web", "safe"] and one.get("/api").status == 201
    with one.connect("safe") as connection:  # what follows on the command line is of the last listener
        assert connection


@pytest.mark.parametrize("lines, words", [
    ("nonsense 3", "nonsense: unknown setting"),
    ("delay 20 ms", 'delay: "20 ms" is not one of these'),
    ("delay", "delay: needs a value: SPREAD"),
    ("no-keep-alive yes", 'no-keep-alive: takes no value, but got "yes"'),
    ("listener", "listener: needs a value: NAME"),
    ("tls broken", 'tls: "broken" is not one of these: good, expired'),
    ("workers many", 'workers: "many" is not a number'),
    ("listen nowhere", 'listen: "nowhere" is not PORT'),
    ("route /a=/nothing", "route: unknown path /nothing"),
    ("rate-limit 0", 'rate-limit: "0" is not a rate'),
    ("name a.test 1.2.3", '"1.2.3": is neither an address'),
    ("link rtt=soon", '"rtt=soon": needs a duration'),
    ("link speed=1", 'unknown "speed"; known are at, rtt'),
])
def test_bad_scenarios(tmp_path, lines, words):
    (tmp_path / "bad").write_text(f"# one\nseed 1\n{lines}\nrun true\n")
    done = run("--scenario", "bad", cwd=tmp_path)
    assert done.returncode == 2 and done.stdout == ""
    assert "bad:3: " in done.stderr and words in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("options, words", [
    (["--scenario", "missing"], "cannot read the scenario missing: No such file or directory"),
    (["--nonsense"], "unknown option --nonsense"),
    (["--delays", "5ms"], "did you mean --delay?"),
    (["http://h/"], '"http://h/" is not an option; put a command after --'),
    (["--workers", "4"], "listener lab: workers need a service-time"),
    (["--queue", "4"], "listener lab: service-time and queue need workers"),
    (["--listener", "x", "--tls-max", "1.2"], "listener x: the tls-* settings need tls"),
    (["--tls-max", "1.1"], '"1.1" is not 1.2 or 1.3'),
    (["--link", "rtt=10ms"], "--link needs a command to run at its other end"),
    (["--link", "loss=2", "--", "true"], '"loss=2": needs a share'),
    (["--link", "at=1s,mtu=1400", "--", "true"], "applies to the whole run and cannot change"),
    (["--error-share", "200%"], '"200%" is not a share'),
    (["--write-size", "0"], "a size above 0"),
    (["--refuse", "later"], '"later" is not 503 or close'),
    (["--service-dist", "exp"], "give service-time before it"),
    (["--service-time", "1ms", "--service-dist", "normal"], "fixed, exp, uniform"),
    (["--coherency", "-1"], "a number of 0 or more"),
    (["--backlog", "0"], "a number from 1"),
    (["--dns", "h:53"], "PORT, ADDRESS:PORT"),
    (["--name", "a b"], '"b": is neither an address'),
    (["--name", "a.test 1.1.1.1", "--name", "a.test 1.1.1.2"], "was given before"),
    (["--name", "a.test servfail nxdomain"], "only one of servfail, nxdomain and refused"),
    (["--seed", "x"], '"x" is not a number'),
])
def test_bad_options(tmp_path, options, words):
    done = run(*options, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "") and words in done.stderr and done.stderr.count("\n") == 1


def test_what_cannot_be_had(lab):
    taken = lab().port()
    done = run("--listen", f"127.0.0.1:{taken}", "--", "true")
    assert done.returncode == 3 and f"listener lab: cannot bind to 127.0.0.1:{taken}: " in done.stderr
    done = run("--listen", "192.0.2.77:0", "--", "true")
    assert done.returncode == 3 and "cannot bind to 192.0.2.77:0" in done.stderr
    done = run("--congestion-control", "nonsense", "--", "true")
    assert done.returncode == 3 and "the kernel does not offer congestion control nonsense" in done.stderr


# --- the end ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_signals(lab, how):
    one = lab()
    assert Path(one.ca).exists()
    held = [one.connect() for _ in range(3)]
    held[0].sendall(b"GET /hang HTTP/1.1\r\n\r\n")
    wait_until(lambda: one.stats()["requests"] == 1)
    status, stderr = one.stop(how)
    assert status == 0 and "muster: lab: 1 requests on" in stderr
    assert not Path(one.ca).parent.exists()
    for connection in held:
        connection.close()


def test_the_folder_is_where_it_should_be():
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        done = run("--", "sh", "-c", "cat {ca}; echo {ca}", TMPDIR=directory)
        assert "BEGIN CERTIFICATE" in done.stdout and "PRIVATE" not in done.stdout
        assert done.stdout.splitlines()[-1].startswith(directory) and os.listdir(directory) == []


def test_a_folder_that_a_shell_would_take_apart_is_none_for_ca(tmp_path):
    for name, is_used in [("a b", False), ("a'b", False), ("a" * 60, True)]:
        (tmp_path / name).mkdir()
        done = run("--", "sh", "-c", "cat {ca}; echo {ca}", TMPDIR=str(tmp_path / name))
        assert "BEGIN CERTIFICATE" in done.stdout, done.stderr
        assert done.stdout.splitlines()[-1].startswith(str(tmp_path / name) if is_used else "/tmp/muster-lab-")


@pytest.mark.parametrize("call", ["mkdir", "bind", "clone", "pidfd_open"])
@pytest.mark.parametrize("number, status", [(signal.SIGINT, 7), (signal.SIGTERM, 143), (signal.SIGHUP, 143)])
def test_a_signal_while_it_starts(tmp_path, call, number, status):
    """Nothing is left behind, and with SIGINT the command is the one to decide."""
    done = subprocess.run([*sent_at(call, number), MUSTER, "lab", "--", "sh", "-c", "sleep 0.3; exit 7"], env={**TRACED, "TMPDIR": str(tmp_path)}, timeout=PATIENCE)
    assert done.returncode == status and not list(tmp_path.iterdir())


def test_signals_with_a_command(tmp_path):
    """SIGTERM is handed on; SIGINT is the command's own affair, to which a terminal sends it."""
    for how, status in [(signal.SIGTERM, 143), (None, 5)]:
        process = subprocess.Popen([MUSTER, "lab", "--", "sh", "-c", "trap 'exit 5' USR1; echo $$ {ca}; while :; do sleep 0.05; done"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        child, ca = process.stdout.readline().split()
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
        assert process.poll() is None and Path(ca).exists()
        if how:
            process.send_signal(how)
        else:
            os.kill(int(child), signal.SIGUSR1)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == status and not Path(ca).parent.exists()
