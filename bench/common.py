"""What bench/run and bench/lab share: the build, nginx, processors, and measuring a program that may fail."""
import argparse
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build-bench"
PATIENCE = 300  # seconds for one round of one client: then it counts as one that hangs


class Trouble(Exception):
    """Why a program could not be measured, for its row of the table."""


def give_up(reason):
    sys.exit(f"{Path(sys.argv[0]).parent.name}/{Path(sys.argv[0]).name}: {reason}")


def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


def build():
    subprocess.run([ROOT / "script" / "deps", "bench"], check=True)
    subprocess.run([ROOT / "script" / "setup", BUILD, "--buildtype=release", "-Dbench=true"], check=True)
    subprocess.run(["ninja", "-C", BUILD, "--quiet"], check=True)


# --- this machine -------------------------------------------------------------------------------------------------------


def processors():
    """(of the clients, of the server), the same one where there is but one."""
    mine = sorted(os.sched_getaffinity(0))
    return str(mine[0]), str(mine[-1])


def raise_open_files():
    """As far as it may be, for this program and what it starts; how many that is."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard if hard != resource.RLIM_INFINITY else sys.maxsize


def warn_about_machine(concurrency):
    n_files = raise_open_files()
    if n_files < concurrency + 100:
        print(f"{concurrency} connections need more open files than the {n_files} that are allowed here: raise the hard limit (ulimit -Hn)", file=sys.stderr)
    if len(set(processors())) == 1:
        print("there is one processor here, which server and clients share: requests a second say little", file=sys.stderr)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


# --- nginx --------------------------------------------------------------------------------------------------------------


def nginx_configuration(directory, port, concurrency, servers=""):
    temporary = "".join(f"{kind}_temp_path {directory}/tmp-{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;" if os.geteuid() == 0 else ""  # else its worker might not get into the folder
    return f"""
        {user} daemon off; worker_processes 1; worker_rlimit_nofile 65536; pid {directory}/pid; error_log {directory}/error.log;
        events {{ worker_connections {max(30000, 2 * concurrency)}; }}
        http {{ access_log off; keepalive_requests 1000000000; sendfile on; {temporary}
               server {{ listen 127.0.0.1:{port} backlog=16384; root {directory}; }} {servers} }}"""


def start_nginx(directory, port, concurrency, servers=""):
    program = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if not program:
        give_up("there is no nginx; script/deps bench installs it")
    (directory / "small").write_bytes(b"x" * 100)
    (directory / "10m").write_bytes(b"x" * 10 * 1024 * 1024)
    (directory / "nginx.conf").write_text(nginx_configuration(directory, port, concurrency, servers))
    with open(directory / "nginx.err", "wb") as errors:
        process = subprocess.Popen(["taskset", "-c", processors()[1], program, "-p", directory, "-c", directory / "nginx.conf"], stderr=errors)
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return process
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
    stop(process)
    give_up(f"nginx did not start: {last_line((directory / 'nginx.err').read_bytes()) or 'it said nothing'}")


def make_certificate(directory):
    """cert.pem and key.pem for 127.0.0.1."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=bench"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", directory / "key.pem", "-out", directory / "cert.pem"]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


def stop(process):
    if process.poll() is None:
        process.terminate()
        process.wait()


# --- measuring ----------------------------------------------------------------------------------------------------------


def last_line(output):
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else ""


def peak_memory(pid):
    """VmHWM in MB; the maximum that wait4() tells includes the memory of this script, from before the exec."""
    try:
        with open(f"/proc/{pid}/status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return 0  # it is over, or there is no /proc


def wait_for(process, patience):
    """(its status, its usage, its peak memory)"""
    memory, end = 0, time.monotonic() + patience
    while True:
        memory = max(memory, peak_memory(process.pid))
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, usage, memory
        if time.monotonic() > end:
            process.kill()
            process.wait()
            raise Trouble(f"did not end within {patience} s")
        time.sleep(0.02)


def run_client(command, patience=PATIENCE):
    """(what it wrote, its usage, seconds, peak memory in MB); Trouble where it is not there, fails or hangs."""
    program = shutil.which(str(command[0]))
    if not program:
        raise Trouble(f"there is no {command[0]}; script/deps bench installs it")
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        start = time.monotonic()
        process = subprocess.Popen(["taskset", "-c", processors()[0], program, *map(str, command[1:])], stdin=subprocess.DEVNULL, stdout=output, stderr=errors)
        status, usage, memory = wait_for(process, patience)
        wall = time.monotonic() - start
        output.seek(0)
        errors.seek(0)
        if status:
            how = f"ended with status {status}" if status > 0 else f"was killed by signal {-status}"
            said = last_line(errors.read())
            raise Trouble(f"{how}: {said}" if said else how)
        return output.read().decode(errors="replace"), usage, wall, memory


def median(values):
    """None of nothing."""
    return statistics.median(values) if values else None


def cell(value, width, places):
    return f"{'-' if value is None else format(value, f'.{places}f'):>{width}}"


def ratio(value, base):
    return None if value is None or not base else value / base
