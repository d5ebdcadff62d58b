"""HTTP/2 against an h2o with small limits, and one that shuts down."""
import os
import shutil
import signal
import subprocess
import time

import pytest

from command import PATIENCE
from folders import open_to_others
from http2 import LARGE, UPLOAD, codes, lines, one_each, start, stop, trust  # noqa: F401  (trust is a fixture)
from ports import free_port


@pytest.fixture
def h2o(tmp_path, certificates):
    if not shutil.which("h2o"):
        pytest.skip("h2o is not installed")
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "small").write_text("small")
    (tmp_path / "www" / "large").write_bytes(LARGE)
    open_to_others(tmp_path)
    processes = []

    def begin(settings=""):
        port = free_port()
        user = "user: root\n" if os.geteuid() == 0 else ""
        (tmp_path / "h2o.conf").write_text(f"""{user}num-threads: 1
{settings}
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
        processes.append(start(["h2o", "-c", tmp_path / "h2o.conf"], port, stdout=subprocess.DEVNULL))
        return processes[-1], lambda path: f"https://localhost:{port}{path}"

    yield begin
    for process in processes:
        stop(process)


def test_h2o_with_small_limits(muster, h2o, trust, tmp_path):
    _, url = h2o("http2-max-concurrent-requests-per-connection: 2\nlimit-request-body: 1000\nhttp2-idle-timeout: 2")
    results = one_each(muster("fetch", *trust, "-c", "40", "--threads", "2", *[url("/small")] * 400).results, 400)
    assert {(result["http"], result["body"]) for result in results} == {("2", "small")}
    (tmp_path / "data").write_bytes(UPLOAD)
    for result in muster("fetch", *trust, "-c", "3", "-T", tmp_path / "data", *[url("/small")] * 3).results:
        assert result["status"] == 413 or codes([result]) <= {"closed", "send"}, result


def test_h2o_that_shuts_down(muster, h2o, trust):
    """What is under way ends, and what comes later finds no server: each in words."""
    process, url = h2o()
    run = muster.start("fetch", *trust, "-c", "10", "--rate", "200", *[url("/large")] * 300)
    time.sleep(0.6)
    process.send_signal(signal.SIGTERM)
    stdout, _ = run.communicate(timeout=PATIENCE)
    results = lines(stdout)
    assert len(results) == 300 and codes(results) <= {None, "connect", "closed"}
    assert all(result["body_bytes"] == len(LARGE) for result in results if not result["error"])
