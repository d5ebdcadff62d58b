"""HTTP/2 against a server in Go that aborts, is slow, shuts down and leads elsewhere."""
import os
import shutil
import signal
import subprocess
import time

import pytest

from command import PATIENCE
from http2 import SERVERS, UPLOAD, Program, codes, conns, digest, lines, one_each, pattern, stop, trust  # noqa: F401  (trust is a fixture)


def go_command():
    return shutil.which("go") or next((path for path in ("/usr/local/go/bin/go",) if os.path.exists(path)), None)


@pytest.fixture(scope="session")
def go_program(tmp_path_factory):
    if not go_command():
        pytest.skip("Go is not installed")
    program = tmp_path_factory.mktemp("go") / "server"
    env = {**os.environ, "GO111MODULE": "off", "GOTOOLCHAIN": "local", "GOFLAGS": ""}
    # the first build is that of the standard library, too
    built = subprocess.run([go_command(), "build", "-o", program, SERVERS / "h2.go"], env=env, capture_output=True, text=True, timeout=600)
    if "HTTP2Config" in built.stderr or "no required module" in built.stderr:
        pytest.skip("this Go is older than 1.24")
    assert built.returncode == 0, built.stderr
    return program


@pytest.fixture
def go(go_program, certificates):
    one = Program([go_program, certificates.path("good")])
    yield one
    stop(one.process)


def test_go_aborts_some_and_others_go_on(muster, go, trust, tmp_path):
    """ErrAbortHandler is RST_STREAM: before a head, and in the middle of a body."""
    wanted = {"/bytes?n=100000&ms=20": None, "/abort?n=0": "closed", "/abort?n=50000": "closed", "/panic": "closed"}
    urls = [go.url(f"{path}{'&' if '?' in path else '?'}i={i}") for i in range(25) for path in wanted]
    results = muster("fetch", *trust, "-c", "50", "--body", tmp_path / "bodies", *urls).results
    assert len({result["url"] for result in results}) == len(results) == 100
    for result in results:
        path = next(path for path in wanted if result["url"].startswith(go.url(path)))
        assert codes([result]) == {wanted[path]}, result
        assert not result["error"] or "INTERNAL_ERROR" in result["error"]["text"], result
    whole = [file for file in (tmp_path / "bodies").iterdir() if file.stat().st_size == 100_000]
    assert len(whole) == 25 and {digest(file.read_bytes()) for file in whole} == {digest(pattern(100_000))}
    assert conns(results) == 1


def test_go_hints_trailers_and_a_body_unread(muster, go, trust, tmp_path):
    (tmp_path / "data").write_bytes(UPLOAD)
    results = one_each(muster("fetch", *trust, "-c", "20", *[go.url("/hints?n=3")] * 40, *[go.url("/trailers?n=1000")] * 40).results, 80)
    assert {result["body_bytes"] for result in results} == {6, 1000}
    for result in muster("fetch", *trust, "-c", "3", "-T", tmp_path / "data", *[go.url("/unread")] * 3).results:
        assert (result["status"], result["error"]) == (413, None), result
    for options in ([], ["--http1.1"], ["-H", "Expect: 100-continue"]):
        one_each(results := muster("fetch", *trust, *options, "-c", "2", "-T", tmp_path / "data", *[go.url("/sum")] * 2).results, 2)
        assert {result["body"] for result in results} == {f"{len(UPLOAD)} {digest(UPLOAD)}"}


def test_go_slow_bodies_time_out_alone(muster, go, trust):
    urls = [go.url("/slow?n=1000&ms=20")] * 3 + [go.url("/bytes?n=1000&ms=50")] * 60
    results = muster("fetch", *trust, "-c", "20", "-m", "2s", *urls).results
    assert len(results) == 63 and conns(results) == 1
    for result in results:
        assert codes([result]) == ({"timeout"} if "/slow" in result["url"] else {None}), result


def test_go_that_shuts_down_and_is_replaced(muster, go, trust, tmp_path):
    process = muster.start("fetch", *trust, "-c", "30", "--rate", "150", "--record", tmp_path / "run.db", "--body", tmp_path / "bodies", *[go.url("/bytes?n=200000&ms=100")] * 300)
    for _ in range(3):
        time.sleep(0.5)
        go.process.send_signal(signal.SIGHUP)
    stdout, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, stderr
    results = one_each(lines(stdout), 300)
    assert conns(results) >= 2
    assert {digest(file.read_bytes()) for file in (tmp_path / "bodies").iterdir()} == {digest(pattern(200_000))}


def test_go_redirects_to_http(muster, go, server, trust):
    plain = server()
    results = one_each(muster("fetch", *trust, "--allow-https-to-http", "-c", "5", *[go.url(f"/to?url={plain.url()}")] * 10).results, 10)
    assert {(result["http"], result["body"], result["redirects"]) for result in results} == {("1.1", "ok", 1)}
