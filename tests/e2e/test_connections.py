"""Connections: reuse, limits, names, TLS."""
import base64
import hmac
import json
import os
import shutil
import ssl
import subprocess
import time

import pytest
from command import MUSTER
from curl import curl_session
from scripted import ok


def test_stale_connection_is_replaced(muster, server):
    """The server closes after each response without saying so: idempotent requests are repeated, others fail in words."""
    s = server(lambda r: [ok(), "close"] if r.n % 2 else ok())
    run = muster("fetch", "-c", "1", *[s.url()] * 6)
    assert run.status == 0 and all(result["status"] == 200 for result in run.results)


def test_close_is_heeded(muster, server):
    # [9112 9.6 close-received]
    s = server(lambda r: [ok(b"x", "Connection: close"), "close"])
    results = muster("fetch", "-c", "1", *[s.url()] * 3).results
    assert [result["conn"]["reused"] for result in results] == [False] * 3 and s.n_connections == 3


def test_http_1_0(muster, server):
    # [9112 9.6 close-sent]
    s = server(lambda r: [ok(r.head.encode()), "close"])
    results = muster("fetch", "-c", "1", "--http1.0", s.url(), s.url()).results
    assert all(result["body"].startswith("GET / HTTP/1.0") and "Connection: close" in result["body"] for result in results)


def test_trailers_stay_out_of_the_head(muster, server):
    # [9110 6.5.1 trailers-apart] [9112 7.1.2 trailers-apart]
    s = server(lambda r: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: head\r\n\r\n5\r\nhello\r\n0\r\nX: trailer\r\nY: trailer\r\n\r\n")
    result = muster("fetch", s.url()).result
    assert result["body"] == "hello" and [value for name, value in result["headers"] if name.lower() in "xy"] == ["head"]


def test_unsolicited_response_is_never_taken(muster, server):
    # [9112 9.2 order] [9112 9.2 unasked]
    s = server(lambda r: ok(b"right") + b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong")
    results = muster("fetch", "-c", "1", *[s.url()] * 4).results
    assert [result["body"] for result in results] == ["right"] * 4 and s.n_connections == 4


def test_limits_as_the_server_sees_them(muster, server):
    s = server(lambda r: [0.02, ok()])
    muster("fetch", "-c", "7", *[s.url()] * 100)
    assert s.n_busy_max == 7 and s.n_connections == 7
    one, two = server(lambda r: [0.02, ok()]), server(lambda r: [0.02, ok()])
    muster("fetch", "-c", "20", "--per-host", "3", *[one.url(), two.url()] * 30)
    assert one.n_busy_max == 3 and two.n_busy_max == 3


def test_concurrency_that_does_not_fit(muster, server):
    import resource

    from command import MUSTER

    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))

    run = subprocess.run([MUSTER, "fetch", "-c", "500", "http://h/"], capture_output=True, preexec_fn=limit, timeout=60)
    assert run.returncode == 3
    assert b"a concurrency of 500 needs 564 open files, but this process may not have more than 100" in run.stderr


def test_resolve(muster, server, name_server):
    s = server(lambda r: ok(r.fields["host"].encode()))
    url = f"http://some.test:{s.port}/"
    assert muster("fetch", "--resolve", f"some.test:{s.port}:127.0.0.1", url).result["body"] == f"some.test:{s.port}"
    names = name_server({"some.test": "127.0.0.1"})
    results = muster("fetch", "--dns-server", names.address, *[url] * 20).results
    assert all(result["status"] == 200 for result in results)
    assert sorted(names.questions) == [("some.test", 1), ("some.test", 28)]  # one lookup for all
    error = muster("fetch", "--dns-server", names.address, f"http://other.test:{s.port}/").result["error"]
    assert error["text"] == "resolve: other.test: the name does not exist"


def in_namespace(tmp_path, resolv_conf, *command):
    """Run a command that has this as its /etc/resolv.conf and no network but a loopback of its own, if that can be had."""
    (tmp_path / "resolv.conf").write_text(resolv_conf)
    script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
    run = subprocess.run(["unshare", "-rmn", "sh", "-c", script, tmp_path / "resolv.conf", *command], capture_output=True, text=True, timeout=60)
    if not run.stdout:
        pytest.skip(f"no namespace with an /etc/resolv.conf of its own: {run.stderr.strip()}")
    return json.loads(run.stdout)["error"]


@pytest.mark.skipif(not os.path.exists("/etc/resolv.conf") or not shutil.which("unshare"), reason="no unshare, or no /etc/resolv.conf to be replaced")
@pytest.mark.parametrize("resolv_conf, who", [
    ("nameserver 127.0.0.53\nsearch .\n", "127.0.0.53 (/etc/resolv.conf)"),
    ("nameserver 127.0.0.53\nnameserver 127.0.0.54\noptions ndots:5\n", "127.0.0.53, 127.0.0.54 (/etc/resolv.conf)"),
    ("search . a..b\nnameserver nonsense\n", "127.0.0.1 because /etc/resolv.conf names none"),
    ("", "127.0.0.1 because /etc/resolv.conf names none"),
])
def test_errors_name_the_servers_of_the_system(tmp_path, resolv_conf, who):
    for host in ("single", "two.labels", "dot.at.the.end."):
        error = in_namespace(tmp_path, resolv_conf, MUSTER, "fetch", "--connect-timeout", "20", f"http://{host}/")
        assert error["code"] == "resolve" and error["text"].startswith(f"resolve: {host}: no answer, the server cannot be reached: name server"), error
        assert error["text"].endswith(who)


@pytest.mark.parametrize("search", [".", ". corp.test", "a..b", "corp.test."])
def test_names_that_do_not_exist(muster, name_server, search):
    names = name_server({"in.corp.test": "127.0.0.1"})
    for host in ("none", "none.test", "none.test."):
        error = muster("fetch", "--dns-server", names.address, f"http://{host}/", env={"LOCALDOMAIN": search}).result["error"]
        assert error["text"] == f"resolve: {host}: the name does not exist"
    error = muster("fetch", "--dns-server", names.address, "http://in:1/", env={"LOCALDOMAIN": search}).result["error"]
    assert error["code"] == ("connect" if "corp" in search else "resolve")


def test_errors_name_the_dns_server(muster):
    error = muster("fetch", "--dns-server", "127.0.0.1:1", "http://some.test/").result["error"]
    assert error["text"] == "resolve: some.test: no answer, the server cannot be reached: name server 127.0.0.1:1 (--dns-server)"


def test_localhost(muster, server):
    s = server()
    assert muster("fetch", s.url(host="localhost")).result["status"] == 200


def test_https(muster, server, certificates, tmp_path):
    s = server(tls=certificates.context("good"))
    run = muster("fetch", "--cacert", certificates.path("ca"), s.url(), s.url(host="localhost"), env={"SSLKEYLOGFILE": str(tmp_path / "keys")})
    assert run.status == 0 and all(result["conn"]["tls"]["version"] == "TLSv1.3" for result in run.results)
    assert "CLIENT_TRAFFIC_SECRET_0" in (tmp_path / "keys").read_text()


def test_https_failures_in_words(muster, server, nginx, certificates):
    for name, words in [("expired", "expired on"), ("wrong", 'is for "elsewhere.test" and does not match'), ("unknown", 'issuer "other-ca"')]:
        s = server(tls=certificates.context(name))
        error = muster("fetch", "--cacert", certificates.path("ca"), s.url()).result["error"]
        assert error["code"] == "tls_verify" and error["stage"] == "tls" and words in error["text"]
        run = muster("fetch", "-k", s.url())
        assert run.status == 0 and "WARNING" in run.stderr
    error = muster("fetch", nginx.url("/").replace("http:", "https:")).result["error"]
    assert error["code"] == "tls" and 'does not speak TLS on this port, it sent "HTTP/1.1 400 Bad' in error["text"]


def test_a_body_that_may_be_cut(muster, server, certificates):
    """Its end is the connection's, and TLS does not say that this is the end: anybody on the way may have cut it."""
    # [9112 9.8 no-closure-alert]
    s = server(lambda r: [b"HTTP/1.1 200 OK\r\n\r\nhello", "close"], tls=certificates.context("good"))
    run = muster("fetch", "--cacert", certificates.path("ca"), s.url(host="localhost"))
    assert run.status == 1 and run.result["error"]["code"] == "closed" and "close_notify" in run.result["error"]["text"]


def test_h2c_is_no_protocol_of_tls(muster, server, certificates):
    # [9113 3.2 no-h2c]
    context = certificates.context("good")
    context.set_alpn_protocols(["h2c", "http/1.1"])
    assert muster("fetch", "--cacert", certificates.path("ca"), server(tls=context).url(host="localhost")).result["http"] == "1.1"


def test_client_certificate(muster, server, certificates):
    context = certificates.context("good")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(certificates.path("ca"))
    s = server(tls=context)
    assert muster("fetch", "--cacert", certificates.path("ca"), "-E", certificates.path("good"), s.url()).status == 0
    assert muster("fetch", "--cacert", certificates.path("ca"), s.url()).status == 1


def test_tls_session_is_resumed(muster, nginx, certificates):
    """Connections one after the other, each closed by the request itself: the second handshake is an abbreviated one."""
    results = muster("fetch", "-c", "1", "--http1.0", "--cacert", certificates.path("ca"), *[nginx.tls_url("/small")] * 4).results
    assert [result["conn"]["tls"]["resumed"] for result in results] == [False, True, True, True]


@pytest.mark.parametrize("threads", [1, 2])
def test_tls_sessions_are_resumed_at_once(muster, nginx, certificates, threads):
    """64 new connections at a time: only the first of them have no ticket to offer."""
    run = muster("fetch", "-c", "64", "--threads", threads, "--http1.0", "--cacert", certificates.path("ca"), *[nginx.tls_url("/small")] * 1500)
    assert run.status == 0
    assert sum(result["conn"]["tls"]["resumed"] for result in run.results) >= 1500 - 64


def sessions_in(path):
    """The decoded halves of each line."""
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    return [tuple(base64.b64decode(half) for half in line.split(":")) for line in lines]


def test_tls_sessions_are_kept_across_runs(muster, nginx, certificates, tmp_path):
    file = tmp_path / "sessions"
    options = ["-c", "1", "--http1.0", "--cacert", certificates.path("ca"), "--ssl-sessions", file]
    resumed = []
    for _ in range(2):
        run = muster("fetch", *options, *[nginx.tls_url("/small")] * 2)
        assert run.status == 0
        resumed += [result["conn"]["tls"]["resumed"] for result in run.results]
        assert file.stat().st_mode & 0o777 == 0o600 and list(tmp_path.iterdir()) == [file]
        for shmac, session in sessions_in(file):
            assert len(shmac) == 64 and session[0] == 1 and b"127.0.0.1" not in shmac + session
            assert hmac.new(shmac[:32], b"nobody:443", "sha256").digest() != shmac[32:]
    assert resumed == [False, True, True, True]
    # Verified in another way: sessions of the one are not for the other, and none is lost.
    before = len(sessions_in(file))
    assert muster("fetch", "-k", *options[:3], "--ssl-sessions", file, nginx.tls_url("/small")).result["conn"]["tls"]["resumed"] is False
    assert len(sessions_in(file)) == before + 2
    # Nor is one where the client has a certificate.
    assert muster("fetch", "-E", certificates.path("good"), *options, nginx.tls_url("/small")).result["conn"]["tls"]["resumed"] is False
    assert len(sessions_in(file)) == before + 2


def test_tls_sessions_of_others_stay(muster, nginx, certificates, tmp_path):
    file = tmp_path / "sessions"
    fresh, old = curl_session(int(time.time()) + 1000), curl_session(int(time.time()) - 1, b"t" * 32)
    file.write_text(f"# Your SSL session cache. https://curl.se/docs/ssl-sessions.html\n{fresh}\r\n{old}\n\n")
    assert muster("fetch", "--cacert", certificates.path("ca"), "--ssl-sessions", file, nginx.tls_url("/small")).status == 0
    assert fresh in file.read_text().splitlines() and old not in file.read_text()
    assert len(sessions_in(file)) == 3


@pytest.mark.parametrize("line", ["rubbish", "a:b", curl_session(2**40)[:-4], curl_session(2**40)[4:], curl_session(2**40).replace(":", "::")])
def test_damaged_tls_sessions(muster, nginx, tmp_path, line):
    file = tmp_path / "sessions"
    text = f"# mine\n{curl_session(2**40)}\n{line}\n"
    file.write_text(text)
    run = muster("fetch", "-k", "--ssl-sessions", file, nginx.tls_url("/small"))
    assert run.status == 3 and run.stdout == b""
    assert f"{file}, line 3, is not a TLS session" in run.stderr
    assert file.read_text() == text


def test_tls_sessions_that_cannot_be_saved(muster, nginx, tmp_path):
    run = muster("fetch", "-k", "--ssl-sessions", tmp_path / "none" / "sessions", nginx.tls_url("/small"))
    assert run.status == 3 and run.result["ok"]
    assert f"cannot write {tmp_path}/none/sessions: No such file" in run.stderr
    run = muster("fetch", "-k", "--ssl-sessions", tmp_path, nginx.tls_url("/small"))
    assert run.status == 3 and f"cannot read {tmp_path}: is a directory" in run.stderr.lower()


def test_nginx_over_tls(muster, nginx, certificates):
    run = muster("fetch", "-c", "20", "--cacert", certificates.path("ca"), *[nginx.tls_url("/small")] * 200, nginx.tls_url("/large"))
    assert run.status == 0
    large = max(run.results, key=lambda result: result["body_bytes"])
    assert large["body_bytes"] == 256 * 4096 * 8
