"""Requests through proxies that others wrote, and what goes to whom."""
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import time

import pytest

from command import PATIENCE
from curl import curl_session
from ports import free_port
import proxies
from scripted import Server, ok, response

LOGIN = f"{proxies.USER}:{proxies.PASSWORD}"


@pytest.fixture
def start(tmp_path):
    """start(proxies.squid, ...) starts one; those with a directory get one. All are stopped at the end."""
    started = []

    def run(make, *arguments, **named):
        if make in (proxies.squid, proxies.tinyproxy, proxies.dante):
            arguments = (tmp_path / f"{make.__name__}{len(started)}", *arguments)
        started.append(make(*arguments, **named))
        return started[-1]

    yield run
    for one in reversed(started):
        one.stop()


def good(result, proxy, tunnelled):
    assert result["status"] == 200 and result["error"] is None, result["error"]
    assert result["conn"]["proxy"] == proxy
    assert (result["phases_us"]["tunnel"] > 0) == tunnelled or result["conn"]["reused"]


# --- HTTP proxies -------------------------------------------------------------------------------------------------------


def test_squid(muster, nginx, certificates, start, tmp_path):
    """http by whole URLs, https through tunnels, in one run; connections are kept, and the record says how they went."""
    squid = start(proxies.squid, allowed_ports=[nginx.tls_port, nginx.port])
    urls = "".join(f"{nginx.url('/small')}\n{nginx.tls_url('/small')}\n" for _ in range(20))
    run = muster("fetch", "-x", squid.url(), "--cacert", certificates.path("ca"), "-c", 4, "--record", "run.db", input=urls)
    assert run.status == 0, run.stderr
    for result in run.results:
        good(result, squid.url(), result["url"].startswith("https"))
        assert result["conn"]["remote"] == f"127.0.0.1:{squid.port}"
    assert sum(result["conn"]["reused"] for result in run.results) >= 30
    log = (squid.directory / "access.log").read_text()
    assert log.count(f"GET {nginx.url('/small')}") == 20 and 1 <= log.count(f"CONNECT localhost:{nginx.tls_port}") <= 4
    with sqlite3.connect(tmp_path / "run.db") as db:
        rows = db.execute("SELECT origin, proxy, tunnel_ms, tls_ms FROM connections").fetchall()
        assert {row[1] for row in rows} == {squid.url()}
        for origin, _, tunnel, tls in rows:
            assert (tunnel is not None and tls > 0) if origin.startswith("https") else tunnel is None
        (wrong,) = db.execute("SELECT count(*) FROM phases WHERE abs(total_us - queue_us - backoff_us - dns_us - tcp_us - tunnel_us - tls_us - send_us"
                              " - wait_us - lag_us - receive_us - decode_us - process_us - deliver_us) > 1e-3").fetchone()
        assert wrong == 0
    db.close()


def test_a_tunnel_for_http_too(muster, nginx, start):
    squid = start(proxies.squid, allowed_ports=[nginx.port])
    good(muster("fetch", "-x", squid.url(), "-p", nginx.url("/small")).result, squid.url(), True)


def test_a_refused_tunnel_says_whose_it_is(muster, nginx, start):
    """And is not tried again: the rule stays."""
    squid = start(proxies.squid)
    run = muster("fetch", "-x", squid.url(), "--retry", 3, nginx.tls_url("/small"))
    assert run.status == 1
    assert run.result["error"] == {"code": "proxy", "stage": "tunnel",
                                   "text": f"proxy: {squid.url()} refused the tunnel to localhost:{nginx.tls_port}: 403 Forbidden"}
    assert run.result["attempts"] == 1


def test_a_host_that_the_proxy_cannot_reach_is_retried(muster, start):
    port = free_port()
    squid = start(proxies.squid, allowed_ports=[port])
    run = muster("fetch", "-x", squid.url(), "--retry", 1, f"https://127.0.0.1:{port}/")
    assert run.result["error"]["code"] == "proxy" and ": 503 " in run.result["error"]["text"]
    assert run.result["attempts"] == 2


@pytest.mark.parametrize("auth, options", [("basic", []), ("basic", ["--proxy-basic"]), ("basic", ["--proxy-anyauth"]), ("digest", ["--proxy-digest"]),
                                           ("digest", ["--proxy-anyauth"]), ("both", ["--proxy-anyauth"])])
def test_logging_in_at_squid(muster, nginx, certificates, start, auth, options):
    squid = start(proxies.squid, auth=auth, allowed_ports=[nginx.tls_port])
    urls = [nginx.url("/small"), nginx.tls_url("/small")]
    run = muster("fetch", "-x", squid.url(), "-U", LOGIN, *options, "--cacert", certificates.path("ca"), *urls)
    for result in run.results:
        good(result, squid.url(), result["url"].startswith("https"))
    wrong = muster("fetch", "-x", squid.url(), "-U", f"{proxies.USER}:wrong", *options, "--cacert", certificates.path("ca"), "--in-order", *urls)
    http, https = wrong.results
    assert http["status"] == 407
    assert https["error"]["code"] == "proxy" and "407" in https["error"]["text"] and "does not accept this user name and password" in https["error"]["text"]


def test_without_a_login_it_says_what_to_do(muster, nginx, start):
    squid = start(proxies.squid, auth="basic", allowed_ports=[nginx.tls_port])
    result = muster("fetch", "-x", squid.url(), nginx.tls_url("/small")).result
    assert "407" in result["error"]["text"] and "--proxy-user" in result["error"]["text"]
    result = muster("fetch", "-x", squid.url(), nginx.url("/small")).result
    assert result["status"] == 407 and "--proxy-user" in result["warning"]


def test_tinyproxy(muster, nginx, certificates, start):
    tiny = start(proxies.tinyproxy, login=True)
    run = muster("fetch", "-x", tiny.url(login=f"{proxies.USER}:word@"), "--cacert", certificates.path("ca"), nginx.url("/small"), nginx.tls_url("/small"))
    for result in run.results:
        good(result, tiny.url(), result["url"].startswith("https"))


# --- SOCKS --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", [["--socks5", ""], ["--socks5-hostname", ""], ["-x", "socks5://"], ["-x", "socks5h://"]])
def test_microsocks_with_a_login(muster, nginx, certificates, start, option):
    proxy = start(proxies.microsocks, login=True)
    where = f"{option[1]}127.0.0.1:{proxy.port}"
    run = muster("fetch", option[0], where, "-U", LOGIN, "--cacert", certificates.path("ca"), nginx.url("/small"), nginx.tls_url("/small"))
    scheme = "socks5h" if "h" in option[0][8:] or "h:" in option[1] else "socks5"
    for result in run.results:
        good(result, proxy.url(scheme), True)
    text = muster("fetch", option[0], where, nginx.url("/small")).result["error"]["text"]
    assert text.startswith(f"proxy: {proxy.url(scheme)} refused the tunnel to 127.0.0.1:{nginx.port}") and "--proxy-user" in text


@pytest.mark.parametrize("scheme", ["socks4", "socks4a", "socks5", "socks5h"])
def test_dante(muster, nginx, certificates, start, scheme):
    dante = start(proxies.dante)
    https = nginx.tls_url("/small")
    if scheme == "socks4a":
        https = https.replace("localhost", "127.0.0.1")  # it looks up an IPv6 address, which SOCKS 4 does not have
    run = muster("fetch", "-x", dante.url(scheme), "--cacert", certificates.path("ca"), nginx.url("/small"), https)
    for result in run.results:
        good(result, dante.url(scheme), True)
    refused = muster("fetch", "-x", dante.url(scheme), "http://127.0.0.1:9/").result["error"]
    assert refused["code"] == "proxy" and refused["stage"] == "tunnel" and " refused the tunnel to 127.0.0.1:9: " in refused["text"]


def test_who_looks_up_the_name(muster, start, server, name_server):
    """socks5 asks the name server, socks5h leaves that to the proxy, which does not know the name."""
    proxy, s, names = start(proxies.microsocks), server(), name_server({"only.test": "127.0.0.1"})
    url = s.url(host="only.test")
    good(muster("fetch", "-x", proxy.url("socks5"), "--dns-server", names.address, url).result, proxy.url("socks5"), True)
    assert ("only.test", 1) in names.questions
    n = len(names.questions)
    assert muster("fetch", "-x", proxy.url("socks5h"), "--dns-server", names.address, url).result["error"]["code"] == "proxy"
    assert len(names.questions) == n


# --- TLS with the proxy -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make, scheme, first, n", [(proxies.microsocks, "socks5", ["127.0.0.3", "127.0.0.4"], 3), (proxies.microsocks, "socks5", ["::1"], 2),
                                                    (proxies.dante, "socks4", ["127.0.0.3", "::1"], 2), (proxies.dante, "socks5", ["127.0.0.3"], 2)])
def test_a_name_that_is_looked_up_here_has_several_addresses(muster, start, server, make, scheme, first, n):
    """They are tried in turn, as there is no other way to find out which of them the proxy can reach."""
    proxy, s = start(make), server()
    where = ["-x", proxy.url(scheme), "--resolve"]
    result = muster("fetch", *where, f"h.test:{s.port}:{','.join([*first, '127.0.0.1'])}", s.url(host="h.test")).result
    good(result, proxy.url(scheme), True)
    assert result["attempts"] == 1
    free = free_port()
    error = muster("fetch", *where, f"h.test:{free}:{','.join([*first, '127.0.0.1'])}", f"http://h.test:{free}/").result["error"]
    assert error["text"].startswith(f"proxy: {proxy.url(scheme)} refused the tunnel to 127.0.0.1:{free}: ")
    assert error["text"].endswith(f" ({n} addresses tried)"), error


def test_tls_with_the_proxy_and_inside_it(muster, nginx, certificates, start):
    """Each has its own trust; large bodies and many connections go through both."""
    squid = start(proxies.squid, allowed_ports=[nginx.tls_port])
    front = start(proxies.TlsFront, certificates.path("unknown"), squid.port)
    trust = ["--proxy-cacert", certificates.path("other-ca"), "--cacert", certificates.path("ca")]
    urls = [nginx.url("/small"), nginx.tls_url("/small"), nginx.tls_url("/large"), nginx.url("/large"), nginx.tls_url("/small")]
    run = muster("fetch", "-x", front.url(), *trust, "--body", "none", *urls)
    assert run.status == 0, run.stdout
    for result in run.results:
        good(result, front.url(), True)
        assert result["body_bytes"] == (100 if result["url"].endswith("small") else 8 << 20)
        assert (result["conn"]["tls"] is not None) == result["url"].startswith("https")

    result = muster("fetch", "-x", front.url(), "-k", nginx.tls_url("/small")).result
    assert result["error"]["code"] == "tls_verify" and result["error"]["stage"] == "tunnel"
    assert f"proxy {front.url()}" in result["error"]["text"]
    result = muster("fetch", "-x", front.url(), "--proxy-insecure", nginx.tls_url("/small")).result
    assert result["error"]["code"] == "tls_verify" and result["error"]["stage"] == "tls"
    run = muster("fetch", "-x", front.url(), "--proxy-insecure", "-k", nginx.tls_url("/small"))
    assert run.result["status"] == 200 and "WARNING: --proxy-insecure" in run.stderr


def test_its_tls_sessions_are_kept_across_runs(muster, nginx, certificates, start, tmp_path):
    """In one file with those of servers; lines of others, that neither has asked for, stay."""
    squid, file = start(proxies.squid, allowed_ports=[nginx.tls_port]), tmp_path / "sessions"
    front = start(proxies.TlsFront, certificates.path("unknown"), squid.port)
    trust = ["--proxy-cacert", certificates.path("other-ca"), "--cacert", certificates.path("ca"), "--ssl-sessions", file]
    other = [curl_session(int(time.time()) + 1000, b"s" * 32), curl_session(int(time.time()) + 1000, b"t" * 32)]
    file.write_text("\n".join(other) + "\n")
    for n in range(3):
        result = muster("fetch", "-c", 1, "-x", front.url(), *trust, nginx.tls_url("/small")).result
        good(result, front.url(), True)
        assert (result["conn"]["tls"]["resumed"], front.resumed) == (n > 0, [False, True, True][:n + 1])
        lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
        assert len(lines) == len(set(lines)) and set(other) < set(lines) and 4 <= len(lines) <= 6 + 2 * n
    # Without the proxy its lines stay, and it does not resume what a server of the same name gave.
    before = set(lines)
    assert muster("fetch", *trust, nginx.url("/small")).status == 0
    assert {line for line in file.read_text().splitlines() if not line.startswith("#")} == before


def test_squid_with_tls_of_its_own(muster, nginx, certificates, start):
    version = subprocess.run([proxies.find("squid"), "-v"], capture_output=True, text=True).stdout
    if "--with-openssl" not in version and "--with-gnutls" not in version:
        pytest.skip("this squid was built without TLS")
    squid = start(proxies.squid, allowed_ports=[nginx.tls_port], https=certificates.path("good"))
    proxy = f"https://localhost:{squid.port}"
    run = muster("fetch", "-x", proxy, "--proxy-cacert", certificates.path("ca"), "--cacert", certificates.path("ca"), nginx.url("/small"), nginx.tls_url("/small"))
    for result in run.results:
        good(result, proxy, True)


def test_an_https_proxy_that_speaks_no_tls(muster, start, nginx):
    squid = start(proxies.squid)
    error = muster("fetch", "-x", squid.url("https"), nginx.tls_url("/small")).result["error"]
    assert error["code"] == "tls" and error["stage"] == "tunnel" and f"proxy {squid.url('https')}" in error["text"]


# --- what goes to whom --------------------------------------------------------------------------------------------------


class Tunnel(Server):
    """A proxy of our own that keeps what it is sent, and connects to where it is told."""

    def serve(self, connection, n):
        head = b""
        try:
            while b"\r\n\r\n" not in head:
                head += connection.recv(65536)
            self.requests.append(head.decode())
            if not head.startswith(b"CONNECT"):
                connection.sendall(ok(b"of the proxy"))
                return
            host, port = head.split()[1].decode().rsplit(":", 1)
            theirs = socket.create_connection((host, int(port)))
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            theirs.sendall(connection.recv(65536))
            while data := theirs.recv(65536):
                connection.sendall(data)
        except OSError:
            pass
        finally:
            connection.close()


@pytest.fixture
def tunnel():
    one = Tunnel()
    yield one
    one.stop()


def secrets_in(text):
    return [secret for secret in ("dTpwcm94eQ==", "dTpzZXJ2ZXI=", "X-Secret-Proxy", "X-Secret-Server") if secret in text]


def test_each_gets_its_own_and_nothing_else(muster, server, tunnel, tmp_path):
    """dTpwcm94eQ== is u:proxy, dTpzZXJ2ZXI= is u:server."""
    s = server(lambda request: response("200 OK", b"", "Connection: close"))
    options = ["-u", "u:server", "-U", "u:proxy", "-H", "X-Secret-Server: 1", "-H", "Proxy-Authorization: Basic mine", "--proxy-header", "X-Secret-Proxy: 1",
               "--record", "run.db"]
    assert muster("fetch", "-p", "-x", tunnel.url(), *options, s.url()).result["status"] == 200
    assert secrets_in(tunnel.requests[0]) == ["dTpwcm94eQ==", "X-Secret-Proxy"]
    assert secrets_in(s.requests[0].head) == ["dTpzZXJ2ZXI=", "X-Secret-Server"]
    assert "mine" not in s.requests[0].head and "proxy-authorization" not in s.requests[0].fields
    record = (tmp_path / "run.db").read_bytes()
    for secret in (b"u:proxy", b"u:server", b"dTpwcm94eQ==", b"dTpzZXJ2ZXI="):
        assert secret not in record
    # The URL of the proxy has a password as well, and is told without.
    login = tunnel.url().replace("//", "//u:proxy@")
    run = muster("fetch", "-x", login, "--record", "run.db", s.url())
    assert run.result["conn"]["proxy"] == tunnel.url().rstrip("/") and b"u:proxy" not in (tmp_path / "run.db").read_bytes()
    assert b"proxy@" not in run.stdout


def test_a_redirect_chooses_the_proxy_anew(muster, server, tunnel):
    there = server()
    here = server(lambda request: response("302 Found", b"", f"Location: {there.url()}", "Connection: close"))
    run = muster("fetch", "-x", tunnel.url(), "--noproxy", f"127.0.0.1:{here.port}", here.url())
    assert run.result["body"] == "of the proxy" and run.result["conn"]["proxy"] == tunnel.url().rstrip("/")
    assert len(here.requests) == 1 and not there.requests
    assert tunnel.requests[0].startswith(f"GET {there.url()} HTTP/1.1\r\nHost: 127.0.0.1:{there.port}\r\n")


def heads_of_curl(options, tunnel, url):
    n = len(tunnel.requests)
    subprocess.run(["curl", "-s", "-o", "/dev/null", "-m", "5", *options, url], env={"PATH": os.environ["PATH"]}, timeout=PATIENCE)
    return tunnel.requests[n:]


@pytest.mark.skipif(not shutil.which("curl"), reason="this machine has no curl to compare with")
@pytest.mark.parametrize("options", [[], ["-p"], ["-U", "u:proxy"], ["-U", "u:proxy", "-p"], ["--proxy-header", "X-A: 1"], ["--proxy-header", "X-A: 1", "-p"],
                                     ["--connect-to", "::localhost:"], ["-H", "Host: other.test", "-p"]])
def test_the_proxy_is_asked_as_by_curl(muster, server, tunnel, options):
    """The same request line and the same fields, but for those that name the client."""
    # [9112 3.2.2 absolute-form] [9112 3.2.2 host-to-proxy]
    def told(head):
        lines = head.split("\r\n")
        return lines[0], sorted(line for line in lines[1:] if line and not re.match("(?i)user-agent|accept", line))

    s = server(lambda request: response("200 OK", b"", "Connection: close"))
    (theirs,) = heads_of_curl(["-x", tunnel.url(), *options], tunnel, s.url("/a?b"))
    muster("fetch", "-x", tunnel.url(), *options, s.url("/a?b"))
    assert told(tunnel.requests[-1]) == told(theirs)


# --- which proxy --------------------------------------------------------------------------------------------------------

ENVIRONMENTS = [
    ({}, [], "http", False),
    ({"http_proxy": "P"}, [], "http", True),
    ({"HTTP_PROXY": "P"}, [], "http", False),
    ({"http_proxy": "P"}, [], "https", False),
    ({"https_proxy": "P"}, [], "https", True),
    ({"HTTPS_PROXY": "P"}, [], "https", True),
    ({"https_proxy": "P", "HTTPS_PROXY": "http://127.0.0.1:1"}, [], "https", True),
    ({"all_proxy": "P"}, [], "http", True),
    ({"ALL_PROXY": "P"}, [], "https", True),
    ({"all_proxy": "http://127.0.0.1:1", "http_proxy": "P"}, [], "http", True),
    ({"http_proxy": ""}, [], "http", False),
    ({"http_proxy": "P", "no_proxy": "127.0.0.1"}, [], "http", False),
    ({"http_proxy": "P", "NO_PROXY": "127.0.0.0/8"}, [], "http", False),
    ({"http_proxy": "P", "NO_PROXY": "10.0.0.0/8"}, [], "http", True),
    ({"http_proxy": "P", "no_proxy": "other", "NO_PROXY": "*"}, [], "http", True),
    ({"http_proxy": "P", "no_proxy": "*"}, [], "http", False),
    ({"http_proxy": "P", "no_proxy": "*"}, ["--noproxy", ""], "http", True),
    ({"http_proxy": "P"}, ["--noproxy", "127.0.0.1"], "http", False),
    ({"http_proxy": "P"}, ["-x", ""], "http", False),
    ({"http_proxy": "http://127.0.0.1:1"}, ["-x", "P"], "http", True),
    ({"no_proxy": "127.0.0.1"}, ["-x", "P"], "http", False),
    ({}, ["-x", "P", "--noproxy", "localhost,127.0.0.1"], "http", False),
    ({}, ["-x", "P", "--noproxy", "localhost"], "http", True),
]


@pytest.mark.parametrize("environment, options, scheme, is_used", ENVIRONMENTS)
def test_the_environment_is_read_as_by_curl(muster, server, tunnel, environment, options, scheme, is_used):
    s = server(lambda request: response("200 OK", b"", "Connection: close"))
    proxy = tunnel.url().rstrip("/")
    url = s.url() if scheme == "http" else f"https://127.0.0.1:{s.port}/"
    environment = {name: proxy if value == "P" else value for name, value in environment.items()}
    options = [proxy if option == "P" else option for option in options]
    muster("fetch", *options, url, env=environment)
    assert (len(tunnel.requests) > 0) == is_used
    if shutil.which("curl"):
        n = len(tunnel.requests)
        subprocess.run(["curl", "-s", "-m", "5", "-o", "/dev/null", *options, url], env={"PATH": os.environ["PATH"], **environment}, timeout=PATIENCE)
        assert (len(tunnel.requests) > n) == is_used


# --- trouble ------------------------------------------------------------------------------------------------------------


def test_the_connect_timeout_includes_the_tunnel(muster, hole):
    port = int(hole.split(":")[2].rstrip("/"))
    for scheme in ("http", "https", "socks5h"):
        error = muster("fetch", "-x", f"{scheme}://127.0.0.1:{port}", "--connect-timeout", "200ms", "https://h.test/").result["error"]
        assert error["code"] == "timeout" and error["stage"] == "tunnel" and "the connect timeout of 0.2 s ran out in phase tunnel" in error["text"]


def test_a_proxy_that_is_not_there(muster, nginx):
    port = free_port()
    error = muster("fetch", "-x", f"127.0.0.1:{port}", nginx.url("/small")).result["error"]
    assert error["code"] == "connect" and error["text"].startswith(f"connect: proxy http://127.0.0.1:{port}: ")
    error = muster("fetch", "-x", "no-such-proxy.invalid:1", nginx.url("/small")).result["error"]
    assert error["code"] == "resolve" and error["text"].startswith("resolve: proxy http://no-such-proxy.invalid:1: ")


@pytest.mark.parametrize("answer, words", [
    ([b"HTTP/1.1 200 OK\r\n\r\nand more", "hang"], "sent bytes that nobody asked for behind its answer"),
    ([b"no HTTP at all\r\n\r\n", "hang"], "not a valid answer to CONNECT"),
    (["close"], "closed the connection without an answer"),
    ([b"HTTP/1.1 2", "close"], "closed the connection in the middle of its answer"),
    (["reset"], "refused|closed|reset"),
    ([b"HTTP/1.1 200 OK\r\nX: " + b"x" * 400000, "hang"], "not a valid answer to CONNECT"),
])
def test_proxies_that_misbehave(muster, server, answer, words):
    proxy = server(lambda request: answer)
    error = muster("fetch", "-x", proxy.url(), "https://h.test/").result["error"]
    assert error["code"] == "proxy" and error["stage"] == "tunnel" and re.search(words, error["text"]), error


def test_a_tunnel_through_threads(muster, nginx, certificates, start):
    squid = start(proxies.squid, auth="digest", allowed_ports=[nginx.tls_port])
    urls = f"{nginx.tls_url('/small')}\n" * 200
    run = muster("fetch", "-x", squid.url(), "-U", LOGIN, "--proxy-digest", "--threads", 2, "-c", 8, "--cacert", certificates.path("ca"), input=urls)
    assert run.status == 0 and all(result["status"] == 200 for result in run.results)
