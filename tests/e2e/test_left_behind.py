"""After every kind of failure: no half file, no folder, no process and no open file is left, and nothing of anybody's is gone."""
import json
import os
import resource
import signal
import subprocess
import time

import pytest

from command import MUSTER, PATIENCE
from scripted import ok, response

OLD = "the results of yesterday\n"


def limited(tmp_path, *arguments, **limits):
    """Run to the end with limits of this process: RLIMIT_FSIZE=20480."""
    def set_limits():
        for name, value in limits.items():
            resource.setrlimit(getattr(resource, name), (value, value))

    return subprocess.run([MUSTER, *map(str, arguments)], cwd=tmp_path, preexec_fn=set_limits, capture_output=True, text=True, timeout=PATIENCE)


def all_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


# --- a run that cannot begin ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("old", [None, OLD], ids=["new", "old"])
@pytest.mark.parametrize("options, status, words", [
    (["--record", "no/such/run.db", "http://h/"], 3, "no/such/run.db"),
    (["--body", "file/x", "http://h/"], 3, "file/x"),
    (["--body", "a/b/file/c", "http://h/"], 3, "a/b/file"),
    (["--body", "a/b/c", "--record", "no/such/run.db", "http://h/"], 3, "no/such/run.db"),
    (["--body", "a/b/{id}", "--cacert", "no.pem", "http://h/"], 3, "no.pem"),
    (["-i", "no-such-list"], 3, "no-such-list"),
    (["--jq", "][", "http://h/"], 2, "jq"),
    (["--no-such-option", "http://h/"], 2, "--no-such-option"),
    (["-f", "--fail-with-body", "http://h/"], 2, "give one of them"),
    (["--assert", "nonsense", "http://h/"], 2, "nonsense"),
], ids=lambda value: value if isinstance(value, str) and " " not in value and "/" not in value else "")
def test_nothing_is_made_and_nothing_lost(muster, tmp_path, options, status, words, old):
    (tmp_path / "file").write_text("")
    (tmp_path / "a").mkdir()
    if "a/b/file/c" in options:
        (tmp_path / "a" / "b").mkdir()
        (tmp_path / "a" / "b" / "file").write_text("")
    if old:
        (tmp_path / "results").write_text(old)
    before = all_in(tmp_path)
    run = muster("fetch", "-o", "results", "--force", *options)
    assert run.status in (2, 3) and run.status == status and words in run.stderr, run.stderr
    assert all_in(tmp_path) == before
    assert not old or (tmp_path / "results").read_text() == old


def test_output_into_a_missing_folder(muster, tmp_path):
    run = muster("fetch", "-o", "no/results", "--body", "a/b", "http://h/")
    assert run.status == 3 and "cannot write to no/results: No such file or directory" in run.stderr
    assert all_in(tmp_path) == []


def test_a_list_is_not_overwritten_by_its_results(muster, server, tmp_path):
    (tmp_path / "urls").write_text(server().url() + "\n")
    os.link(tmp_path / "urls", tmp_path / "same")
    for name in ("urls", "same", "./urls"):
        run = muster("fetch", "-i", "urls", "-o", name)
        assert run.status == 2 and "is both the input (-i) and the output (-o)" in run.stderr
    assert (tmp_path / "urls").read_text().startswith("http://")


FETCHED = "http://127.0.0.1:1/\n"


def all_text(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("options, first, second", [
    (["-o", "urls"], "the input (-i)", "the output (-o)"),
    (["--record", "urls"], "the input (-i)", "the record (--record)"),
    (["--trace", "urls"], "the input (-i)", "the trace (--trace)"),
    (["--cookie-jar", "urls"], "the input (-i)", "the cookie jar (--cookie-jar)"),
    (["--hsts", "urls"], "the input (-i)", "the list of https hosts (--hsts)"),
    (["--ssl-sessions", "urls"], "the input (-i)", "the TLS sessions (--ssl-sessions)"),
    (["-b", "jar", "-o", "jar"], "the cookies (-b)", "the output (-o)"),
    (["-K", "config", "-o", "config"], "the options (-K)", "the output (-o)"),
    (["-K", "config", "--trace", "link"], "the options (-K)", "the trace (--trace)"),
    (["--cacert", "ca", "-o", "ca"], "the certificates (--cacert)", "the output (-o)"),
    (["--record", "new", "--trace", "./new"], "the record (--record)", "the trace (--trace)"),
    (["--cookie-jar", "new", "--hsts", "folder/../new"], "the cookie jar (--cookie-jar)", "the list of https hosts (--hsts)"),
    (["--trace", "dangling", "-o", "folder/new"], "the trace (--trace)", "the output (-o)"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else None)
def test_one_file_for_two_things(muster, tmp_path, options, first, second):
    for name, text in (("urls", FETCHED), ("jar", ""), ("config", "no-progress\n"), ("ca", "")):
        (tmp_path / name).write_text(text)
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("config")
    (tmp_path / "dangling").symlink_to("folder/new")
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    run = muster("fetch", "-i", "urls", *options)
    assert run.status == 2 and f"is both {first} and {second}; " in run.stderr, run.stderr
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def test_one_file_that_is_meant(muster, server, tmp_path):
    """Cookies go round, a list may be read twice, and devices have nothing to lose."""
    s = server(lambda r: ok(b"", "Set-Cookie: a=b"))
    (tmp_path / "urls").write_text(s.url() + "\n")
    run = muster("fetch", "-i", "urls", "-i", "urls", "-b", "jar", "--cookie-jar", "jar", "--trace", "/dev/null", "-o", "/dev/null")
    assert run.status == 0 and "a\tb" in (tmp_path / "jar").read_text(), run.stderr


def test_the_list_is_no_standard_output(tmp_path):
    """">>" would have a run read its own results for ever."""
    listed = tmp_path / "list.txt"
    listed.write_text(FETCHED)
    with open(listed, "a") as stdout:
        done = subprocess.run([MUSTER, "fetch", "-i", listed], stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
    assert done.returncode == 2 and "is both the input (-i) and standard output" in done.stderr
    assert listed.read_text() == FETCHED


@pytest.mark.parametrize("how", [["-i", "no-such-list"], ["-i", "."], ["-i", "packed"], ["-i", "urls", "-i", "no-such-list"], ["--body", "urls/x", "-i", "urls"],
                                 ["--record", "no/run.db", "-i", "urls"], ["-o", "no/results", "-i", "urls"]], ids=" ".join)
def test_a_run_that_cannot_begin_leaves_all_outputs(muster, server, tmp_path, how):
    s = server()
    (tmp_path / "urls").write_text(s.url() + "\n")
    (tmp_path / "packed").write_bytes(b"\x1f\x8b\x08\0\n")
    outputs = ["-o", "results", "--trace", "trace", "--record", "run.db", "--cookie-jar", "jar", "--hsts", "hosts", "--force"]
    assert muster("fetch", *outputs, s.url()).status == 0
    before = all_text(tmp_path)
    asked = len(s.requests)
    run = muster("fetch", *outputs, *how)
    assert run.status in (2, 3) and all_text(tmp_path) == before and len(s.requests) == asked, run.stderr
    for new in ("results", "trace"):
        (tmp_path / new).unlink()
    before = all_text(tmp_path)
    assert muster("fetch", *outputs, *how).status == run.status and all_text(tmp_path) == before


def test_old_results_are_replaced_when_there_are_new_ones(muster, server, tmp_path):
    (tmp_path / "results").write_text(OLD * 1000)
    assert muster("fetch", "--force", "-o", "results", server().url()).status == 0
    assert json.loads((tmp_path / "results").read_text())["ok"]
    (tmp_path / "none").write_text("")
    assert muster("fetch", "--force", "-o", "results", "-i", "none").status == 0
    assert (tmp_path / "results").read_text() == ""  # a list of nothing has no results


def test_old_results_are_replaced_only_when_asked_for(muster, server, tmp_path):
    s = server()
    (tmp_path / "results").write_text(OLD)
    run = muster("fetch", "-o", "results", "--trace", "trace", s.url())
    assert run.status == 2 and "results is there and not empty; " in run.stderr and "--append" in run.stderr and "--force" in run.stderr
    assert (tmp_path / "results").read_text() == OLD and not s.requests and not (tmp_path / "trace").exists()
    for option in ("--append", "--append", "--append"):
        assert muster("fetch", "-o", "results", option, s.url()).status == 0
    first, *added = (tmp_path / "results").read_text().splitlines()
    assert first + "\n" == OLD and len(added) == 3 and all(json.loads(line)["ok"] for line in added)
    (tmp_path / "results").write_text("")
    assert muster("fetch", "-o", "results", s.url()).status == 0  # it was empty: nothing is lost


def test_what_has_nothing_is_written_to_without_a_word(muster, server, tmp_path):
    s = server()
    os.mkfifo(tmp_path / "pipe")
    for path in ("/dev/null", "pipe"):
        for options in ([], ["--force"], ["--append"]):
            process = muster.start("fetch", "-o", path, *options, s.url())
            if path == "pipe":
                assert json.loads((tmp_path / "pipe").read_text())["ok"]
            assert process.wait(PATIENCE) == 0, process.stderr.read()


@pytest.mark.parametrize("options, words", [
    (["-o", "results", "--append", "--force"], "give one of them"),
    (["--append"], "write them to one from the beginning, with -o FILE"),
    (["-o", "-", "--force"], "write them to one from the beginning, with -o FILE"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else None)
def test_what_becomes_of_an_output_is_said_once(muster, tmp_path, options, words):
    (tmp_path / "results").write_text(OLD)
    run = muster("fetch", *options, "http://127.0.0.1:1/")
    assert run.status == 2 and words in run.stderr and (tmp_path / "results").read_text() == OLD


def test_a_torn_line_is_not_made_longer(muster, server, tmp_path):
    s = server()
    (tmp_path / "results").write_text('{"n":1,"me')
    run = muster("fetch", "-o", "results", "--append", s.url())
    assert run.status == 2 and "the last line of results is not whole" in run.stderr and not s.requests
    assert muster("fetch", "-o", "results", "--append", "-w", "%{http_code}", s.url()).status == 0  # a format of its own may have no lines
    assert (tmp_path / "results").read_text() == '{"n":1,"me200'


def test_a_full_disk_leaves_what_lines_are_added_to(server, tmp_path):
    (tmp_path / "results").write_text(OLD)
    s = server(lambda r: ok(b"x" * 3000))
    run = limited(tmp_path, "fetch", "--append", "-o", "results", *[s.url()] * 100, RLIMIT_FSIZE=20480)
    text = (tmp_path / "results").read_text()
    assert run.returncode == 3 and text.startswith(OLD) and text.endswith("}\n") and 0 < len(text) <= 20480
    assert all(json.loads(line)["ok"] for line in text.splitlines()[1:]) and f"{text.count(chr(10)) - 1} results were written before" in run.stderr


def test_two_runs_do_not_write_to_one_file(muster, server, tmp_path):
    hole = server(lambda r: None)
    first = muster.start("fetch", "-o", "results", hole.url())
    while not hole.requests:
        time.sleep(0.01)
    run = muster("fetch", "-o", "results", server().url())
    assert run.status == 3 and "another run of muster is writing to results" in run.stderr
    assert first.poll() is None


# --- a disk that is full, a folder in the place of a file -------------------------------------------------------------------


def test_results_end_with_a_whole_line(server, tmp_path):
    s = server(lambda r: ok(b"x" * 3000))
    run = limited(tmp_path, "fetch", "-o", "results", *[s.url()] * 100, RLIMIT_FSIZE=20480)
    text = (tmp_path / "results").read_text()
    assert run.returncode == 3 and f"File too large; {text.count(chr(10))} results were written before" in run.stderr
    assert text.endswith("}\n") and all(json.loads(line)["ok"] for line in text.splitlines()) and 0 < len(text) <= 20480


def test_body_that_does_not_fit(server, tmp_path):
    s = server(lambda r: ok(b"x" * (50000 if r.path == "/large" else 100)))
    for options in ([], ["--process", "cat >/dev/null"]):
        run = limited(tmp_path, "fetch", "--body", "out", *options, s.url("/large"), s.url("/small"), RLIMIT_FSIZE=20480)
        results = {result["url"]: result for result in map(json.loads, run.stdout.splitlines())}
        assert run.returncode == 1 and results[s.url("/large")]["error"]["code"] == "resource" and results[s.url("/small")]["ok"]
        assert all_in(tmp_path) == ["out", "out/000002.body"]


def test_record_that_does_not_fit(server, tmp_path):
    s = server()
    run = limited(tmp_path, "fetch", "-o", "results", "--record", "run.db", *[s.url()] * 2, RLIMIT_FSIZE=20480)
    assert run.returncode == 3 and "run.db" in run.stderr and all_in(tmp_path) == []


def test_folder_in_the_place_of_a_file(muster, server, tmp_path):
    (tmp_path / "out" / "000001.body" / "x").mkdir(parents=True)
    run = muster("fetch", "--body", "out", server().url())
    assert run.status == 1 and run.result["error"]["code"] == "resource" and "out/000001.body: Is a directory" in run.result["error"]["text"]
    assert all_in(tmp_path) == ["out", "out/000001.body", "out/000001.body/x"]
    (tmp_path / "out" / "file").write_text("")
    run = muster("fetch", "--body", "out/{id}/a/{n}", input=json.dumps({"url": server().url(), "id": "file"}))
    assert run.status == 1 and "out/file" in run.result["error"]["text"]
    assert all_in(tmp_path) == ["out", "out/000001.body", "out/000001.body/x", "out/file"]


def test_no_file_stays_open(server, tmp_path):
    """With as few files as may be open, hundreds of failures of each kind."""
    def behave(r):
        kind = int(r.path[1:]) % 5
        return [response("404 Not Found", b"no"), ok(b"x"), [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", "close"],
                ok(b"x", "Content-Encoding: gzip"), response("302 Found", b"", "Location: ftp://h/")][kind]

    s = server(behave)
    (tmp_path / "out" / "1").mkdir(parents=True)
    (tmp_path / "urls").write_text("".join(s.url(f"/{i}") + "\n" for i in range(500)))
    run = limited(tmp_path, "fetch", "-f", "-c", "2", "-i", "urls", "--body", "out/{n}", RLIMIT_NOFILE=66)
    errors = [result["error"] and result["error"]["text"] for result in map(json.loads, run.stdout.splitlines())]
    assert len(errors) == 500, run.stderr
    assert not [text for text in errors if text and "open files" in text]


# --- ends that come from outside --------------------------------------------------------------------------------------------


def running(marker):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if marker.encode() in file.read():
                    found.append(int(pid))
        except OSError:
            pass
    return found


def wait_until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("number, name", [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM"), (signal.SIGHUP, "SIGHUP")])
def test_signals(muster, server, hole, tmp_path, number, name):
    s = server()
    marker = f"1000.{os.getpid()}{time.monotonic_ns()}"
    process = muster.start("fetch", "-o", "results", "--body", "out", "--record", "run.db", "--process", f"sleep {marker}", s.url(), hole)
    wait_until(lambda: len(running(marker)) > 1)
    process.send_signal(number)
    assert process.wait(PATIENCE) == 1
    wait_until(lambda: not running(marker))
    lines = [json.loads(line) for line in (tmp_path / "results").read_text().splitlines()]
    assert len(lines) == 2 and f"cancelled: by {name}" in [line["error"]["text"] for line in lines]
    assert all_in(tmp_path) == ["out", "results", "run.db"]


def test_nohup(muster, server, tmp_path):
    """Who is told not to mind that the terminal goes does not."""
    s = server(lambda r: [1, ok()])
    process = subprocess.Popen([MUSTER, "fetch", s.url()], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    wait_until(lambda: s.requests)
    process.send_signal(signal.SIGHUP)
    stdout, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0 and json.loads(stdout)["ok"]


def test_closed_pipe_ends_commands_and_files(muster, server, tmp_path):
    s = server()
    marker = f"1000.{os.getpid()}{time.monotonic_ns()}"
    reader, writer = os.pipe()
    os.close(reader)
    command = f"if [ $MUSTER_N -gt 1 ]; then exec sleep {marker}; fi; sleep 0.3"
    process = muster.start("fetch", "--body", "out", "--process", command, "--process-workers", "2", *[s.url()] * 3, stdout=writer)
    os.close(writer)
    assert process.wait(PATIENCE) == 3 and "closed it" in process.stderr.read().decode()
    wait_until(lambda: not running(marker))
    assert [path for path in all_in(tmp_path) if ".muster" in path] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_confirm_that_is_stopped(server, tmp_path, number):
    """Its copies and records are gone, and its process is."""
    s = server(lambda r: [0.05, ok()])
    (tmp_path / "tmp").mkdir()
    process = subprocess.Popen([MUSTER, "fetch", "-c", "2", "--confirm-rounds", "20", "-o", "results", *[s.url()] * 40], cwd=tmp_path,
                               env={**os.environ, "TMPDIR": str(tmp_path / "tmp")}, stderr=subprocess.PIPE)
    wait_until(lambda: any(path.name == "run.db" for path in (tmp_path / "tmp").rglob("*")) or process.poll() is not None)
    process.send_signal(number)
    assert process.wait(PATIENCE) == 1, process.stderr.read()
    assert all_in(tmp_path) == ["results", "tmp"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_lab_that_is_stopped(tmp_path, number):
    process = subprocess.Popen([MUSTER, "lab"], env={**os.environ, "TMPDIR": str(tmp_path)}, stdout=subprocess.PIPE)
    process.stdout.readline()
    process.send_signal(number)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0 and all_in(tmp_path) == []


def test_a_list_on_standard_input_is_no_output(muster, tmp_path):
    listed = tmp_path / "list.txt"
    listed.write_text("http://127.0.0.1:1/\n")
    with open(listed) as stdin:
        done = subprocess.run([MUSTER, "fetch", "-o", listed], stdin=stdin, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode in (2, 3) and "and the output (-o); write the results to another file" in done.stderr
    assert listed.read_text() == "http://127.0.0.1:1/\n"


def test_a_record_is_no_output(tmp_path):
    done = subprocess.run([MUSTER, "fetch", "-o", "same", "--record", "./same", "http://127.0.0.1:1/"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode in (2, 3) and "is both the record (--record) and the output (-o)" in done.stderr
