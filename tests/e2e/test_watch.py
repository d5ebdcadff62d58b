"""`muster watch`: what it says of programs, against the lab; and two programs side by side."""
import json
import os
import sqlite3
import subprocess
import sys

import pytest
from command import MUSTER, PATIENCE
from test_watch_program import watch

SEQUENTIAL = """
import http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
for _ in range(int(sys.argv[2])):
    connection.request("GET", "/delay/10ms")
    connection.getresponse().read()
"""

THREADS = """
import concurrent.futures, http.client, sys, threading
local = threading.local()
def ask(_):
    if not hasattr(local, "connection"):
        local.connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
    local.connection.request("GET", "/delay/10ms")
    local.connection.getresponse().read()
with concurrent.futures.ThreadPoolExecutor(16) as pool:
    list(pool.map(ask, range(int(sys.argv[2]))))
"""

AIOHTTP = """import aiohttp, asyncio, sys
async def main():
    async with aiohttp.ClientSession() as session:
        for _ in range(40):
            async with session.get(sys.argv[1]) as response:
                await response.text()
asyncio.run(main())
"""

POSTS = """
import http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
for method, body in (("GET", None), ("POST", b"x"), ("GET", None), ("DELETE", None), ("HEAD", None)):
    connection.request(method, "/plain", body)
    connection.getresponse().read()
"""


@pytest.fixture
def script(tmp_path):
    """script(name, text): the path of a Python script."""
    def write(name, text):
        path = tmp_path / name
        path.write_text(text)
        return path
    return write


def watched(*arguments):
    """The object, and the run."""
    done = watch("--json", "-o", "-", *arguments)
    return json.loads(done.stdout.splitlines()[-1]), done


# --- what it says -------------------------------------------------------------------------------------------------------


def test_one_after_another_in_python(lab, script):
    served = lab()
    path = script("sync.py", SEQUENTIAL)
    told, done = watched("--", sys.executable, path, served.port(), 40)
    assert done.returncode == 0
    assert told["run"]["requests"] == 40 and told["run"]["connections"] == 1 and told["run"]["failed"] == 0
    assert told["run"]["wall_ns"] == sum(told["chain"].values()) == sum(told["shares"].values())
    assert told["run"]["mean_in_flight"] == pytest.approx(1, abs=0.1)
    (process,) = [one for one in told["watched"]["processes"] if one["requests"]]
    assert process["requests"] == 40 and str(path) in process["command"] and process["language"].startswith("Python 3.")
    assert told["program"]["command"] == [sys.executable, str(path), str(served.port()), "40"]
    assert told["program"]["status"] == 0 and told["program"]["signal"] is None and told["program"]["unseen"] is None


def test_aiohttp_by_line(lab, script):
    python = os.environ.get("MUSTER_WATCHED_PYTHON", sys.executable)
    if subprocess.run([python, "-c", "import aiohttp"], capture_output=True).returncode:
        pytest.skip("there is no aiohttp; MUSTER_WATCHED_PYTHON names an interpreter that has it")
    path = script("loop.py", AIOHTTP)
    told, _ = watched("--", python, path, lab().url("/delay/20ms"))
    (process,) = [one for one in told["watched"]["processes"] if one["requests"]]
    assert "aiohttp" in process["libraries"] and process["loop"] == "asyncio" and told["watched"]["clients"] == 1
    first = told["findings"][0]
    assert first["file"] == str(path) and first["line"] == 5 and first["function"] == "main"
    assert "gather" in first["remedy"] and "loop.py:5" in told["verdict"]
    done = watch("--no-hooks", "--", python, path, lab().url("/delay/20ms"))
    assert b"40 to 1 host" in done.stderr and b"loop.py:5" not in done.stderr


def test_the_page_stands_behind_the_output(lab, script):
    path = script("sync.py", SEQUENTIAL + "print('done')\nprint('warned', file=sys.stderr)\nsys.exit(3)\n")
    done = watch("--", sys.executable, path, lab().port(), 10)
    assert done.returncode == 3 and done.stdout == b"done\n"
    page = done.stderr.decode()
    assert page.startswith("warned\n\nmuster watch: ") and "ended with status 3" in " ".join(page.split())
    assert "10 to 1 host" in page and "Python 3." in page and "1.0 in flight on average, 1 at most" in page


def test_page_to_a_file(lab, script, tmp_path):
    page = tmp_path / "page.txt"
    path = script("sync.py", SEQUENTIAL)
    for _ in range(2):
        done = watch("--force", "-o", page, "--", sys.executable, path, lab().port(), 5)
        assert done.returncode == 0 and done.stderr == b"" and done.stdout == b""
    assert page.read_text().count("muster watch: ") == 1


def test_curl(lab):
    served = lab()
    told, done = watched("--", "curl", "-s", served.url("/bytes/10"), served.url("/status/404"))
    assert done.returncode == 0
    assert told["run"]["requests"] == 2 and told["run"]["answered_4xx"] == 1 and told["run"]["connections"] == 1


def test_a_shell_and_its_children(lab, script):
    path = script("sync.py", SEQUENTIAL)
    told, _ = watched("--", "sh", "-c", f'"{sys.executable}" {path} "$0" 3 & "{sys.executable}" {path} "$0" 4; wait', lab().port())
    assert told["run"]["requests"] == 7
    assert sorted(one["requests"] for one in told["watched"]["processes"] if one["requests"]) == [3, 4]
    assert told["run"]["complete"]  # though a shell leaves by _exit(), and no end in its log


def test_a_program_that_crashes_is_told_of(lab, script):
    path = script("crash.py", SEQUENTIAL + "import os\nos.abort()\n")
    told, done = watched("--", sys.executable, path, lab().port(), 5)
    assert done.returncode == 134 and told["program"]["signal"] == "ABRT" and told["run"]["requests"] == 5


def test_a_program_that_is_interrupted_is_told_of(lab, script):
    path = script("long.py", SEQUENTIAL)
    told, done = watched("--for", "1s", "--", sys.executable, path, lab().port(), 100000)
    assert done.returncode == 130 and told["program"]["told_to_end"] and told["run"]["requests"] >= 10
    told, _ = watched("--for", "1s", "--", "sh", "-c", f'trap "" INT; "{sys.executable}" {path} "$0" 100000; true', lab().port())
    assert not told["run"]["complete"]


def test_nothing_was_asked_for():
    told, done = watched("--", "true")
    assert done.returncode == 0 and told["run"] is None and told["findings"] == [] and told["watched"] is None
    assert "no HTTP request" in told["verdict"]
    assert b"no HTTP request" in watch("--", "true").stderr


def test_static_programs_without_connections(tmp_path):
    (tmp_path / "a.c").write_text("int main(void) { return 4; }")
    if subprocess.run(["cc", "-static", "-o", tmp_path / "a", tmp_path / "a.c"], capture_output=True).returncode:
        pytest.skip("no compiler, or no static C library")
    told, done = watched("--", tmp_path / "a")
    assert done.returncode == 4 and "statically" in told["program"]["unseen"] and "opened no connection" in told["verdict"]
    script = tmp_path / "a.sh"
    script.write_text(f"#!{tmp_path / 'a'}\n")
    script.chmod(0o755)
    assert "statically" in watched("--", script)[0]["program"]["unseen"]


@pytest.mark.skipif(os.getuid() == 0, reason="root has no more rights to get")
def test_programs_with_more_rights_cannot_be_seen():
    told, _ = watched("--", "su", "--version")
    assert "more rights" in told["program"]["unseen"]


# --- the record ---------------------------------------------------------------------------------------------------------


def test_the_record_is_explained_alike(lab, script, tmp_path):
    record = tmp_path / "run.db"
    told, _ = watched("--record", record, "--", sys.executable, script("sync.py", SEQUENTIAL), lab().port(), 20)
    later = json.loads(subprocess.run([MUSTER, "explain", "--json", record], capture_output=True, timeout=PATIENCE, check=True).stdout)
    for member in ("verdict", "run", "chain", "shares", "findings", "watched"):
        assert later[member] == told[member], member
    with sqlite3.connect(record) as db:
        assert db.execute("SELECT count(*) FROM attempt").fetchone() == (20,)


def test_only_the_record(lab, script, tmp_path):
    record = tmp_path / "run.db"
    done = watch("-s", "--record", record, "--", sys.executable, script("sync.py", SEQUENTIAL), lab().port(), 5)
    assert done.returncode == 0 and done.stdout == done.stderr == b"" and record.exists()


# --- proofs -------------------------------------------------------------------------------------------------------------


def test_replay(lab, script):
    served = lab()
    told, _ = watched("--replay", "--", sys.executable, script("sync.py", SEQUENTIAL), served.port(), 50)
    replay = told["replay"]
    assert replay["requests"] == 50 and replay["left_out"] == replay["failed"] == 0 and replay["rounds"] == 3
    assert replay["median_s"] < replay["program_s"] / 2
    assert served.stats()["requests"] == 50 + 3 * 50


def test_replay_repeats_nothing_that_changes_something(lab, script):
    served = lab()
    told, _ = watched("--replay", "--", sys.executable, script("posts.py", POSTS), served.port())
    assert told["run"]["requests"] == 5 and told["replay"]["requests"] == 3 and told["replay"]["left_out"] == 2


def test_confirm(lab, script):
    port = lab().port()
    slow, fast = script("sync.py", SEQUENTIAL), script("threads.py", THREADS)
    told, done = watched("--confirm", f"{sys.executable} {fast} {port} 100", "--", sys.executable, slow, port, 100)
    before, after = told["changed"]["before"], told["changed"]["after"]
    assert before["requests"] == after["requests"] == 100 and before["in_flight_most"] == 1 and after["in_flight_most"] > 8
    assert after["requests_ns"] < before["requests_ns"] / 2 and "nothing is proven" not in told["changed"]["conclusion"]
    page = watch("--confirm", f"{sys.executable} {slow} {port} 90", "--", sys.executable, slow, port, 100).stderr.decode()
    assert "After the change" in page and "nothing is proven" in page  # it did less


# --- two programs -------------------------------------------------------------------------------------------------------


def pair(*arguments, status=0):
    done = subprocess.run([MUSTER, "compare", "--watch", *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)
    assert done.returncode == status, done.stderr
    return done


def test_two_programs(lab, script):
    port = lab().port()
    slow, fast = (f"{sys.executable} {script(name, text)} {port} 60" for name, text in (("sync.py", SEQUENTIAL), ("threads.py", THREADS)))
    told = json.loads(pair("--json", slow, fast).stdout)
    a, b = told["programs"]
    assert told["rounds"] == 6 and told["complete"] and len(a["walls_ns"]) == 6
    assert a["requests"] == b["requests"] == 60 and a["in_flight"] == pytest.approx(1, abs=0.1) and b["in_flight"] > 4
    assert a["connections"] == 1 and b["connections"] > 8
    assert told["b_to_a"]["low"] <= told["b_to_a"]["median"] <= told["b_to_a"]["high"]
    words = " ".join(told["words"])
    assert "in flight" in words
    table = pair(slow, fast).stdout
    assert "in flight, mean" in table and "B " in table and slow.split()[1] in table


def test_two_that_are_the_same(lab, script):
    command = f"{sys.executable} {script('sync.py', SEQUENTIAL)} {lab().port()} 20"
    told = json.loads(pair("--json", command, command).stdout)
    assert told["b_to_a"]["low"] <= 1.1 and told["b_to_a"]["high"] >= 0.9


def test_two_that_end_badly(lab):
    told = json.loads(pair("--json", "exit 3", "true", status=1).stdout)
    assert told["programs"][0]["status"] == 3 and any("status 3" in line for line in told["words"])


def test_whether_they_do_the_same(lab, tmp_path):
    """What they ask for and print is compared; not its order, and not where a program differs from itself."""
    served = lab()

    def program(name, text):
        (tmp_path / name).write_text("import random, urllib.request\ndef get(path):\n    return urllib.request.urlopen('%s' + path).status\n" % served.url("") + text)
        return f"{sys.executable} {tmp_path / name}"

    def told(a, b):
        object = json.loads(pair("--json", a, b).stdout)
        return object["same_requests"], object["same_output"], " ".join(object["words"])

    one = program("one.py", "for i in range(3): print(i, get(f'/bytes/{i + 1}'))\n")
    back = program("back.py", "for i in reversed(range(3)): print(i, get(f'/bytes/{i + 1}'))\n")
    requests, output, words = told(one, back)
    assert requests is True and output is True and "They make the same requests and print the same." in words

    other = program("other.py", "for i in (0, 1, 7): get(f'/bytes/{i + 1}')\nprint('done')\n")
    requests, output, words = told(one, other)
    assert requests is False and output is False and "They do not ask for the same URLs." in words and "They do not print the same" in words
    assert "Only A has 1 request: " in words and "/bytes/3" in words and "Only B has 1 request: " in words and "/bytes/8" in words
    assert "Only A has 3 lines: 0 200 and others" in words and "Only B has 1 line: done" in words

    chance = program("chance.py", "print(random.random(), get(f'/bytes/{random.randint(1, 10**9) % 100000}'))\n")
    requests, output, words = told(chance, chance)
    assert requests is None and output is None and "differs from run to run" in words


def test_output_that_is_long_or_late(tmp_path):
    """All of it is counted, a part kept, and who is left behind may go on to write."""
    long = "head -c 3000000 /dev/zero | tr '\\0' x"
    told = json.loads(pair("--json", long, long + "; echo more").stdout)
    assert told["same_output"] is False
    over = tmp_path / "over"
    late = f"(sleep 1; echo late && touch {over}) & echo early"
    assert json.loads(pair("--json", late, late).stdout)["same_output"] is not False


@pytest.mark.parametrize("arguments, words", [
    ([], "needs two programs"), (["a"], "needs two programs"), (["a", "b", "c"], "third program"), (["--rounds", "7", "a", "b"], "odd"),
    (["--rounds", "2", "a", "b"], "not a number from 6"), (["--threads", "4", "a", "b"], "unknown option"),
])
def test_wrong_pairs(arguments, words):
    assert words in pair(*arguments, status=2).stderr


def test_a_pair_that_is_not_there():
    assert "cannot run" in pair("no-such-command", "true", status=3).stderr
