"""The library that is loaded before a watched program: what it writes, and that the program does not notice."""
import atexit
import os
import shutil
import signal
import socketserver
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest

from command import MUSTER, PATIENCE
from watch_log import BLOCKS, H2, TEXT, UNSEEN_TLS, UNSEEN_URING, read_logs

BUILD = Path(MUSTER).parent


def without_blanks(path):
    """The same file under a name without them: the loader takes LD_PRELOAD apart at each."""
    if " " not in str(path) or not path.exists():
        return path
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / path.name).symlink_to(path)
    return folder / path.name


SHIM = without_blanks(BUILD / "watch" / "shim" / "libmuster-watch.so")
SUBJECT = BUILD / "tests" / "watch" / "watch_subject"

pytestmark = pytest.mark.skipif(not SHIM.exists() or not SUBJECT.exists(), reason="the shim is not built for this processor")


class Handler(socketserver.BaseRequestHandler):
    """Answers each head with one piece, and keeps the connection."""

    def handle(self):
        data = b""
        while piece := self.request.recv(4096):
            data += piece
            while b"\r\n\r\n" in data:
                data = data.partition(b"\r\n\r\n")[2]
                self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n")


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass  # a client that is gone is what some of these tests are of


@pytest.fixture(scope="module")
def port():
    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def tls_port(certificates):
    """The same server over TLS."""
    class TlsServer(Server):
        def get_request(self):
            connection, address = super().get_request()
            return certificates.context("good").wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    with TlsServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.fixture
def watch(tmp_path):
    """watch(COMMAND) runs it with the shim: the process, which is over, and its logs. What it did unwatched is the same."""
    folder = tmp_path / "logs"
    folder.mkdir()
    (tmp_path / "here").mkdir()

    def run(*command, environment):
        return subprocess.run([*map(str, command)], env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, cwd=tmp_path / "here", timeout=PATIENCE)

    def watch(*command, environment={}):
        unwatched = run(*command, environment=environment)
        watched = run(*command, environment={**environment, "LD_PRELOAD": str(SHIM), "MUSTER_WATCH": str(folder)})
        assert (watched.returncode, watched.stdout, watched.stderr) == (unwatched.returncode, unwatched.stdout, unwatched.stderr)
        assert list((tmp_path / "here").iterdir()) == []
        watched.logs = read_logs(folder)
        return watched

    watch.folder = folder
    return watch


@pytest.fixture
def subject(watch, port):
    """subject(MODE) of tests/watch/subject.c; the status is what it says, and there is one log, or as many as are told."""
    def subject(mode, status=0, n_logs=1):
        done = watch(SUBJECT, mode, port)
        if status == 0 and done.returncode == 77:
            pytest.skip("a limit of this machine is too low")
        assert done.returncode == status, done.stdout
        assert len(done.logs) == n_logs
        assert all(log.n_dropped == 0 for log in done.logs)
        done.log = done.logs[0] if done.logs else None
        return done

    subject.port = port
    return subject


def kinds(log):
    return [event.kind for event in log.events]


# --- what is written ------------------------------------------------------------------------------------------------------


def test_two_requests_on_a_connection(subject):
    log = subject("get").log
    assert kinds(log) == ["connect", "send", "receive", "send", "receive", "shutdown", "close"]
    connect, send, receive, _, _, shutdown, close = log.events
    assert connect.address == ("127.0.0.1", subject.port) and connect.value == 0 and connect.flags == BLOCKS
    assert send.data == b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n" and send.value == len(send.data) and send.flags == TEXT | BLOCKS
    assert receive.data == b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n" and receive.value == len(receive.data)
    assert receive.flags == TEXT | BLOCKS and shutdown.value == 1
    assert close.tcp.bytes_received - 2 * receive.value in (0, 1)  # the server's end counts as one
    assert close.tcp.rtt_us > 0 and close.tcp.n_unread == 0
    assert {event.fd for event in log.events} == {connect.fd} and {event.tid for event in log.events} == {log.pid}
    assert all(log.start_ns < event.at_ns <= event.end_ns < log.end_ns for event in log.events)
    assert all(before.end_ns <= after.at_ns for before, after in zip(log.events, log.events[1:]))
    assert log.args == [str(SUBJECT), "get", str(subject.port)] and Path(log.exe) == SUBJECT
    assert log.ppid == os.getpid() and log.end_cpu_ns > 0


def test_each_way_to_send_and_receive(subject):
    log = subject("ways").log
    sends, receives = log.of("send"), log.of("receive")
    assert [event.value for event in sends] == [28] * 6
    assert [event.data[:15] for event in sends] == [b"GET /x HTTP/1.1"] * 5 + [b""]  # what sendfile() sent is not looked at
    assert [event.value for event in receives] == [44, 44, 44, 44, 44, 4, 40]  # of those only looked at, none
    assert [event.data[:8] for event in receives] == [b"HTTP/1.1"] * 5 + [b"", b""]


def test_errors(subject):
    done = subject("errors")
    assert b"errno 77" in done.stdout
    assert [(event.kind, event.value) for event in done.log.events] == [
        ("send", -32), ("connect", 111), ("close", 0), ("connect", 0), ("send", -14), ("close", 0)]


def test_a_loop(subject):
    log = subject("loop").log
    assert [event.extra for event in log.of("wait")][:2] == [4, 4]  # before them one that took nothing and found nothing
    assert all(event.value == 0 and event.took_ns > 2e6 for event in log.of("wait")[:2])
    connects = log.of("connect")
    assert len(connects) == len(log.of("connected")) == len(log.of("close")) == 4 == len([event for event in log.of("nodelay") if event.value == 1])
    assert all(event.value in (0, 115) and event.flags == 0 for event in connects) and all(event.value == 0 for event in log.of("connected"))
    away = next(event for event in log.events[log.events.index(log.of("close")[1]):] if event.kind == "away")
    assert away.took_ns >= 20e6 and 0 < away.value <= away.took_ns and away.extra <= away.took_ns
    after = log.events[log.events.index(away) + 1]
    assert after.kind == "wait" and after.at_ns >= away.end_ns


def test_each_way_to_wait(subject):
    log = subject("waits").log
    waits, sleeps = log.of("wait"), log.of("sleep")
    assert [event.extra for event in waits] == [6, 6, 6, 6] and all(event.took_ns >= 5e6 and event.value == 0 for event in waits)
    assert len(sleeps) == 5 and all(event.took_ns >= 5e6 for event in sleeps)


def test_names(subject):
    log = subject("lookup").log
    assert [(event.data, event.value) for event in log.of("lookup")] == [(b"localhost", 0), (b"no number", -2)]
    assert all(event.took_ns > 0 for event in log.of("lookup"))


def test_servers_and_names_in_the_file_system(subject):
    log = subject("serve").log
    assert [(event.kind, event.value) for event in log.events] == [
        ("connect", 0), ("accept", 0), ("send", 28), ("receive", 28), ("close", 0), ("receive", 0),
        ("connect", 0), ("accept", 0), ("send", 19), ("receive", 19)]  # and nothing of a pair of sockets
    assert log.events[0].address == "subject.sock" and log.events[7].address[0] == "127.0.0.1"
    assert log.events[8].flags == TEXT and log.events[9].flags == TEXT | BLOCKS


# --- descriptors ----------------------------------------------------------------------------------------------------------


def test_copies_of_a_descriptor(subject):
    log = subject("dup").log
    first = log.of("connect")[0].fd
    assert {event.value for event in log.of("dup") if event.fd == first} >= {60, 70} and len(log.of("dup")) == 4
    assert {event.fd for event in log.of("send")} == {event.value for event in log.of("dup")}
    assert [event.fd for event in log.of("close")] == [first, log.of("connect")[1].fd]


def test_all_descriptors_are_closed(subject):
    log = subject("close-all").log
    assert len(log.of("connect")) == len(log.of("close")) == len(log.of("send")) == 4
    assert log.end_ns > 0


def test_descriptors_that_are_closed_behind_its_back(subject):
    done = subject("behind")
    assert done.stdout == b"1\n1\nELF\n"
    assert [(event.kind, event.value) for event in done.log.events if event.kind in ("connect", "send", "close")] == [
        ("connect", 0), ("close", 0),  # nothing of what goes to a file, nor by stdio
        ("connect", 0), ("send", 28), ("connect", 0), ("send", 28)]


def test_ten_thousand_sockets(subject):
    log = subject("many").log
    assert len(log.of("connect")) == 10000 == len(log.of("accept")) and len(log.of("close")) == 20000


# --- ends -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode, status, has_end", [
    ("crash", -signal.SIGSEGV, False), ("abort", -signal.SIGABRT, False), ("quick-exit", 5, False), ("exit", 6, True)])
def test_ends(subject, mode, status, has_end):
    log = subject(mode, status).log
    assert kinds(log) == ["connect", "send", "receive"]
    assert (log.end_ns > 0) == (log.end_cpu_ns > 0) == has_end


def test_handlers(subject):
    log = subject("handlers").log
    assert [event.value for event in log.of("wait")] == [-4] and len(log.of("send")) == 2


# --- processes and threads ------------------------------------------------------------------------------------------------


def test_fork(subject):
    parent, child, grey = subject("fork", n_logs=3).logs
    assert {child.ppid, grey.ppid} == {parent.pid} and child.pid in [event.value for event in parent.of("fork")]
    assert kinds(parent) == ["connect", "send", "receive", "fork", "fork", "send", "receive"]  # syscall(SYS_clone) is nobody's fork()
    assert kinds(child) == ["connect", "send", "receive", "send", "receive"]
    assert kinds(grey) == ["connect", "send", "receive"]
    assert {event.tid for event in child.events} == {child.pid} and {event.tid for event in grey.events} == {grey.pid}
    assert child.end_ns > 0 and grey.end_ns > 0


def test_children_in_the_memory_of_their_parent(subject):
    log = subject("vfork").log
    assert kinds(log) == ["connect", "send", "receive", "fork", "send", "receive", "send", "receive", "fork"]


def test_spawn(subject):
    parent, child = subject("spawn", n_logs=2).logs
    assert len(parent.of("fork")) == 2 and parent.of("fork")[0].value == child.pid and child.ppid == parent.pid
    assert len(child.of("receive")) == 2


def test_exec(subject):
    before, after = subject("exec", n_logs=2).logs
    assert before.pid == after.pid and before.end_ns == 0
    assert [(event.data, event.value) for event in before.of("exec")] == [(b"/no/such/file", -2), (str(SUBJECT).encode(), 0)]
    assert len(after.of("receive")) == 2


def test_exec_with_another_environment(subject):
    (log,) = subject("execle").logs
    assert [event.data for event in log.of("exec")] == [b"/bin/sh"]


def test_threads(subject):
    log = subject("threads").log
    assert len(log.of("thread")) == 8 == len({event.tid for event in log.of("thread")})
    for thread in log.of("thread"):
        of_it = [event for event in log.events if event.tid == thread.tid]
        assert of_it[0] == thread and sum(event.kind == "send" for event in of_it) == 200
        assert all(before.end_ns <= after.at_ns for before, after in zip(of_it, of_it[1:]))


def test_a_cancelled_thread(subject):
    log = subject("cancel").log
    assert len(log.of("receive")) == 1  # the one that was cancelled never ended


# --- when answers came ----------------------------------------------------------------------------------------------------


def test_an_answer_that_was_read_late(subject):
    log = subject("late").log
    assert log.unseen == 0
    late, soon, *others = log.of("receive")
    sent = log.of("send")[0]
    assert sent.at_ns < late.extra < late.at_ns - 20e6  # it was there for most of the 50 ms
    assert soon.extra == 0 and [event.extra for event in others] == [0, 0, 0]  # from then on the program's own stamps


def test_stamps_in_each_way_to_receive(subject):
    receives = subject("ways").log.of("receive")
    assert [event.extra > 0 for event in receives] == [True, True, True, False, False, False, False]  # recvmsg() has control data
    assert all(event.at_ns - 150e6 < event.extra < event.at_ns - 50e6 for event in receives[:3])


def test_settings_are_not_inherited(subject):
    done = subject("inherit", n_logs=2)
    assert b"44 bytes, 0 of control, flags 0" in done.stdout
    assert [event.value for event in done.logs[1].of("send")] == [28]  # what was inherited is followed


# --- TLS ------------------------------------------------------------------------------------------------------------------


def check_tls(log, n, name):
    """What holds for a client that made n connections and asked once on each."""
    assert log.unseen == 0
    fds = [event.fd for event in log.of("connect")]
    sends, receives, done = log.of("tls_send"), log.of("tls_receive"), [event for event in log.of("tls_handshake") if event.value == 1]
    assert len(fds) == n == len(sends) == len(done) == len(log.of("tls_free"))
    assert sorted(event.fd for event in sends) == sorted(event.fd for event in done) == sorted(fds)
    assert all(event.data.startswith(b"GET " + name) and event.flags == TEXT and event.value == len(event.data) for event in sends)
    answers = [event for event in receives if event.flags & TEXT]
    assert len(answers) == n and all(event.data.startswith(b"HTTP/1.1 200 OK\r\n") for event in answers)
    assert {event.extra for event in sends} == {event.extra for event in answers} == {event.extra for event in log.of("tls_free")}
    assert not [event for event in log.of("send", "receive") if event.flags & TEXT]
    return {event.fd: event for event in sends}


def test_curl_over_tls(watch, tls_port, certificates):
    log = watch("curl", "-sS", "--cacert", certificates.path("ca"), f"https://127.0.0.1:{tls_port}/a").logs[0]
    check_tls(log, 1, b"/a")
    assert len(log.of("tls_context")) == 1


def test_python_over_tls(watch, tls_port, certificates):
    script = f"""
import http.client, ssl
for name in ("/a", "/b"):
    context = ssl.create_default_context(cafile={str(certificates.path("ca"))!r})
    client = http.client.HTTPSConnection("127.0.0.1", {tls_port}, context=context)
    client.request("GET", name)
    response = client.getresponse()
    print(response.status, response.read())
    client.close()
"""
    (log,) = watch("/usr/bin/python3", "-c", script).logs
    check_tls(log, 2, b"/")
    assert len(log.of("tls_context")) == 2 == len({event.extra for event in log.of("tls_trust")})
    assert len(log.of("tls_trust")) == 2 and all(event.took_ns > 0 and event.value == 1 for event in log.of("tls_trust"))


def test_asyncio_over_tls(watch, tls_port, certificates):
    """Its TLS knows no socket: which is whose is found by the order in which hellos go out."""
    script = f"""
import asyncio, ssl
async def ask(name, context):
    reader, writer = await asyncio.open_connection("127.0.0.1", {tls_port}, ssl=context)
    port = writer.get_extra_info("sockname")[1]
    writer.write(b"GET /%d HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n" % port)
    body = (await reader.readuntil(b"hello\\n"))[-6:]
    fd = writer.get_extra_info("socket").fileno()
    writer.close()
    return fd, body
async def main():
    context = ssl.create_default_context(cafile={str(certificates.path("ca"))!r})
    for fd, body in sorted(await asyncio.gather(*[ask(b"/", context) for i in range(20)])):
        print(body)
asyncio.run(main())
"""
    (log,) = watch("/usr/bin/python3", "-c", script).logs
    check_tls(log, 20, b"/")
    for tls in log.of("tls_send"):  # what is sent in plain text goes out by the same descriptor at once
        below = next(event for event in log.of("send") if event.at_ns >= tls.end_ns)
        assert below.fd == tls.fd and below.value > tls.value
    first = [event for event in log.of("tls_handshake") if event.value == 0]
    assert len(first) == 20 and {event.fd for event in first} == {-1}
    # writer.close() says goodbye, and by which descriptor.
    first_goodbyes = {event.extra: event.fd for event in reversed(log.of("tls_shutdown"))}
    assert first_goodbyes == {event.extra: event.fd for event in log.of("tls_send")}


def test_what_is_not_seen(subject):
    assert subject("hello").log.unseen == UNSEEN_TLS


def test_rings_of_the_kernel(subject):
    assert subject("uring").log.unseen == UNSEEN_URING
    assert subject("uring-of-files", n_logs=2).logs[1].unseen == 0


def test_http2(subject):
    log = subject("h2").log
    assert [(event.data[:4], event.flags) for event in log.of("send")] == [(b"PRI ", H2 | BLOCKS), (b"\0\0\0\4", H2 | BLOCKS)]
    assert [event.flags for event in log.of("receive")] == [H2 | BLOCKS]


# --- limits ---------------------------------------------------------------------------------------------------------------


def test_a_program_that_filters_its_calls(subject):
    log = subject("filter", status=3).log
    assert len(log.of("send")) == 1000 == len(log.of("receive"))


def test_a_program_that_gives_up_all_calls(subject):
    log = subject("strict", status=3).log
    assert kinds(log) == ["connect"]  # even the clock is forbidden


def test_no_file_may_grow(subject):
    subject("limits", n_logs=0)


N_OF_THREADS = 8 + 8 + 2 * 8 * 200 + 8  # threads, connections, requests, ends


def check_full(log, n):
    """One that is cut off where there was no more room, says so, and can be read up to there."""
    assert log.n_dropped > 100 and len(log.events) > 50
    assert len(log.events) + log.n_dropped == n


def test_a_log_that_is_full(watch, port):
    done = watch(SUBJECT, "small-file", port)
    assert (done.returncode, done.stdout) == (0, b"1600\n")
    (log,) = done.logs
    assert log.capacity < 100 << 10 and log.used > log.capacity
    check_full(log, N_OF_THREADS)


def test_a_disk_that_is_full(tmp_path, port):
    """No room is found when a page is needed, where a plain store would end the program by SIGBUS."""
    folder, kept = tmp_path / "disk", tmp_path / "kept"
    folder.mkdir()
    kept.mkdir()
    script = f"mount -t tmpfs -o size=1m none {folder} || exit 77; LD_PRELOAD={SHIM} MUSTER_WATCH={folder} DISK={folder} '{SUBJECT}' full-disk {port}; s=$?; cp {folder}/shim.* {kept}; exit $s"
    done = subprocess.run(["unshare", "--map-root-user", "--mount", "sh", "-c", script], capture_output=True, timeout=PATIENCE)
    if done.returncode == 77 or b"unshare" in done.stderr:
        pytest.skip("no file system can be mounted here")
    assert (done.returncode, done.stdout) == (0, b"1600\n")
    (log,) = read_logs(kept)
    assert log.capacity < 1 << 18 and len(log.events) < 1000
    check_full(log, 1 + N_OF_THREADS)


def test_a_program_that_goes_on_when_nobody_watches_any_more(watch, port):
    done = subprocess.run([SUBJECT, "goes-on", str(port)], env={**os.environ, "LD_PRELOAD": str(SHIM), "MUSTER_WATCH": str(watch.folder)},
                          capture_output=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"1600\n", b"")
    (log,) = read_logs(f"{watch.folder}.over")
    assert not watch.folder.exists() and len(log.events) < 1000  # what was ready, and no more
    check_full(log, 1 + N_OF_THREADS)


def test_a_program_with_a_sanitizer(watch, port, tmp_path):
    """AddressSanitizer refuses to run behind another library, but for what ours tells it."""
    source = """
        #include <arpa/inet.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <sys/socket.h>
        int main(int argc, char **argv)
        {
                struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(atoi(argv[argc - 1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
                int fd = socket(AF_INET, SOCK_STREAM, 0);
                char *text = calloc(1, 100);
                printf("%d\\n", connect(fd, (struct sockaddr *)&address, sizeof address));
                send(fd, "GET / HTTP/1.1\\r\\n\\r\\n", 18, 0);
                printf("%zd\\n", recv(fd, text, 99, 0));
                free(text);
                return 0;
        }"""
    program = tmp_path / "sanitized"
    if not shutil.which("gcc") or subprocess.run(["gcc", "-fsanitize=address", "-x", "c", "-o", program, "-"], input=source.encode(), capture_output=True).returncode:
        pytest.skip("there is no compiler with AddressSanitizer")
    done = watch(program, port)
    assert (done.returncode, done.stdout) == (0, b"0\n44\n")
    assert kinds(done.logs[0]) == ["connect", "send", "receive"]


def test_all_memory_is_locked(subject):
    log = subject("lock").log
    assert len(log.of("receive")) == 3


def test_nothing_of_interest(subject):
    subject("nothing", n_logs=0)


@pytest.mark.parametrize("folder", ["", "/no/such/folder", "relative", "/" + 400 * "x"])
def test_there_is_no_folder(watch, port, folder, tmp_path):
    (tmp_path / "relative").mkdir()
    done = subprocess.run([SUBJECT, "get", str(port)], env={**os.environ, "LD_PRELOAD": str(SHIM), "MUSTER_WATCH": folder}, cwd=tmp_path,
                          capture_output=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, b"") and done.stdout.count(b"hello") == 2
    assert list((tmp_path / "relative").iterdir()) == list((tmp_path / "logs").iterdir()) == []


def test_nobody_watches(watch, port):
    environment = {name: value for name, value in os.environ.items() if name != "MUSTER_WATCH"}
    done = subprocess.run([SUBJECT, "get", str(port)], env={**environment, "LD_PRELOAD": str(SHIM)}, capture_output=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, b"") and done.stdout.count(b"hello") == 2
