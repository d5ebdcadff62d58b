"""Files that make whoever opens or reads them wait: nobody but the line that names one notices."""
import json
import os
import socket
import subprocess
import time

import pytest

from command import MUSTER, PATIENCE
from scripted import ok


@pytest.fixture
def odd(tmp_path):
    """A folder with a file of each kind that is not regular."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("fifo")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(tmp_path / "socket"))
    return tmp_path


def line(url, **members):
    return json.dumps({"url": url, "method": "POST", **members}) + "\n"


ODD = [("fifo", "it is a pipe"), ("link", "it is a pipe"), ("socket", "it is a socket"), ("/dev/zero", "it is a device"), ("folder", "Is a directory"),
       ("-", "it is standard input"), ("/dev/stdin", "it is standard input"), ("/dev/fd/0", "it is standard input"), ("missing", "No such file")]


@pytest.mark.parametrize("as_form", [False, True], ids=["body_file", "form"])
@pytest.mark.parametrize("name, words", ODD, ids=[name for name, _ in ODD])
def test_only_regular_files_are_sent(muster, server, odd, name, words, as_form):
    s = server()
    members = {"form": {"part": {"file": name}}} if as_form else {"body_file": name}
    run = muster("fetch", input=line(s.url("/1")) + line(s.url("/2"), **members) + line(s.url("/3")))
    errors = {result["line"]: result["error"] for result in run.results}
    assert run.status == 1 and errors[1] is None and errors[3] is None
    assert errors[2]["code"] == "input" and words in errors[2]["text"] and "line 2" in errors[2]["text"], errors[2]
    assert sorted(r.path for r in s.requests) == ["/1", "/3"]


def test_a_file_that_has_become_a_pipe(muster, server, odd):
    """It is looked at when its line is read, and again when it is sent."""
    (odd / "body").write_text("x")

    def behave(request):
        os.replace(odd / "fifo", odd / "body")
        return ok()

    s = server(behave)
    run = muster("fetch", "-c", "1", "--in-order", input=line(s.url("/1")) + line(s.url("/2"), body_file="body"))
    assert [result["ok"] for result in run.results] == [True, False]
    assert "body is a pipe" in run.results[1]["error"]["text"]


def test_a_pipe_without_a_writer_times_out(muster, server, odd):
    url = server().url()
    run = muster("fetch", "--body-pipes", "-m", "0.3", input=line(url, body_file="fifo") + 20 * line(url))
    errors = {result["line"]: result["error"] for result in run.results}
    assert errors.pop(1)["code"] == "timeout" and len(errors) == 20 and not any(errors.values())


@pytest.mark.parametrize("how", [["--body-pipes"], ["-T", "fifo"]], ids=" ".join)
def test_a_pipe_that_is_filled_slowly(muster, server, odd, how):
    s = server()
    (odd / "list").write_text(line(s.url("/pipe"), body_file="fifo") if how == ["--body-pipes"] else s.url("/pipe") + "\n")
    with open(os.open(odd / "fifo", os.O_RDWR), "wb", buffering=0) as pipe:
        process = muster.start("fetch", *how, "-i", "list")
        for _ in range(5):
            time.sleep(0.05)
            pipe.write(b"some more\n")
    stdout, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0 and json.loads(stdout)["ok"], stderr
    assert s.requests[0].fields["transfer-encoding"] == "chunked" and s.requests[0].body == b"some more\n" * 5


def test_no_pipe_is_standard_input(muster, server, odd):
    """The rest of the list is not sent to a server."""
    s = server()
    run = muster("fetch", "--body-pipes", input=line(s.url("/1"), body_file="/dev/stdin") + line(s.url("/2")))
    assert run.status == 1 and [r.path for r in s.requests] == ["/2"]
    assert "it is standard input" in next(result for result in run.results if not result["ok"])["error"]["text"]


def test_a_list_that_is_a_pipe_without_a_writer(muster, server, odd):
    """What was read before it is done, and its timeouts hold, while nobody has opened the second list."""
    s = server(lambda r: ["hang"])
    (odd / "first").write_text(line(s.url()))
    process = muster.start("fetch", "-m", "0.2", "-i", "first", "-i", "fifo")
    assert json.loads(process.stdout.readline())["error"]["code"] == "timeout"
    with open(os.open(odd / "fifo", os.O_RDWR), "w") as pipe:
        pipe.write(line(s.url()))
        pipe.flush()
    stdout, _ = process.communicate(timeout=PATIENCE)
    assert json.loads(stdout)["error"]["code"] == "timeout"


@pytest.mark.parametrize("option", ["-d @{}", "--json @{}", "-F a=@{}", "-F a=<{}", "--netrc-file {}", "-w @{}", "-b {}", "-K {}", "-H @{}"])
def test_what_an_option_names_may_be_a_pipe(server, odd, option):
    """It is read before the first request; as with -d @<(command) in a shell."""
    s = server()
    words = [word.format("fifo") for word in option.split(" ")]
    text = "# x\n" if option[1] in "bK" else "X-A: b\n" if option[1] == "H" else "machine h login a password b\n"
    writer = subprocess.Popen(["sh", "-c", 'printf "$1" >fifo', "-", text], cwd=odd)
    done = subprocess.run([MUSTER, "fetch", *words, s.url()], cwd=odd, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
    writer.kill()
    assert writer.wait() == 0 and done.returncode == 0 and len(s.requests) == 1, done.stderr
