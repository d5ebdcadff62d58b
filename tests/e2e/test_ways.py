"""Other ways to a server: sockets in the file system, other hosts, our own end, one family of addresses."""
import socket
import subprocess
import threading

import pytest

from command import MUSTER
from ports import free_port
from scripted import ok


class UnixServer:
    """Answers each request with its own head."""

    def __init__(self, name, backlog=64):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(name)
        self.listener.listen(backlog)
        self.thread = threading.Thread(target=self.accept, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    @staticmethod
    def serve(connection):
        data = b""
        with connection:
            while more := connection.recv(65536):
                data += more
                if b"\r\n\r\n" in data:
                    connection.sendall(ok(data))
                    data = b""

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        if self.thread.is_alive():
            self.thread.join()


@pytest.fixture
def unix():
    servers = []

    def make(*arguments, **named):
        servers.append(UnixServer(*arguments, **named))
        return servers[-1]

    yield make
    for one in servers:
        one.stop()


@pytest.mark.parametrize("option, name, remote", [("--unix-socket", "socket", "unix:socket"), ("--abstract-unix-socket", "\0of-muster-{port}", "unix:@of-muster-{port}")])
def test_a_unix_socket(muster, unix, tmp_path, monkeypatch, option, name, remote):
    """Instead of any host, which is not looked up; connections are kept."""
    monkeypatch.chdir(tmp_path)
    name, remote = name.format(port=free_port()), remote.format(port=free_port())
    unix(name).start()
    run = muster("fetch", option, name.lstrip("\0"), "-c", 1, "--record", "run.db", "http://no-such-host.invalid/a", "http://no-such-host.invalid:81/b", "http://no-such-host.invalid/c")
    assert run.status == 0, run.stdout
    for result in run.results:
        assert "Host: no-such-host.invalid" in result["body"] and result["conn"]["remote"].startswith("unix:")
    assert sum(result["conn"]["reused"] for result in run.results) == 1


def test_nobody_at_the_unix_socket(muster, tmp_path):
    error = muster("fetch", "--unix-socket", "nothing", "http://h.test/").result["error"]
    assert error["code"] == "connect" and error["text"].lower() == "connect: nothing: no such file or directory"
    run = muster("fetch", "--unix-socket", "x" * 200, "http://h.test/")
    assert run.status == 2 or run.status == 3
    assert "1 to 107 bytes" in run.stderr


def test_a_full_backlog_is_waited_for(muster, unix, tmp_path, monkeypatch):
    """The kernel says EAGAIN where TCP would have the connection wait."""
    monkeypatch.chdir(tmp_path)
    server = unix("socket", backlog=1)
    process = muster.start("fetch", "--unix-socket", "socket", "-c", 20, *(f"http://h.test/{i}" for i in range(20)))
    threading.Timer(0.3, server.start).start()
    stdout, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and stdout.count(b'"status":200') == 20


def test_connect_to(muster, server, nginx, certificates):
    """The first that matches counts; name, Host and certificate stay those of the URL."""
    s = server(lambda request: ok(request.fields["host"].encode()))
    to = f"127.0.0.1:{s.port}"
    for option in (f"h.test:80:{to}", f"::{to}", f"h.test::{to}", f":80:{to}"):
        assert muster("fetch", "--connect-to", option, "http://h.test/").result["body"] == "h.test"
    assert muster("fetch", "--connect-to", "other.test::127.0.0.1:1", "--connect-to", f"h.test::{to}", "http://h.test/").result["body"] == "h.test"
    assert muster("fetch", "--connect-to", "h.test:81:127.0.0.1:1", "--resolve", f"h.test:{s.port}:127.0.0.1", s.url(host="h.test")).result["status"] == 200
    result = muster("fetch", "--connect-to", f"localhost::127.0.0.1:{nginx.tls_port}", "--cacert", certificates.path("ca"), "https://localhost/small").result
    assert result["status"] == 200
    run = muster("fetch", "--connect-to", "h.test:80", "http://h.test/")
    assert run.status != 0 and 'invalid: --connect-to "h.test:80": it does not have four parts' in run.stderr


def has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def test_one_family(muster, server):
    s = server()
    assert muster("fetch", "-4", s.url(host="localhost")).result["conn"]["remote"] == f"127.0.0.1:{s.port}"
    error = muster("fetch", "-6", s.url()).result["error"]
    assert error["code"] == "resolve" and "127.0.0.1: it has no IPv6 address" in error["text"]
    error = muster("fetch", "-4", f"http://[::1]:{s.port}/").result["error"]
    assert error["code"] == "resolve" and "::1: it has no IPv4 address" in error["text"]
    if has_ipv6():
        error = muster("fetch", "-6", s.url(host="localhost")).result["error"]
        assert error["code"] == "connect" and "[::1]" in error["text"]


def test_only_one_question_for_one_family(muster, server, name_server):
    s, names = server(), name_server({"only.test": "127.0.0.1"})
    assert muster("fetch", "-4", "--dns-server", names.address, s.url(host="only.test")).result["status"] == 200
    assert {kind for _, kind in names.questions} == {1}


def test_our_own_end(muster, server):
    """By address, by name of the interface, by port; the server sees it."""
    seen = []

    s = server()
    accept = s.listener.accept

    def noting():
        connection, peer = accept()
        seen.append(peer)
        return connection, peer

    s.listener = type("Listener", (), {"accept": staticmethod(noting), "shutdown": s.listener.shutdown, "close": s.listener.close})()
    muster("fetch", s.url())  # the accept that runs already is the old one
    port = free_port()
    for options, expected in ((["--interface", "127.0.0.7"], ("127.0.0.7", None)), (["--interface", "host!127.0.0.8"], ("127.0.0.8", None)),
                              (["--interface", "lo"], ("127.0.0.1", None)), (["--interface", "if!lo"], ("127.0.0.1", None)),
                              (["--local-port", str(port)], ("127.0.0.1", port)), (["--interface", "127.0.0.7", "--local-port", f"{port}-{port + 50}"], ("127.0.0.7", port))):
        assert muster("fetch", *options, s.url()).result["status"] == 200
        assert seen[-1][0] == expected[0] and (expected[1] is None or expected[1] <= seen[-1][1] <= expected[1] + 50), (options, seen[-1])


@pytest.mark.parametrize("options, words", [
    (["--interface", "if!no-such-if"], "there is no such interface"),
    (["--interface", "no-such-host.invalid"], "is no interface, address or host name of this machine"),
    (["--local-port", "0"], "is not a port or FROM-TO"),
    (["--local-port", "9-8"], "is not a port or FROM-TO"),
    (["-x", "gopher://p/"], "is none of http, https, socks4, socks4a, socks5 and socks5h"),
    (["-x", "p:1", "--proxy-header", "bad\rX: 1"], "is not"),
])
def test_what_cannot_be_used_is_told_at_once(options, words):
    done = subprocess.run([MUSTER, "fetch", *options, "http://127.0.0.1:1/"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode in (2, 3) and words in done.stderr


def test_an_address_that_is_not_ours(muster, server):
    error = muster("fetch", "--interface", "192.0.2.1", server().url()).result["error"]
    assert "cannot assign requested address" in error["text"] or "address" in error["text"]
