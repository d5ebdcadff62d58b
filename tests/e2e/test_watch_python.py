"""The hook in Python programs (watch/python): what it tells of each library, with the newest ones and those of Debian 12; and that the program does not notice it."""
import json
import socket
import subprocess
import threading

import pytest

from command import MUSTER, PATIENCE
from hook_log import AGAIN, HEAD_ONLY, REUSED, UNREAD
from hooked import PLAIN, both, python, run  # noqa: F401


# --- libraries ---


def test_aiohttp_tells_of_its_queue_and_its_reuse(lab, run, python):
    source = """import asyncio, sys, aiohttp
async def fetch(session, path):
    async with session.get(sys.argv[1] + path) as response:
        return len(await response.read())
async def main():
    connector = aiohttp.TCPConnector(limit=2)
    async with aiohttp.ClientSession(connector=connector) as session:
        print(sum(await asyncio.gather(*(fetch(session, "/bytes/1k") for _ in range(10)))))
        print(len(await asyncio.gather(*(session.get(sys.argv[1]) for _ in range(2)))))
asyncio.run(main())
"""
    log, = both(run, python, source, lab("--delay", "20ms").url("")).logs
    assert [row.name for row in log.library] == ["aiohttp"] and [row.name for row in log.loop] == ["asyncio"]
    client, = log.client
    assert (client.library, client.limit, client.per_host) == ("aiohttp", 2, 0) and log.line_of(client) in (6, 7)
    first = [row for row in log.request if log.line_of(row) == 3]
    assert len(first) == 10 and {row.status for row in first} == {200} and {log.site(row.site) for row in first} == {(3, "fetch")}
    assert sum(row.connecting > 0 for row in first) == 2 and sum(bool(row.flags & REUSED) for row in first) == 8
    waits = sorted(row.queued for row in first)
    assert waits[1] < 5e6 and waits[2] > 10e6 and waits[-1] > 60e6, waits
    assert all(row.end - row.start >= 20e6 for row in first)
    assert sum(log.line_of(row) == 9 for row in log.request) == 2  # made by that line, run by no frame of the program
    assert [(row.n, log.line_of(row)) for row in log.gather] == [(10, 8), (2, 9)]
    assert [row.id for row in getattr(log, "client-end")] == [client.id]


def test_urllib3_tells_which_tries_are_of_one_request(lab, run, python):
    """Tries that it makes by itself; not redirects, and not what the program asks for again."""
    source = """import sys, urllib3
from urllib3.util.retry import Retry
url, again = sys.argv[1], Retry(2, status_forcelist=[503], raise_on_status=False)
manager = urllib3.PoolManager()
print(manager.request("GET", url + "/status/503", retries=again).status)
print(manager.request("GET", url + "/status/503", retries=False).status)
print(manager.request("GET", url + "/redirect/1").status)
pool = urllib3.HTTPConnectionPool(url.split("/")[2].split(":")[0], int(url.split(":")[2]))
print(pool.request("GET", "/redirect/1", retries=again).status)
print(pool.request("GET", "/status/503", retries=again).status)
"""
    log, = both(run, python, source, lab().url("")).logs
    told = [(row.status, bool(row.flags & AGAIN)) for row in log.request]
    twice = [(503, False), (503, True), (503, True)]
    assert [again for _, again in told] == [again for _, again in twice + [(503, False)] + [(0, False)] * 4 + twice]
    assert [status for status, _ in told[:4]] == [503] * 4


def test_urllib3_waits_only_where_its_pool_does(lab, run, python):
    """What it takes to get a connection of a pool that does not block is no wait for the pool's limit."""
    source = """import sys, threading, time, urllib3
class Slow(urllib3.HTTPConnectionPool):
    def _new_conn(self):
        time.sleep(0.02)
        return super()._new_conn()
host, port = sys.argv[1].split("/")[2].split(":")
Slow(host, int(port)).request("GET", "/plain")
pool = urllib3.HTTPConnectionPool(host, int(port), maxsize=1, block=True)
threads = [threading.Thread(target=pool.request, args=("GET", "/delay/40ms")) for _ in range(2)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""
    log, = both(run, python, source, lab().url("")).logs
    slow, first, second = sorted(log.request, key=lambda row: row.end)
    assert slow.queued == 0 and first.queued == 0 and second.queued > 20e6


def test_tries_of_a_library_are_one_request_on_the_page(lab, python, tmp_path):
    script = tmp_path / "program.py"
    script.write_text("""import sys, requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry
with requests.Session() as session:
    session.mount("http://", HTTPAdapter(max_retries=Retry(2, status_forcelist=[503], raise_on_status=False)))
    print([session.get(sys.argv[1]).status_code for _ in range(3)])
""")
    done = subprocess.run([MUSTER, "watch", "--json", "-o", "-", "--", python, script, lab().url("/status/503")], capture_output=True, text=True, timeout=PATIENCE)
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["run"]["requests"], told["run"]["attempts"], told["run"]["retries"], told["run"]["answered_5xx"]) == (3, 9, 6, 3)


def test_aiohttp_asks_again_on_another_connection(python, tmp_path):
    """What was asked on a connection that the server had closed is one request with what is asked then."""
    script = tmp_path / "program.py"
    script.write_text("""import asyncio, sys, aiohttp
async def main():
    async with aiohttp.ClientSession() as session:
        for path in "ab":
            async with session.get(sys.argv[1] + path) as response:
                print(response.status, await response.text())
asyncio.run(main())
""")

    def serve(listener):
        for n_answers in (1, 1):
            peer = listener.accept()[0]
            for _ in range(n_answers):
                peer.recv(4096)
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
            peer.recv(4096)  # what comes then is not answered
            peer.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        done = subprocess.run([MUSTER, "watch", "--json", "-o", "-", "--", python, script, f"http://127.0.0.1:{listener.getsockname()[1]}/"],
                              capture_output=True, text=True, timeout=PATIENCE)
    lines = done.stdout.splitlines()
    if lines[:2] != ["200 hi", "200 hi"]:
        pytest.skip("this aiohttp does not ask again")
    told = json.loads(lines[-1])
    assert (told["run"]["requests"], told["run"]["attempts"], told["run"]["failed"]) == (2, 3, 0)


def test_aiohttp_tells_of_time_outs_and_of_what_was_not_read(lab, run, python):
    source = """import asyncio, sys, aiohttp
async def main():
    async with aiohttp.ClientSession() as session:
        response = await session.get(sys.argv[1] + "/bytes/2m", params={"delay": "1ms"})
        response.close()
        try:
            await session.get(sys.argv[1] + "/bytes/1?delay=5s", timeout=aiohttp.ClientTimeout(total=0.2))
        except asyncio.TimeoutError:
            print("late")
        try:
            await session.get("http://127.0.0.1:1/")
        except aiohttp.ClientConnectorError:
            print("refused")
asyncio.run(main())
"""
    log, = both(run, python, source, lab().url("")).logs
    unread, late, refused = log.request
    assert unread.flags & UNREAD and unread.url.endswith("/bytes/2m?delay=1ms")
    assert late.error == "TimeoutError" and late.status == 0 and [(log.line_of(row), row.held < 100e6) for row in log.timeout] == [(7, True)]
    assert "Connector" in refused.error and refused.status == 0


@pytest.mark.parametrize("way", ["asyncio.wait_for(get(3), 0.2)", "asyncio.wait_for(asyncio.gather(get(3), get(4)), 0.2)", "in_time(get(3))", "nested()"],
                         ids=["wait_for", "gather", "timeout", "nested"])
def test_time_outs_of_asyncio_are_told_from_cancelling(lab, run, python, way):
    source = """import asyncio, sys, aiohttp
async def main():
    async with aiohttp.ClientSession() as session:
        def get(n):
            return session.get(sys.argv[1] + "/bytes/%d?delay=5s" % n)
        async def in_time(request):
            try:
                from asyncio import timeout
            except ImportError:
                from async_timeout import timeout
            async with timeout(0.2):
                await request
        async def nested():
            async def inner():
                await asyncio.wait_for(get(3), 10)
            await asyncio.wait_for(inner(), 0.2)
        try:
            await WAY
        except asyncio.TimeoutError:
            print("late")
        unwanted = asyncio.ensure_future(get(9))
        await asyncio.sleep(0.1)
        unwanted.cancel()
        await asyncio.wait([unwanted])
asyncio.run(main())
""".replace("WAY", way)
    log, = both(run, python, source, lab().url("")).logs
    *late, unwanted = log.request
    assert len(late) == len(log.timeout) == 1 + ("gather" in way) and {row.error for row in late} == {"TimeoutError"}
    assert unwanted.error == "CancelledError"


def test_a_client_that_closes_each_connection_is_where_it_is_told_to(lab, run, python):
    source = """import asyncio, sys, aiohttp
async def main():
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session:
        for _ in range(3):
            async with session.get(sys.argv[1] + "/bytes/1k") as response:
                print(len(await response.read()))
asyncio.run(main())
"""
    log, = both(run, python, source, lab().url("")).logs
    assert [log.line_of(row) for row in log.client] == [3] and not any(row.flags & REUSED for row in log.request)


@pytest.mark.quiet  # whether they have a processor together is part of it
def test_threads_that_wait_for_the_lock(lab, run, python):
    source = """import sys, requests
from concurrent.futures import ThreadPoolExecutor
def work(text):
    n = 0
    for _ in range(800_000):
        n += len(text) % 3
    return n
def load(n):
    with requests.get(sys.argv[1] + "/bytes/1k") as response:
        return work(response.text)
with ThreadPoolExecutor(6) as pool:
    print(len(list(pool.map(load, range(60)))))
"""
    log, = both(run, python, source, lab("--delay", "5ms").url("")).logs
    runtime, = log.runtime
    assert (runtime.name, runtime.has_lock, runtime.switch) == ("cpython", 1, 5_000_000)
    rows = log.interpreter
    assert sum(row.n_asked for row in rows) > 20 and sum(row.n_taken for row in rows) > 10 and sum(row.waited for row in rows) > 0.3e9
    assert log.line_of(max(rows, key=lambda row: row.waited)) in (5, 6)


def test_threads_that_wait_for_answers_wait_for_no_lock(lab, run, python):
    source = """import sys, requests
from concurrent.futures import ThreadPoolExecutor
with requests.Session() as session, ThreadPoolExecutor(6) as pool:
    print(len(list(pool.map(lambda n: session.get(sys.argv[1] + "/bytes/1k").text, range(60)))))
"""
    log, = both(run, python, source, lab("--delay", "100ms").url("")).logs
    assert sum(row.waited for row in log.interpreter) < 0.3e9


def test_a_loop_of_uvloop_that_the_program_runs_itself(lab, run, python):
    source = """import asyncio, sys, time, aiohttp, uvloop
async def load(session):
    async with session.get(sys.argv[1] + "/bytes/1k") as response:
        await response.read()
        time.sleep(0.08)
async def main():
    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(load(session) for _ in range(10)))
        await asyncio.sleep(0.3)
        await session.get(sys.argv[1])
loop = uvloop.new_event_loop()
loop.run_until_complete(main())
print(asyncio._set_running_loop.__module__)
"""
    log, = both(run, python, source, lab().url("")).logs
    assert {row.name for row in log.loop} == {"uvloop"}
    assert sum(row.end - row.start for row in log.held) > 300e6 and {(log.line_of(row), row.name) for row in log.held if row.site} == {(5, "time.sleep")}
    assert all((log.site(row.caller) or (0, ""))[1] != "<module>" for row in log.request)


@pytest.mark.parametrize("kind", ["async", "sync"])
def test_httpx_tells_of_clients_and_requests(lab, run, python, kind):
    source = """import asyncio, sys, httpx
limits = httpx.Limits(max_connections=2, max_keepalive_connections=1)
async def fetch(client):
    return len((await client.get(sys.argv[1] + "/bytes/1k")).content)
async def main():
    async with httpx.AsyncClient(limits=limits) as client:
        print(sum(await asyncio.gather(*(fetch(client) for _ in range(6)))))
def sync():
    with httpx.Client(limits=limits) as client:
        for _ in range(3): client.get(sys.argv[1] + "/bytes/1k")
        with client.stream("GET", sys.argv[1] + "/bytes/2m") as response: pass
        try:
            client.get(sys.argv[1] + "/bytes/1?delay=5s", timeout=0.2)
        except httpx.ReadTimeout:
            print("late")
    print(httpx.get(sys.argv[1] + "/bytes/1").status_code)
asyncio.run(main()) if sys.argv[2] == "async" else sync()
"""
    log, = both(run, python, source, lab("--delay", "20ms").url(""), kind).logs
    assert "httpx" in [row.name for row in log.library]
    assert (log.client[0].limit, log.client[0].kept) == (2, 1)
    if kind == "async":
        assert len(log.request) == 6 and {log.site(row.site) for row in log.request} == {(4, "fetch")}
        assert sum(row.queued > 10e6 for row in log.request) >= 2, log.request
    else:
        assert [log.line_of(row) for row in log.request] == [10, 10, 10, 11, 13, 16]
        assert [bool(row.connecting) for row in log.request[:3]] == [True, False, False]
        assert log.request[3].flags & UNREAD and log.request[4].error == "ReadTimeout" and len(log.timeout) == 1
        assert [(row.limit, log.line_of(row)) for row in log.client] == [(2, 9), (100, 16)]


def test_httpx_waits_for_its_pool_in_more_than_one_place(lab, run, python):
    """Also for the lock of its pool, and again when others took the connection first: no more than the limit are ever under way."""
    source = """import asyncio, sys, httpx
async def main():
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=40, max_keepalive_connections=8), timeout=60) as client:
        print(len(await asyncio.gather(*(client.get(sys.argv[1] + "/bytes/1k") for _ in range(160)))))
asyncio.run(main())
"""
    log, = both(run, python, source, lab("--delay", "400ms").url("")).logs
    changes = sorted([(row.start + row.queued, 1) for row in log.request] + [(row.end, -1) for row in log.request])
    under_way, most = 0, 0
    for _, change in changes:
        under_way += change
        most = max(most, under_way)
    assert len(log.request) == 160 and most <= 44, most
    assert sum(row.queued > 300e6 for row in log.request) >= 110


def test_requests_tells_of_sessions_and_pools(lab, run, python):
    source = """import sys, requests, urllib3
from concurrent.futures import ThreadPoolExecutor
from requests.adapters import HTTPAdapter
session = requests.Session()
session.mount("http://", HTTPAdapter(pool_maxsize=3, pool_block=True))
def get(n):
    return len(session.get(sys.argv[1] + "/bytes/1k").content)
with ThreadPoolExecutor(6) as pool:
    print(sum(pool.map(get, range(12))))
for _ in range(2): requests.get(sys.argv[1] + "/bytes/1")
session.get(sys.argv[1] + "/bytes/2m", stream=True).close()
left = session.get(sys.argv[1] + "/bytes/2m", stream=True)
try:
    session.get(sys.argv[1] + "/bytes/1?delay=5s", timeout=0.2)
except requests.Timeout:
    print("late")
manager = urllib3.PoolManager()
for _ in range(2): print(manager.request("GET", sys.argv[1] + "/bytes/1").status)
"""
    log, = both(run, python, source, lab("--delay", "20ms").url("")).logs
    assert [row.name for row in log.library] == ["urllib3", "requests"]
    assert [(row.library, row.per_host, row.kept, log.line_of(row)) for row in log.client] == [
        ("requests", 3, 3, 4), ("requests", 0, 10, 10), ("requests", 0, 10, 10), ("urllib3", 0, 1, 17)]
    by_line = {line: [row for row in log.request if log.line_of(row) == line] for line in (7, 10, 11, 12, 14, 18)}
    assert {line: len(rows) for line, rows in by_line.items()} == {7: 12, 10: 2, 11: 1, 12: 1, 14: 1, 18: 2}
    assert sum(row.queued > 5e6 for row in by_line[7]) >= 3 and len({row.thread for row in by_line[7]}) > 1
    assert all(row.connecting for row in by_line[10]) and by_line[11][0].flags & UNREAD
    assert by_line[12][0].flags & (UNREAD | HEAD_ONLY) == UNREAD | HEAD_ONLY
    assert by_line[14][0].error == "ReadTimeoutError" and len(log.timeout) == 1
    assert [bool(row.flags & REUSED) for row in by_line[18]] == [False, True]
    pool, = [row for row in log.executor if row.kind == "other"]
    assert (pool.threads, pool.n) == (6, 12)


# --- Python's own, and that it does not notice ---


def test_http_client_and_urllib(lab, run):
    source = """import http.client, sys, urllib.request
for _ in range(2): print(len(urllib.request.urlopen(sys.argv[1] + "/bytes/1k").read()))
connection = http.client.HTTPConnection(sys.argv[1][7:])
for path in "/bytes/1", "/bytes/2m":
    connection.request("GET", path)
    response = connection.getresponse()
    print(response.status, len(response.read(1)))
response.close()
"""
    log, = both(run, PLAIN, source, lab().url("")).logs
    assert [(row.library, log.line_of(row)) for row in log.client] == [("urllib.request", 2), ("urllib.request", 2), ("http.client", 5)]
    assert [row.flags for row in log.request] == [0, 0, 0, REUSED | UNREAD] and {row.method for row in log.request} == {"GET"}


def test_certificates_that_are_loaded(run):
    log, = run(PLAIN, "import ssl\nfor _ in range(2):\n    ssl.create_default_context()\n").logs
    assert [log.line_of(row) for row in log.context] == [3, 3] and all(row.took > 0 for row in log.context)


FAILURES = {
    "aiohttp": "import asyncio, aiohttp\nasync def main():\n    async with aiohttp.ClientSession() as s:\n        await s.get('http://127.0.0.1:1/')\nasyncio.run(main())",
    "aiohttp-arguments": "import asyncio, aiohttp\nasync def main():\n    async with aiohttp.ClientSession() as s:\n        await s.get('http://127.0.0.1:1/', wrong=1)\nasyncio.run(main())",
    "httpx": "import httpx\nhttpx.get('http://127.0.0.1:1/')",
    "requests": "import requests\nrequests.get('http://127.0.0.1:1/')",
    "group": "import asyncio\nasync def f():\n    1 / 0\nasync def main():\n    await asyncio.gather(f(), f())\nasyncio.run(main())",
    "import": "import urllib3.none",
    "urllib": "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:1/')",
    "certificates": "import ssl\nssl.create_default_context(cafile='/none')",
    "semaphore": "import asyncio\nasyncio.Semaphore(-1)",
}


@pytest.mark.parametrize("name", FAILURES)
def test_tracebacks_stay_what_they_are(run, python, name):
    """But for the addresses of objects."""
    done = both(run, python, "id = hash = None\n" + FAILURES[name], variables={"PYTHONHASHSEED": "0", "PYTHONMALLOC": "default"}) if name not in ("requests", "httpx") else None
    if done is None:
        texts = [run(python, FAILURES[name], hook=hook, status=1).stderr for hook in (True, False)]
        lines = [[line.split("object at")[0] for line in text.splitlines()] for text in texts]
        assert lines[0] == lines[1]
    else:
        assert done.returncode == 1 and "muster" not in done.stderr


def test_the_programs_own_sitecustomize_runs(run, tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "sitecustomize.py").write_text("print('own', __name__)\nmine = 7\n")
    source = "import sys, sitecustomize\nprint(sitecustomize.mine, sitecustomize.__file__, [p for p in sys.path if 'watch' in p])"
    done = both(run, PLAIN, source, path=[tmp_path / "own"])
    assert done.stdout.startswith("own sitecustomize\n7 ") and done.logs


def test_a_sitecustomize_that_fails_fails_as_before(run, tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "sitecustomize.py").write_text("raise ValueError('own')\n")
    assert "ValueError: own" in both(run, PLAIN, "print(1)", path=[tmp_path / "own"]).stderr


def test_a_program_without_requests_has_hardly_any_module_more(run):
    """What is imported costs each process of the program, and there may be many."""
    source = "import sys; print(*set(sys.modules) - set(sys.builtin_module_names))"
    alone, watched = (set(done.stdout.split()) for done in (run(PLAIN, source, variables={"MUSTER_WATCH_HOOKS": "0"}), run(PLAIN, source)))
    more = watched - alone
    ours = {name for name in more if name.startswith("muster_watch")}
    assert more == ours and "muster_watch.log" in ours and not ours & {"muster_watch.holds", "muster_watch.locks", "muster_watch.cancels"}
    assert "threading" in alone or ours == {"muster_watch", "muster_watch.imports", "muster_watch.log"}


@pytest.mark.parametrize("option", ["-S", "-I", "-E"])
def test_no_hook_where_python_has_no_site(lab, run, option):
    done = both(run, PLAIN, "import sys, urllib.request\nprint(len(urllib.request.urlopen(sys.argv[1]).read()))", lab().url("/bytes/9"), options=[option])
    assert done.stdout == "9\n" and not done.logs


@pytest.mark.parametrize("variables", [{"MUSTER_WATCH": ""}, {"MUSTER_WATCH_HOOKS": "0"}, {"MUSTER_WATCH": "/nonexistent/folder"}])
def test_nothing_without_a_folder_or_when_unwanted(run, variables):
    source = "import sys, json, threading\nprint('muster_watch' in sys.modules, threading.active_count())"
    done = run(PLAIN, source, variables=variables)
    assert done.stderr == "" and not done.logs and done.stdout.endswith(" 1\n")


def test_children_that_fork_exec_and_leave_at_once(lab, run):
    source = """import os, sys, urllib.request, subprocess
def get():
    return len(urllib.request.urlopen(sys.argv[1] + "/bytes/9").read())
print(get(), flush=True)
if os.fork() == 0:
    print(get(), flush=True)
    os._exit(0)
os.wait()
if os.fork() == 0:
    get()
    os.execvp(sys.executable, [sys.executable, "-c", "print('another', flush=True)"])
os.wait()
print(get())
"""
    done = both(run, PLAIN, source, lab().url(""))
    assert sorted(len(log.request) for log in done.logs) == [0, 1, 1, 2]


def test_a_fork_beside_a_loop_is_not_warned_about(run, python):
    source = """import asyncio, os, warnings
warnings.simplefilter("error")
async def main():
    await asyncio.sleep(0.15)
    child = os.fork()
    if child == 0:
        os._exit(5)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
asyncio.run(main())
"""
    assert both(run, python, source).stdout == "5\n"


def test_a_hook_that_cannot_write_lets_the_program_be(lab, run, tmp_path):
    (tmp_path / "file").write_text("")
    source = "import sys, urllib.request\nprint(len(urllib.request.urlopen(sys.argv[1]).read()))"
    done = run(PLAIN, source, lab().url("/bytes/9"), variables={"MUSTER_WATCH": str(tmp_path / "file" / "none")})
    assert (done.stdout, done.stderr) == ("9\n", "")


def test_rows_are_bounded(run, tmp_path):
    source = """import sys
from muster_watch import log
log.MOST_ROWS = 10
for n in range(25):
    log.put(("loop", "a\\tb%"))
"""
    text = next(iter(run(PLAIN, source).logs), None)
    assert text is not None and len(text.loop) <= 10 and sum(row.n for row in text.lost) >= 15
    assert text.loop[0].name == "a%09b%25"


def test_a_folder_that_others_may_write_to_is_not_run_from(run, tmp_path):
    (tmp_path / "cache" / "muster" / "watch").mkdir(parents=True, mode=0o755)
    (tmp_path / "cache" / "muster" / "watch").chmod(0o777)
    source = "import asyncio\nasyncio.run(asyncio.sleep(0))\n"
    assert [row.name for row in both(run, PLAIN, source).logs[0].loop] == ["asyncio"]
    assert not list((tmp_path / "cache" / "muster" / "watch").iterdir())
    (tmp_path / "cache" / "muster" / "watch").chmod(0o700)
    for _ in range(2):
        assert [row.name for row in both(run, PLAIN, source).logs[0].loop] == ["asyncio"]
    assert list((tmp_path / "cache" / "muster" / "watch").glob("injected-*"))
