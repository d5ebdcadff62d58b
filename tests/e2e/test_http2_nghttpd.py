"""HTTP/2 against nghttpd: trailers, pushes, padding, few streams and small windows."""
import shutil
import subprocess

import pytest

from http2 import LARGE, UPLOAD, digest, one_each, start, stop, trust  # noqa: F401  (trust is a fixture)
from ports import free_port


@pytest.fixture
def nghttpd(tmp_path, certificates):
    if not shutil.which("nghttpd"):
        pytest.skip("nghttpd is not installed")
    www, processes = tmp_path / "www", []
    www.mkdir()
    (www / "small").write_text("small")
    (www / "large").write_bytes(LARGE)

    def begin(*options):
        port = free_port()
        command = ["nghttpd", "-d", www, *options, port, certificates.path("good"), certificates.path("good")]
        processes.append(start(command, port, stdout=subprocess.DEVNULL))
        return lambda path: f"https://localhost:{port}{path}"

    yield begin
    for process in processes:
        stop(process)


def test_nghttpd_with_trailers_pushes_and_few_streams(muster, nghttpd, trust, tmp_path):
    url = nghttpd("--trailer", "x-sum: 1", "--push", "/small=/large", "--max-concurrent-streams", "3", "--padding", "200", "--echo-upload")
    results = one_each(muster("fetch", *trust, "-c", "30", *[url("/small")] * 200).results, 200)
    assert {(result["http"], result["body"]) for result in results} == {("2", "small")}
    bodies = tmp_path / "bodies"
    one_each(muster("fetch", *trust, "-c", "6", "--body", bodies, *[url("/large")] * 8).results, 8)
    assert {digest(file.read_bytes()) for file in bodies.iterdir()} == {digest(LARGE)} and len(list(bodies.iterdir())) == 8


def test_nghttpd_echoes_an_upload_larger_than_its_windows(muster, nghttpd, trust, tmp_path):
    url = nghttpd("--echo-upload", "--window-bits", "15", "--connection-window-bits", "16")
    (tmp_path / "data").write_bytes(UPLOAD)
    bodies = tmp_path / "bodies"
    one_each(muster("fetch", *trust, "-c", "2", "-X", "POST", "-T", tmp_path / "data", "--body", bodies, *[url("/echo")] * 2).results, 2)
    assert [digest(file.read_bytes()) for file in bodies.iterdir()] == [digest(UPLOAD)] * 2
