"""The hook in Node programs (watch/node): what it tells of fetch, http and what is waited for together; and that the program does not notice it."""
import os
import shutil
import subprocess
import sys
import tempfile

import pytest

from command import PATIENCE, ROOT
from hook_log import REUSED, UNREAD, logs

sys.path.insert(0, str(ROOT))

from ground.programs.libraries import Libraries, folder_of  # noqa: E402

NODE = shutil.which("node") or shutil.which("nodejs")
HOOK = ROOT / "watch" / "node" / "hook.js"

pytestmark = pytest.mark.skipif(NODE is None, reason="Node is not here (Debian: nodejs)")


@pytest.fixture
def run(tmp_path):
    def run(source, *args, hook=True, name="program.js", variables=None):
        script = tmp_path / name
        script.write_text(source)
        folder = tempfile.mkdtemp(dir=tmp_path)
        env = {name: value for name, value in os.environ.items() if not name.startswith(("NODE_", "MUSTER_WATCH"))}
        if hook:
            env.update(MUSTER_WATCH=folder, NODE_OPTIONS=f"--require {HOOK}")
        env.update(variables or {})
        done = subprocess.run([NODE, script, *args], env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=PATIENCE)
        done.logs = logs(folder)
        return done

    return run


@pytest.fixture(scope="module")
def undici(tmp_path_factory):
    """What Node needs to find undici, which is no part of it."""
    libraries = Libraries(folder_of(os.environ.get("WATCH_LIBRARIES"), tmp_path_factory.mktemp("watch")), "newest")
    reason = libraries.reason("undici")
    if reason:
        pytest.skip(reason)
    return libraries.environment()


def both(run, source, *args, status=0, **named):
    """Its output and status are the same with the hook; what is answered is its log."""
    without = run(source, *args, hook=False, **named)
    done = run(source, *args, **named)
    assert (done.returncode, done.stdout, done.stderr) == (without.returncode, without.stdout, without.stderr)
    assert done.returncode == status, done.stderr
    log, = done.logs
    return log


def test_fetch(lab, run):
    source = """const u = process.argv[2];
async function one() {
        return (await (await fetch(u + '/bytes/1k')).text()).length;
}
async function main() {
        console.log(await Promise.all([1, 2, 3, 4].map(one)));
        for (let i = 0; i < 2; i++)
                await one();
        const r = await fetch(u + '/bytes/2m');
        await r.body.cancel();
        try { await fetch(u + '/bytes/1?delay=5s', { signal: AbortSignal.timeout(200) }); } catch (e) { console.log(e.name); }
}
main();
"""
    log = both(run, source, lab("--delay", "10ms").url(""))
    assert [row.name for row in log.library] == ["undici"] and [row.name for row in log.loop] == ["libuv"]
    ones = [row for row in log.request if log.line_of(row) == 3]
    assert len(ones) == 6 and {row.status for row in ones} == {200} and {row.url for row in ones} == {log.request[0].url}
    assert 4 <= sum(row.connecting > 0 for row in ones) < 6 and any(row.flags & REUSED for row in ones)
    assert [(row.n, log.line_of(row)) for row in log.gather] == [(4, 6)]
    unread, = [row for row in log.request if log.line_of(row) == 9]
    assert unread.flags & UNREAD or unread.error
    late, = [row for row in log.request if log.line_of(row) == 11]
    assert late.error == "TimeoutError" and late.status == 0 and len(log.timeout) == 1


def test_http_and_the_queue_of_its_agent(lab, run):
    source = """const http = require('http');
const agent = new http.Agent({ keepAlive: true, maxSockets: 2 });
function get(path, agent) {
        return new Promise((ok, no) => http.get(process.argv[2] + path, { agent }, (r) => {
                r.resume().on('end', () => ok(r.statusCode));
        }).on('error', no));
}
async function main() {
        console.log(await Promise.all([1, 2, 3, 4, 5, 6].map(() => get('/bytes/1k', agent))));
        console.log(await get('/bytes/1', new http.Agent()));
        await new Promise((ok) => http.get(process.argv[2] + '/bytes/2m', (r) => { r.destroy(); ok(); }));
        await new Promise((ok) => http.get('http://127.0.0.1:1/').on('error', (e) => { console.log(e.code); ok(); }));
        agent.destroy();
}
main();
"""
    log = both(run, source, lab("--delay", "20ms").url(""))
    assert [(row.library, row.per_host, row.kept) for row in log.client][:2] == [("http.Agent", 2, 256), ("http.Agent", 0, 0)]
    queued = [row for row in log.request if log.line_of(row) == 4 and row.client == 1]
    waits = sorted(row.queued for row in queued)
    assert len(waits) == 6 and waits[:2] == [0, 0] and waits[2] > 10e6 and waits[-1] > 30e6, waits
    assert sum(row.connecting > 0 for row in queued) == 2
    unread, = [row for row in log.request if log.line_of(row) == 11]
    refused, = [row for row in log.request if log.line_of(row) == 12]
    assert unread.flags & UNREAD and refused.error == "ECONNREFUSED"
    assert [(row.n, log.line_of(row)) for row in log.gather] == [(6, 9)]


def test_undici_and_the_queue_of_its_pool(lab, run, undici):
    source = """const { Agent, Pool, request } = require('undici');
const u = process.argv[2];
const agent = new Agent({ connections: 2 });
const pool = new Pool(u, { connections: 1 });
async function get(path, options) {
        const { statusCode, body } = await request(u + path, options);
        await body.arrayBuffer();
        return statusCode;
}
async function main() {
        console.log(await Promise.all([1, 2, 3, 4, 5, 6].map((n) => get('/bytes/1k?n=' + n, { dispatcher: agent }))));
        console.log(await Promise.all([1, 2].map(() => get('/bytes/1', { dispatcher: pool }))));
        console.log(await get('/redirect/1?to=/bytes/1', { dispatcher: agent, maxRedirections: 2 }), await get('/bytes/1'));
        await agent.close();
        await pool.close();
}
main();
"""
    log = both(run, source, lab("--delay", "20ms").url(""), variables=undici)
    own, of_pool, default = log.client
    assert [(row.library, row.per_host, row.kept, log.line_of(row)) for row in log.client] == [("undici", 2, 2, 3), ("undici", 1, 1, 4), ("undici", 0, 0, 1)]
    first = [row for row in log.request if row.client == own.id][:6]
    waits = sorted(row.queued for row in first)
    assert {log.line_of(row) for row in log.request} == {6} and sum(row.connecting > 0 for row in first) == 2
    assert all(row.queued > 15e6 for row in first if row.flags & REUSED) and waits[-1] > 35e6, waits
    assert sorted(row.queued > 15e6 for row in log.request if row.client == of_pool.id) == [False, True]
    redirect, target = [row for row in log.request if row.client == own.id][6:]
    assert (redirect.status, target.status) == (302, 200) and target.start >= redirect.end - 5e6


@pytest.mark.parametrize("name, source", [
    ("imported.mjs", "import { get } from 'node:http'; get(process.argv[2] + '/bytes/9', (r) => r.resume().on('end', () => console.log(r.statusCode)));"),
    ("https_first.js", "require('https'); require('http').get(process.argv[2] + '/bytes/9', (r) => r.resume().on('end', () => console.log(r.statusCode)));"),
    ("own_agent.js", "const h = require('http'); class A extends h.Agent { addRequest(...a) { return super.addRequest(...a); } } "
                     "h.get(process.argv[2] + '/bytes/9', { agent: new A() }, (r) => r.resume().on('end', () => console.log(r.statusCode)));"),
    ("after_fetch.js", "fetch(process.argv[2] + '/bytes/9').then((r) => r.text()).then(() => require('http').get(process.argv[2] + '/bytes/9', (r) => r.resume()));"),
])
def test_http_however_it_is_loaded(lab, run, name, source):
    log = both(run, source, lab().url(""), name=name)
    request, = [row for row in log.request if log.client[row.client - 1].library.startswith("http.")]
    assert request.status == 200 and request.connecting > 0 and log.line_of(request) == 1


def test_http_that_was_loaded_before(lab, run, tmp_path):
    before = tmp_path / "before.js"
    before.write_text("require('http').globalAgent.maxSockets = 3;")
    source = "require('http').get(process.argv[2] + '/bytes/9', (r) => r.resume().on('end', () => console.log(r.statusCode)));"
    log = both(run, source, lab().url(""), variables={"NODE_OPTIONS": f'--require "{before}" --require {HOOK}'})
    assert [(row.library, row.per_host) for row in log.client] == [("http.globalAgent", 3)] and [row.status for row in log.request] == [200]


def test_more_requests_than_one_batch_of_rows(lab, run):
    source = """const http = require('http');
const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
const get = (path) => new Promise((ok) => http.get(process.argv[2] + path, { agent }, (r) => r.resume().on('end', () => ok(r.statusCode))).on('error', (e) => ok(e.code)));
async function main() {
        const all = await Promise.all(Array.from({ length: 90 }, (_, i) => get(`/bytes/1?${i}=${'x'.repeat(2000 + i)}`)));
        console.log(all.filter((status) => status === 200).length);
        console.log(await get('/bytes/1?\u00e9%09'));
        await get('/' + 'x'.repeat(60000));
        agent.destroy();
}
main();
"""
    log = both(run, source, lab().url(""))
    paths = [row.url.split("/", 3)[3] for row in log.request]
    assert sorted(paths[:90]) == sorted(f"bytes/1?{i}={'x' * (2000 + i)}" for i in range(90))
    assert paths[90:] == ["bytes/1?%C3%A9%09", "x" * 60000]
    assert {(row.method, row.error, log.line_of(row)) for row in log.request[:91]} == {("GET", "", 3)}


CALLS = """const crypto = require('crypto');
const { execFileSync } = require('child_process');
function count() {
        let n = 0;
        for (let i = 0; i < 3e7; i++)
                n += i % 7;
        return n;
}
function key(data) {
        return crypto.pbkdf2Sync(data, 'salt', 200000, 32, 'sha256');
}
const run = () => execFileSync('sleep', ['0.04']);
const parse = () => {
        const text = '[' + '1,'.repeat(3e6) + '1]';
        return JSON.parse(text).length;
};
"""
HELD = CALLS + """async function one() {
        await (await fetch(process.argv[2] + '/bytes/1?delay=20ms')).text();
        return CALL;
}
Promise.all(Array.from({ length: 12 }, one)).then((all) => console.log(all.length));
"""


@pytest.mark.parametrize("call, lines, name", [
    ("count()", (5, 6), "count"), ("key('a')", (10,), "crypto.pbkdf2Sync"), ("run()", (12,), "execFileSync"), ("parse()", (14, 15), "JSON.parse"),
], ids=["line", "native", "process", "builtin"])
def test_a_loop_that_is_held_beside_requests(lab, run, call, lines, name):
    log = both(run, HELD.replace("CALL", call), lab().url(""))
    most = max(log.held, key=lambda row: row.end - row.start)
    at, = [row for row in getattr(log, "held-at") if row.start == most.start]
    assert 200e6 < most.end - most.start and (name == "execFileSync" or most.cpu > 50e6)
    assert log.line_of(at) in lines and at.line_share > 40
    assert at.name in (name, "repeat", "1,.repeat") if name == "JSON.parse" else at.name == name


@pytest.mark.parametrize("name, source, status", [
    ("an.mjs", "const r = await fetch(process.argv[2] + '/bytes/9'); console.log((await r.text()).length);", 0),
    ("thrown.js", "fetch(process.argv[2] + '/bytes/9').then((r) => { throw new Error('of the program'); });", 1),
    ("exit.js", "require('http').get(process.argv[2] + '/bytes/9', () => process.exit(7));", 7),
    ("invalid.js", "fetch('nothing');", 1),
    ("unhandled.js", "require('http').get('http://127.0.0.1:1/');", 1),
    ("names.js", "console.log(Promise.all.name, Promise.all.length, fetch.name, Object.keys(Promise), require('http').Agent.prototype.addRequest.length);", 0),
    ("unheard.js", "const r = require('http').get(process.argv[2] + '/bytes/1m'); r.on('close', () => console.log('closed', r.listenerCount('response')));", 0),
    ("loads.js", "console.log(process.moduleLoadList.filter((name) => /http|inspector|undici/.test(name)));", 0),
    ("symbols.js", "const r = require('http').get(process.argv[2] + '/bytes/9', (m) => m.resume().on('end', () => console.log(Object.getOwnPropertySymbols(r))));", 0),
    ("emitter.js", "const r = require('http').get(process.argv[2] + '/bytes/9', (m) => m.resume()); r.on('close', () => console.log('closed'));", 0),
])
def test_the_program_does_not_notice(lab, run, name, source, status):
    both(run, source, lab().url(""), name=name, status=status)


def test_workers_have_logs_of_their_own(lab, run):
    source = """const { Worker, isMainThread, workerData } = require('worker_threads');
const u = isMainThread ? process.argv[2] : workerData;
fetch(u + '/bytes/9').then((r) => r.text()).then((t) => { console.log(t.length); if (isMainThread) new Worker(__filename, { workerData: u }); });
"""
    done = run(source, lab().url(""))
    assert done.stdout == "9\n9\n" and done.stderr == ""
    assert [len(log.request) for log in done.logs] == [1, 1] and len({log.request[0].thread for log in done.logs}) == 2


@pytest.mark.parametrize("variables", [{"MUSTER_WATCH": ""}, {"MUSTER_WATCH_HOOKS": "0"}, {"MUSTER_WATCH": "/nonexistent/folder"}])
def test_nothing_without_a_folder_or_when_unwanted(lab, run, variables):
    done = run("fetch(process.argv[2]).then((r) => console.log(r.status))", lab().url("/"), variables=variables)
    assert (done.stdout, done.stderr, done.logs) == ("200\n", "", [])
