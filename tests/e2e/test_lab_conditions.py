"""The lab's conditions: of connections, of all requests, of TLS and of names."""
import re
import resource
import socket
import statistics
import struct
import time

import pytest
from command import PATIENCE


def request(path, *fields):
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: h", *fields, "", ""]).encode()


def read_all(connection):
    data = b""
    while piece := connection.recv(65536):
        data += piece
    return data


def error_of(muster, *arguments):
    run = muster("fetch", *arguments)
    assert run.status == 1, run.stdout[:1000]
    return run.result["error"]


# --- connections --------------------------------------------------------------------------------------------------------


def test_max_requests(lab, muster):
    one = lab("--max-requests", "3")
    run = muster("fetch", "-c", "1", *[one.url("/plain")] * 9)
    assert run.status == 0 and len({result["conn"]["id"] for result in run.results}) == 3
    with one.connect() as connection:
        connection.sendall(request("/plain") * 5)
        data = read_all(connection)
    assert data.count(b"HTTP/1.1 200") == 3 and data.rindex(b"Connection: close") > data.rindex(b"HTTP/1.1")


def test_no_keep_alive(lab, muster):
    one = lab("--no-keep-alive")
    run = muster("fetch", "-c", "1", *[one.url("/plain")] * 5)
    assert run.status == 0 and one.stats()["connections"] == 6
    assert one.get("/plain").getheader("Connection") == "close"


def test_idle_timeout(lab):
    one = lab("--idle-timeout", "150ms")
    for sent in [b"", request("/plain"), request("/delay/200ms")]:
        with one.connect() as connection:
            connection.sendall(sent)
            data = connection.recv(1000) if sent else b""
            start = time.monotonic()
            assert read_all(connection) == b"" and bool(data) == bool(sent)
            assert time.monotonic() - start >= 0.14


def test_connection_rate(lab, muster):
    """Of each connection, whether it speaks TLS and HTTP/2 or not: 60 kB at 200 kB a second take 0.3 s."""
    one = lab("--connection-rate", "200k", "--tls", "good", "--h2")
    for options, n_connections in ((["--http2"], 1), (["--http1.1"], 3)):
        run = muster("fetch", "-k", "-c", "3", "--body", "none", *options, *[one.url("/bytes/20k")] * 3)
        took = max(result["total_us"] for result in run.results) / 1e6
        assert run.status == 0 and len({result["conn"]["id"] for result in run.results}) == n_connections
        assert took >= (0.25 if n_connections == 1 else 0.07)


def test_write_size(lab):
    """Many small packets; with Nagle's algorithm the last one waits for the client's delayed ACK."""
    medians = {}
    for options in [[], ["--no-nodelay"]]:
        one = lab("--write-size", "100", *options)
        times = []
        with one.connect() as connection:
            for _ in range(40):
                start, data = time.monotonic(), b""
                connection.sendall(request("/bytes/250"))
                while len(data.partition(b"\r\n\r\n")[2]) < 250:
                    data += connection.recv(65536)
                times.append(time.monotonic() - start)
        medians[bool(options)] = statistics.median(times)
    assert medians[True] > 0.02 > medians[False]


def test_backlog(lab):
    """The kernel drops the SYNs of those for whom there is no room, and they try again after a second."""
    one = lab("--backlog", "1", "--accept-interval", "100ms")
    start = time.monotonic()
    waiting = {}
    for _ in range(10):
        connection = socket.socket()
        connection.setblocking(False)
        connection.connect_ex(("127.0.0.1", one.port()))
        waiting[connection] = None
    while None in waiting.values():
        assert time.monotonic() - start < PATIENCE
        for connection, took in waiting.items():
            info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
            if took is None and info[0] == 1:  # TCP_ESTABLISHED
                waiting[connection] = time.monotonic() - start
        time.sleep(0.005)
    for connection in waiting:
        connection.close()
    assert min(waiting.values()) < 0.5 and sum(took >= 0.95 for took in waiting.values()) >= 3


def test_accept_interval(lab):
    one = lab("--accept-interval", "50ms")
    start = time.monotonic()
    for _ in range(6):
        assert one.get("/plain").status == 200
    assert time.monotonic() - start >= 0.249


def test_10000_connections_at_once(lab):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 11000:
        pytest.skip(f"10,000 connections need a hard limit of 11,000 open files, and here it is {hard}")
    one = lab()
    held = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        for _ in range(10000):
            held.append(one.connect())
            held[-1].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # leave no TIME_WAIT behind
        for connection in held:
            connection.sendall(request("/plain"))
        assert all(connection.recv(1000).endswith(b"hello\n") for connection in held)
        stats = one.stats()
        assert stats["connections_open"] == 10001 and stats["requests"] == 10000
    finally:
        for connection in held:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert one.get("/plain").status == 200


# --- requests -----------------------------------------------------------------------------------------------------------


def test_delay_of_all(lab):
    one = lab("--delay", "uniform:60ms:70ms")
    start = time.monotonic()
    assert one.get("/delay/30ms").status == 200
    assert time.monotonic() - start >= 0.09
    start = time.monotonic()
    for _ in range(10):
        one.stats()  # exempt
    assert time.monotonic() - start < 0.6


def test_error_share(lab, muster):
    one = lab("--error-share", "20%")
    run = muster("fetch", "--fail", *[one.url("/plain")] * 1000)
    failed = sum(result["status"] == 500 for result in run.results)
    assert run.status == 1 and 150 <= failed <= 250  # 4 sigma
    assert one.stats()["responses_5xx"] == failed


def test_rate_limit(lab, muster):
    one = lab("--rate-limit", "20/m,5")
    results = muster("fetch", "-c", "1", *[one.url("/plain")] * 8).results
    assert [result["status"] for result in results] == [200] * 5 + [429] * 3
    assert dict(results[-1]["headers"])["retry-after"] == "3" and one.stats()["rate_limited"] == 3


def test_routes(lab):
    one = lab("--route", "/api=/bytes/10?status=201", "--route", "/static/* /redirect/2")
    assert one.get("/api?status=404").status == 201 and len(one.get("/api").body) == 10
    assert one.get("/static/x/y").getheader("Location") == "/redirect/1/302"
    assert one.get("/api/x").status == 404 and one.get("/static").status == 404


def test_listeners(lab):
    """The first is named by the first --listener; settings belong to the one before them."""
    one = lab("--listener", "a", "--delay", "50ms", "--listener", "b", "--error-share", "1", "--listen", "127.0.0.1:0",
              "--listener", "c", "--tls", "good")
    assert list(one.urls) == ["a", "b", "c"] and one.urls["c"].startswith("https")
    start = time.monotonic()
    assert one.get("/plain").status == 200 and time.monotonic() - start >= 0.05
    with one.connect("b") as connection:
        connection.sendall(request("/plain"))
        assert connection.recv(1000).startswith(b"HTTP/1.1 500")
    assert one.stats("b")["requests"] == 1 and one.stats("c")["requests"] == 0


# --- TLS ----------------------------------------------------------------------------------------------------------------


FAULTS = {
    "good": None,
    "expired": ("tls_verify", "expired on"),
    "not-yet-valid": ("tls_verify", "not valid before"),
    "wrong-name": ("tls_verify", 'is for "wrong.invalid" and does not match'),
    "self-signed": ("tls_verify", "self-signed"),
    "unknown-issuer": ("tls_verify", "issuer"),
    "missing-intermediate": ("tls_verify", "issuer"),
    "old-protocol": ("tls", "protocol"),
}


def test_tls_faults(lab, muster):
    one = lab(*[word for fault in FAULTS for word in ("--listener", fault, "--tls", fault)])
    for fault, expected in FAULTS.items():
        if not expected:
            result = muster("fetch", "--cacert", one.ca, one.url("/plain", fault)).result
            assert result["status"] == 200 and result["conn"]["tls"]["version"] == "TLSv1.3"
            continue
        error = error_of(muster, "--cacert", one.ca, one.url("/plain", fault))
        assert (error["code"], error["stage"]) == (expected[0], "tls") and expected[1] in error["text"], (fault, error)
        if fault != "old-protocol":
            assert muster("fetch", "-k", one.url("/plain", fault)).status == 0
    assert error_of(muster, one.url("/plain", "good"))["code"] == "tls_verify"  # without its root


def test_names_of_the_certificate(lab, muster):
    one = lab("--listener", "a", "--tls", "good", "--name", "any.test 127.0.0.1")
    port = one.port()
    for host in ["localhost", "any.test", "127.0.0.1"]:
        assert muster("fetch", "--cacert", one.ca, "--dns-server", one.dns, f"https://{host}:{port}/plain").status == 0, host
    assert error_of(muster, "--cacert", one.ca, "--resolve", f"*:{port}:127.0.0.1", f"https://other.example:{port}/")["code"] == "tls_verify"


def test_tls_resumption(lab, muster):
    one = lab("--listener", "plain", "--listener", "a", "--tls", "good", "--listener", "b", "--tls", "good", "--tls-no-resumption",
              "--listener", "c", "--tls", "good", "--tls-max", "1.2")
    for name, resumed, version in [("a", 3, "TLSv1.3"), ("b", 0, "TLSv1.3"), ("c", 3, "TLSv1.2")]:
        results = muster("fetch", "-c", "1", "--http1.0", "--cacert", one.ca, *[one.url("/plain", name)] * 4).results
        assert all(result["ok"] and result["conn"]["tls"]["version"] == version for result in results)
        stats = one.stats(name)
        assert (stats["tls_handshakes"], stats["tls_resumed"], stats["tls_failed"]) == (4, resumed, 0)
        assert sum(result["conn"]["tls"]["resumed"] for result in results) == resumed


def test_tls_handshake_cost(lab, muster):
    one = lab("--listener", "plain", "--listener", "a", "--tls", "good", "--tls-handshake-cost", "60ms")
    result = muster("fetch", "--cacert", one.ca, one.url("/plain", "a")).result
    assert result["phases_us"]["tls"] >= 60_000


def test_tls_client_that_gives_up(lab):
    one = lab("--listener", "plain", "--listener", "a", "--tls", "good")
    for sent in [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01", b""]:
        with one.connect("a") as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            try:
                read_all(connection)
            except ConnectionResetError:
                pass
    assert one.stats("a")["tls_failed"] == 3 and one.stats("a")["connections_open"] == 0


def test_large_bodies_over_tls(lab, muster):
    one = lab("--write-size", "3000")
    result = muster("fetch", "--cacert", one.ca, one.url("/bytes/3M", "tls")).result
    assert result["body_bytes"] == 3 << 20
    result = muster("fetch", "--cacert", one.ca, one.url("/cut/500", "tls")).result
    assert result["error"]["code"] == "closed"


# --- names --------------------------------------------------------------------------------------------------------------


def question(name, kind):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + labels + b"\0" + struct.pack("!HH", kind, 1)


def lookup(one, name, kind=1, tcp=False):
    """(RCODE, truncated?, [(TTL, data)]) of an answer; None: there was none within half a second."""
    host, port = one.dns.split(":")
    asked = question(name, kind)
    with socket.socket(type=socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as asking:
        asking.settimeout(0.5)
        asking.connect((host, int(port)))
        asking.sendall(struct.pack("!H", len(asked)) + asked if tcp else asked)
        try:
            answer = asking.recv(65536)
            while tcp and len(answer) < 2 + struct.unpack("!H", answer[:2])[0]:
                answer += asking.recv(65536)
        except socket.timeout:
            return None
    answer = answer[2:] if tcp else answer
    assert answer[:2] == asked[:2] and answer[12:len(asked)] == asked[12:] and answer[2] & 0x80
    at, records = len(asked), []
    for _ in range(struct.unpack("!H", answer[6:8])[0]):
        _, _, _, ttl, n = struct.unpack("!HHHIH", answer[at:at + 12])
        records.append((ttl, answer[at + 12:at + 12 + n]))
        at += 12 + n
    return answer[3] & 15, bool(answer[2] & 2), records


def test_names_by_python(lab):
    many = [f"10.0.{i // 250}.{i % 250}" for i in range(500)]
    names = ["a.test 127.0.0.1 192.0.2.7 ::1 ttl=30s", "none.test nxdomain", "fail.test servfail", "no.test refused", "quiet.test silent",
             "big.test truncate 192.0.2.1", f"many.test {' '.join(many)}", "empty.test", "*.wild.test 192.0.2.9"]
    one = lab(*[f"--name={name}" for name in names])
    loopback = socket.inet_aton("127.0.0.1")
    assert lookup(one, "a.test") == (0, False, [(30, loopback), (30, socket.inet_aton("192.0.2.7"))])
    assert lookup(one, "a.test", 28) == (0, False, [(30, b"\0" * 15 + b"\1")])
    assert lookup(one, "A.Test")[2][0] == (30, loopback)
    assert lookup(one, "x.wild.test") == (0, False, [(60, socket.inet_aton("192.0.2.9"))])
    for name, rcode in [("none.test", 3), ("fail.test", 2), ("no.test", 5), ("empty.test", 0)]:
        assert lookup(one, name) == (rcode, False, [])
        assert lookup(one, name, tcp=True) == (rcode, False, [])
    assert lookup(one, "any.test") == (0, False, [(60, loopback)])  # nobody named it or *.test: it is there by default
    assert lookup(one, "elsewhere.example")[0] in (3, 5)
    assert lookup(one, "quiet.test") is None and lookup(one, "quiet.test", tcp=True) is None
    assert lookup(one, "big.test") == (0, True, []) and len(lookup(one, "big.test", tcp=True)[2]) == 1
    assert lookup(one, "many.test") == (0, True, [])
    assert [socket.inet_ntoa(data) for _, data in lookup(one, "many.test", tcp=True)[2]] == many
    dns = one.stats()["dns"]
    assert (dns["lost"], dns["truncated"]) == (2, 2) and dns["queries_udp"] + dns["queries_tcp"] == dns["answered"] + dns["lost"]


def test_names_by_muster(lab, muster):
    names = ["a.test 127.0.0.1", "alias.test cname=a.test", "two.test 127.0.0.2,127.0.0.1", "none.test nxdomain", "fail.test servfail", "empty.test",
             "slow.test 127.0.0.1 delay=300ms", "first.test 127.0.0.1 loss-first=2", "big.test truncate 127.0.0.1", "half.test 127.0.0.1 silent-aaaa",
             "broken.test 127.0.0.1 broken-aaaa", "later.test 127.0.0.1 delay-aaaa=10s"]
    one = lab(*[f"--name={name}" for name in names])

    def fetch(name):
        return muster("fetch", "--dns-server", one.dns, "--connect-timeout", "20s", f"http://{name}:{one.port()}/plain").result

    for name in ["a.test", "alias.test", "two.test", "big.test", "half.test", "broken.test", "later.test", "any.test"]:
        result = fetch(name)
        assert result["status"] == 200 and result["conn"]["remote"] == f"127.0.0.1:{one.port()}", (name, result)
    assert one.stats()["dns"]["queries_tcp"] >= 1
    for name in ["half.test", "later.test"]:
        assert fetch(name)["phases_us"]["dns"] < 2_000_000  # not waited for
    assert 300_000 <= fetch("slow.test")["phases_us"]["dns"]
    lost = one.stats()["dns"]["lost"]
    result = fetch("first.test")
    assert result["status"] == 200 and result["phases_us"]["dns"] > 300_000 and one.stats()["dns"]["lost"] >= lost + 2
    for name, words in [("none.test", "the name does not exist"), ("fail.test", "SERVFAIL|server"), ("empty.test", "address")]:
        error = fetch(name)["error"]
        assert (error["code"], error["stage"]) == ("resolve", "dns") and re.search(words, error["text"]), error


def test_loss_of_names(lab):
    one = lab("--name", "a.test 127.0.0.1 loss=30%")
    host, port = one.dns.split(":")
    with socket.socket(type=socket.SOCK_DGRAM) as asking:
        asking.settimeout(0.3)
        for _ in range(400):
            asking.sendto(question("a.test", 1), (host, int(port)))
            time.sleep(0.0005)
    end = time.monotonic() + PATIENCE
    while (dns := one.stats()["dns"])["queries_udp"] < 400 and time.monotonic() < end:
        time.sleep(0.02)
    assert dns["queries_udp"] == 400 and 83 <= dns["lost"] <= 157  # 4 sigma
