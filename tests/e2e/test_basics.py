"""The command as a person first meets it, and the shape of its output."""
import json
import os
import re
import time

from command import MUSTER
from scripted import ok, response
from terminal import shown_on_a_terminal


def test_help_and_version(muster):
    assert "usage: muster COMMAND" in muster_text(muster, "--help")
    assert "--concurrency" in muster_text(muster, "fetch", "--help")
    assert muster_text(muster, "--version").startswith("muster 0.")


def muster_text(muster, *arguments):
    process = muster.start(*arguments)
    stdout, _ = process.communicate()
    assert process.returncode == 0
    return stdout.decode()


def test_usage_errors(muster):
    for arguments, words in [
        ([], "usage: muster"),
        (["frobnicate"], 'unknown command "frobnicate"'),
        (["http://h/"], "muster fetch http://h/"),
        (["fetch", "--nonsense"], "unknown option --nonsense"),
        (["fetch", "--preproxy", "http://p/", "http://h/"], "unknown option --preproxy: not supported: requests go through one proxy"),
        (["fetch", "-P", "dir", "http://h/"], "--body DIR"),
        (["fetch", "-i", "http://h/"], "write the URL without -i"),
        (["fetch", "-c", "zero", "http://h/"], '"zero" is not a number'),
        (["fetch", "--cacert", "/no/such/file", "https://h/"], "/no/such/file"),
        (["fetch", "--resolve", "nonsense", "http://h/"], "HOST:PORT:ADDRESS"),
        (["fetch", "-c", "1000001", "http://h/"], "1000001"),
    ]:
        run = muster(*arguments)
        assert run.status in (2, 3), arguments
        assert words in run.stderr
        assert run.stdout == b""


def test_result_line(muster, server):
    s = server(lambda r: ok(b"hello", "Set-Cookie: a=1", "set-cookie: b=2"))
    result = muster("fetch", s.url("/a?b#c")).result
    assert result["n"] == 1
    assert result["method"] == "GET"
    assert result["url"] == s.url("/a?b#c")
    assert result["final_url"] == s.url("/a?b")
    assert result["status"] == 200 and result["ok"] and result["error"] is None
    assert result["http"] == "1.1"
    assert result["headers"] == [["content-length", "5"], ["set-cookie", "a=1"], ["set-cookie", "b=2"]]
    assert result["body"] == "hello" and result["body_bytes"] == result["wire_bytes"] == 5
    assert result["attempts"] == 1 and result["redirects"] == 0
    assert list(result["phases_us"]) == ["queue", "backoff", "dns", "tcp", "tunnel", "tls", "send", "wait", "lag", "receive", "decode", "process", "deliver"]
    assert result["conn"]["remote"] == f"127.0.0.1:{s.port}" and result["conn"]["tls"] is None
    assert result["conn"]["reused"] is False


def test_exit_status(muster, server):
    s = server(lambda r: response("404 Not Found") if r.path == "/missing" else ok())
    assert muster("fetch", s.url()).status == 0
    assert muster("fetch", s.url("/missing")).status == 0
    run = muster("fetch", "--fail", s.url("/missing"), s.url())
    assert run.status == 1
    errors = {result["n"]: result["error"] for result in run.results}
    assert errors[1]["code"] == "status" and errors[2] is None


def test_100000_urls_over_http_and_https(muster, nginx, certificates, tmp_path):
    n = 100000
    (tmp_path / "urls").write_text(f"{nginx.url('/small')}\n{nginx.tls_url('/small')}\n" * (n // 2))
    process = muster.start("fetch", "-i", "urls", "-c", "50", "--cacert", certificates.path("ca"), "-o", "results")
    peak_kb = 0
    while process.poll() is None:
        with open(f"/proc/{process.pid}/status") as status:
            peak_kb = max([peak_kb, *(int(line.split()[1]) for line in status if line.startswith("VmHWM"))])
        time.sleep(0.02)
    assert process.returncode == 0
    seen, connections = bytearray(n), set()
    with open(tmp_path / "results") as results:
        for result in map(json.loads, results):
            seen[result["n"] - 1] += 1
            connections.add(result["conn"]["id"])
            assert result["status"] == 200 and result["body"] == "x" * 100
            assert bool(result["conn"]["tls"]) == result["url"].startswith("https:")
    assert seen == b"\1" * n
    assert len(connections) <= 100
    assert peak_kb < 48 * 1024 or "asan" in os.environ.get("MUSTER", "")


def test_one_bad_host_of_each_kind_among_good_ones(muster, server, hole, certificates):
    good = server(lambda r: [0.01, ok()])
    failing = server(lambda r: response("500 Internal Server Error"))
    expired = server(tls=certificates.context("expired"))
    bad = {"http://127.0.0.1:1/": "connect", "http://no-such-host.invalid/": "resolve", hole: "timeout", expired.url(): "tls_verify",
           failing.url(): "status", "nonsense": "url"}
    urls = (list(bad) * 5 + [good.url()] * 10) * 10
    run = muster("fetch", "-c", "20", "-m", "5", "--fail", "--cacert", certificates.path("ca"), "-i", "-", input="\n".join(urls))
    results = run.results
    assert run.status == 1
    assert sorted(result["n"] for result in results) == list(range(1, len(urls) + 1))
    for result in results:
        expected = bad.get(result["url"])
        assert (result["error"] and result["error"]["code"]) == expected, result
    # The good ones are done long before the last hanging one gives up.
    order = [result["url"] for result in results]
    last_good = max(i for i, url in enumerate(order) if url == good.url())
    assert sum(url == hole for url in order[last_good:]) >= 30


def test_summary_and_no_colour_when_piped(muster, server):
    s = server()
    run = muster("fetch", "--summary", s.url(), "nonsense")
    assert "2 in " in run.stderr and "1 succeeded, 1 failed" in run.stderr
    assert "url: 1, first: nonsense: url: \"nonsense\" is not a URL" in run.stderr
    assert "1 opened, 0 requests reused one; no DNS lookups" in run.stderr
    assert "\033" not in run.stderr
    assert muster("fetch", s.url()).stderr == ""


def test_refusals_are_no_successes(muster, server):
    """An answer of 429 is no failure without -f, and yet nobody may call it a success."""
    s = server(lambda r: response("429 Too Many Requests") if r.path == "/limited" else response("302 Found", b"", "Location: /") if r.path == "/moved" else ok())
    urls = [s.url()] * 2 + [s.url("/limited")] * 5 + [s.url("/moved")]
    run = muster("fetch", "--summary", "--no-location", *urls)
    assert run.status == 0
    assert "; 3 succeeded, 5 answered 4xx or 5xx, 0 failed\n" in run.stderr
    assert "\nresponses    2xx: 2, redirects not followed: 1, 4xx: 5\n" in run.stderr
    assert f"\n4xx          429: 5, first: {s.url('/limited')}\n" in run.stderr
    run = muster("fetch", "--summary", "--no-location", "-f", *urls)
    assert run.status == 1 and "; 3 succeeded, 5 failed\n" in run.stderr


def test_body_output(muster, server, tmp_path):
    s = server(lambda r: ok(b"\xff\x00binary"))
    assert muster("fetch", s.url()).result["body_base64"] == "/wBiaW5hcnk="
    dropped = muster("fetch", "--body", "none", s.url()).result
    assert "body" not in dropped and "body_base64" not in dropped and dropped["body_bytes"] == 8
    kept = muster("fetch", "--body", "bodies", s.url(), s.url()).results
    assert sorted(result["body_file"] for result in kept) == ["bodies/000001.body", "bodies/000002.body"]
    assert (tmp_path / "bodies" / "000001.body").read_bytes() == b"\xff\x00binary"
    assert sorted(path.name for path in (tmp_path / "bodies").iterdir()) == ["000001.body", "000002.body"]


def test_output_file_and_order(muster, server, tmp_path):
    s = server(lambda r: [0.3 if r.path == "/1" else 0, ok()])
    urls = [s.url(f"/{i}") for i in range(1, 10)]
    run = muster("fetch", "-o", "out", *urls)
    assert run.stdout == b""
    lines = (tmp_path / "out").read_text().splitlines()
    assert json.loads(lines[-1])["n"] == 1
    assert [result["n"] for result in muster("fetch", "--in-order", *urls).results] == list(range(1, 10))


def test_disk_full_and_closed_pipe(muster, server):
    s = server(lambda r: ok(b"x" * 5000))
    run = muster("fetch", "-o", "/dev/full", s.url())
    assert run.status == 3 and "cannot write to /dev/full: No space left on device" in run.stderr
    process = muster.start("fetch", *[s.url()] * 300)
    process.stdout.close()
    assert process.wait(60) == 3
    assert "the reader of standard output closed it" in process.stderr.read().decode()


# --- a terminal ---------------------------------------------------------------------------------------------------------


def on_terminal(*arguments, columns=200):
    """What the command writes to a terminal, which has both its standard output and its standard error."""
    return shown_on_a_terminal(MUSTER, *arguments, columns=columns).decode().replace("\r\n", "\n")


def drawn(text):
    """The progress lines that were drawn, each as it was."""
    return re.findall(r"\r([^\r\n\033]+)\033\[K", text)


CLEARED = "\r\033[K"


def test_results_and_progress_on_one_terminal(server):
    """The progress line makes room for a result, also for one that is large, and is there again below it."""
    s = server(lambda r: [float(r.path[1:]), ok(b"x" * (200_000 if r.path == "/0.6" else 10))])
    text = on_terminal("fetch", *[s.url(f"/{delay}") for delay in (0.3, 0.6, 0.9)])
    seen = re.sub(r"(?m)^.*" + re.escape(CLEARED), "", text).splitlines()
    results = [json.loads(line) for line in seen if '"n":' in line]  # each on a line of its own
    assert [result["n"] for result in results] == [1, 2, 3]
    between = re.split(r'\{"n":.*\n', text)
    assert "3 in flight" in between[0] and drawn(between[1])[0].startswith("1 done") and drawn(between[2])[0].startswith("2 done")


def test_progress_is_not_drawn_for_each_result(server):
    s = server()
    start = time.monotonic()
    text = on_terminal("fetch", "-c", "8", "--body", "none", *[s.url()] * 400)
    n_flushes = (time.monotonic() - start) / 0.05 + 3
    assert text.count('"n":') == 400
    assert 0 < text.count(CLEARED) <= n_flushes and len(drawn(text)) <= 2 * n_flushes


def test_progress_line_in_a_narrow_terminal(server):
    """Pieces of it are left out: what is there is whole."""
    s = server(lambda r: [0.5, ok()])
    text = on_terminal("fetch", "-c", "1", "-o", "/dev/null", *[s.url()] * 4, columns=40)
    assert "2 done, " in text
    assert all(re.fullmatch(r"\d+ done, \d+/s, \d+ in flight, \d+ failed", line) for line in drawn(text))


def test_progress_line_tells_refusals(server):
    s = server(lambda r: [0.3, response("429 Too Many Requests")])
    text = on_terminal("fetch", "-c", "1", "-o", "/dev/null", *[s.url()] * 3)
    assert "in flight, 2 answered 4xx or 5xx, 0 failed" in text
