"""HTTP/2 against an nginx that ends connections, resets streams and reloads while a batch runs."""
import json
import os
import shutil
import signal
import subprocess
import time

import pytest

from command import PATIENCE
from folders import open_to_others
from http2 import LARGE, UPLOAD, codes, conns, digest, lines, one_each, start, stop, trust  # noqa: F401  (trust is a fixture)
from ports import free_port


class Nginx:
    def __init__(self, directory, certificates, settings):
        self.tls, self.old, self.clear = free_port(), free_port(), free_port()
        www = directory / "www"
        www.mkdir()
        (www / "small").write_text("small")
        (www / "large").write_bytes(LARGE)
        open_to_others(directory)
        temporary = "".join(f"{kind}_temp_path {directory}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        keys = f"ssl_certificate {certificates.path('good')}; ssl_certificate_key {certificates.path('good')};"
        places = f"""
            location = /none {{ return 204; }} location = /same {{ return 304; }} location = /sink {{ client_max_body_size 100m; return 204; }}
            location = /limited {{ limit_req zone=slow burst=5 nodelay; try_files /small =404; }}
            location = /packed {{ gzip on; gzip_types *; gzip_min_length 1; try_files /large =404; }}
            location = /to-old {{ return 302 https://localhost:{self.old}/to-new; }}
            location = /to-new {{ return 302 https://localhost:{self.tls}/small; }}
            location = /to-clear {{ return 302 http://localhost:{self.clear}/small; }}"""
        (directory / "nginx.conf").write_text(f"""
            daemon off; worker_processes 1; pid {directory}/pid; error_log {directory}/error.log; worker_shutdown_timeout 10;
            events {{ worker_connections 2048; }}
            http {{
                access_log off; root {www}; {temporary} limit_req_zone $server_port zone=slow:1m rate=100r/s; {settings}
                server {{ listen 127.0.0.1:{self.tls} ssl http2; {keys} {places} }}
                server {{ listen 127.0.0.1:{self.old} ssl; {keys} {places} }}
                server {{ listen 127.0.0.1:{self.clear} http2; {places} }}
            }}""")
        self.process = start([shutil.which("nginx") or "/usr/sbin/nginx", "-p", directory, "-c", directory / "nginx.conf"], self.clear)

    def url(self, path):
        return f"https://localhost:{self.tls}{path}"

    def clear_url(self, path):
        return f"http://localhost:{self.clear}{path}"


@pytest.fixture
def nginx(tmp_path_factory, certificates):
    """nginx(settings of its http block) starts one; all are stopped at the end."""
    if not (shutil.which("nginx") or os.access("/usr/sbin/nginx", os.X_OK)):
        pytest.skip("nginx is not installed")
    servers = []

    def begin(settings=""):
        servers.append(Nginx(tmp_path_factory.mktemp("nginx-h2"), certificates, settings))
        return servers[-1]

    yield begin
    for one in servers:
        stop(one.process)


@pytest.mark.parametrize("is_clear", [False, True])
def test_nginx_with_ten_requests_a_connection(muster, nginx, trust, is_clear):
    """GOAWAY all the time. After two connections it is known, and no more are sent than it takes."""
    one = nginx("keepalive_requests 10;")
    url = one.clear_url("/small") if is_clear else one.url("/small")
    results = one_each(muster("fetch", *trust, "--http2-prior-knowledge", "-c", "200", "-i", "-", input=f"{url}\n" * 2000).results, 2000)
    assert {result["body"] for result in results} == {"small"}
    assert sum(result["attempts"] for result in results) < 2000 + 600  # two or three connections that were given 200
    assert 200 <= conns(results) < 210


@pytest.mark.parametrize("status", [429, 503])
def test_nginx_that_limits(muster, nginx, trust, status):
    one = nginx(f"limit_req_status {status};")
    one_each(muster("fetch", *trust, "-c", "50", "--retry", "8", "--retry-budget", "none", *[one.url("/limited")] * 150).results, 150)


def test_nginx_with_one_stream(muster, nginx, trust, tmp_path):
    one = nginx("http2_max_concurrent_streams 1;")
    results = one_each(muster("fetch", *trust, "-c", "20", "--threads", "2", *[one.url("/small")] * 200).results, 200)
    assert {result["http"] for result in results} == {"2"}
    assert conns(one_each(muster("fetch", *trust, "-c", "20", "--h2-conns", "1", *[one.url("/small")] * 100).results, 100)) == 1
    bodies = tmp_path / "bodies"
    one_each(muster("fetch", *trust, "-c", "4", "--body", bodies, *[one.url("/large")] * 8).results, 8)
    assert {digest(file.read_bytes()) for file in bodies.iterdir()} == {digest(LARGE)} and len(list(bodies.iterdir())) == 8


def test_nginx_that_reloads_while_bodies_come(muster, nginx, trust, tmp_path):
    one = nginx()
    bodies = tmp_path / "bodies"
    process = muster.start("fetch", *trust, "-c", "20", "--rate", "100", "--body", bodies, "--record", tmp_path / "run.db", *[one.url("/large")] * 150)
    for _ in range(2):
        time.sleep(0.5)
        one.process.send_signal(signal.SIGHUP)
    stdout, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, stderr
    one_each(lines(stdout), 150)
    files = list(bodies.iterdir())
    assert len(files) == 150 and {digest(file.read_bytes()) for file in files} == {digest(LARGE)}


def test_nginx_with_small_buffers(muster, nginx, trust, tmp_path):
    one = nginx("http2_recv_buffer_size 1k; large_client_header_buffers 2 1k; http2_chunk_size 1k; http2_body_preread_size 1k;")
    (tmp_path / "data").write_bytes(UPLOAD)
    [sent] = muster("fetch", *trust, "-T", tmp_path / "data", one.url("/sink")).results
    assert (sent["status"], sent["http"]) == (204, "2")
    large, small = muster("fetch", *trust, "-c", "1", "-i", "-", input="\n".join(
        json.dumps({"url": one.url("/small"), "headers": headers}) for headers in ({"A": "a" * 3000}, {"A": "a" * 500}))).results
    assert large["status"] in (400, 431) or large["error"], large
    assert small["status"] == 200
    one_each(muster("fetch", *trust, "-c", "10", *[one.url("/large")] * 20, "--body", "none").results, 20)


def test_nginx_that_waits_for_no_body(muster, nginx, trust):
    """A body of which nothing comes is answered 408, or its stream is reset, and the others go on."""
    one = nginx("client_body_timeout 1s; http2_body_preread_size 1k;")
    process = muster.start("fetch", *trust, "-T", "-", one.url("/sink"), stdin=subprocess.PIPE)
    process.stdin.write(b"some")
    process.stdin.flush()
    time.sleep(0.1)
    stdout, _ = process.communicate(b"more", timeout=PATIENCE)
    [result] = lines(stdout)
    assert result["status"] in (204, 408) or result["error"]


def test_nginx_responses_without_a_body(muster, nginx, trust):
    one = nginx()
    head, none, same = muster("fetch", *trust, "-c", "1", "-i", "-", input="\n".join(json.dumps(line) for line in (
        {"url": one.url("/large"), "method": "HEAD"}, {"url": one.url("/none")}, {"url": one.url("/same")}))).results
    assert [(it["status"], it["body_bytes"], it["error"]) for it in (head, none, same)] == [(200, 0, None), (204, 0, None), (304, 0, None)]
    assert conns([head, none, same]) == 1


def test_nginx_gzip(muster, nginx, trust, tmp_path):
    one = nginx()
    bodies = tmp_path / "bodies"
    one_each(muster("fetch", *trust, "--compressed", "-c", "10", "--body", bodies, *[one.url("/packed")] * 10).results, 10)
    assert {digest(file.read_bytes()) for file in bodies.iterdir()} == {digest(LARGE)}


def test_redirects_between_versions(muster, nginx, trust):
    """https over HTTP/2 to HTTP/1.1, back, and to http if that is allowed."""
    one = nginx()
    for result in one_each(muster("fetch", *trust, "-c", "20", *[one.url("/to-old")] * 40).results, 40):
        assert (result["redirects"], result["http"], result["body"]) == (2, "2", "small")
    [refused] = muster("fetch", *trust, one.url("/to-clear")).results
    assert codes([refused]) == {"redirect"} and "from https to http" in refused["error"]["text"]
    [allowed] = muster("fetch", *trust, "--allow-https-to-http", "--http2-prior-knowledge", one.url("/to-clear")).results
    assert (allowed["status"], allowed["redirects"], allowed["body"]) == (200, 1, "small")


# --- the ends of a batch -------------------------------------------------------------------------------------------------


def test_a_slow_reader_of_results(muster, nginx, trust):
    one = nginx()
    process = muster.start("fetch", *trust, "-c", "200", "--threads", "2", "-i", "-", "-o", "-", stdin=subprocess.PIPE)
    process.stdin.write(f"{one.url('/large')}\n".encode() * 40)
    process.stdin.close()
    process.stdin = None
    stdout = b""
    for _ in range(10):
        stdout += os.read(process.stdout.fileno(), 65536)
        time.sleep(0.05)
    rest, _ = process.communicate(timeout=PATIENCE)
    results = one_each(lines(stdout + rest), 40)
    assert {result["body_bytes"] for result in results} == {len(LARGE)}


def test_an_interrupt_leaves_one_line_each(muster, nginx, trust):
    one = nginx("keepalive_requests 10;")
    process = muster.start("fetch", *trust, "-c", "50", "--rate", "200", "--threads", "2", *[one.url(f"/small?{i}") for i in range(600)])
    time.sleep(0.7)
    process.send_signal(signal.SIGINT)
    stdout, _ = process.communicate(timeout=PATIENCE)
    results = lines(stdout)
    assert len({result["url"] for result in results}) == len(results) == 600
    assert codes(results) <= {None, "cancelled"}
    assert all(result["status"] == 200 for result in results if not result["error"])
