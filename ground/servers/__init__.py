"""How each kind of server is started.

A kind is a dataclass whose fields are what is set of it. missing() says why it cannot run on this machine, or None; start(place) starts it on
place.port and gives what is to be stopped, a Running. One that warms is asked for a few answers before it is used. It is a process of ours, or a group of them, and is ended by its id.
"""
import contextlib
import http.client
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

WARM_PATH = "/warm"  # it is answered at once whatever is set for others
WARMING = 20
PATIENCE = 20  # seconds in which a server begins to listen
TIED = ["setpriv", "--pdeathsig", "TERM", "--"] if shutil.which("setpriv") else []  # ends with this process, however that ends


@dataclass
class Place:
    """Where a server runs: a directory of its own, its port, and the ports of all servers of the set-up by their names."""

    directory: Path
    port: int
    ports: dict
    shared: Path  # outlives the set-up: certificates, compiled programs

    def filled(self, text):
        """With {name} of a server replaced by its address."""
        for name, port in self.ports.items():
            text = text.replace("{" + name + "}", f"127.0.0.1:{port}")
        return text


class Running:
    """A server's process and its children, which are a group."""

    def __init__(self, command, place, address="127.0.0.1", port=None):
        self.log = open(place.directory / "log", "ab")
        self.process = subprocess.Popen([*TIED, *map(str, command)], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, cwd=place.directory,
                                        start_new_session=True)
        try:
            self.await_listener(f"{address}:{port or place.port}", place)
        except BaseException:
            self.stop()
            raise

    def await_listener(self, endpoint, place):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if listens(endpoint):
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        raise RuntimeError(f"{' '.join(self.process.args[len(TIED):][:3])} did not start: {(place.directory / 'log').read_text(errors='replace')[-400:].strip()}")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(2)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)  # of the group, whatever did not end with its parent
        except ProcessLookupError:
            pass
        self.process.wait()
        self.log.close()


def listens(endpoint):
    """Is there a socket that listens? Asked of the kernel, as a connection would be the server's first."""
    address, _, port = endpoint.rpartition(":")
    wanted = f"{int.from_bytes(socket.inet_aton(address), sys.byteorder):08X}:{int(port):04X}"
    return any(fields[1] == wanted and fields[3] == "0A" for fields in map(str.split, Path("/proc/net/tcp").read_text().splitlines()))


def warm_up(server, port):
    """Some requests, each on a connection of its own: the first ones compile, load and allocate what later ones find, and are no set-up's matter."""
    for _ in range(WARMING):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        if server.scheme == "https":
            connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=PATIENCE, context=ssl._create_unverified_context())
        with contextlib.closing(connection):
            connection.request("GET", WARM_PATH)
            connection.getresponse().read()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def program(*names):
    """The path of the first of these programs that is there, or None."""
    paths = (shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin:/usr/local/go/bin") for name in names)
    return next((path for path in paths if path), None)


def certificate(place, key):
    """(certificate, key) of this machine; the kind of key is openssl's, such as rsa:2048 or ec."""
    stem = place.shared / key.replace(":", "")
    files = (stem.with_suffix(".crt"), stem.with_suffix(".key"))
    if not files[0].exists():
        kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"] if key == "ec" else ["-newkey", key]
        subprocess.run(["openssl", "req", "-x509", "-nodes", *kind, "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                        "-out", files[0], "-keyout", files[1]], check=True, capture_output=True)
        files[1].chmod(0o644)  # a server may run as another user; the certificate is good for nothing else
    return files


def open_to_all(place):
    """What is started as root may work as another user, who must reach its files."""
    place.directory.chmod(0o777)
    for parent in list(place.directory.parents)[:4]:
        if str(parent) not in ("/", "/tmp") and parent.stat().st_uid == os.getuid():
            parent.chmod(parent.stat().st_mode | 0o755)
