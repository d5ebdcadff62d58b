"""HTTP/2 against an Apache with few streams, that restarts, and that does not want an upload."""
import os
import signal
import time

import pytest

from apache import MODULES, program as apache_program
from command import PATIENCE
from folders import open_to_others
from http2 import LARGE, UPLOAD, digest, lines, one_each, start, stop, trust  # noqa: F401  (trust is a fixture)
from ports import free_port


class Apache:
    def __init__(self, directory, certificates, settings):
        self.port = free_port()
        (directory / "www").mkdir()
        (directory / "www" / "small").write_text("small")
        (directory / "www" / "large").write_bytes(LARGE)
        open_to_others(directory)
        names = ("mpm_event", "authz_core", "ssl", "socache_shmcb", "http2", "alias")
        modules = "\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in names if (MODULES / f"mod_{name}.so").exists())
        (directory / "conf").write_text(f"""
            ServerRoot {directory}
            DefaultRuntimeDir {directory}
            {modules}
            {"User www-data" if not os.getuid() else ""}
            ServerName localhost
            Listen 127.0.0.1:{self.port}
            PidFile {directory}/pid
            ErrorLog {directory}/error.log
            DocumentRoot {directory}/www
            Protocols h2 http/1.1
            SSLEngine on
            SSLCertificateFile {certificates.path('good')}
            SSLCertificateKeyFile {certificates.path('good')}
            GracefulShutdownTimeout 10
            {settings}
            <Directory {directory}/www>
                Require all granted
            </Directory>
            Redirect 302 /moved https://localhost:{self.port}/small
            """)
        self.process = start([apache_program(), "-DFOREGROUND", "-f", directory / "conf"], self.port)

    def url(self, path):
        return f"https://localhost:{self.port}{path}"


@pytest.fixture
def apache_h2(tmp_path_factory, certificates):
    """apache_h2(settings) starts one; all are stopped at the end."""
    if not apache_program() or not (MODULES / "mod_http2.so").exists() or not (MODULES / "mod_ssl.so").exists():
        pytest.skip("Apache with mod_http2 and mod_ssl is not installed")
    servers = []

    def begin(settings=""):
        servers.append(Apache(tmp_path_factory.mktemp("apache-h2"), certificates, settings))
        return servers[-1]

    yield begin
    for one in servers:
        stop(one.process)


def test_apache_with_few_streams(muster, apache_h2, trust, tmp_path):
    one = apache_h2("H2MaxSessionStreams 3\nMaxKeepAliveRequests 25")
    results = one_each(muster("fetch", *trust, "-c", "30", *[one.url("/small")] * 300).results, 300)
    assert {(result["http"], result["body"]) for result in results} == {("2", "small")}
    bodies = tmp_path / "bodies"
    one_each(muster("fetch", *trust, "-c", "6", "--h2-conns", "2", "--body", bodies, *[one.url("/large")] * 12).results, 12)
    assert {digest(file.read_bytes()) for file in bodies.iterdir()} == {digest(LARGE)} and len(list(bodies.iterdir())) == 12
    [moved] = one_each(muster("fetch", *trust, one.url("/moved")).results, 1)
    assert (moved["redirects"], moved["body"]) == (1, "small")


def test_apache_that_restarts(muster, apache_h2, trust, tmp_path):
    one = apache_h2()
    bodies = tmp_path / "bodies"
    process = muster.start("fetch", *trust, "-c", "20", "--rate", "100", "--retry", "3", "--body", bodies, "--record", tmp_path / "run.db", *[one.url("/large")] * 150)
    time.sleep(0.5)
    one.process.send_signal(signal.SIGUSR1)
    stdout, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, stderr
    one_each(lines(stdout), 150)
    assert {digest(file.read_bytes()) for file in bodies.iterdir()} == {digest(LARGE)} and len(list(bodies.iterdir())) == 150


def test_apache_upload_that_it_does_not_want(muster, apache_h2, trust, tmp_path):
    """A file takes no PUT: the answer comes before the 20 MB have gone, and is the result."""
    one = apache_h2()
    (tmp_path / "data").write_bytes(UPLOAD)
    for result in muster("fetch", *trust, "-c", "3", "-T", tmp_path / "data", *[one.url("/small")] * 3).results:
        assert (result["status"], result["error"], result["http"]) == (405, None, "2")
