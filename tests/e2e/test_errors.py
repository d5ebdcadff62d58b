"""What servers do wrong, and what is said about it."""
import gzip
import zlib

import pytest
from scripted import ok, response


def gzipped(data):
    """Without the time of day, which would be in the names of the tests."""
    return gzip.compress(data, mtime=0)


def error_of(muster, *arguments):
    run = muster("fetch", *arguments)
    assert run.status == 1
    return run.result["error"]


@pytest.mark.parametrize("sent, code, words", [
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "protocol", "both Transfer-Encoding and Content-Length"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "protocol", "several Content-Length values that differ"),
    (b"HTTP/1.1 200 OK\r\nContent-Length:\r\n 5\r\n\r\nhello", "protocol", "a folded Content-Length"),
    (b"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello", "protocol", "looks like a malformed Content-Length"),
    (b"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nhello", "protocol", "an empty Content-Length"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n", "protocol", "not a valid chunk size"),
    (b"220 mail.test ESMTP\r\n\r\n", "protocol", "not an HTTP response"),
    (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 400000 + b"\r\n\r\n", "too_large", "307200 bytes"),
    ([b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", "close"], "closed", "5 bytes of the body still missing"),
    ([b"HTTP/1.1 200 OK\r\nContent-Le", "close"], "closed", "within the head"),
    (["close"], "closed", "without a response"),
    (["reset"], "closed", "reset"),
    ([b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", 0.05, "reset"], "closed", "reset"),
    (ok(b"not gzip", "Content-Encoding: gzip"), "decode", "the gzip body is not valid"),
    (ok(gzipped(b"x" * 1000)[:-5], "Content-Encoding: gzip"), "decode", "it ends too early"),
    (ok(gzipped(b"x" * 1000)[:-8] + b"12345678", "Content-Encoding: gzip"), "decode", "incorrect data check"),
    (ok(gzipped(b"x" * 1000) + gzipped(b"y" * 1000)[:-5], "Content-Encoding: gzip"), "decode", "it ends too early"),
    (ok(b"x", "Content-Encoding: " + "gzip, " * 5), "decode", "more than 4 content codings"),
    (ok(zlib.compress(b"\0" * 60_000_000, 9), "Content-Encoding: deflate"), "too_large", "--max-filesize"),
], ids=lambda value: value if isinstance(value, str) and " " not in value else "")
def test_server_trouble(muster, server, sent, code, words):
    s = server(lambda r: sent)
    error = error_of(muster, "--max-filesize", "50M", s.url())
    assert error["code"] == code
    assert words in error["text"]


@pytest.mark.parametrize("head, x, dropped", [
    (b"X: a\r\n b\r\n \r\n", "a b", None),
    (b"My Header: v\r\n folded\r\nX: a\r\nX(A): v\r\n: v\r\nX-A : b\r\nno colon\r\n", "a", 5),
    (b"X: a\x01b\r\n", "a\x01b", None),
], ids=["folded", "no fields", "control character"])
def test_untidy_heads_are_read(muster, server, head, x, dropped):
    s = server(lambda r: b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n" + head + b"\r\nhello")
    result = muster("fetch", s.url()).result
    assert result["status"] == 200 and result["body"] == "hello"
    assert dict(result["headers"]) == {"content-length": "5", "x": x}
    assert result.get("dropped_fields") == dropped


def test_no_body_whatever_the_fields_say(muster, server):
    fields = [b"Content-Length: abc", b"Content-Length: 5\r\nContent-Length: 6", b"Transfer-Encoding: chunked\r\nContent-Length: 5", b"Content-Length : 5"]
    for field in fields:
        s = server(lambda r: b"HTTP/1.1 " + (b"200 OK" if r.method == "HEAD" else r.path[1:].encode() + b" x") + b"\r\n" + field + b"\r\n\r\n")
        for arguments, status in (["-X", "HEAD", s.url()], 200), ([s.url("/204")], 204), ([s.url("/304")], 304):
            result = muster("fetch", *arguments).result
            assert (result["status"], result["body_bytes"], result["error"]) == (status, 0, None)
        muster("fetch", "-c", "1", s.url("/204"), s.url("/204"))
        assert s.n_connections == 5  # not used again


def test_refused_and_unresolvable(muster):
    assert error_of(muster, "http://127.0.0.1:1/") == {
        "code": "connect", "stage": "tcp", "text": "connect: 127.0.0.1:1: connection refused (1 address tried)"}
    error = error_of(muster, "http://no-such-host.invalid/")
    assert error["code"] == "resolve" and error["stage"] == "dns"


def test_failure_keeps_what_is_known(muster, server):
    s = server(lambda r: [b"HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 10\r\n\r\nhello", "close"])
    result = muster("fetch", s.url()).result
    assert result["status"] == 200 and result["headers"][0] == ["x-a", "b"] and result["body"] == "hello"


def test_body_caps(muster, server):
    s = server(lambda r: ok(b"x" * 1025))
    result = muster("fetch", "--max-filesize", "1k", s.url()).result
    assert result["error"]["code"] == "too_large" and result["body"] == ""
    assert muster("fetch", "--max-filesize", "1025", s.url()).status == 0


def test_kinds_of_good_responses(muster, server):
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nT: v\r\n\r\n"
    paths = {
        "/chunked": [chunked[:50], 0.02, chunked[50:]],
        "/trickle": [chunked[i:i + 1] for i in range(len(chunked))],
        "/close": [b"HTTP/1.1 200 OK\r\n\r\nhello world", "close"],
        "/1.0": [b"HTTP/1.0 200 OK\r\n\r\nhello world", "close"],
        "/hints": b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok(b"hello world"),
        "/gzip": ok(gzipped(b"hello ") + gzipped(b"world"), "Content-Encoding: gzip"),
        "/deflate": ok(zlib.compress(b"hello world"), "Content-Encoding: deflate"),
        "/204": b"HTTP/1.1 204 No Content\r\n\r\n",
    }
    s = server(lambda r: paths[r.path])
    results = muster("fetch", "--in-order", *[s.url(path) for path in paths]).results
    assert [result["body"] for result in results] == ["hello world"] * 7 + [""]
    assert all(result["ok"] for result in results)
    head = muster("fetch", "-X", "HEAD", s.url("/gzip")).result
    assert head["ok"] and head["body"] == ""


def test_unknown_statuses_mean_what_their_class_means(muster, server):
    # [9110 15 classes]
    s = server(lambda r: b"HTTP/1.1 " + r.path[1:].encode() + b" Odd\r\nContent-Length: 0\r\n\r\n")
    results = muster("fetch", "--fail", "--in-order", *[s.url(f"/{status}") for status in (299, 399, 499, 599)]).results
    assert [(result["status"], result["ok"]) for result in results] == [(299, True), (399, True), (499, False), (599, False)]


@pytest.mark.parametrize("value, undecoded", [
    ("UTF-8", "UTF-8"), ("none", "none"), ("binary", "binary"), ("aws-chunked", "aws-chunked"), ("utf-8, x-y", "utf-8, x-y"),
    ("gzip, aws-chunked", "gzip, aws-chunked"), ("identity", None), ("Identity, ", None), ("", None),
])
def test_unknown_codings_are_left_in_place(muster, server, tmp_path, value, undecoded):
    s = server(lambda r: ok(b"as it came", f"Content-Encoding: {value}"))
    result = muster("fetch", s.url()).result
    assert result["ok"] and result["body"] == "as it came" and result.get("undecoded") == undecoded and "warning" not in result
    result = muster("fetch", "--body", "out", s.url()).result
    assert (tmp_path / result["body_file"]).read_bytes() == b"as it came" and result.get("undecoded") == undecoded
    result = muster("fetch", "--no-compressed", s.url()).result
    assert result["body"] == "as it came" and "undecoded" not in result


@pytest.mark.parametrize("value, body, undecoded, warning", [
    ("aws-chunked, gzip", gzipped(b"text"), "aws-chunked", None),
    ("GZip ,", gzipped(b"text"), None, None),
    ("x-gzip", gzipped(b"text") + b"\0" * 512, None, None),
    ("gzip", gzipped(b"te") + gzipped(b"xt"), None, None),
    ("gzip, gzip", gzipped(gzipped(b"text")), None, None),
    ("gzip, gzip", gzipped(b"text"), None, "Content-Encoding names gzip once more than it was applied to the body"),
    ("gzip", gzipped(b"text") + b"\r\n", None, "2 bytes after the end of the gzip body were dropped"),
    ("deflate", zlib.compress(b"text") + b"x", None, "1 byte after the end of the deflate body was dropped"),
    ("deflate", zlib.compress(b"text")[2:-4] + b"<!-- late -->", None, "13 bytes after the end of the deflate body were dropped"),
])
def test_bodies_that_came_whole_are_kept(muster, server, tmp_path, value, body, undecoded, warning):
    s = server(lambda r: ok(body, f"Content-Encoding: {value}"))
    for arguments in ((), ("--body", "out"), ("--process", "cat"), ("--process", "cat", "--process-inline"), ("--body", "out/{sha256}", "--parse-json")):
        run = muster("fetch", *arguments, s.url())
        result = run.result
        assert result.get("undecoded") == undecoded and result.get("warning") == warning
        if "--parse-json" in arguments:  # that the work on it fails takes nothing from the body
            assert result["error"]["code"] == "process" and (tmp_path / result["body_file"]).read_bytes() == b"text"
            continue
        assert result["ok"] and result["body_bytes"] == 4 and run.status == 0
        assert ((tmp_path / result["body_file"]).read_text() if arguments[:1] == ("--body",) else result["body"]) == "text"


@pytest.mark.parametrize("sent", [
    ok(gzipped(b"x" * 100000)[:-5], "Content-Encoding: gzip"),
    ok(gzipped(b"x" * 1000)[:-8] + b"12345678", "Content-Encoding: gzip"),
    [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", "close"],
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA\0\r\n\r\n",
    [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", "hang"],
], ids=["truncated", "checksum", "closed", "trailer", "timeout"])
@pytest.mark.parametrize("arguments", [("--body", "out"), ("--body", "out/{n}", "--parse-json"), ("--body", "out/{sha256}", "--process", "cat")], ids=" ".join)
def test_no_file_beside_an_error(muster, server, tmp_path, sent, arguments):
    s = server(lambda r: sent)
    result = muster("fetch", "-m", "700ms", *arguments, s.url()).result
    assert not result["ok"] and result["error"]["code"] != "process" and "body_file" not in result
    assert not list((tmp_path / "out").iterdir())


def test_coding_can_be_refused(muster, server):
    s = server(lambda r: ok(gzipped(b"x"), "Content-Encoding: gzip") if "gzip" in r.fields.get("accept-encoding", "") else ok())
    assert muster("fetch", s.url()).result["body"] == "x"
    assert muster("fetch", "--no-compressed", s.url()).result["body"] == "ok"


def test_redirects(muster, server):
    other = server(lambda r: ok(r.head.encode()))

    def behave(r):
        if r.path == "/303":
            return response("303 See Other", b"", "Location: /end")
        if r.path == "/other":
            return response("302 Found", b"", f"Location: {other.url('/x')}")
        if r.path == "/loop":
            return response("301 Moved", b"", "Location: /loop")
        if r.path.startswith("/on"):
            return response("301 Moved", b"", f"Location: {r.path}n")
        if r.path == "/ftp":
            return response("302 Found", b"", "Location: ftp://h/")
        return ok(r.head.encode())

    s = server(behave)
    result = muster("fetch", "-d", "x", s.url("/303")).result
    assert result["body"].startswith("GET /end") and result["redirects"] == 1 and result["final_url"] == s.url("/end")
    result = muster("fetch", "-u", "a:b", "-H", "Cookie: c=d", s.url("/other")).result
    assert "Authorization" not in result["body"] and "Cookie" not in result["body"]
    result = muster("fetch", s.url("/loop")).result
    assert result["error"]["code"] == "redirect" and "a loop" in result["error"]["text"] and result["redirects"] == 1
    assert error_of(muster, s.url("/ftp"))["code"] == "redirect"
    assert muster("fetch", "--no-location", s.url("/303")).result["status"] == 303
    assert muster("fetch", "--no-location", "--max-redirs", "0", s.url("/303")).result["status"] == 303
    run = muster("fetch", "--max-redirs", "0", s.url("/303"))
    assert run.status == 1 and run.result["status"] == 303 and run.result["error"]["code"] == "redirect"
    assert f"to {s.url('/end')}, but --max-redirs 0 allows no redirect" in run.result["error"]["text"]
    assert muster("fetch", "--max-redirs", "0", "--max-redirs", "1", s.url("/303")).result["ok"]
    error = error_of(muster, "--max-redirs", "3", s.url("/on"))
    assert error["text"].startswith("redirect: gave up after 3 redirects") and "--max-redirs" in error["text"]


def test_retries(muster, server):
    s = server(lambda r: response("503 Busy", b"", "Retry-After: 1") if r.n == 1 else ok())
    result = muster("fetch", "--retry", "2", s.url()).result
    assert result["status"] == 200 and result["attempts"] == 2
    assert 900_000 < result["phases_us"]["backoff"] < 5_000_000
    assert muster("fetch", s.url()).result["attempts"] == 1
    s = server(lambda r: response("503 Busy", b"", "Retry-After: 0"))
    assert muster("fetch", "--retry", "2", s.url()).result["attempts"] == 3
    assert muster("fetch", "--retry", "2", "-d", "x", s.url()).result["attempts"] == 1
    assert muster("fetch", "--retry", "2", "--retry-unsafe", "-d", "x", s.url()).result["attempts"] == 3


def test_timeouts_name_the_phase(muster, hole, server):
    error = error_of(muster, "-m", "300ms", hole)
    assert error["code"] == "timeout" and error["stage"] == "wait"
    assert error["text"].startswith("timeout: the total timeout of 0.3 s ran out in phase wait (")
    s = server(lambda r: [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", "hang"])
    error = error_of(muster, "--read-timeout", "300ms", s.url())
    assert error["stage"] == "receive" and "read timeout of 0.3 s" in error["text"]
    errors = [result["error"]["text"] for result in muster("fetch", "-c", "1", "--deadline", "400ms", hole, hole).results]
    assert "ran out in phase queue" in errors[0] + errors[1]
    results = muster("fetch", "-c", "1", "-m", "600ms", "--queue-timeout", "200ms", hole, hole).results
    assert "queue timeout of 0.2 s" in results[0]["error"]["text"]


def test_too_slow(muster, server):
    """One byte now and then is too slow where a speed is asked for; what comes at once is not."""
    one = server(lambda request: [ok(b"x" * 5000)] if request.path == "/fast" else [b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", *[b"x", 0.1] * 600])
    run = muster("fetch", "--speed-limit", "1k", "--speed-time", "300ms", one.url("/slow"), one.url("/fast"), "--in-order")
    error = run.results[0]["error"]
    assert error["code"] == "timeout" and error["stage"] == "receive" and "less than 1024 a second" in error["text"] and "--speed-limit" in error["text"]
    assert run.results[1]["status"] == 200 and run.results[1]["error"] is None and run.results[0]["total_us"] < 20_000_000
    for options in (["-Y", "0"], ["-y", "0"]):
        run = muster("fetch", *options, "--max-time", "700ms", one.url("/slow"))
        assert run.result["error"]["code"] == "timeout" and "total timeout" in run.result["error"]["text"]
