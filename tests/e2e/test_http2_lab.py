"""HTTP/2 against a lab that is stopped for a while."""
import json
import signal
import subprocess
import time

from command import PATIENCE
from http2 import UPLOAD, conns, lines, one_each


def test_a_request_beside_an_upload_that_the_socket_does_not_take(muster, lab, tmp_path):
    """The server does not read, and its windows are larger than what the kernel holds. Another request begins meanwhile."""
    (tmp_path / "data").write_bytes(UPLOAD)
    one = lab("--h2", "--h2-window", "1G", "--h2-connection-window", "1G")
    process = muster.start("fetch", "--http2-prior-knowledge", "-c", "4", "-i", "-", stdin=subprocess.PIPE)

    def ask(**line):
        process.stdin.write(json.dumps(line).encode() + b"\n")
        process.stdin.flush()

    ask(url=one.url("/plain"))
    first = process.stdout.readline()
    one.process.send_signal(signal.SIGSTOP)
    try:
        ask(url=one.url("/upload"), method="PUT", body_file=str(tmp_path / "data"))
        time.sleep(0.3)
        ask(url=one.url("/plain"))
        time.sleep(0.3)
    finally:
        one.process.send_signal(signal.SIGCONT)
    stdout, _ = process.communicate(timeout=PATIENCE / 3)
    results = one_each(lines(first + stdout), 3)
    assert conns(results) == 1
