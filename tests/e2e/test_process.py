"""Work on bodies: --process, --process-lines, --parse-json, --jq; what a command does wrong is its request's failure and nobody else's."""
import base64
import gzip
import hashlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from command import MUSTER, PATIENCE
from scripted import ok, response

N = 40  # requests where there are to be many


def wait_until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def processes():
    """(pid, parent, state, command line) of all that there are."""
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            fields = (directory / "stat").read_text().rpartition(")")[2].split()
            yield int(directory.name), int(fields[1]), fields[0], (directory / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            pass


def children(pid):
    return [(state, line) for _, parent, state, line in processes() if parent == pid]


def running(marker):
    return [line for *_, line in processes() if marker in line and MUSTER not in line]


@pytest.fixture
def marker():
    """A number for sleep(1) that no other test uses: nothing that sleeps for it may be left at the end."""
    one = f"1000.{os.getpid()}{time.monotonic_ns()}"
    yield one
    wait_until(lambda: not running(one))


def text_of(result):
    return result["error"]["text"]


def fetch_one(muster, url, *options):
    done = muster("fetch", url, *options)
    return done.result


# --- a command for each -------------------------------------------------------------------------------------------------


def test_command(muster, server):
    s = server(lambda r: response("404 Not Found" if r.path == "/none" else "200 OK", b"body of " + r.path.encode()))
    lines = [{"url": s.url("/a"), "id": "x y"}, {"url": s.url("/none"), "id": 7}, {"url": s.url("/c")}]
    command = 'cat; printf "|%s|%s|%s|%s\\n" "$MUSTER_URL" $MUSTER_STATUS $MUSTER_N "${MUSTER_ID-none}"; echo not this >&2'
    done = muster("fetch", "--process", command, input="".join(json.dumps(line) + "\n" for line in lines), env={"MUSTER_ID": "of another"})
    results = sorted(done.results, key=lambda result: result["n"])
    assert done.status == 0 and done.stderr == ""
    assert [result["processed"] for result in results] == [
        f"body of /a|{s.url('/a')}|200|1|x y\n", f"body of /none|{s.url('/none')}|404|2|7\n", f"body of /c|{s.url('/c')}|200|3|none\n"]
    assert [result["body"] for result in results] == ["body of /a", "body of /none", "body of /c"]
    assert all(result["phases_us"]["process"] > 0 for result in results)


def test_command_output_is_bytes(muster, server):
    result = fetch_one(muster, server(lambda r: ok(b"abc")).url(), "--process", r"printf '\377\000\n'")
    assert base64.b64decode(result["processed_base64"]) == b"\xff\x00\n" and "processed" not in result
    result = fetch_one(muster, server().url(), "--process", "true")
    assert result["processed"] == ""


@pytest.mark.parametrize("options, words", [
    (["--process", "echo no; echo boom >&2; echo two >&2; exit 3"], "process: the command exited with status 3: boom"),
    (["--process", "exit 1"], "process: the command exited with status 1"),
    (["--process", "kill -SEGV $$"], "process: the command was killed by signal 11 (SIGSEGV)"),
    (["--process", "sh -c 'kill -ABRT $$'; exit $?"], "process: the command exited with status 134 (SIGABRT)"),
    (["--process", "no-such-command"], "process: the command exited with status 127: sh: "),
    (["--process", "echo deep in thought >&2; sleep {marker} | sleep {marker}", "--process-timeout", "300ms"],
     "process: the command took longer than 0.3 s and was killed: deep in thought"),
    (["--process", "yes & sleep {marker}"], "process: the command wrote more than 16777216 bytes to standard output and was killed"),
    (["--process", "echo 12345", "--process-max-output", "5"], "process: the command wrote more than 5 bytes"),
])
def test_command_fails(muster, server, marker, options, words):
    s = server()
    done = muster("fetch", s.url("/a"), s.url("/b"), *[option.replace("{marker}", marker) for option in options], "--summary")
    assert done.status == 1 and len(done.results) == 2
    for result in done.results:
        assert (result["error"]["code"], result["error"]["stage"], result["status"]) == ("process", "process", 200)
        assert text_of(result).startswith(words) and "processed" not in result and result["body"] == "ok"
    assert "process: 2, first: " in done.stderr and " processing bodies " in done.stderr.split("where the time went:")[1].splitlines()[0]


def test_all_that_may_be_written(muster, server):
    assert fetch_one(muster, server().url(), "--process", "echo 1234", "--process-max-output", "5")["processed"] == "1234\n"


def test_some_fail(muster, server):
    """Each has its line, and only those fail whose command does."""
    s = server(lambda r: ok(r.path[1:].encode()))
    done = muster("fetch", "--process", 'read n; [ $((n % 4)) -ne 0 ] || exit 9; echo $((n * 2))', "--in-order",
                  input="".join(s.url(f"/{n}\n") for n in range(1, N + 1)))
    assert done.status == 1 and [result["n"] for result in done.results] == list(range(1, N + 1))
    for result in done.results:
        assert result["ok"] == (result["n"] % 4 != 0)
        assert result.get("processed") == (f"{2 * result['n']}\n" if result["ok"] else None)


def test_only_good_responses_are_processed(muster, server, tmp_path):
    s = server(lambda r: response("500 Oops") if r.path == "/bad" else "close" if r.path == "/cut" else ok())
    done = muster("fetch", "-f", "--process", 'echo $MUSTER_N >>seen', s.url("/bad"), s.url("/cut"), s.url("/good"))
    assert Counter(result["error"] and result["error"]["code"] for result in done.results) == {"status": 1, "closed": 1, None: 1}
    assert (tmp_path / "seen").read_text() == "3\n"


@pytest.mark.parametrize("command", ["sha256sum", "cat", "true", "head -c 5", "exec <&-; sleep 0.1", "sleep 0.2; cat >/dev/null"])
def test_large_body(muster, server, command):
    body = bytes(range(256)) * 40960  # 10 MiB
    s = server(lambda r: ok(body))
    done = muster("fetch", *[s.url()] * 3, "--process", command, "--body", "none")
    expected = {"sha256sum": hashlib.sha256(body).hexdigest() + "  -\n", "head -c 5": "\0\1\2\3\4"}.get(command, "")
    assert done.status == 0
    for result in done.results:
        assert not {"body", "body_base64"} & result.keys() and result["body_bytes"] == len(body)
        if command == "cat":
            assert base64.b64decode(result["processed_base64"]) == body
        else:
            assert result["processed"] == expected


def test_body_directory(muster, server, tmp_path):
    result = fetch_one(muster, server(lambda r: ok(b"[1]")).url(), "--process", "wc -c", "--parse-json", "--body", "out")
    assert result["processed"].strip() == "3" and "body" not in result and "json" not in result
    assert (tmp_path / result["body_file"]).read_bytes() == b"[1]"


def test_background_processes_are_not_waited_for(muster, server, marker):
    start = time.monotonic()
    result = fetch_one(muster, server().url(), "--process", f"sleep {marker} & echo done")
    assert result["processed"] == "done\n" and time.monotonic() - start < 20


def test_descriptors_and_signals(muster, server):
    """A command has three descriptors, and no signal blocked or ignored that its parent has not."""
    s = server()
    command = "sleep 0.02; cd /proc/self/fd; echo *; grep -E 'Sig(Blk|Ign)' /proc/self/status"
    done = muster("fetch", *[s.url()] * N, "--process", command, "--process-workers", "8", "-c", "20")
    assert done.status == 0
    for result in done.results:
        descriptors, blocked, ignored = result["processed"].splitlines()
        assert set(descriptors.split()) <= {"0", "1", "2", "3"}, descriptors
        assert int(blocked.split()[1], 16) == 0 and not int(ignored.split()[1], 16) & 1 << (signal.SIGPIPE - 1)


def test_descriptors_that_are_closed(server):
    """Where standard input is closed its number is a pipe's."""
    url = server(lambda r: ok(b"abc")).url()
    done = subprocess.run(["sh", "-c", f"exec {shlex.quote(MUSTER)} fetch {url} --process 'cat; echo err >&2; exit 1' <&- 2>&-"], stdout=subprocess.PIPE, timeout=60)
    assert text_of(json.loads(done.stdout)) == "process: the command exited with status 1: err"


def test_ignored_sigchld(server):
    """As a parent may leave it to us: nobody would learn how a command ended."""
    program = f"import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv({MUSTER!r}, sys.argv[1:])"
    done = subprocess.run([sys.executable, "-c", program, "muster", "fetch", server().url(), "--process", "exit 4"], stdout=subprocess.PIPE, timeout=60)
    assert text_of(json.loads(done.stdout)) == "process: the command exited with status 4"


def test_workers(muster, server):
    """So many at once as it was said, and what waits in one command does not hold up the others."""
    s = server()
    start = time.monotonic()
    done = muster("fetch", *[s.url()] * 40, "--process", "sleep 0.3", "--process-workers", "20")
    assert done.status == 0 and 0.6 <= time.monotonic() - start < 5
    start = time.monotonic()
    done = muster("fetch", *[s.url()] * 4, "--process", "sleep 0.2", "--process-workers", "1")
    assert done.status == 0 and time.monotonic() - start >= 0.8


def test_environment_too_long_for_the_kernel(muster, server):
    items = [{"url": server().url(), "id": id} for id in ("a" * 200_000, "b")]
    done = muster("fetch", "--process", "true", input="".join(json.dumps(item) + "\n" for item in items))
    assert Counter(result["ok"] for result in done.results) == {True: 1, False: 1}
    (bad,) = [result for result in done.results if not result["ok"]]
    assert text_of(bad) == "process: the command cannot be run: Argument list too long"


def test_nothing_is_left_while_it_runs(muster, server, hole, marker):
    """No zombie and no child, while the program still waits for something else."""
    s = server()
    process = muster.start("fetch", *[s.url()] * N, hole, "--process", f"sleep {marker} & [ $((MUSTER_N % 3)) -ne 0 ] || kill -9 $$", "--process-workers", "4")
    lines = [json.loads(process.stdout.readline()) for _ in range(N)]
    assert Counter(line["ok"] for line in lines) == {True: N - N // 3, False: N // 3}
    assert children(process.pid) == []


# --- lines --------------------------------------------------------------------------------------------------------------


CRASHES_ON_THIRD = """
import json, os, sys
for n, line in enumerate(sys.stdin, 1):
    r = json.loads(line)
    if n == 3:
        print("the third is too much", file=sys.stderr, flush=True)
        os.abort()
    print(json.dumps({"n": r["n"], "id": r.get("id"), "body": r["body"], "pid": os.getpid()}), flush=True)
"""


@pytest.fixture
def script(tmp_path):
    def write(text):
        (tmp_path / "script.py").write_text(text)
        return f"exec {sys.executable} -S script.py"

    return write


def test_lines(muster, server, script):
    s = server(lambda r: ok(r.path.encode()))
    items = "".join(json.dumps({"url": s.url(f"/{n}"), "id": f"id {n}"}) + "\n" for n in range(1, 10))
    done = muster("fetch", "--process", script(CRASHES_ON_THIRD), "--process-lines", "--process-workers", "1", "--body", "none", input=items)
    assert done.status == 1 and len(done.results) == 9 and done.stderr == ""
    good = [result for result in done.results if result["ok"]]
    assert len(good) == 6 and len({result["processed"]["pid"] for result in good}) == 3
    for result in good:
        assert result["processed"]["n"] == result["n"] and result["processed"]["id"] == result["id"] == f"id {result['n']}"
        assert result["processed"]["body"] == f"/{result['n']}" and "body" not in result
    for result in done.results:
        assert result["ok"] or text_of(result) == "process: no answer: the command was killed by signal 6 (SIGABRT): the third is too much"


def test_lines_on_many_workers(muster, server, script):
    s = server(lambda r: ok(r.path.encode() * 1000))
    answers = "import json, os, sys\nfor line in sys.stdin:\n    r = json.loads(line)\n    print(r['n'], len(r['body']), os.getpid(), sep=',', flush=True)"
    done = muster("fetch", *[s.url(f"/{n}") for n in range(500)], "--process", script(answers), "--process-lines", "--process-workers", "4")
    assert done.status == 0 and done.stderr == ""
    pids = set()
    for result in done.results:
        n, size, pid = map(int, result["processed"].split(","))
        assert n == result["n"] and size == result["body_bytes"]
        pids.add(pid)
    assert 1 <= len(pids) <= 4
    assert not [pid for pid, *_ in processes() if pid in pids]


@pytest.mark.parametrize("answer, expected", [
    ('{"a" : [1, 2.50]}', {"a": [1, 2.5]}), ("7", 7), ("null", None), ("two words", "two words"), ("", ""), ('"text"', "text"), ("{", "{"),
])
def test_answers(muster, server, answer, expected):
    result = fetch_one(muster, server().url(), "--process", f"while read -r line; do echo '{answer}'; done", "--process-lines")
    assert result["ok"] and result["processed"] == expected


def test_answer_of_bytes(muster, server):
    result = fetch_one(muster, server().url(), "--process", r"while read -r line; do printf '\377\n'; done", "--process-lines")
    assert base64.b64decode(result["processed_base64"]) == b"\xff"


@pytest.mark.parametrize("command, words", [
    ("exit 5", "process: no answer: the command exited with status 5"),
    ("read -r line; echo why >&2", "process: no answer: the command exited with status 0: why"),
    ("read -r line; printf half", "process: no answer: the command exited with status 0"),
    ("read -r line; exec >&-; sleep {marker}", "process: the command closed its standard output"),
    ("sleep {marker}", "process: the command took longer than 0.5 s and was killed"),
    ("while read -r line; do echo a; done | sort; sleep {marker}", "process: the command took longer than 0.5 s and was killed"),
    (r"printf 'a\nb\n'; sleep {marker}", "process: the command answered with more than one line"),
    ("yes | tr -d '\\n'", "process: the command wrote more than 100 bytes to standard output and was killed"),
])
def test_lines_fail(muster, server, marker, command, words):
    timeout = "0.5s" if "longer" in words else "30s"
    done = muster("fetch", *[server().url()] * 3, "--process-timeout", timeout, "--process-max-output", "100",
                  "--process-lines", "--process", command.replace("{marker}", marker))
    assert done.status == 1 and len(done.results) == 3
    for result in done.results:
        assert result["error"]["code"] == "process" and text_of(result) == words


def test_line_that_was_not_asked_for(muster, server):
    """It comes late: then it fails the next request, or stays to the end, where that is said."""
    s = server(lambda r: [0.3 * (r.n - 1), ok()])
    done = muster("fetch", "-c", "1", s.url(), s.url(), "--process", "while read -r line; do echo a; sleep 0.05; echo b; done", "--process-lines")
    assert [result["ok"] for result in done.results] == [True, False]
    assert text_of(done.results[1]) == "process: the command wrote a line without being given one, and was killed"
    s = server(lambda r: ok() if r.path == "/" else [1, "close"])
    done = muster("fetch", s.url(), s.url("/never"), "--process", "read -r line; echo a; sleep 0.1; echo b; cat", "--process-lines")
    assert done.results[0]["processed"] == "a" and "WARNING: --process-lines: the command wrote more lines than it was given" in done.stderr


def test_large_lines(muster, server, script):
    """Question and answer larger than any pipe, both at once."""
    s = server(lambda r: ok(b"x" * 3_000_000))
    echo = "import os\nwhile data := os.read(0, 5000):\n    os.write(1, data)"
    done = muster("fetch", *[s.url()] * 4, "--process", script(echo), "--process-lines", "--body", "none")
    assert done.status == 0
    for result in done.results:
        assert result["processed"]["n"] == result["n"] and len(result["processed"]["body"]) == 3_000_000


@pytest.mark.parametrize("command, least, most", [
    ("while read -r line; do echo 1; done; sleep 0.1; echo bye >>ended", 0, 2),
    ("trap 'echo term >>ended; exit' TERM; read -r line; echo 1; while :; do sleep 0.05; done", 2, 3),
    ("trap '' TERM; echo deaf >>ended; read -r line; echo 1; sleep {marker}", 3, 10),
])
def test_lines_end(muster, server, marker, tmp_path, command, least, most):
    """The end of its input, SIGTERM, SIGKILL."""
    start = time.monotonic()
    done = muster("fetch", server().url(), "--process", command.replace("{marker}", marker), "--process-lines")
    assert done.status == 0 and done.result["processed"] == 1
    assert least <= time.monotonic() - start < most + 5 and (tmp_path / "ended").exists()


# --- JSON ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [
    b'{"a": [1, 2, {"b": "c d\\n\\"\\\\"}], "a b" : null}', b"[]", b" 7 ", b'"text"', b"\r\n\ttrue\n", b'"\xc3\xbc \\u0000"', b"123456789012345678901234567890", b"1.10",
])
def test_json(muster, server, body):
    done = muster("fetch", server(lambda r: ok(body)).url(), "--parse-json")
    result = done.result
    assert done.status == 0 and result["json"] == json.loads(body) and not {"body", "body_base64", "processed"} & result.keys()
    if body.strip()[:1].isdigit():
        assert b'"json":' + body.strip() + b"," in done.stdout  # every digit


@pytest.mark.parametrize("body, words", [
    (b'{"a":1,\n "b":}', "line 2, column 6: "), (b"", "line 1, column 1: "), (b"[1] x", "line 1, column 5: "), (b'"\xff"', "line 1, column "), (b"{'a':1}", "line 1, column 2: "),
    (b"[" * 5000, "line 1, column "),
])
def test_not_json(muster, server, body, words):
    done = muster("fetch", server(lambda r: ok(body)).url(), "--parse-json")
    result = done.result
    assert done.status == 1 and result["error"]["code"] == "process" and text_of(result).startswith("process: the body is not JSON: " + words)
    assert "json" not in result and result["body_bytes"] == len(body) and ("body" in result) != ("body_base64" in result)


def test_json_and_more(muster, server):
    s = server(lambda r: ok(b'{"a": 1}' if r.path == "/" else b"no"))
    assert "json" not in fetch_one(muster, s.url(), "--parse-json", "--body", "none")
    result = fetch_one(muster, s.url(), "--parse-json", "--process", "cat")
    assert result["json"] == {"a": 1} and result["processed"] == '{"a": 1}'
    result = fetch_one(muster, s.url(), "--parse-json", "--process", "while read -r line; do echo \"$line\"; done", "--process-lines")
    assert result["json"] == {"a": 1} and result["processed"]["json"] == {"a": 1} and "body" not in result["processed"]
    assert result["processed"]["final_url"] == s.url("/") and result["processed"]["conn"]["id"] == 1
    assert text_of(fetch_one(muster, s.url("/no"), "--parse-json", "--process", "cat")).startswith("process: the body is not JSON")


# --- jq -----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def jq():
    done = subprocess.run([MUSTER, "fetch", "--jq", ".", "http://127.0.0.1:1/"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    if done.returncode == 2:
        assert b"built without libjq" in done.stderr
        pytest.skip("built without libjq")


@pytest.mark.parametrize("expression, expected", [
    (".a", 1), (".b[]", [2, 3]), (".b", [2, 3]), ("[.b[]|.*2]", [4, 6]), ("{x:.a}", {"x": 1}), ("empty", None), (".c", None), ('"\\(.a) \\u00fc"', "1 \u00fc"),
    ("first(inputs)", None), ("debug|.a", 1), ("halt", None),
    *[(program, {"a": 1, "b": [2, 3]}) for program in ("", " ", "# all of it", "# all of it\\", "def two: 2;")],
])
def test_jq(muster, server, jq, expression, expected):
    s = server(lambda r: ok(b'{"a": 1, "b": [2, 3]}'))
    done = muster("fetch", s.url(), s.url(), s.url(), "--jq", expression, "--process-workers", "2")
    assert done.status == 0
    for result in done.results:
        assert result.get("processed") == expected and result["body"] == '{"a": 1, "b": [2, 3]}'
        assert ("processed" in result) == (expression not in ("empty", "first(inputs)", "halt"))
    assert "body" not in fetch_one(muster, s.url(), "--jq", expression, "--body", "none")


@pytest.mark.parametrize("options, words", [
    (["--jq", ".a.b"], 'process: jq: Cannot index number with '), (["--jq", 'error("mine")'], "process: jq: mine"), (["--jq", "input"], "process: jq: "),
    (["--jq", ".a, error({b: 1})"], 'process: jq: {"b":1}'), (["--jq", '"gone"|halt_error'], "process: jq: gone"),
    (["--jq", "repeat(1)", "--process-max-output", "1k"], "process: jq: the output of the expression is larger than 1024 bytes"),
    (["--jq", "repeat(1)", "--process-timeout", "1ms"], "process: jq: the expression took longer than 0.001 s"),
])
def test_jq_fails(muster, server, jq, options, words):
    s = server(lambda r: ok(b'{"a": 1}'))
    done = muster("fetch", s.url(), s.url(), *options, "--process-workers", "1")
    assert done.status == 1 and all(text_of(result).startswith(words) and "processed" not in result for result in done.results)


def test_jq_wants_json(muster, server, jq):
    s = server(lambda r: ok(b"[1,\n2"))
    assert text_of(fetch_one(muster, s.url(), "--jq", ".")).startswith("process: the body is not JSON: line 2, column ")


def test_jq_and_json(muster, server, jq):
    result = fetch_one(muster, server(lambda r: ok(b"[1, 2]")).url(), "--jq", "add", "--parse-json")
    assert (result["processed"], result["json"]) == (3, [1, 2]) and "body" not in result


def test_jq_on_many_workers(muster, server, jq):
    s = server(lambda r: ok(json.dumps({"n": r.path, "list": list(range(1000))}).encode()))
    done = muster("fetch", *[s.url(f"/{n}") for n in range(300)], "--jq", "[.n, (.list|add)]", "--body", "none", "--process-workers", "8")
    assert done.status == 0 and {result["processed"][1] for result in done.results} == {499500}
    assert all(result["url"].endswith(result["processed"][0]) for result in done.results)


# --- usage --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options, words", [
    (["--process-lines"], "--process-lines needs a command: --process COMMAND"),
    (["--process", "cat", "--jq", "."], "--process and --jq exclude each other"),
    (["--process-timeout", "1s"], "--process-timeout and --process-max-output need --process or --jq"),
    (["--process", "cat", "--process-timeout", "soon"], "is not a duration"),
    (["--process", "cat", "--process-workers", "0"], "--process-workers: "),
    (["--process", "cat", "--process-workers", "2000"], "workers 2000 is above 1024"),
])
def test_usage(muster, options, words):
    done = muster("fetch", "http://127.0.0.1:1/", *options)
    assert (done.status, done.stdout) == (2, b"") and words in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("expression, words", [(".a |", "--jq: syntax error"), ("nonsense", "--jq: nonsense/0 is not defined"), ('import "x" as x; .', "--jq: module not found")])
def test_jq_usage(muster, jq, expression, words):
    done = muster("fetch", "http://127.0.0.1:1/", "--jq", expression)
    assert (done.status, done.stdout) == (2, b"") and words in done.stderr and done.stderr.count("\n") == 1


# --- the end ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [[], ["--process-lines"]])
def test_interrupt_while_commands_run(muster, server, marker, options):
    """What is in flight has its two seconds, then its commands are killed; each has its line."""
    s = server()
    process = muster.start("fetch", *[s.url()] * N, "--process", f"sleep {marker}", "--process-workers", "4", *options)
    wait_until(lambda: len(running(marker)) >= 4)
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    results = [json.loads(line) for line in stdout.splitlines()]
    assert process.returncode == 1 and len(results) == N and 1.9 < time.monotonic() - start < 20
    assert {result["error"]["code"] for result in results} == {"cancelled"}
    assert f"0 done, {N} cancelled" in stderr.decode()
    wait_until(lambda: not running(marker))  # they were killed; the last of them dies when it has a processor


def test_interrupt_lets_short_commands_finish(muster, server, tmp_path):
    s = server()
    process = muster.start("fetch", s.url(), s.url(), "--process", ": >>begun; sleep 0.5; echo done", "--process-workers", "2")
    wait_until((tmp_path / "begun").exists)
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    stdout, _ = process.communicate(timeout=60)
    assert [json.loads(line)["processed"] for line in stdout.splitlines()] == ["done\n"] * 2


@pytest.mark.parametrize("options", [[], ["--process-lines"]])
def test_second_interrupt_while_commands_run(muster, server, marker, options):
    s = server()
    process = muster.start("fetch", *[s.url()] * 4, "--process", f"sleep {marker} | sleep {marker}", "--process-workers", "2", *options)
    wait_until(lambda: len(running(marker)) >= 4)
    process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    wait_until(lambda: not running(marker))


def test_output_is_closed_while_commands_run(muster, server, marker):
    """Nobody reads any more: it does not wait for commands that nobody needs."""
    s = server()
    process = muster.start("fetch", s.url(), *[s.url()] * 6, "--process", f"[ $MUSTER_N -eq 1 ] || sleep {marker}", "--process-workers", "3")
    process.stdout.close()
    assert process.wait(20) == 3
    wait_until(lambda: not running(marker))


def test_reader_leaves_when_all_was_written(muster, server, marker):
    """The one result that there is was read: nothing is written from then on that would find out."""
    s = server()
    process = muster.start("fetch", *[s.url()] * 7, "--process", f"[ $MUSTER_N -eq 1 ] || sleep {marker}", "--process-workers", "3")
    assert json.loads(process.stdout.readline())["n"] == 1
    wait_until(lambda: running(marker))
    process.stdout.close()
    assert process.wait(PATIENCE / 2) == 3
    wait_until(lambda: not running(marker))


def test_inline_does_the_same(muster, lab):
    s = lab()
    run = muster("fetch", "--process-inline", "--parse-json", "--process", "wc -c", s.url("/json/500"), s.url("/plain"), s.url("/encoded/gzip/1M"))
    by_n = {result["n"]: result for result in run.results}
    assert by_n[1]["processed"].strip() == "500" and by_n[1]["phases_us"]["process"] > 0
    assert by_n[2]["error"]["code"] == by_n[3]["error"]["code"] == "process"


@pytest.mark.parametrize("arguments", [("--process", "sleep 20"), ("--process", "sleep 20", "--process-inline"),
                                       ("--process", "sleep 20; cat", "--process-lines"), ("--process", "sleep 20", "--deadline", "400ms")], ids=" ".join)
def test_max_time_covers_the_work(muster, server, arguments):
    s = server(lambda r: ok(b"{}"))
    began = time.monotonic()
    run = muster("fetch", *(() if "--deadline" in arguments else ("-m", "400ms")), *arguments, s.url())
    error = run.result["error"]
    assert error["code"] == "timeout" and error["stage"] == "process" and "processed" not in run.result
    assert f"{'deadline' if '--deadline' in arguments else 'total'} timeout of 0.4 s ran out in phase process" in error["text"]
    assert time.monotonic() - began < 15  # and the command was not waited for


def test_max_time_covers_decoding(muster, server):
    """Three gibibytes of zeros, which take seconds to decode: the worker leaves off."""
    body = gzip.compress(bytes(1 << 24)) * 192
    s = server(lambda r: ok(body, "Content-Encoding: gzip"))
    result = muster("fetch", "-m", "500ms", "--max-filesize", "8G", "--body", "none", "--process-workers", "1", s.url()).result
    assert result["error"]["code"] == "timeout" and "total timeout of 0.5 s ran out in " in result["error"]["text"]
    assert result["body_bytes"] < 192 << 24
