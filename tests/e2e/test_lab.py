"""The lab's server: each behaviour and each parameter of its page, seen with Python's own eyes and with muster's."""
import gzip
import json
import re
import socket
import threading
import time
import zlib

import pytest
from command import PATIENCE

LINE = b"The quick brown fox jumps over the lazy dog, and again it does so.\n"


def filling(n):
    return (LINE * (n // len(LINE) + 1))[:n]


def ask(path, *fields, method="GET", last=True):
    """A request as bytes; behind the last one the server closes."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: h", *fields, *["Connection: close"] * last, "", ""]).encode()


def read_all(connection):
    """All that comes until the server closes, or "reset" behind it when it resets."""
    data = b""
    try:
        while piece := connection.recv(65536):
            data += piece
    except ConnectionResetError:
        return data, "reset"
    return data, "closed"


def exchange(lab, *pieces, pause=0):
    with lab.connect() as connection:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause)
        return read_all(connection)[0]


def body_of(response):
    return response.partition(b"\r\n\r\n")[2]


def seconds(call, *arguments):
    start = time.monotonic()
    call(*arguments)
    return time.monotonic() - start


def error_of(muster, lab, path, *options):
    run = muster("fetch", *options, lab.url(path))
    assert run.status == 1, run.stdout[:1000]
    return run.result["error"]


# --- the page -----------------------------------------------------------------------------------------------------------


def test_the_page_lists_everything(lab):
    """What is new there wants a test here."""
    page = lab().get("/")
    assert page.status == 200 and page.getheader("Content-Type").startswith("text/plain")
    assert re.findall(r"^  /([a-z-]+)", page.body.decode(), re.M) == """
        plain bytes chunked trickle json encoded broken bomb delay status redirect redirect-loop retry limited flaky hang cut reset
        close interim echo upload basic bearer cookies lab""".split()
    assert re.findall(r"^  ([a-z0-9.-]+)=", page.body.decode(), re.M) == """
        delay body-delay status size header chunk piece gap cut reset code hang early-hints until-close close n http1.0""".split()


def test_what_is_not_there(lab):
    one = lab()
    for path, status, words in [
        ("/nothing/1", 404, "unknown path /nothing"),
        ("/bytes/x", 400, 'size "x" is not'),
        ("/bytes/1.5", 400, 'size "1.5" is not'),
        ("/json/10", 400, "needs more bytes"),
        ("/json/1k/nine", 400, 'number "nine"'),
        ("/encoded/zip", 400, 'coding "zip" is not one of these'),
        ("/encoded/gzip,gzip,gzip,gzip,gzip", 400, "up to 4"),
        ("/encoded/gzip/65M", 400, "from 1 to 67108864 bytes"),
        ("/broken/gzip/slightly", 400, 'breakage "slightly"'),
        ("/bomb/br/2G", 400, "from 1 to 1073741824 bytes"),
        ("/delay/soon", 400, 'time "soon" is not one of these'),
        ("/status/199", 400, "200 to 999"),
        ("/redirect/0", 302, "/plain"),
        ("/redirect/x", 400, 'number "x"'),
        ("/retry/503?times=x", 400, 'times "x"'),
        ("/limited/0", 400, 'rate "0"'),
        ("/limited/1?burst=x", 400, 'burst "x"'),
        ("/flaky/101%", 400, 'share "101%"'),
        ("/hang/there", 400, 'place "there"'),
        ("/interim/101", 400, "102 to 199"),
        ("/lab/nothing", 400, "/lab/stats, /lab/reset"),
        ("/plain?nothing=1", 400, 'unknown parameter "nothing"'),
        ("/plain?status=1000", 400, 'parameter status: "1000" is not CODE'),
        ("/plain?delay=x", 400, "parameter delay"),
        ("/plain?size=x", 400, "parameter size"),
        ("/plain?header=a%20b:c", 400, "parameter header"),
        ("/plain?header=a%0d%0ab:c", 400, "parameter header"),
        ("/plain?chunk=2M", 400, "parameter chunk"),
        ("/plain?piece=0", 400, "parameter piece"),
        ("/plain?gap=x", 400, "parameter gap"),
        ("/plain?cut=x", 400, "parameter cut"),
        ("/plain?reset=x", 400, "parameter reset"),
        ("/plain?code=x", 400, "parameter code"),
        ("/plain?hang=x", 400, "parameter hang"),
        ("/plain?early-hints=101", 400, "parameter early-hints"),
        ("/plain?until-close=2", 400, "parameter until-close"),
        ("/plain?close=x", 400, "parameter close"),
        ("/plain?http1.0=x", 400, "parameter http1.0"),
    ]:
        response = one.get(path)
        assert (response.status, words in response.body.decode()) == (status, True), (path, response.body)


# --- bodies -------------------------------------------------------------------------------------------------------------


def test_bodies_of_a_size(lab, muster):
    one = lab()
    assert one.get("/plain").body == b"hello\n"
    for path, n in [("", 1024), ("/0", 0), ("/1", 1), ("/10k", 10240), ("/1000000", 1000000), ("/12M", 12 << 20)]:
        response = one.get("/bytes" + path)
        assert int(response.getheader("Content-Length")) == len(response.body) == n
        assert response.body == filling(n)
    assert one.get("/bytes/5", method="HEAD").getheader("Content-Length") == "5"
    assert muster("fetch", one.url("/bytes/300k")).result["body"].encode() == filling(300 << 10)


def test_chunks(lab):
    one = lab()
    for path, sizes in [("/chunked/25/10", [10, 10, 5, 0]), ("/chunked", [1024] * 10 + [0]), ("/bytes/7?chunk=4", [4, 3, 0]),
                        ("/chunked/3M/1M", [1 << 20] * 3 + [0])]:
        response = exchange(one, ask(path))
        assert b"\r\nTransfer-Encoding: chunked\r\n" in response and b"Content-Length" not in response
        data, seen = body_of(response), []
        while data:
            size, _, data = data.partition(b"\r\n")
            seen.append(int(size, 16))
            data = data[seen[-1] + 2:]
        assert seen == sizes
        assert one.get(path).body == filling(sum(sizes))
    assert body_of(exchange(one, ask("/chunked/5").replace(b"HTTP/1.1", b"HTTP/1.0"))) == filling(5)


def test_trickle(lab):
    one = lab()
    for path in ["/trickle/30/10/60ms", "/bytes/30?piece=10&gap=60ms", "/bytes/30?chunk=10&gap=60ms"]:
        with one.connect() as connection:
            connection.sendall(ask(path))
            start, times, body = time.monotonic(), [], b""
            while piece := connection.recv(65536):
                times.append(time.monotonic() - start)
                body += piece
        assert times[-1] >= 0.119 and len(times) >= 3  # the end may come for itself
    assert len(one.get("/trickle/5k/1k/1ms").body) == 5 * 1024


def test_json(lab):
    one = lab()
    for path, n, depth in [("", 1024, 1), ("/100", 100, 1), ("/1M/5", 1 << 20, 5)]:
        response = one.get("/json" + path)
        document = json.loads(response.body)
        assert len(response.body) == n and response.getheader("Content-Type") == "application/json"
        for _ in range(depth - 1):
            document = document["child"]
        assert isinstance(document["items"], list)


def test_codings_by_python(lab):
    one = lab()
    undo = {"gzip": gzip.decompress, "deflate": zlib.decompress, "raw-deflate": lambda data: zlib.decompress(data, -15)}
    for coding, decode in undo.items():
        response = one.get(f"/encoded/{coding}/50k")
        assert response.getheader("Content-Encoding") == coding.removeprefix("raw-")
        assert decode(response.body) == filling(50 * 1024)
    response = one.get("/encoded/deflate,gzip/1k")
    assert response.getheader("Content-Encoding") == "deflate, gzip"
    assert zlib.decompress(gzip.decompress(response.body)) == filling(1024)
    assert one.get("/encoded").body == one.get("/encoded/gzip/10k").body


def test_codings_by_muster(lab, muster):
    one = lab()
    codings = ["gzip", "deflate", "raw-deflate", "br", "zstd", "br,gzip", "zstd,br,deflate,gzip"]
    run = muster("fetch", *[one.url(f"/encoded/{coding}/100k") for coding in codings])
    for result in run.results:
        assert result["body"].encode() == filling(100 * 1024), result
        assert result["wire_bytes"] < 20000


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "zstd,gzip"])
def test_broken_codings(lab, muster, coding):
    one = lab()
    assert muster("fetch", one.url(f"/broken/{coding}/empty")).result["body"] == ""  # which is taken for no coding
    for how in ["truncated", "corrupt", "mislabelled"]:
        error = error_of(muster, one, f"/broken/{coding}/{how}")
        assert error["code"] == "decode" and error["stage"] == "decode", error
    result = muster("fetch", one.url(f"/broken/{coding}/trailing")).result  # it came whole, and more behind it
    assert result["ok"] and result["body"].startswith("The quick brown fox") and result["warning"].endswith("were dropped")


def test_bombs(lab, muster):
    one = lab()
    for path in ["gzip", "zstd", "br/64M", "gzip,gzip/100M"]:
        error = error_of(muster, one, f"/bomb/{path}", "--max-filesize", "20M")
        assert error["code"] == "too_large" or "which looks like a decompression bomb" in error["text"]
    result = muster("fetch", "--body", "none", "--max-filesize", "3G", one.url("/bomb/gzip/200M")).result
    assert result["body_bytes"] == 200 << 20 and result["wire_bytes"] < 1 << 20


# --- status -------------------------------------------------------------------------------------------------------------


def test_status(lab):
    one = lab()
    for path, status, reason in [("", 200, "OK"), ("/404", 404, "Not Found"), ("/418", 418, None), ("/999", 999, ""), ("/204", 204, "No Content")]:
        response = one.get("/status" + path)
        assert response.status == status and reason in (response.reason, None)
    assert one.get("/status/401").getheader("WWW-Authenticate") == 'Basic realm="lab"'
    for status in [204, 304]:
        response = exchange(one, ask(f"/status/{status}"))
        assert body_of(response) == b"" and b"Content-Length" not in response


def test_delay(lab):
    one = lab()
    for path in ["/delay/80ms", "/delay/uniform:80ms:90ms", "/plain?delay=80ms", "/delay/lognormal:80ms:0", "/delay/0.08"]:
        assert seconds(one.get, path) >= 0.08
    assert one.get("/delay/exp:1ms").body == b"that took a while\n"
    assert seconds(one.get, "/delay") >= 1


def test_redirects(lab, muster):
    one = lab()
    response = one.get("/redirect")
    assert (response.status, response.getheader("Location")) == (302, "/plain")
    response = one.get("/redirect/3/307?to=/bytes/5%3Fstatus=201")
    assert (response.status, response.getheader("Location")) == (307, "/redirect/2/307?to=/bytes/5%3Fstatus=201")
    result = muster("fetch", one.url("/redirect/3/307?to=/bytes/5%3Fstatus=201")).result
    assert (result["status"], result["redirects"], result["final_url"]) == (201, 3, one.url("/bytes/5?status=201"))
    error = error_of(muster, one, "/redirect-loop")
    assert error["code"] == "redirect" and "a loop" in error["text"]


def test_retry(lab, muster):
    one = lab()
    response = one.get("/retry")
    assert (response.status, response.getheader("Retry-After")) == (503, "1")
    response = one.get("/retry/429/1500ms")
    assert (response.status, response.getheader("Retry-After")) == (429, "2")
    assert [one.get("/retry/503/0?times=2&key=a").status for _ in range(4)] == [503, 503, 200, 200]
    assert one.get("/retry/500/0?times=2&key=b").status == 500
    result = muster("fetch", "--retry", "3", one.url("/retry/503/1s?times=1&key=c")).result
    assert (result["status"], result["attempts"]) == (200, 2) and result["phases_us"]["backoff"] >= 900_000
    assert muster("fetch", "--retry", "1", one.url("/retry/503/0")).result["status"] == 503


def test_limited(lab, muster):
    one = lab()
    got = [one.get("/limited/1/m?burst=3") for _ in range(5)]
    assert [response.status for response in got] == [200, 200, 200, 429, 429]
    assert 55 <= int(got[-1].getheader("Retry-After")) <= 60
    assert one.get("/limited/2").status == 200  # another path, another count
    results = muster("fetch", "--retry", "9", "-c", "1", *[one.url("/limited/5?burst=2")] * 4).results
    assert [result["status"] for result in results] == [200] * 4
    stats = one.stats()
    assert stats["rate_limited"] == stats["responses_4xx"] >= 3


def test_flaky(lab):
    """A share, and with the same seed the same ones."""
    runs = []
    for seed in [5, 5, 6]:
        one = lab("--seed", seed)
        pipelined = ask("/flaky/25%/502", last=False) * 399 + ask("/flaky/25%/502")
        runs.append(re.findall(rb"HTTP/1.1 (\d+)", exchange(one, pipelined)))
    assert runs[0] == runs[1] != runs[2]
    assert set(runs[0]) == {b"200", b"502"} and 65 <= runs[0].count(b"502") <= 135  # 4 sigma
    assert one.get("/flaky/0").status == 200 and one.get("/flaky/100%").status == 500


# --- trouble ------------------------------------------------------------------------------------------------------------


def test_hangs(lab, muster):
    one = lab()
    for path, n in [("/hang", 0), ("/hang/start", 0), ("/plain?hang=start", 0), ("/plain?hang=20", 20), ("/hang/head", None), ("/hang/body", None),
                    ("/bytes/100?hang=head", None), ("/bytes/100?hang=body", None)]:
        with one.connect() as connection:
            connection.sendall(ask(path))
            connection.settimeout(0.1)
            data = b""
            with pytest.raises(socket.timeout):
                while True:
                    data += connection.recv(65536)
        if n is not None:
            assert len(data) == n, path
        else:
            assert (b"\r\n\r\n" in data) == ("body" in path), path
            assert "body" not in path or len(body_of(data)) in (50, 500)
    for path, stage in [("/hang", "wait"), ("/hang/head", "receive"), ("/hang/body", "receive")]:
        error = error_of(muster, one, path, "--read-timeout", "200ms")
        assert (error["code"], error["stage"]) == ("timeout", stage)
    assert one.stats()["requests_at_once"] == 0  # whoever left is not waited for


def test_cuts_and_resets(lab, muster):
    one = lab()
    whole = exchange(one, ask("/bytes/1000"))
    for path, n in [("/cut", 0), ("/cut/10", 10), ("/bytes/1000?cut=500", 500), ("/cut/5000", len(whole))]:
        with one.connect() as connection:
            connection.sendall(ask(path))
            data, how = read_all(connection)
            assert (len(data), how) == (n, "closed"), path
    for path, n in [("/reset", 0), ("/reset/10", 10), ("/bytes/1000?reset=500", 500)]:
        with one.connect() as connection:
            connection.sendall(ask(path))
            data, how = read_all(connection)
            assert (len(data), how) == (n, "reset"), path
    for path, words in [("/cut", "without a response"), ("/cut/10", "within the head"), ("/cut/500", "of the body still missing"),
                        ("/reset", "reset"), ("/reset/500", "reset")]:
        error = error_of(muster, one, path)
        assert error["code"] == "closed" and words in error["text"]


def test_close(lab, muster):
    one = lab()
    for path in ["/close", "/plain?close=1"]:
        response = exchange(one, ask(path, last=False))
        assert b"\r\nConnection: close\r\n" in response and b"\r\nContent-Length: " in response
    results = muster("fetch", "-c", "1", *[one.url("/close")] * 3).results
    assert len({result["conn"]["id"] for result in results}) == 3
    response = exchange(one, ask("/bytes/5?until-close=1", last=False))
    assert b"Content-Length" not in response and body_of(response) == filling(5)
    response = exchange(one, ask("/plain?http1.0=1", last=False))
    assert response.startswith(b"HTTP/1.0 200 OK\r\n") and body_of(response) == b"hello\n"


def test_interim_responses(lab, muster):
    one = lab()
    response = exchange(one, ask("/interim"))
    assert re.findall(rb"HTTP/1.1 (\d+)", response) == [b"103", b"200"] and response.count(b"\r\nLink: ") == 1
    for path, statuses in [("/interim/102/3", [b"102"] * 3 + [b"200"]), ("/bytes/1?early-hints=2", [b"103", b"103", b"200"])]:
        assert re.findall(rb"HTTP/1.1 (\d+)", exchange(one, ask(path))) == statuses
        assert muster("fetch", one.url(path)).result["status"] == 200
    assert exchange(one, ask("/interim").replace(b"HTTP/1.1", b"HTTP/1.0")).count(b"HTTP/1.") == 1  # HTTP/1.0 has none


def test_parameters_together(lab):
    one = lab()
    response = one.get("/bytes/9?size=50&header=X-A:b&header=X-A:%20c%20d&status=418&header=Content-Type:x/y&n=7")
    assert (response.status, response.body) == (418, filling(50))
    assert response.headers.get_all("X-A") == ["b", "c d"]
    assert one.get("/encoded/gzip?size=5").body == filling(5)


# --- what the client sent -----------------------------------------------------------------------------------------------


def test_echo(lab, muster):
    one = lab()
    echo = json.loads(one.get("/echo/x?header=A:b", "PUT", "t\u00e4xt \"\\\n".encode(), {"X-One": "1", "x-one": "2"}).body)
    assert (echo["method"], echo["target"], echo["body"]) == ("PUT", "/echo/x?header=A:b", "t\u00e4xt \"\\\n")
    assert echo["body_bytes"] == 9 and echo["body_crc32"] == f"{zlib.crc32(echo['body'].encode()):08x}"
    assert ["X-One", "1"] in echo["headers"] and ["x-one", "2"] in echo["headers"]
    assert json.loads(one.get("/echo", "POST", b"\xff\0\xc3").body)["body"] == "\ufffd\0\ufffd"
    echo = json.loads(muster("fetch", "-d", "a=b", "-A", "me", one.url("/echo")).result["body"])
    assert (echo["method"], echo["body"]) == ("POST", "a=b") and ["User-Agent", "me"] in echo["headers"]


def test_uploads(lab, muster, tmp_path):
    one = lab()
    data = bytes(range(256)) * 40960
    expected = {"body_bytes": 10 << 20, "body_crc32": f"{zlib.crc32(data):08x}"}
    assert json.loads(one.get("/upload", "POST", data).body) == expected
    chunks = (data[i:i + 77777] for i in range(0, len(data), 77777))
    assert json.loads(one.get("/upload", "POST", chunks, encode_chunked=True, headers={"Transfer-Encoding": "chunked"}).body) == expected
    (tmp_path / "data").write_bytes(data)
    assert json.loads(muster("fetch", "--data-binary", "@data", one.url("/upload")).result["body"]) == expected
    assert json.loads(one.get("/upload").body) == {"body_bytes": 0, "body_crc32": "00000000"}
    assert one.stats()["bytes_received"] > 30 << 20
    echo = json.loads(one.get("/echo", "POST", data).body)  # more than it echoes is still counted
    assert echo["body_bytes"] == len(data) and len(echo["body"]) <= 1 << 20


def test_chunked_upload_byte_by_byte(lab):
    one = lab()
    request = ask("/upload", "Transfer-Encoding: chunked", method="POST") + b"5;x=y\r\nhello\r\n006\r\n world\r\n0\r\nT: v\r\n\r\n"
    response = exchange(one, *[request[i:i + 1] for i in range(len(request))], pause=0.0002)
    assert json.loads(body_of(response)) == {"body_bytes": 11, "body_crc32": f"{zlib.crc32(b'hello world'):08x}"}


def test_expect_continue(lab):
    one = lab()
    with one.connect() as connection:
        connection.sendall(ask("/upload", "Content-Length: 5", "Expect: 100-continue", method="POST"))
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"hello")
        assert b'"body_bytes":5' in read_all(connection)[0]


def test_credentials(lab, muster):
    one = lab()
    assert one.get("/basic").getheader("WWW-Authenticate") == 'Basic realm="lab"'
    assert one.get("/basic/a/b", headers={"Authorization": "Basic YTpi"}).status == 200
    assert one.get("/basic/a/c", headers={"Authorization": "Basic YTpi"}).status == 401
    assert muster("fetch", "-u", "user:password", one.url("/basic")).result["status"] == 200
    assert muster("fetch", "-u", "a b:c:d", one.url("/basic/a%20b/c%3ad")).result["status"] == 200
    assert one.get("/bearer").getheader("WWW-Authenticate") == 'Bearer realm="lab"'
    for path, token, status in [("/bearer", "any", 200), ("/bearer/x", "x", 200), ("/bearer/x", "y", 401), ("/bearer", "", 401)]:
        assert one.get(path, headers={"Authorization": f"Bearer {token}"}).status == status


def test_cookies(lab):
    one = lab()
    response = one.get("/cookies/set?a=b&c=d%20e")
    assert (response.status, response.getheader("Location")) == (302, "/cookies")
    assert response.headers.get_all("Set-Cookie") == ["a=b; Path=/", "c=d%20e; Path=/"]
    assert json.loads(one.get("/cookies", headers={"Cookie": "a=b; c=d=e"}).body) == {"a": "b", "c": "d=e"}
    assert json.loads(one.get("/cookies").body) == {}


# --- requests as they come ----------------------------------------------------------------------------------------------


def test_pipelined_requests(lab):
    one = lab()
    paths = ["/bytes/5", "/delay/30ms", "/echo", "/chunked/30/7", "/bytes/300k", "/status/404"]
    requests = b"\r\n".join([*(ask(path, last=False) for path in paths), ask("/plain")])
    alone = [exchange(one, ask(path)) for path in paths]
    together = exchange(one, requests)
    assert re.findall(rb"HTTP/1.1 (\d+)", together) == [b"200"] * 5 + [b"404", b"200"]
    at = 0
    for response in [body_of(response) for response in alone if b"/echo" not in response] + [b"hello\n"]:
        at = together.index(response, at) + len(response)
    assert at == len(together)
    by_pieces = exchange(one, *[requests[i:i + 7] for i in range(0, len(requests), 7)], pause=0.0002)
    assert re.sub(rb"Date: [^\r]+", b"", by_pieces) == re.sub(rb"Date: [^\r]+", b"", together)


def test_more_pipelined_than_the_server_keeps(lab):
    one = lab()
    with one.connect() as connection:
        requests = ask("/delay/300ms", last=False) + ask("/plain", "X: " + "y" * 1000, last=False) * 2000 + ask("/close")
        sending = threading.Thread(target=connection.sendall, args=(requests,))
        sending.start()
        data, _ = read_all(connection)
        sending.join()
    assert data.count(b"hello\n") == 2000 and data.endswith(b"and good-bye\n")


def test_a_client_that_closes_its_half(lab):
    one = lab()
    for path, n in [("/plain", 6), ("/bytes/5M", 5 << 20), ("/trickle/3/1/30ms", 3)]:
        with one.connect() as connection:
            connection.sendall(ask(path, last=False))
            time.sleep(0.02)  # what is not begun yet is not for a client that is gone
            connection.shutdown(socket.SHUT_WR)
            assert len(body_of(read_all(connection)[0])) == n
    with one.connect() as connection:
        connection.sendall(ask("/delay/5s"))
        connection.shutdown(socket.SHUT_WR)
        assert read_all(connection) == (b"", "closed")
    assert one.stats()["incomplete"] == 1


@pytest.mark.parametrize("sent, status", [
    (b"nonsense\r\n\r\n", 400),
    (b"GET /\r\n\r\n", 400),
    (b"GET / HTTP/2.0\r\n\r\n", 400),
    (b"G(T / HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/1.1 x\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nA : b\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nA: b\0c\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloo\r\n", 400),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 5000, 400),
    (b"GET / HTTP/1.1\r\nX: " + b"y" * 70000 + b"\r\n\r\n", 431),
    (b"GET /" + b"y" * 1000000, 431),
    (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n", 431),
], ids=lambda value: "")
def test_bad_requests(lab, sent, status):
    one = lab()
    with one.connect() as connection:
        sending = threading.Thread(target=connection.sendall, args=(sent,))
        sending.start()
        response = read_all(connection)[0]
        sending.join(PATIENCE)
    assert response.startswith(f"HTTP/1.1 {status} ".encode()) and b"\r\nConnection: close\r\n" in response
    assert one.get("/plain").status == 200
    stats = one.stats()
    assert (stats["bad_requests"], stats["requests"], stats["requests_at_once"], stats["responses_4xx"]) == (1, 2, 0, 1)


def test_noise(lab):
    """Bytes that are no HTTP at all, clients that leave at once or in the middle: the server stays."""
    one = lab()
    for sent in [b"", b"\x16\x03\x01\x02\x00\x01\x00", b"\0" * 100000, b"\r\n" * 100, b"GET /bytes/50M HTTP/1.1\r\n\r\n", ask("/hang"),
                 b"POST /upload HTTP/1.1\r\nContent-Length: 100\r\n\r\nx"]:
        with one.connect() as connection:
            connection.sendall(sent)
    end = time.monotonic() + PATIENCE
    while one.stats()["connections_open"] > 1 and time.monotonic() < end:
        time.sleep(0.01)
    stats = one.stats()
    assert (stats["connections_open"], stats["requests_at_once"]) == (1, 0)


# --- counting -----------------------------------------------------------------------------------------------------------


def test_stats(lab, muster):
    one = lab()
    urls = [one.url(path) for path in ["/plain", "/status/404", "/status/500", "/redirect", "/cut/10"]]
    muster("fetch", "-c", "2", *urls * 5)
    stats = one.stats()
    assert (stats["responses_2xx"], stats["responses_3xx"], stats["responses_4xx"], stats["responses_5xx"]) == (10, 5, 5, 5)
    assert stats["requests"] == 30 and stats["incomplete"] == 5 and 1 <= stats["requests_at_once_max"] <= 2
    before = one.stats()["bytes_sent"]
    n = len(exchange(one, ask("/bytes/50k")))
    assert one.stats()["bytes_sent"] >= before + n
    assert one.get("/lab/reset").status == 200
    stats = one.stats()
    assert (stats["requests"], stats["connections_open"]) == (0, 1) and stats["seconds"] < PATIENCE
