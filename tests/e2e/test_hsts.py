"""HSTS: http becomes https for hosts that want it; curl and muster read each other's files."""
import re
import shutil
import subprocess
import time

import pytest
from command import PATIENCE
from scripted import ok

HOST = "localhost"


@pytest.fixture
def strict(server, certificates):
    """strict(value) is a server of https that says so."""
    return lambda value="max-age=1000": server(lambda r: ok(b"secret", f"Strict-Transport-Security: {value}"), tls=certificates.context("good"))


def fetch(muster, certificates, *arguments):
    return muster("fetch", "-c", "1", "--cacert", certificates.path("ca"), *arguments)


def hosts(file):
    return [line for line in file.read_text().splitlines() if not line.startswith("#")]


def test_http_becomes_https(muster, strict, certificates, tmp_path):
    s, file = strict("max-age=1000; includeSubDomains"), tmp_path / "hsts"
    run = fetch(muster, certificates, "--hsts", file, s.url(host=HOST))
    assert run.status == 0 and file.stat().st_mode & 0o777 == 0o600
    (line,) = hosts(file)
    said = re.fullmatch(r'\.localhost "(\d{8} \d\d:\d\d:\d\d)"', line)
    assert abs(time.mktime(time.strptime(said.group(1), "%Y%m%d %H:%M:%S")) - time.timezone - time.time() - 1000) < PATIENCE
    plain = s.url("/x", host=HOST).replace("https:", "http:")
    result = fetch(muster, certificates, "--hsts", file, plain).result
    assert result["ok"] and result["url"] == plain and result["final_url"] == plain.replace("http:", "https:")
    assert result["redirects"] == 0 and result["conn"]["tls"]
    assert not fetch(muster, certificates, plain).result["ok"], "without --hsts it is http"


def test_within_a_run(muster, strict, certificates, tmp_path):
    s = strict()
    plain = s.url("/2", host=HOST).replace("https:", "http:")
    feeder = muster.start("fetch", "--cacert", certificates.path("ca"), "--hsts", "", stdin=subprocess.PIPE)
    feeder.stdin.write(s.url(host=HOST).encode() + b"\n")
    feeder.stdin.flush()
    first = feeder.stdout.readline()
    out, errors = feeder.communicate(plain.encode() + b"\n", timeout=PATIENCE)
    assert feeder.returncode == 0, (first, out, errors)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("case", ["http", "insecure", "address", "zero"])
def test_what_is_not_learnt(muster, server, strict, certificates, tmp_path, case):
    file = tmp_path / "hsts"
    if case == "http":
        url, options = server(lambda r: ok(b"", "Strict-Transport-Security: max-age=1000")).url(host=HOST), []
    else:
        s = strict("max-age=0" if case == "zero" else "max-age=1000")
        url, options = s.url(host="127.0.0.1" if case == "address" else HOST), ["-k"] if case == "insecure" else []
    if case == "zero":
        file.write_text(f'{HOST} "unlimited"\nother.test "unlimited"\n')
    assert fetch(muster, certificates, *options, "--hsts", file, url).status == 0
    if case == "zero":
        assert hosts(file) == ['other.test "unlimited"']
    else:
        assert not file.exists()


def test_redirect_to_http_of_a_known_host(muster, server, certificates, tmp_path):
    """https to http is refused, but here it stays https."""
    def answer(r):
        return ok(b"there") if r.path == "/there" else b"HTTP/1.1 302 Found\r\nLocation: http://localhost:%d/there\r\nContent-Length: 0\r\n\r\n" % s.port

    s = server(answer, tls=certificates.context("good"))
    file = tmp_path / "hsts"
    file.write_text(f'{HOST} "unlimited"\n')
    assert fetch(muster, certificates, s.url(host=HOST)).result["error"]["code"] == "redirect"
    result = fetch(muster, certificates, "--hsts", file, s.url(host=HOST)).result
    assert result["ok"] and result["body"] == "there" and result["final_url"].startswith("https:")
    file.write_text('other.test "unlimited"\n')
    assert fetch(muster, certificates, "--hsts", file, s.url(host=HOST)).result["error"]["code"] == "redirect"


def test_files_of_curl(muster, strict, certificates, tmp_path):
    curl = shutil.which("curl")
    if not curl or "HSTS" not in subprocess.run([curl, "--version"], capture_output=True, text=True).stdout:
        pytest.skip("there is no curl with HSTS here")
    s = strict("max-age=1000; includeSubDomains")
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    plain = s.url(host=HOST).replace("https:", "http:")
    ask = [curl, "-sS", "--cacert", certificates.path("ca"), "--hsts"]
    assert subprocess.run([*ask, theirs, s.url(host=HOST)], capture_output=True).stdout == b"secret"
    assert fetch(muster, certificates, "--hsts", theirs, plain).result["body"] == "secret"
    fetch(muster, certificates, "--hsts", ours, s.url(host=HOST))
    assert subprocess.run([*ask, ours, plain], capture_output=True).stdout == b"secret"


def test_damaged_file(muster, tmp_path):
    file = tmp_path / "hsts"
    file.write_text('a.test "20991231 00:00:00"\nb.test tomorrow\n')
    run = muster("fetch", "--hsts", file, "http://127.0.0.1:1/")
    assert run.status == 3 and f"{file}, line 2, is not HOST" in run.stderr
    assert file.read_text().endswith("tomorrow\n")
