"""HTTP/2 against servers that are not ours: nginx, nghttpd and h2o."""
import os
import shutil
import signal
import subprocess
import time

import pytest

from folders import open_to_others
from ports import free_port, wait_for_port


class Nginx:
    """One that speaks HTTP/2: over TLS with and without ALPN's h2, and in the clear."""

    def __init__(self, directory, certificates, streams=128):
        self.tls, self.old, self.clear = free_port(), free_port(), free_port()
        www = directory / "www"
        www.mkdir()
        (www / "small").write_text("x" * 100)
        (www / "large").write_bytes(bytes(range(256)) * 4096 * 8)
        temporary = "".join(f"{kind}_temp_path {directory}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        keys = f"ssl_certificate {certificates.path('good')}; ssl_certificate_key {certificates.path('good')};"
        places = """location = /moved { return 302 /small; } location = /gone { return 404 "gone"; }
                    location = /sink { client_max_body_size 100m; return 204; }"""
        (directory / "nginx.conf").write_text(f"""
            daemon off; worker_processes 1; pid {directory}/pid; error_log {directory}/error.log; worker_shutdown_timeout 10;
            events {{ worker_connections 1024; }}
            http {{
                access_log off; root {www}; {temporary} http2_max_concurrent_streams {streams};
                server {{ listen 127.0.0.1:{self.tls} ssl http2; {keys} {places} }}
                server {{ listen 127.0.0.1:{self.old} ssl; {keys} {places} }}
                server {{ listen 127.0.0.1:{self.clear} http2; {places} }}
            }}""")
        command = [shutil.which("nginx") or "/usr/sbin/nginx", "-p", directory, "-c", directory / "nginx.conf"]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        wait_for_port(self.clear)

    def url(self, path):
        return f"https://localhost:{self.tls}{path}"

    def old_url(self, path):
        return f"https://localhost:{self.old}{path}"

    def clear_url(self, path):
        return f"http://localhost:{self.clear}{path}"

    def stop(self):
        self.process.terminate()
        self.process.wait()


@pytest.fixture
def server(request, tmp_path_factory, certificates):
    """Mark with `streams(N)` for another limit of streams."""
    if not (shutil.which("nginx") or os.access("/usr/sbin/nginx", os.X_OK)):
        pytest.skip("nginx is not installed")
    directory = tmp_path_factory.mktemp("nginx-h2")
    open_to_others(directory)
    one = Nginx(directory, certificates, getattr(request, "param", 128))
    yield one
    one.stop()


@pytest.fixture
def trust(certificates):
    return "--cacert", certificates.path("ca")


def conns(results):
    return len({result["conn"]["id"] for result in results})


def test_the_server_chooses(muster, server, trust):
    # [9113 3.3 negotiated]
    results = muster("fetch", *trust, "-c", "1", server.url("/small"), server.old_url("/small"), server.clear_url("/small"),
                     server.url("/small")).results
    assert [(result["http"], result["status"]) for result in results[:2]] == [("2", 200), ("1.1", 200)]
    assert results[3]["conn"]["reused"] and results[3]["http"] == "2"
    for option, version in (("--http2", "2"), ("--http1.1", "1.1"), ("--http1.0", "1.1"), ("--http2-prior-knowledge", "2")):
        assert muster("fetch", *trust, option, server.url("/small")).results[0]["http"] == version
    assert muster("fetch", "--http2-prior-knowledge", server.clear_url("/small")).results[0]["http"] == "2"


def test_one_connection_for_all(muster, server, trust):
    results = muster("fetch", *trust, "-c", "100", *[server.url("/small")] * 500).results
    assert {(result["http"], result["status"], result["body_bytes"]) for result in results} == {("2", 200, 100)}
    assert conns(results) == 1 and len(results) == 500


def test_a_server_without_it_is_asked_once(muster, server, trust):
    results = muster("fetch", *trust, "-c", "16", *[server.old_url("/small")] * 200).results
    assert {(result["http"], result["status"]) for result in results} == {("1.1", 200)}
    assert conns(results) <= 16


def test_methods_redirects_and_bodies(muster, server, trust, tmp_path):
    [moved] = muster("fetch", *trust, server.url("/moved")).results
    assert (moved["status"], moved["redirects"], moved["http"]) == (200, 1, "2")
    [head] = muster("fetch", *trust, "-X", "HEAD", server.url("/large")).results
    assert head["status"] == 200 and head["body_bytes"] == 0
    [gone] = muster("fetch", *trust, server.url("/gone"), "--fail").results
    assert gone["error"]["code"] == "status"
    results = muster("fetch", *trust, "-c", "4", "--body", tmp_path / "bodies", *[server.url("/large")] * 4).results
    assert [result["body_bytes"] for result in results] == [256 * 4096 * 8] * 4
    files = list((tmp_path / "bodies").iterdir())
    assert len(files) == 4 and all(one.read_bytes() == bytes(range(256)) * 4096 * 8 for one in files)


def test_uploads(muster, server, trust, tmp_path):
    (tmp_path / "data").write_bytes(b"u" * 5_000_000)
    for options in (("-T", tmp_path / "data"), ("--data-binary", f"@{tmp_path}/data")):
        [result] = muster("fetch", *trust, *options, server.url("/sink")).results
        assert (result["status"], result["http"], result["error"]) == (204, "2", None)


@pytest.mark.parametrize("server", [8], indirect=True)
def test_few_streams(muster, server, trust):
    wide = muster("fetch", *trust, "-c", "24", *[server.url("/small")] * 200).results
    assert {result["status"] for result in wide} == {200} and 1 < conns(wide) <= 4
    narrow = muster("fetch", *trust, "-c", "24", "--h2-conns", "1", *[server.url("/small")] * 200).results
    assert {result["status"] for result in narrow} == {200} and conns(narrow) == 1
    two_threads = ("--threads", "2", "-i", "-")
    threads = muster("fetch", *trust, "-c", "24", "--h2-conns", "1", *two_threads, input=f"{server.url('/small')}\n" * 1000).results
    assert {result["status"] for result in threads} == {200} and conns(threads) == 1


def test_a_server_that_reloads(muster, server, trust):
    """nginx sends GOAWAY on all connections; every request has its response."""
    run = muster.start("fetch", *trust, "-c", "20", "--rate", "200", *[server.url("/small")] * 400)
    time.sleep(0.7)
    server.process.send_signal(signal.SIGHUP)
    stdout, _ = run.communicate(timeout=60)
    assert stdout.count(b'"status":200') == 400 and run.returncode == 0


def test_nghttpd(muster, tmp_path, certificates, trust):
    if not shutil.which("nghttpd"):
        pytest.skip("nghttpd is not installed")
    (tmp_path / "a").write_text("hello")
    port = free_port()
    process = subprocess.Popen(["nghttpd", "-d", tmp_path, str(port), certificates.path("good"), certificates.path("good")],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port)
        results = muster("fetch", *trust, "-c", "150", *[f"https://localhost:{port}/a"] * 600).results
        assert {(result["http"], result["body"]) for result in results} == {("2", "hello")}
        assert conns(results) <= 2
    finally:
        process.terminate()
        process.wait()


def test_h2o(muster, tmp_path, certificates, trust):
    if not shutil.which("h2o"):
        pytest.skip("h2o is not installed")
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "a").write_text("hello")
    open_to_others(tmp_path)
    port = free_port()
    user = "user: root\n" if os.geteuid() == 0 else ""
    (tmp_path / "h2o.conf").write_text(f"""{user}num-threads: 1
listen:
  host: 127.0.0.1
  port: {port}
  ssl:
    certificate-file: {certificates.path('good')}
    key-file: {certificates.path('good')}
hosts:
  default:
    paths:
      /:
        file.dir: {tmp_path}/www
""")
    process = subprocess.Popen(["h2o", "-c", tmp_path / "h2o.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port)
        results = muster("fetch", *trust, "-c", "50", *[f"https://localhost:{port}/a"] * 200).results
        assert {(result["http"], result["body"]) for result in results} == {("2", "hello")}
        assert conns(results) == 1
    finally:
        process.terminate()
        process.wait()
