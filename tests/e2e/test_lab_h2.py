"""The lab speaks HTTP/2, as clients that are not muster's see it: curl, nghttp and h2load."""
import json
import re
import shutil
import subprocess

import pytest

from command import PATIENCE

TIME = re.compile(r"\[ +([0-9.]+)\] (send|recv) ")


def needs(*commands):
    missing = [command for command in commands if not shutil.which(command)]
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)} is not installed")


def curl_speaks_h2():
    run = subprocess.run(["curl", "--version"], capture_output=True, text=True) if shutil.which("curl") else None
    return run is not None and "HTTP2" in run.stdout


needs_curl = pytest.mark.skipif(not curl_speaks_h2(), reason="there is no curl that speaks HTTP/2")


def curl(*arguments, status=0):
    run = subprocess.run(["curl", "-sS", "-m", "20", *arguments], capture_output=True, timeout=PATIENCE)
    assert run.returncode == status, run.stderr
    return run.stdout


def prior(*arguments, status=0):
    return curl("--http2-prior-knowledge", *arguments, status=status)


def nghttp(*arguments):
    """What a verbose nghttp tells of each frame that it received, as (kind, text)."""
    run = subprocess.run(["nghttp", "-nv", *arguments], capture_output=True, text=True, timeout=PATIENCE)
    frames = re.split(r"^\[ +[0-9.]+\] ", run.stdout, flags=re.M)
    return [(words[1], frame) for frame in frames if (words := frame.split()) and words[0] == "recv"]


def of_kind(frames, kind):
    return [text for name, text in frames if name == kind]


def h2load(*arguments):
    run = subprocess.run(["h2load", *arguments], capture_output=True, text=True, timeout=PATIENCE)
    return {word: int(n) for n, word in re.findall(r"(\d+) (total|done|succeeded|failed|errored)", run.stdout)}


def stats_of_tls(one):
    """The first listener's; asking is a handshake, too."""
    return json.loads(curl("-k", "--http1.1", one.url("/lab/stats")))["listeners"][0]


# --- which protocol -----------------------------------------------------------------------------------------------------


@needs_curl
def test_by_alpn(lab, tmp_path):
    def version(one, *options):
        return curl("-k", "-o", tmp_path / "out", "-w", "%{http_version}", *options, one.url("/plain"))

    both, only_old = lab("--tls", "good", "--h2"), lab("--tls", "good")
    assert version(both, "--http2") == b"2" and version(both, "--http1.1") == b"1.1"
    assert version(both, "--no-alpn") == b"1.1"
    assert version(only_old, "--http2") == b"1.1"  # what is there already stays what it measures
    stats = stats_of_tls(both)
    assert stats["h2_connections"] == 1 and stats["tls_handshakes"] == 4


@needs_curl
def test_in_clear(lab):
    one = lab("--h2")
    head, _, body = prior("-i", one.url("/plain")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/2 200") and b"\r\ncontent-length: 6" in head and body == b"hello\n"
    assert curl("-i", one.url("/plain")).startswith(b"HTTP/1.1 200 OK")
    # The upgrade of old (RFC 7540) is not followed; the answer is that of HTTP/1.1.
    assert curl("--http2", "-i", one.url("/plain")).startswith(b"HTTP/1.1 200 OK")
    assert one.stats()["h2_connections"] == 1


@needs_curl
def test_not_unless_asked(lab):
    run = subprocess.run(["curl", "-sS", "-m", "5", "--http2-prior-knowledge", lab().url("/plain")], capture_output=True, timeout=PATIENCE)
    assert run.returncode != 0


# --- behaviours ---------------------------------------------------------------------------------------------------------


@needs_curl
def test_bodies_and_uploads(lab, tmp_path):
    one = lab("--h2")
    assert len(prior(one.url("/bytes/20M"))) == 20 << 20
    data = bytes(range(256)) * 20000
    (tmp_path / "data").write_bytes(data)
    told = json.loads(prior("-T", tmp_path / "data", one.url("/upload")))
    assert told["body_bytes"] == len(data)
    echo = json.loads(prior("-d", "a=b", "-H", "Expect: 100-continue", "-b", "c=d", one.url("/echo")))
    assert (echo["method"], echo["body"]) == ("POST", "a=b")
    assert ["cookie", "c=d"] in echo["headers"] and ["host", f"127.0.0.1:{one.port()}"] in echo["headers"]
    assert prior("--compressed", one.url("/encoded/gzip,br/10k")) == prior(one.url("/bytes/10k"))
    assert b"HTTP/2 103" in prior("-i", one.url("/plain?early-hints=2"))


@needs_curl
def test_responses_that_stop(lab):
    one = lab("--h2")
    assert b"CANCEL" in failure(one, "/reset/100?code=CANCEL", 92)
    assert b"INTERNAL_ERROR" in failure(one, "/reset/0", 92)
    failure(one, "/cut/100", (18, 56))  # a reset where the lab had not read yet what curl said last
    failure(one, "/hang/body", 28, "-m", "0.5")


def failure(one, path, statuses, *options):
    run = subprocess.run(["curl", "-sS", "-m", "20", *options, "--http2-prior-knowledge", one.url(path)], capture_output=True, timeout=PATIENCE)
    assert run.returncode in (statuses if isinstance(statuses, tuple) else (statuses,)), run.stderr
    return run.stderr


@needs("h2load")
def test_many_at_once(lab):
    one = lab("--h2")
    assert h2load("-n", "3000", "-c", "3", "-m", "50", one.url("/bytes/2k"))["succeeded"] == 3000
    stats = one.stats()
    assert (stats["h2_connections"], stats["streams"], stats["responses_2xx"]) == (3, 3000, 3000)
    assert stats["streams_at_once_max"] <= 50
    secure = lab("--h2", "--tls", "good")
    assert h2load("-n", "1000", "-c", "2", "-m", "20", secure.url("/json/3k"))["succeeded"] == 1000


@needs("h2load")
def test_capacity_counts_streams(lab):
    one = lab("--h2", "--workers", "4", "--service-time", "5ms", "--queue", "6")
    outcome = h2load("-n", "40", "-c", "1", "-m", "20", one.url("/plain"))
    stats = one.stats()
    assert outcome["done"] == 40 and stats["refused"] > 0
    assert stats["responses_2xx"] + stats["responses_5xx"] == 40
    assert stats["served"] == stats["responses_2xx"] and stats["queue_max"] == 6


# --- what only HTTP/2 has -----------------------------------------------------------------------------------------------


@needs("nghttp")
def test_settings(lab):
    one = lab("--h2", "--h2-streams", "7", "--h2-window", "1M", "--h2-connection-window", "2M", "--h2-frame-size", "32k", "--h2-header-list", "4k")
    frames = nghttp(one.url("/plain"))
    settings = of_kind(frames, "SETTINGS")[0]
    assert re.findall(r"\[SETTINGS_(\w+)\(0x..\):(\d+)\]", settings) == [
        ("MAX_CONCURRENT_STREAMS", "7"), ("INITIAL_WINDOW_SIZE", str(1 << 20)), ("MAX_FRAME_SIZE", str(32 << 10)), ("MAX_HEADER_LIST_SIZE", "4096")]
    assert "window_size_increment=2031617" in of_kind(frames, "WINDOW_UPDATE")[0]


@needs("nghttp")
def test_settings_delayed(lab):
    run = subprocess.run(["nghttp", "-nv", lab("--h2", "--h2-settings-delay", "300ms").url("/plain")], capture_output=True, text=True, timeout=PATIENCE)
    first = next(match for match in TIME.finditer(run.stdout) if match[2] == "recv")
    assert 0.29 < float(first[1]) and ":status: 200" in run.stdout


@needs("nghttp")
def test_goaway_with_requests_under_way(lab):
    """Those up to the last id are answered, what comes behind is not looked at."""
    one = lab("--h2", "--h2-goaway", "2", "--delay", "50ms")
    frames = nghttp(*[one.url(f"/plain?n={i}") for i in range(4)])
    assert "error_code=NO_ERROR" in of_kind(frames, "GOAWAY")[0]
    assert len(of_kind(frames, "HEADERS")) == 2
    assert one.stats()["requests"] == 2 and one.stats()["goaways"] == 1
    one = lab("--h2", "--h2-goaway", "2,ENHANCE_YOUR_CALM", "--delay", "50ms")
    frames = nghttp(*[one.url(f"/plain?n={i}") for i in range(4)])
    assert "error_code=ENHANCE_YOUR_CALM" in of_kind(frames, "GOAWAY")[0]
    assert not of_kind(frames, "HEADERS")
    assert one.stats()["incomplete"] == 2


@needs_curl
@needs("h2load")
def test_what_closes_http_1_says_goaway(lab):
    # h2load takes no GOAWAY for an end: it asks until the connection is closed.
    one = lab("--h2", "--max-requests", "100", "--tls", "good")
    assert h2load("-n", "500", "-c", "5", "-m", "10", one.url("/plain"))["succeeded"] == 500
    assert stats_of_tls(one)["goaways"] == 5
    one = lab("--h2", "--no-keep-alive", "--tls", "good")
    urls = [one.url(f"/plain?n={i}") for i in range(3)]
    assert curl("-k", "-w", "%{num_connects} ", *urls).split() == [b"hello", b"1", b"hello", b"1", b"hello", b"1"]


@needs("nghttp")
def test_refused_streams(lab):
    one = lab("--h2", "--h2-refuse", "100%")
    assert "error_code=REFUSED_STREAM" in of_kind(nghttp(one.url("/plain")), "RST_STREAM")[0]
    stats = one.stats()
    assert stats["streams_refused"] == 1 and stats["requests"] == 0
    assert "error_code=CANCEL" in of_kind(nghttp(lab("--h2", "--h2-refuse", "100%,CANCEL").url("/plain")), "RST_STREAM")[0]


@needs_curl
def test_uploads_without_a_window(lab, tmp_path):
    (tmp_path / "data").write_bytes(bytes(200000))
    one = lab("--h2", "--h2-window-updates", "never")
    prior("-m", "0.7", "-T", tmp_path / "data", one.url("/upload"), status=28)
    assert 65535 <= one.stats()["bytes_received"] < 70000
    # 200,000 bytes through a window of 64 KiB, each given back 100 ms later
    slow = lab("--h2", "--h2-window-updates", "100ms")
    spent = float(prior("-o", tmp_path / "out", "-w", "%{time_total}", "-T", tmp_path / "data", slow.url("/upload")))
    assert spent > 0.29


@needs_curl
def test_large_heads(lab):
    one = lab("--h2", "--h2-header-list", "4k")
    assert prior("-o", "/dev/null", "-w", "%{http_code}", "-H", "a: " + "b" * 5000, one.url("/plain")) == b"431"
    assert one.stats()["bad_requests"] == 1


def frames_of_one_request(one, path):
    """(type, flags, payload) of each frame up to the end of the response's head. nghttp shows its frames as one."""
    fields = b"\x82\x86" + b"\x44" + bytes([len(path)]) + path.encode() + b"\x41\x01a"
    with one.connect() as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)
                           + len(fields).to_bytes(3, "big") + b"\x01\x05" + (1).to_bytes(4, "big") + fields)
        stream, frames = connection.makefile("rb"), []
        while not frames or frames[-1][0] not in (1, 9) or not frames[-1][1] & 4:
            head = stream.read(9)
            frames.append((head[3], head[4], stream.read(int.from_bytes(head[:3], "big"))))
    return frames


def test_heads_in_several_frames(lab, muster):
    whole = frames_of_one_request(lab("--h2"), "/plain?header=A:bbbbbbbbbb")[-1]
    assert whole[0] == 1
    one = lab("--h2", "--h2-continuation", "10")
    pieces = [frame for frame in frames_of_one_request(one, "/plain?header=A:bbbbbbbbbb") if frame[0] in (1, 9)]
    assert [kind for kind, _, _ in pieces] == [1] + [9] * (len(pieces) - 1) and len(pieces) > 3
    assert [flags for _, flags, _ in pieces] == [0] * (len(pieces) - 1) + [4]
    assert {len(payload) for _, _, payload in pieces[:-1]} == {10} and 0 < len(pieces[-1][2]) <= 10
    assert abs(sum(len(payload) for _, _, payload in pieces) - len(whole[2])) < 5  # but for the date
    results = muster("fetch", "--http2-prior-knowledge", "-c", "20", *[one.url("/plain")] * 100, one.url("/status/204")).results
    assert [result["status"] for result in results].count(200) == 100 and {result["error"] for result in results} == {None}
    # more frames than any head needs are refused, and that is not repeated
    [many] = muster("fetch", "--http2-prior-knowledge", lab("--h2", "--h2-continuation", "1").url("/plain?header=A:" + "b" * 1000)).results
    assert many["error"]["code"] == "protocol" and many["attempts"] == 1, many


def test_a_batch_survives_all_of_it(lab, muster):
    """Connections that end after a few requests, few streams, refused ones: nothing is lost."""
    for options in (["--h2-goaway", "20"], ["--h2-streams", "5", "--delay", "20ms"], ["--h2-refuse", "2%", "--seed", "3"]):
        one = lab("--h2", *options)
        run = muster("fetch", "--http2-prior-knowledge", "-c", "64", "--retry", "2", "-i", "-", input="\n".join([one.url("/plain")] * 600))
        assert run.status == 0, run.stderr
        assert [result["status"] for result in run.results] == [200] * 600
        assert one.stats()["responses_2xx"] == 600


def test_settings_in_words(muster):
    for options, words in [
        (["--h2-streams", "3"], "the h2-* settings need h2"),
        (["--h2", "--h2-streams", "0"], "from 1 to 1000000"),
        (["--h2", "--h2-window", "3G"], "from 0 to 2147483647"),
        (["--h2", "--h2-connection-window", "1k"], "from 65535"),
        (["--h2", "--h2-frame-size", "1k"], "from 16384"),
        (["--h2", "--h2-header-list", "1"], "from 1k on"),
        (["--h2", "--h2-continuation", "0"], "a size from 1 to 16384"),
        (["--h2", "--h2-continuation", "17k"], "a size from 1 to 16384"),
        (["--h2", "--h2-window-updates", "soon"], "is not a duration"),
        (["--h2", "--h2-goaway", "0"], "a number from 1"),
        (["--h2", "--h2-goaway", "1,NONSENSE"], "ENHANCE_YOUR_CALM"),
        (["--h2", "--h2-refuse", "200%"], "a share"),
        (["--h2", "--h2-refuse", "5%,NONSENSE"], "REFUSED_STREAM"),
    ]:
        run = muster("lab", *options)
        assert run.status == 2 and words in run.stderr, (options, run.stderr)
