"""`muster watch` and the program that it runs: it is as without, whatever it does and however it ends."""
import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command import MUSTER, PATIENCE
from terminal import terminal


def watch(*arguments, stdin=subprocess.DEVNULL, **kinds):
    return subprocess.run([MUSTER, "watch", *map(str, arguments)], stdin=stdin if "input" not in kinds else None, capture_output=True, timeout=PATIENCE, **kinds)


def start(*arguments, **kinds):
    return subprocess.Popen([MUSTER, "watch", *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kinds)


def wait_until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def state(pid):
    """Of a process: "S" it sleeps, "T" it is stopped; "" there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


# --- the same as without ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command, status", [
    (["true"], 0), (["sh", "-c", "exit 7"], 7), (["sh", "-c", "kill -9 $$"], 137), (["sh", "-c", "kill -TERM $$"], 143),
    ([sys.executable, "-c", "import os; os.abort()"], 134), ([sys.executable, "-c", "import sys; sys.exit('no')"], 1),
    ([sys.executable, "-c", "import os; os._exit(9)"], 9), ([sys.executable, "-c", "import ctypes; ctypes.string_at(0)"], 139),
])
def test_exit_status(command, status):
    assert watch("--", *command).returncode == status


def test_output_is_the_programs():
    script = "cat; echo to stdout; echo to stderr >&2"
    alone = subprocess.run(["sh", "-c", script], input=b"a\0b", capture_output=True)
    done = watch("--", "sh", "-c", script, input=b"a\0b")
    assert done.stdout == alone.stdout
    assert done.stderr.startswith(alone.stderr)


def test_words_are_not_touched(tmp_path):
    done = watch("printf", "%s|", "", "a b", "--json", "-o", "\\n", "*")
    assert done.stdout == b"|a b|--json|-o|\\n|*|"
    assert watch("--no-hooks", "--", "echo", "--", "-x").stdout == b"-- -x\n"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_descriptors(closed):
    """A program sees those closed that were closed for us, and no others."""
    see = [sys.executable, "-S", "-c", "import os, sys\nfor n in range(3):\n try: os.fstat(n); print(n, file=open(sys.argv[1], 'a'))\n except OSError: pass"]
    outcomes = []
    for number, before in enumerate(([], [MUSTER, "watch", "--"])):
        told = Path(os.environ.get("TMPDIR", "/tmp")) / f"muster-test-{os.getpid()}-{number}"
        done = subprocess.run(["sh", "-c", f'"$@" {closed}', "sh", *before, *see, told], timeout=PATIENCE, stdin=subprocess.DEVNULL, capture_output=True)
        outcomes.append((done.returncode, told.read_text() if told.exists() else ""))
        told.unlink(missing_ok=True)
    assert outcomes[0] == outcomes[1]


def test_what_was_ignored_stays_ignored():
    show = [sys.executable, "-c", "import signal; print([int(n) for n in signal.valid_signals() if signal.getsignal(n) == signal.SIG_IGN], signal.pthread_sigmask(signal.SIG_BLOCK, []))"]
    before = ["sh", "-c", 'trap "" HUP USR1 CHLD; "$@"', "sh"]
    alone = subprocess.run([*before, *show], capture_output=True, timeout=PATIENCE).stdout
    assert subprocess.run([*before, MUSTER, "watch", "--", *show], capture_output=True, timeout=PATIENCE).stdout == alone != b""


def test_status_where_children_are_not_waited_for():
    """SIGCHLD that is ignored has the kernel forget how a child ended."""
    done = subprocess.run(["sh", "-c", f'trap "" CHLD; exec "{MUSTER}" watch -- sh -c "exit 5"'], capture_output=True, timeout=PATIENCE)
    assert done.returncode == 5


def test_a_pipe_that_nobody_reads():
    process = subprocess.Popen(["sh", "-c", f'"{MUSTER}" watch -- yes; echo $? >&2'], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    assert process.stdout.read(2) == b"y\n"
    process.stdout.close()
    assert process.stderr.read().split()[-1] == b"141"
    process.stderr.close()
    assert process.wait(PATIENCE) == 0


# --- what it cannot run -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command, status, words", [
    (["no-such-command"], 127, "cannot run no-such-command"), (["/nowhere/at/all"], 127, "cannot run"), (["/etc/passwd"], 126, "cannot run /etc/passwd"),
    (["/"], 126, "cannot run"), (["python3 script.py"], 127, "muster watch -- sh -c 'python3 script.py'"),
])
def test_not_run(command, status, words):
    done = watch("--", *command)
    assert done.returncode == status and words in done.stderr.decode() and done.stdout == b""
    assert b"request" not in done.stderr  # there is no page where nothing ran


@pytest.mark.parametrize("arguments, words", [
    ([], "no program given"), (["--"], "no program given"), (["--nonsense", "--", "true"], "unknown option"), (["--for", "soon", "--", "true"], "not a duration"),
    (["--for", "0", "--", "true"], "no time"), (["-s", "--", "true"], "--silent without --record"), (["-s", "--record", "x.db", "--json", "--", "true"], "--silent and --json"),
    (["--for"], "needs a value"),
])
def test_wrong_input(arguments, words):
    done = watch(*arguments)
    assert done.returncode == 2 and words in done.stderr.decode()


@pytest.mark.parametrize("option", ["-o", "--record"])
def test_a_file_that_is_there(option, tmp_path):
    """Found out before the program runs, as it may run for long."""
    there = tmp_path / "there"
    there.write_text("mine")
    done = watch(option, there, "--", "touch", tmp_path / "ran")
    assert done.returncode == 2 and "--force" in done.stderr.decode() and there.read_text() == "mine" and not (tmp_path / "ran").exists()


# --- its folder ---------------------------------------------------------------------------------------------------------

SHOW_FOLDER = 'echo "$MUSTER_WATCH"; '


def folder_of(process):
    return Path(process.stdout.readline().decode().strip())


@pytest.mark.parametrize("end", ["true", "exit 3", "kill -9 $$", "kill -SEGV $$"])
def test_folder_is_private_and_goes(end):
    done = watch("--", "sh", "-c", SHOW_FOLDER + 'stat -c %a "$MUSTER_WATCH"; ' + end)
    folder, mode = done.stdout.decode().split()
    assert mode == "711" and " " not in folder and not Path(folder).exists()  # who goes on as another user finds the library, and sees no names


def test_folder_goes_where_it_could_not_run():
    before = set(Path("/dev/shm").glob("muster-watch-*"))
    watch("--", "no-such-command")
    assert set(Path("/dev/shm").glob("muster-watch-*")) <= before


def test_environment_is_added_to():
    own = {"LD_PRELOAD": "", "PYTHONPATH": "/mine", "NODE_OPTIONS": "--no-warnings"}
    done = watch("--", "env", env={**os.environ, **own})
    variables = dict(line.split("=", 1) for line in done.stdout.decode().splitlines() if "=" in line)
    folder = variables["MUSTER_WATCH"]
    assert variables["LD_PRELOAD"] == f"{folder}/shim.so"
    assert variables["PYTHONPATH"].split(":")[-1] == "/mine" and variables["NODE_OPTIONS"].endswith("--no-warnings")
    done = watch("--no-hooks", "--", "env", env={**os.environ, **own})
    variables = dict(line.split("=", 1) for line in done.stdout.decode().splitlines() if "=" in line)
    assert variables["PYTHONPATH"] == "/mine" and variables["NODE_OPTIONS"] == "--no-warnings"


@pytest.mark.parametrize("options", [[], ["--no-hooks"]])
def test_the_inner_one_watches(options):
    outer = watch("--", "sh", "-c", SHOW_FOLDER + '"$0" watch "$@" -- env', MUSTER, *options)
    assert outer.returncode == 0
    outer_folder, *lines = outer.stdout.decode().splitlines()
    variables = dict(line.split("=", 1) for line in lines if "=" in line)
    assert variables["MUSTER_WATCH"] != outer_folder
    assert not [value for name, value in variables.items() if outer_folder in value]
    assert variables["LD_PRELOAD"] == variables["MUSTER_WATCH"] + "/shim.so"


def test_processes_that_are_left_find_what_they_load(tmp_path):
    """They start others when we are gone; the loader must not complain. Then nobody needs the folder any more."""
    go, told = tmp_path / "go", tmp_path / "told"
    left = f'(until [ -e {go} ]; do sleep 0.05; done; ls / >/dev/null 2>{told}.tmp; mv {told}.tmp {told}) </dev/null >/dev/null 2>&1 &'
    done = watch("--", "sh", "-c", SHOW_FOLDER + left)
    folder = Path(done.stdout.decode().strip())
    assert re.search("process(es)? that it started go", " ".join(done.stderr.decode().split()))
    assert (folder / "shim.so").exists() and not list(folder.glob("shim.[0-9]*")) and not list(folder.glob("*.db"))
    assert folder.stat().st_mode & 0o777 == 0o511
    watch("--", "true")
    assert folder.exists()
    go.touch()
    wait_until(told.exists)
    assert told.read_text() == ""
    wait_until(lambda: not [one for one in Path("/proc").glob("[0-9]*") if has_in_environment(one, str(folder))])
    old = time.time() - 60
    os.utime(folder, (old, old))
    watch("--", "true")
    assert not folder.exists()


def has_in_environment(process, text):
    try:
        return text.encode() in (process / "environ").read_bytes()
    except OSError:
        return False


# --- signals ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1])
def test_signals_are_passed_on(how):
    process = start("--", "sh", "-c", SHOW_FOLDER + "exec sleep 60", preexec_fn=lambda: signal.signal(how, signal.SIG_DFL))
    folder = folder_of(process)
    wait_until(lambda: os.path.exists(folder))
    time.sleep(0.1)
    process.send_signal(how)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + how and not folder.exists()


def test_a_program_that_handles_them():
    """It decides what becomes of each, of a second one as well."""
    script = "import signal, sys, time\nleft = 3\ndef taken(n, f):\n global left; left -= 1; print(n, flush=True)\nsignal.signal(2, taken); print('ready', flush=True)\nwhile left: time.sleep(0.01)\nsys.exit(4)"
    process = start("--", sys.executable, "-c", script)
    assert process.stdout.readline() == b"ready\n"
    for _ in range(3):
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == b"2\n"
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 4


def test_killed_it_leaves_what_the_next_one_removes():
    process = start("--", "sh", "-c", SHOW_FOLDER + "sleep 0.3")
    folder = folder_of(process)
    process.kill()
    process.communicate(timeout=PATIENCE)
    assert folder.exists()
    old = time.time() - 60
    os.utime(folder, (old, old))
    watch("--", "true")
    assert not folder.exists()


@pytest.fixture
def on_a_terminal():
    """on_a_terminal(command): the command as the leader of a terminal's session; its pid, and our end."""
    started = []

    def begin(*command):
        ours, theirs = terminal()
        process = subprocess.Popen([*map(str, command)], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
                                   preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0))
        os.close(theirs)
        started.append((process, ours))
        return process, ours

    yield begin
    for process, ours in started:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(ours)


def read_until(fd, text):
    shown = b""
    while text not in shown:
        assert select.select([fd], [], [], PATIENCE)[0], shown
        try:
            more = os.read(fd, 65536)
        except OSError:
            more = b""
        assert more, shown
        shown += more
    return shown


def test_ctrl_c_at_a_terminal_comes_once(on_a_terminal):
    script = "import signal, time\nn = 0\ndef taken(s, f):\n global n; n += 1\nsignal.signal(2, taken); print('ready', flush=True)\nend = time.monotonic() + 60\nwhile not n and time.monotonic() < end: time.sleep(0.01)\ntime.sleep(0.3); print('count', n, flush=True)"
    process, ours = on_a_terminal(MUSTER, "watch", "--", sys.executable, "-c", script)
    read_until(ours, b"ready")
    os.write(ours, b"\x03")
    assert b"count 1" in read_until(ours, b"count ")+ os.read(ours, 4096)
    assert process.wait(PATIENCE) == 0


def test_it_is_a_terminal_to_the_program(on_a_terminal):
    process, ours = on_a_terminal(MUSTER, "watch", "--", sys.executable, "-c", "import sys; print([s.isatty() for s in (sys.stdin, sys.stdout, sys.stderr)]); print(input())")
    read_until(ours, b"[True, True, True]")
    os.write(ours, b"typed\n")
    assert read_until(ours, b"muster watch").count(b"typed") == 2  # the terminal shows it, and so does the program
    assert process.wait(PATIENCE) == 0


def test_ctrl_z_stops_both_and_both_go_on(on_a_terminal, tmp_path):
    """Under a shell with job control, as people have it. The program has no children: a shell that is making one by vfork() cannot be stopped."""
    go, script = tmp_path / "go", tmp_path / "script.py"
    script.write_text(f"import os, time\nprint('pid', os.getpid(), 'ready', flush=True)\nwhile not os.path.exists({str(go)!r}): time.sleep(0.05)\nprint('woke up')\n")
    process, ours = on_a_terminal("bash", "--norc", "-i")
    os.write(ours, f'"{MUSTER}" watch -- "{sys.executable}" "{script}"\n'.encode())
    shown = read_until(ours, b" ready\r\n")
    pid = int(shown.rpartition(b"pid ")[2].split()[0])
    os.write(ours, b"\x1a")
    read_until(ours, b"Stopped")
    assert state(pid) == "T"
    go.touch()
    os.write(ours, b"fg\n")
    read_until(ours, b"woke up\r\n")
    os.write(ours, b"exit\n")
    assert process.wait(PATIENCE) in (0, 1)


# --- an end that is set -------------------------------------------------------------------------------------------------


def test_for():
    begin = time.monotonic()
    done = watch("--for", "300ms", "--", "sleep", "60")
    assert done.returncode == 130 and 0.3 <= time.monotonic() - begin < 5


def test_for_is_longer_than_the_program():
    assert watch("--for", "60s", "--", "sh", "-c", "exit 3").returncode == 3


def test_for_reaches_children():
    """A shell that waits is not alone: what it waits for is told, too."""
    script = 'sh -c \'trap "echo child told; exit" INT; echo ready; for i in $(seq 200); do sleep 0.05; done\'; echo shell goes on'
    done = watch("--for", "1s", "--", "bash", "-c", script)
    assert b"child told" in done.stdout


def test_for_with_one_that_does_not_listen():
    begin = time.monotonic()
    done = watch("--for", "1s", "--", "sh", "-c", "trap '' INT; exec sleep 60")
    assert done.returncode == 128 + signal.SIGTERM and time.monotonic() - begin < 30


def test_for_with_one_that_is_stopped():
    done = watch("--for", "300ms", "--", "sh", "-c", "kill -STOP $$; echo went on")
    assert done.returncode == 130
