"""A watched program ends as it does unwatched: same output, same errors, same exit status, whatever it does to itself.

Programs in Python and Node that do what watching could disturb, and shell lines; those of ground/programs are compared by script/calibrate --ground programs.
Each is run as it is, with the shim and the hooks in its environment, and by muster watch.
"""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from command import MUSTER, PATIENCE, ROOT
from folders import open_to_others

SHIM = Path(MUSTER).parent / "watch" / "shim" / "libmuster-watch.so"
PYTHON = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable
NODE = shutil.which("node")
HAS_COMMAND = subprocess.run([MUSTER, "watch", "--help"], stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE).returncode == 0
WAYS = ["parts", pytest.param("command", marks=pytest.mark.skipif(not HAS_COMMAND, reason="the command has no watch"))]

pytestmark = pytest.mark.skipif(not SHIM.exists(), reason="there is no shim beside the command")

# --- what the programs do ---

# Begins each program of Python: get(n) makes a request on a connection of its own, or on that one.
GET = """
import http.client, os, signal, socket, sys, threading, time
def get(n=0, connection=None):
    made = connection or http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=20)
    made.request("GET", f"/bytes/1k?n={n}")
    response = made.getresponse()
    answer = response.status, len(response.read())
    if not connection:
        made.close()
    return answer
"""

PROGRAMS = {
    "healthy": "print(get())",
    "exit-7": "print(get()); sys.exit(7)",
    "exit-text": "get(); sys.exit('that is wrong')",
    "exit-at-once": "print(get(), flush=True); os._exit(3)",
    # When it is taken apart: a thread that woke up in that would crash it now and then.
    "threads-at-the-end": """
class End:
    def __del__(self, threads=os.listdir, write=os.write):
        write(1, b"%d threads" % len(threads("/proc/self/task")))
sys.kept_to_the_end = End()
print(get(), flush=True)
""",
    "abort": "print(get(), flush=True); os.abort()",
    "segfault": "import ctypes; print(get(), flush=True); ctypes.string_at(0)",
    "exception": "get(); raise ValueError('of the program')",
    "exception-in-thread": "thread = threading.Thread(target=lambda: [get(), 1 / 0]); thread.start(); thread.join(); print('on')",
    "killed": "get(); os.kill(os.getpid(), signal.SIGKILL)",
    "terminated": "get(); os.kill(os.getpid(), signal.SIGTERM)",
    "interrupted": "get(); signal.raise_signal(signal.SIGINT)",
    "fork": """
for n in range(4):
    if os.fork() == 0:
        print(n, get(n), flush=True)
        os._exit(n)
    print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
print(get())
""",
    "fork-with-threads": """
import warnings
warnings.simplefilter('ignore')  # newer ones say that this may not end, with a process's number
get()  # imports what it needs: a child would wait for ever for an import that another thread was in
threads = [threading.Thread(target=lambda: [get(n) for n in range(30)]) for _ in range(3)]
[thread.start() for thread in threads]
for n in range(8):
    child = os.fork()
    if child == 0:
        os._exit(get(n)[0] - 200)
    assert os.waitpid(child, 0)[1] == 0
[thread.join() for thread in threads]
print('over')
""",
    "exec": "print(get(), flush=True); os.execv(sys.executable, [sys.executable, '-c', 'import sys; print(sys.argv[1:]); sys.exit(5)', 'again'])",
    "exec-fails": """
try:
    os.execv('/no/such/program', ['x'])
except OSError as error:
    print(error)
print(get())
""",
    "exec-without-environment": "get(); os.execve('/bin/sh', ['sh', '-c', 'echo there; exit 4'], {})",
    "spawn": """
import subprocess
print(subprocess.run(['sh', '-c', 'echo out; echo err >&2; exit 6'], capture_output=True))
print(subprocess.run(['env'], env={'A': 'b'}, capture_output=True).stdout)
print(os.waitstatus_to_exitcode(os.waitpid(os.posix_spawn('/bin/true', ['true'], os.environ), 0)[1]))
print(get())
""",
    "processes": """
import concurrent.futures, multiprocessing
if __name__ == '__main__':
    for kind in ('fork', 'spawn', 'forkserver'):
        with concurrent.futures.ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(kind)) as pool:
            print(kind, list(pool.map(get, range(6))))
""",
    "daemon": """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for fd in range(3):
            os.close(fd)
        os.open('/dev/null', os.O_RDWR)
        get()
        time.sleep(0.2)
    os._exit(0)
print('daemon is there', os.waitstatus_to_exitcode(os.wait()[1]))
""",
    "descriptors-closed": """
connection = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]))
print(get(1, connection))
os.closerange(3, 100000)
print(os.open('/dev/null', os.O_RDONLY), socket.socket().fileno())
print([get(n) for n in range(3)])
""",
    "descriptors-all": """
print(sorted(int(name) for name in os.listdir('/proc/self/fd') if int(name) < 100))
os.closerange(0, 100000)
print('nobody sees that')
""",
    "descriptors-few": """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))
kept = []
try:
    while True:
        kept.append(socket.socket())
except OSError as error:
    print(len(kept), error)
kept.clear()
print(get())
""",
    "descriptors-replaced": """
end, other = socket.socketpair()
os.dup2(end.fileno(), 1)
os.write(1, b'into the pair')
print(other.recv(100), file=sys.stderr)
for fd in range(50, 60):
    os.dup2(2, fd)
print(get(), file=sys.stderr)
""",
    "sockets-10000": """
import resource
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
n = min(10000, hard - 200)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
listener = socket.create_server(('127.0.0.1', 0), backlog=4096)
pairs = []
for _ in range(n // 2):
    client = socket.create_connection(listener.getsockname())
    pairs.append((client, listener.accept()[0]))
for client, server in pairs:
    client.send(b'GET / HTTP/1.1\\r\\n\\r\\n')
print(sum(len(server.recv(100)) for _, server in pairs), len(pairs) == n // 2)
print(get())
""",
    "handlers": """
seen = []
for name in ('SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGPROF', 'SIGVTALRM', 'SIGSEGV', 'SIGIO', 'SIGPIPE', 'SIGTERM'):
    print(name, signal.getsignal(getattr(signal, name)))
    signal.signal(getattr(signal, name), lambda number, frame: seen.append(number))
for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGIO, signal.SIGTERM, signal.SIGSEGV):
    os.kill(os.getpid(), number)
    time.sleep(0.01)
print(sorted(seen), signal.pthread_sigmask(signal.SIG_BLOCK, []), get())
""",
    "timers": """
n = 0
def tick(number, frame):
    global n
    n += 1
signal.signal(signal.SIGALRM, tick)
signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
statuses = {get(i)[0] for i in range(60)}
while n < 20:
    time.sleep(0.001)
signal.setitimer(signal.ITIMER_REAL, 0)
print(statuses)
""",
    "children-signals": """
seen = []
def collect(*_):
    while len(seen) < 3:
        try:
            child, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            break  # the next one is still to be made
        if not child:
            break
        seen.append(status)
signal.signal(signal.SIGCHLD, collect)
for _ in range(3):
    if os.fork() == 0:
        os._exit(get()[0] == 200)
while len(seen) < 3:
    time.sleep(0.001)
print(seen)
""",
    "itself": """
import asyncio, atexit, faulthandler, gc, logging, warnings
print(threading.active_count(), [thread.name for thread in threading.enumerate()], sys.gettrace(), sys.getprofile(), faulthandler.is_enabled())
print(type(asyncio.get_event_loop_policy()).__name__, sys.excepthook is sys.__excepthook__, threading.excepthook is threading.__excepthook__)
print(sys.flags, sys.getrecursionlimit(), sys.getswitchinterval(), gc.isenabled(), gc.get_threshold(), logging.getLogger().handlers, warnings.filters[:1])
print(signal.getsignal(signal.SIGINT), __name__, sorted(name for name in globals() if not name.startswith('__')))
atexit.register(print, 'last')
print(get())
""",
    "asyncio-debug": """
import asyncio
async def main():
    reader, writer = await asyncio.open_connection('127.0.0.1', int(sys.argv[1]))
    writer.write(b'GET /bytes/1k HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n')
    print(len((await reader.read()).partition(b'\\r\\n\\r\\n')[2]))
    writer.close()
    await asyncio.gather(*(asyncio.sleep(0.01 * n) for n in range(4)))
    async with asyncio.Semaphore(2) as value:
        print(value, asyncio.current_task().get_name(), len(asyncio.all_tasks()))
    try:
        await asyncio.wait_for(asyncio.get_running_loop().create_future(), 0.01)
    except asyncio.TimeoutError as error:
        print(repr(error))
asyncio.run(main(), debug=True)
""",
    "asyncio-left": """
import asyncio
async def fails():
    raise ValueError('nobody awaits that')
async def main():
    task = asyncio.ensure_future(fails())
    await asyncio.sleep(0.01)
    asyncio.get_running_loop().stop()
try:
    asyncio.run(main())
except RuntimeError as error:
    print(error)
""",
    "names": """
for name in ('localhost', '127.0.0.1', 'nothing.invalid', '', 'a' * 300):
    try:
        print(sorted({found[4][0] for found in socket.getaddrinfo(name, 80, socket.AF_INET)}))
    except (OSError, UnicodeError) as error:
        print(type(error).__name__, error)
""",
    "refused": """
free = socket.create_server(('127.0.0.1', 0))
port = free.getsockname()[1]
free.close()
try:
    socket.create_connection(('127.0.0.1', port))
except OSError as error:
    print(error)
other = socket.socket()
other.setblocking(False)
print(other.connect_ex(('127.0.0.1', int(sys.argv[1]))))
try:
    other.recv(1)
except OSError as error:
    print(error)
""",
    "messages": """
left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
socket.send_fds(left, [b'one'], [0, 1])
data, fds, flags, address = socket.recv_fds(right, 100, 4)
print(data, len(fds), right.getsockopt(socket.SOL_SOCKET, socket.SO_TIMESTAMP))
udp = socket.create_server(('127.0.0.1', 0))
client = socket.create_connection(udp.getsockname())
server = udp.accept()[0]
client.sendmsg([b'a', b'b', b'c'])
print(server.recvmsg(100, 1000))
client.sendall(b'x' * 300000 and b'y' * 1000)
print(len(server.recv(5000)), server.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
""",
    "input": "print(get()); print(sys.stdin.read().upper())",
    "output-large": "get(); sys.stdout.buffer.write(bytes(range(256)) * 8000)",
    "output-closed": "get(); os.close(1); print('nobody')",
    "files-small": """
import resource
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
if len(sys.argv) < 3:
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    os.execv(sys.executable, [sys.executable, __file__, sys.argv[1], 'again'])
print(get())
""",
    "memory-small": """
import resource
if len(sys.argv) < 3:
    resource.setrlimit(resource.RLIMIT_AS, (600 << 20, 600 << 20))
    os.execv(sys.executable, [sys.executable, __file__, sys.argv[1], 'again'])
print(get())
""",
    "nobody": """
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
print(get())
if os.fork() == 0:
    os.execv('/bin/sh', ['sh', '-c', 'echo below; exit 2'])
print(os.wait()[1])
""",
    "elsewhere": "os.chdir('/'); os.umask(0o777); print(get(), os.umask(0), os.getcwd())",
    "isolated": "import subprocess; print(subprocess.run([sys.executable, '-I', '-S', '-c', 'import sys; print(sys.flags.isolated, len(sys.modules))']).returncode)",
    "folder-gone": """
import shutil
get()
for n in range(50):
    get(n)
print('there')
""",
}

NODE_PROGRAMS = {
    "healthy": "get(0).then(console.log)",
    "exit": "get(0).then((r) => { console.log(r); process.exit(7); })",
    "exit-code": "process.exitCode = 5; get(0).then(console.log)",
    "abort": "get(0).then((r) => { require('fs').writeSync(1, r + '\\n'); process.kill(process.pid, 'SIGABRT'); })",
    "exception": "get(0).then(() => setImmediate(() => { throw new Error('of the program'); }))",
    "rejection": "get(0).then(() => Promise.reject(new Error('nobody catches that')))",
    "handlers": "process.on('SIGTERM', () => { console.log('told'); process.exit(0); }); get(0).then(() => process.kill(process.pid, 'SIGTERM')); setTimeout(() => {}, 10000);",
    "on-exit": "process.on('exit', (code) => console.log('exit', code)); process.on('beforeExit', () => console.log('before')); get(0).then(console.log)",
    "itself": "console.log(process.eventNames(), process.listenerCount('exit'), process.execArgv, Object.keys(globalThis).length, module.children.length); get(0).then(console.log)",
    "child": "get(0).then(() => console.log(require('child_process').spawnSync('sh', ['-c', 'echo out; exit 3']).status))",
    "fork": "if (process.send) { get(1).then((r) => { process.send(r); process.disconnect(); }); } else { const c = require('child_process').fork(__filename, process.argv.slice(2)); "
            "c.on('message', (m) => console.log('child', m)); c.on('exit', (code) => console.log('over', code)); }",
    "worker": "const { Worker, isMainThread, parentPort } = require('worker_threads'); if (isMainThread) { const w = new Worker(__filename, { argv: process.argv.slice(2) }); "
              "w.on('message', console.log); w.on('exit', (c) => console.log('over', c)); } else { get(1).then((r) => parentPort.postMessage(r)); }",
    "fetch": "fetch(`http://127.0.0.1:${process.argv[2]}/bytes/1k`).then((r) => r.text()).then((t) => console.log(t.length))",
    "fetch-fails": "fetch('http://127.0.0.1:1/').catch((error) => console.log(error.message, error.cause.code))",
    "module": "import('node:http').then((http) => console.log(http.default === require('http'), typeof http.get))",
}
NODE_GET = """
const http = require('http');
function get(n) {
  return new Promise((resolve, reject) => {
    http.get(`http://127.0.0.1:${process.argv[2]}/bytes/1k?n=${n}`, (response) => {
      let size = 0;
      response.on('data', (part) => { size += part.length; });
      response.on('end', () => resolve(`${response.statusCode} ${size}`));
    }).on('error', reject);
  });
}
"""

LINES = {
    "curl": "curl -s http://127.0.0.1:$1/bytes/1k | wc -c",
    "curl-refused": "curl -s http://127.0.0.1:1/; echo $?",
    "curl-404": "curl -sf http://127.0.0.1:$1/nothing; echo $?",
    "curl-parallel": "curl --no-progress-meter --parallel \"http://127.0.0.1:$1/bytes/1k?n=[1-40]\" | wc -c",
    "pipe-status": "set -o pipefail; false | cat",
    "background": "(sleep 0.1; echo late) & echo early; wait",
    "trap": "trap 'echo caught' USR1; kill -USR1 $$; echo on",
    "killed": "kill -9 $$",
    "not-found": "no-such-program-here",
    "limits": "ulimit -n 32; curl -s http://127.0.0.1:$1/bytes/1k | wc -c",
    "static": "ls / >/dev/null; echo $?",
}


# --- how they are watched ---


class Watched:
    """Runs a command in one of the ways, or unwatched."""

    def __init__(self, folder, logs):
        self.folder = folder
        self.logs = Path(logs)
        self.environment = {name: value for name, value in os.environ.items() if name not in ("LD_PRELOAD", "PYTHONPATH", "NODE_OPTIONS", "MUSTER_WATCH")}

    def parts(self):
        """The environment that muster watch gives."""
        self.logs.chmod(0o777)  # a program may go on as nobody, and what is above may be closed to that
        shutil.copy(SHIM, self.logs / "shim.so")
        logs = self.logs
        hooks = {}
        for name, variable, value in (("python", "PYTHONPATH", "{}"), ("node", "NODE_OPTIONS", "--require {}/hook.js")):
            if (ROOT / "watch" / name).exists():
                (logs / name).symlink_to(ROOT / "watch" / name)
                hooks[variable] = value.format(logs / name)
        return {**self.environment, **hooks, "LD_PRELOAD": str(logs / "shim.so"), "MUSTER_WATCH": str(logs)}

    def run(self, words, way=None, input=b"some words\n"):
        own = self.folder / (way or "plain")
        own.mkdir()
        environment, before = self.environment, []
        if way == "parts":
            environment = self.parts()
        elif way == "command":
            before = [MUSTER, "watch", "--output", str(self.folder / "page"), "--"]
        done = subprocess.run([*before, *map(str, words)], input=input, capture_output=True, cwd=own, env=environment, timeout=PATIENCE)
        status = done.returncode if done.returncode >= 0 else 128 - done.returncode
        return status, done.stdout, done.stderr


def same(words, way, folder):
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as logs:
        watched = Watched(folder, logs)
        plain = watched.run(words)
        assert watched.run(words, way) == plain
    return plain


@pytest.fixture(scope="module")
def server():
    from lab import Lab
    made = Lab()
    yield made
    made.stop()


def program_in(folder, name, text):
    path = folder / name
    path.write_text(text)
    open_to_others(folder)
    return path


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_in_python_ends_as_it_does_unwatched(name, way, server, tmp_path):
    if name == "nobody" and not all(folder.stat().st_mode & 0o001 for folder in SHIM.resolve().parents):
        pytest.skip(f"others may not read what is below {SHIM.parent}")
    path = program_in(tmp_path, "program.py", GET + PROGRAMS[name])
    same([PYTHON, path, server.port()], way, tmp_path)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("options", [["-W", "error"], ["-X", "dev"], ["-I"], ["-S"], ["-E"], ["-O"], ["-u"]], ids=lambda options: "".join(options))
def test_options_of_python_change_nothing(options, way, server, tmp_path):
    path = program_in(tmp_path, "program.py", GET + PROGRAMS["healthy"])
    status, output, _ = same([PYTHON, *options, path, server.port()], way, tmp_path)
    assert (status, output) == (0, b"(200, 1024)\n")


@pytest.mark.skipif(not NODE, reason="Node is not here")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NODE_PROGRAMS)
def test_a_program_in_node_ends_as_it_does_unwatched(name, way, server, tmp_path):
    path = program_in(tmp_path, "program.js", NODE_GET + NODE_PROGRAMS[name])
    same([NODE, path, server.port()], way, tmp_path)


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not here")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", LINES)
def test_a_line_of_the_shell_ends_as_it_does_unwatched(name, way, server, tmp_path):
    same(["bash", "-c", LINES[name], "bash", server.port()], way, tmp_path)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL], ids=lambda number: number.name)
def test_the_status_tells_the_signal(number, way, server, tmp_path):
    path = program_in(tmp_path, "program.py", GET + f"signal.signal({int(number)}, signal.SIG_DFL) if {int(number)} != 9 else None; get(); os.kill(os.getpid(), {int(number)})")
    status, _, _ = same([PYTHON, path, server.port()], way, tmp_path)
    assert status == 128 + number
