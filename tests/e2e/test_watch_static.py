"""`muster watch` of programs that no library can be loaded into: what they do is the same as without, and their connections are seen from outside."""
import contextlib
import json
import os
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command import MUSTER, PATIENCE
from test_watch_program import start, state, wait_until, watch
from test_watch import watched

SUBJECT = r"""
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static char *host = "127.0.0.1";
static const char *port, *path = "/delay/5ms";
static int kept = -1;

static int opened(void)
{
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(atoi(port)), .sin_addr.s_addr = inet_addr(host) };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0 || connect(fd, (void *)&address, sizeof address) < 0) {
                printf("cannot connect: %s\n", strerror(errno));
                exit(9);
        }
        return fd;
}

static void ask(int fd)
{
        char text[4096];
        int n = sprintf(text, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", path);

        if (write(fd, text, n) != n)
                exit(8);
        while ((n = read(fd, text, sizeof text)) < 0 && errno == EINTR)
                ;
        if (n <= 0)
                exit(7);
        printf("%.12s\n", text);
        fflush(stdout);
}

static void each(int n)
{
        while (n-- > 0) {
                int fd = opened();

                ask(fd);
                close(fd);
        }
}

static void keep(int n)
{
        if (kept < 0)
                kept = opened();
        while (n-- > 0)
                ask(kept);
}

static void *thread(void *data)
{
        int fd = opened();

        for (int i = 0; i < 10; i++)
                ask(fd);
        close(fd);
        return data;
}

static int n_ticks;
static void tick(int number)
{
        n_ticks++;
}

int main(int argc, char **argv)
{
        const char *mode = argv[1];
        int n = argc > 3 ? atoi(argv[3]) : 20, status = 0;

        port = strrchr(argv[2], ':') ? strrchr(argv[2], ':') + 1 : argv[2];
        if (strchr(argv[2], '.')) { /* http://192.0.2.1 */
                host = strdup(strrchr(argv[2], '/') + 1);
                host[strcspn(host, ":")] = 0;
                port = strchr(strrchr(argv[2], '/'), ':') ? port : "80";
                path = "/plain";
        }
        if (!strcmp(mode, "each"))
                each(n);
        else if (!strcmp(mode, "keep"))
                keep(n);
        else if (!strcmp(mode, "exit"))
                return keep(n), 7;
        else if (!strcmp(mode, "quick-exit"))
                keep(n), _exit(3);
        else if (!strcmp(mode, "crash"))
                keep(n), raise(SIGSEGV);
        else if (!strcmp(mode, "abort"))
                each(n), abort();
        else if (!strcmp(mode, "killed"))
                each(n), kill(getpid(), SIGKILL);
        else if (!strcmp(mode, "fork")) {
                for (int i = 0; i < 3; i++) {
                        if (fork() == 0)
                                each(n), _exit(i);
                        wait(&status);
                        printf("%d\n", WEXITSTATUS(status));
                        fflush(stdout);
                }
                keep(n);
        } else if (!strcmp(mode, "exec")) {
                each(2);
                fflush(stdout);
                execl(argv[0], argv[0], "exit", port, "3", NULL);
        } else if (!strcmp(mode, "close-all")) {
                keep(2);
                closefrom(3);
                kept = -1;
                printf("%d\n", open("/dev/null", O_RDONLY));
                each(3);
        } else if (!strcmp(mode, "threads")) {
                pthread_t threads[4];

                for (int i = 0; i < 4; i++)
                        pthread_create(&threads[i], NULL, thread, NULL);
                for (int i = 0; i < 4; i++)
                        pthread_join(threads[i], NULL);
        } else if (!strcmp(mode, "handlers")) {
                struct itimerval often = { { 0, 1000 }, { 0, 1000 } };
                struct sigaction action = { .sa_handler = tick, .sa_flags = SA_RESTART };

                sigaction(SIGALRM, &action, NULL);
                setitimer(ITIMER_REAL, &often, NULL);
                each(n);
                return n_ticks > 0 ? 4 : 5;
        } else if (!strcmp(mode, "descriptors")) {
                for (int i = 0; i < 100; i++)
                        if (fcntl(i, F_GETFD) >= 0)
                                printf("%d\n", i);
        } else if (!strcmp(mode, "refused")) {
                port = "1";
                each(1);
        } else if (!strcmp(mode, "late")) { /* when the file of its third argument is there */
                printf("%d\n", getpid());
                fflush(stdout);
                while (access(argv[3], F_OK) < 0)
                        usleep(10000);
                each(5);
                close(open(argv[4], O_CREAT | O_WRONLY, 0600));
        } else if (!strcmp(mode, "background")) {
                if (fork() == 0) {
                        for (int i = 0; i < 3; i++)
                                close(i), open("/dev/null", O_RDWR);
                        while (access(argv[3], F_OK) < 0)
                                usleep(10000);
                        each(5);
                        close(open(argv[4], O_CREAT | O_WRONLY, 0600));
                }
        }
        return 0;
}
"""


@pytest.fixture(scope="module")
def subject(tmp_path_factory):
    folder = tmp_path_factory.mktemp("static")
    (folder / "subject.c").write_text(SUBJECT)
    if subprocess.run(["cc", "-static", "-O", "-w", "-o", folder / "subject", folder / "subject.c", "-lpthread"], capture_output=True).returncode:
        pytest.skip("no compiler, or no static C library")
    return folder / "subject"


def stand_ins():
    """Processes that answer for a muster that is gone."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "comm").read_text() == "muster-stand-in\n":
                found.append(process)
        except OSError:
            pass
    return found


# --- the same as without ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["each", "keep", "exit", "quick-exit", "crash", "abort", "killed", "fork", "exec", "close-all", "threads", "handlers", "descriptors", "refused"])
def test_same_as_without(lab, subject, mode):
    port = str(lab().port())
    alone = subprocess.run([subject, mode, port], capture_output=True, timeout=PATIENCE)
    done = watch("--", subject, mode, port)
    assert done.stdout == alone.stdout
    assert done.returncode == (alone.returncode if alone.returncode >= 0 else 128 - alone.returncode)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_ended_by_a_signal(lab, subject, tmp_path, how):
    process = start("--", subject, "late", lab().port(), tmp_path / "never", tmp_path / "never")
    pid = int(process.stdout.readline())
    os.kill(pid, how)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + how


def test_for(lab, subject):
    told, done = watched("--for", "500ms", "--", subject, "keep", lab().port(), 1000000)
    assert done.returncode == 130 and told["program"]["told_to_end"]
    assert told["program"]["outside"]["connections"] == 1 and told["program"]["outside"]["exchanges"] > 10


def test_when_muster_is_killed_the_program_goes_on(lab, subject, tmp_path):
    go, over = tmp_path / "go", tmp_path / "over"
    process = start("--", subject, "late", lab().port(), go, over)
    process.stdout.readline()
    process.kill()
    go.touch()
    assert process.communicate(timeout=PATIENCE)[0] == b"HTTP/1.1 200\n" * 5  # it has our output, to its end
    wait_until(over.exists)
    wait_until(lambda: not stand_ins())


def test_when_muster_is_stopped_the_program_goes_on(lab, subject, tmp_path):
    go, over = tmp_path / "go", tmp_path / "over"
    process = start("--", subject, "late", lab().port(), go, over)
    process.stdout.readline()
    process.send_signal(signal.SIGSTOP)
    wait_until(lambda: state(process.pid) == "T")
    go.touch()
    wait_until(over.exists)
    process.send_signal(signal.SIGCONT)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0


def test_what_is_left_behind_goes_on(lab, subject, tmp_path):
    go, over = tmp_path / "go", tmp_path / "over"
    done = watch("--", subject, "background", lab().port(), go, over)
    assert done.returncode == 0 and stand_ins()
    assert b"1 process that it started goes on. What it does from now on" in b" ".join(done.stderr.split())
    go.touch()
    wait_until(over.exists)
    wait_until(lambda: not stand_ins())


def elf(**changes):
    """The beginning of a program, with fields changed."""
    fields = {"phoff": 64, "phentsize": 56, "phnum": 1, "p_type": 4, "p_offset": 120, **changes}
    head = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, fields["phoff"], 0, 0, 64, fields["phentsize"], fields["phnum"], 0, 0, 0)
    return head + struct.pack("<IIQQQQQQ", fields["p_type"], 4, fields["p_offset"], 0, 0, 16, 16, 4) + struct.pack("<III", 4, 4, 4) + b"Go\0\0"


@pytest.mark.parametrize("content", [
    b"\x7fELF", b"\x7fELF" + bytes(60), b"\x7fELF" + b"\xff" * 5000, elf(), elf()[:70], elf(phoff=2**64 - 1), elf(phoff=2**63), elf(phnum=65535), elf(phnum=0),
    elf(p_offset=2**64 - 8), elf(p_offset=4095), elf(p_type=3, p_offset=2**64 - 1), b"#!", b"#!\n", b"#! " + b"x" * 5000,
])
def test_files_that_are_no_programs(tmp_path, content):
    """What kind of program it is is looked up in the file, which may be anything."""
    path = tmp_path / "odd"
    path.write_bytes(content)
    path.chmod(0o755)
    done = watch("--", path, cwd=tmp_path)  # a shell may take it for a script, and write files
    assert done.returncode in (0, 1, 2, 126, 127, 139), done.stderr


def test_a_script_in_a_loop(tmp_path):
    path = tmp_path / "loop"
    path.write_text(f"#!{path}\n")
    path.chmod(0o755)
    assert watch("--", path).returncode == 126


# --- what is seen -------------------------------------------------------------------------------------------------------


def test_a_connection_each(lab, subject):
    told, _ = watched("--", subject, "each", lab().port(), 30)
    outside = told["program"]["outside"]
    assert outside["connections"] == 30 and outside["single"] == 30 and outside["addresses"] == 1 and outside["failed"] == 0
    assert outside["received_bytes"] > 30 * 50 and outside["rtt_ns"] > 0


def test_one_connection(lab, subject):
    told, _ = watched("--", subject, "keep", lab().port(), 30)
    outside = told["program"]["outside"]
    assert outside["connections"] == 1 and outside["open_most"] == 1 and 20 <= outside["exchanges"] <= 30


def test_exchanges_count_as_requests(lab, subject, tmp_path):
    """Those of one connection that come one after another: when they were sent and answered is seen to a millisecond or so."""
    record = tmp_path / "run.db"
    told, _ = watched("--record", record, "--", subject, "keep", lab("--delay", "20ms").port(), 40)
    assert told["run"]["connections"] == 1 and 36 <= told["run"]["requests"] <= 40 and told["run"]["failed"] == 0
    assert told["findings"][0]["cause"] == "awaited-one-by-one" and told["findings"][0]["file"] is None
    (process,) = told["watched"]["processes"]
    assert process["unseen"] == ["requests"] and process["requests"] == told["run"]["requests"]
    with contextlib.closing(sqlite3.connect(record)) as database:
        assert database.execute("SELECT count(*) FROM attempt WHERE status != 0 OR url != ''").fetchone() == (0,)


@pytest.mark.skipif(os.getuid() != 0 and not os.path.exists("/proc/self/ns/user"), reason="there is no link of the lab")
def test_a_connection_for_each_is_found(lab, subject):
    done = subprocess.run([MUSTER, "lab", "--link", "rtt=50ms", "--", MUSTER, "watch", "--json", "-o", "-", "--", subject, "each", "{lab}", "20"],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
    if b"link" in done.stderr and done.returncode:
        pytest.skip("the lab has no link here")
    told = json.loads(done.stdout.splitlines()[-1])
    assert {"no-keep-alive", "awaited-one-by-one"} == {finding["cause"] for finding in told["findings"][:2]}
    assert told["program"]["outside"]["connections"] == 20 and told["program"]["outside"]["connect_ns"] == pytest.approx(50e6, rel=0.2)


def test_its_children(lab, subject):
    told, _ = watched("--", subject, "fork", lab().port(), 5)
    assert told["program"]["outside"]["processes"] == 4 and told["program"]["outside"]["connections"] == 16


def test_one_that_is_refused(subject):
    told, done = watched("--", subject, "refused", 1)
    assert done.returncode == 9 and told["program"]["outside"]["failed"] == 1


def test_without_a_filter(lab, subject):
    told, _ = watched("--no-filter", "--", subject, "keep", lab().port(), 3)
    assert told["program"]["outside"] is None and "Nothing could be seen" in told["verdict"]


def test_the_page_says_what_is_not_seen(lab, subject):
    page = " ".join(watch("--", subject, "keep", lab().port(), 10).stderr.decode().split())
    assert "1 opened to 1 address" in page and "linked statically" in page and "method, URL, status" in page


# --- behind other programs ----------------------------------------------------------------------------------------------

SPAWN = """
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ) if sys.argv[1].startswith("/") else os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


@pytest.fixture
def behind(subject, tmp_path):
    """Ways to run the subject by another program: the words for `muster watch`, with those for the subject behind."""
    script, spawn, makefile = tmp_path / "run.sh", tmp_path / "spawn.py", tmp_path / "Makefile"
    script.write_text(f"#!/bin/sh\n{subject} \"$@\"\n")
    script.chmod(0o755)
    spawn.write_text(SPAWN)

    def of(how, *arguments):
        words = [str(subject), *map(str, arguments)]
        line = " ".join(words)
        makefile.write_text(f"all:\n\t{line}\n")
        return {
            "sh": ["sh", "-c", f"{line}; exit $?"],
            "sh-exec": ["sh", "-c", f"exec {line}"],
            "bash": ["bash", "-c", f"{line}; exit $?"],
            "pipe": ["sh", "-c", f"{line} | cat"],
            "script": [script, *arguments],
            "env": ["env", "A=1", *words],
            "env-empty": ["env", "-i", *words],
            "timeout": ["timeout", "60", *words],
            "make": ["make", "-s", "-f", makefile],
            "xargs": ["sh", "-c", f"echo {words[-1]} | xargs {' '.join(words[:-1])}"],
            "subprocess": [sys.executable, "-c", "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:]).returncode)", *words],
            "posix_spawn": [sys.executable, spawn, *words],
            "posix_spawnp": ["env", f"PATH={subject.parent}:{os.environ['PATH']}", sys.executable, spawn, subject.name, *map(str, arguments)],
        }[how]

    return of


@pytest.mark.parametrize("how", ["sh", "sh-exec", "bash", "pipe", "script", "env", "env-empty", "timeout", "make", "xargs", "subprocess", "posix_spawn", "posix_spawnp"])
def test_behind_another_program(lab, behind, how):
    words = behind(how, "keep", lab("--delay", "20ms").port(), 12)
    if not shutil.which(str(words[0])):
        pytest.skip(f"there is no {words[0]}")
    told, done = watched("--", *words)
    assert done.returncode == 0, done.stderr
    outside = told["program"]["outside"]
    assert outside["connections"] == 1 and outside["processes"] == 1 and told["program"]["unseen_programs"] == []
    assert 8 <= told["run"]["requests"] <= 12 and [p["unseen"] for p in told["watched"]["processes"] if p["requests"]] == [["requests"]]


@pytest.mark.parametrize("how", ["sh", "sh-exec", "make", "subprocess", "posix_spawn"])
@pytest.mark.parametrize("mode", ["exit", "descriptors", "crash"])
def test_behind_another_program_it_is_the_same(lab, behind, how, mode):
    words = [str(word) for word in behind(how, mode, lab().port(), 2)]
    if not shutil.which(words[0]):
        pytest.skip(f"there is no {words[0]}")
    alone = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
    done = watch("--", *words)
    assert done.stdout == alone.stdout
    assert done.returncode == (alone.returncode if alone.returncode >= 0 else 128 - alone.returncode)


def test_many_behind_a_shell(lab, subject):
    told, done = watched("--", "sh", "-c", f"for i in $(seq 30); do {subject} each {lab().port()} 1 & done; wait")
    assert done.returncode == 0 and done.stdout.count(b"HTTP/1.1 200") == 30
    outside = told["program"]["outside"]
    assert outside["connections"] == 30 and outside["processes"] == 30 and outside["failed"] == 0
    wait_until(lambda: not stand_ins())


def test_beside_a_program_that_is_seen(lab, subject):
    """A shell that runs both: requests of the one are seen, and connections of the other."""
    served = lab()
    told, _ = watched("--", "sh", "-c", f"{sys.executable} -c 'import urllib.request as u; [u.urlopen(\"{served.url('/plain')}\").read() for i in range(9)]'; {subject} each {served.port()} 3")
    assert told["program"]["outside"]["connections"] == 3 and told["run"]["requests"] == 12


def test_behind_a_shell_without_a_filter(lab, subject):
    told, done = watched("--no-filter", "--", "sh", "-c", f"{subject} keep {lab().port()} 2; {subject} keep {lab().port()} 2")
    assert done.returncode == 0 and told["program"]["outside"] is None and told["run"] is None
    assert told["program"]["unseen_programs"] == [{"name": "subject", "times": 2, "why": "--no-filter was given"}]
    assert "subject is linked statically" in told["verdict"]
    page = " ".join(watch("--no-filter", "--", "sh", "-c", f"{sys.executable} -c 'import urllib.request as u; u.urlopen(\"{lab().url('/plain')}\")'; {subject} keep {lab().port()} 2").stderr.decode().split())
    assert "subject ran once, and nothing was seen of it" in page


def test_where_the_logs_may_not_be_anywhere(lab, subject, tmp_path):
    """In a folder whose name is longer than a socket's address, nobody could hear of such programs: another one is taken."""
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    script = f"mount -t tmpfs -o size=1m none /dev/shm || exit 77; TMPDIR={folder} '{MUSTER}' watch -- {subject} keep {lab().port()} 3"
    done = subprocess.run(["unshare", "--mount", "sh", "-c", script], stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
    if done.returncode == 77 or b"unshare" in done.stderr:
        pytest.skip("nothing may be mounted here")
    assert done.returncode == 0 and "1 opened to 1 address" in " ".join(done.stderr.decode().split())


def test_with_more_rights_it_keeps_them(lab, subject, tmp_path):
    """A set-uid program would lose its rights by the filter: it gets none."""
    if os.getuid() != 0:
        pytest.skip("only root can make one")
    copy = tmp_path / "subject"
    shutil.copy(subject, copy)
    copy.chmod(0o4755)
    told, done = watched("--", "sh", "-c", f"{copy} keep {lab().port()} 2; true")
    assert done.returncode == 0 and done.stdout.count(b"HTTP/1.1 200\n") == 2 and told["program"]["outside"] is None


@pytest.mark.skipif(not shutil.which("go") and not os.path.exists("/usr/local/go/bin/go"), reason="there is no Go")
def test_go(lab, tmp_path):
    source = tmp_path / "a.go"
    source.write_text("""package main
import ("fmt"; "io"; "net/http"; "os")
func main() {
	for i := 0; i < 20; i++ {
		r, err := http.Get(os.Args[1])
		if err != nil { fmt.Println(err); os.Exit(1) }
		io.Copy(io.Discard, r.Body); r.Body.Close()
	}
	os.Exit(6)
}
""")
    go = shutil.which("go") or "/usr/local/go/bin/go"
    subprocess.run([go, "build", "-o", tmp_path / "a", source], check=True, env={**os.environ, "GOCACHE": str(tmp_path / "cache"), "HOME": str(tmp_path)})
    told, done = watched("--", tmp_path / "a", lab().url("/delay/5ms"))
    assert done.returncode == 6 and told["program"]["outside"]["connections"] == 1
