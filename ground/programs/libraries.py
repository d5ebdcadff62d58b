"""What runs the programs: virtual environments of Python, a folder of Node's modules, programs that Go has built.

All is made below a folder and used again the next time, also by others at the same time. What cannot be made here is told, and the programs that need it are left out.
"""
import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from ground.servers import program

PYTHON = "/usr/bin/python3"
PACKAGES = {
    "newest": ["aiohttp", "httpx[http2]", "requests", "urllib3", "uvloop"],
    "debian": ["aiohttp==3.8.4", "httpx[http2]==0.23.3", "requests==2.28.1", "urllib3==1.26.12", "h2==4.1.0", "uvloop==0.17.0"],  # of Debian 12
}
IMPORTS = "import aiohttp, httpx, requests, urllib3, uvloop, h2"
VERSIONS = tuple(PACKAGES)
PATIENCE = 600


class Libraries:
    """Of one version, "newest" or "debian"; command() gives what runs a program, missing() why there is nothing that does."""

    def __init__(self, folder, version):
        self.folder = folder
        self.version = version
        self.known = {}

    def missing(self, entry):
        """Why the entry cannot run here, or None."""
        kinds = (entry.language, *entry.needs)
        return next((reason for reason in map(self.reason, kinds) if reason), None)

    def reason(self, kind):
        if kind not in self.known:
            with alone_in(self.folder):
                self.known[kind] = getattr(self, f"prepare_{kind}")()
        return self.known[kind]

    def command(self, entry, path):
        """The words that run the program at the path, which is the entry's or its twin."""
        return {"python": [self.folder / self.version / "bin" / "python"], "node": [program("node", "nodejs")], "curl": ["sh"], "go": []}[entry.language] + [
            self.built(path) if entry.language == "go" else path]

    def environment(self):
        return {"NODE_PATH": str(self.folder / "node" / "node_modules")}

    def prepare_python(self):
        python = self.folder / self.version / "bin" / "python"
        if not python.exists():
            made = subprocess.run([PYTHON, "-m", "venv", self.folder / self.version], capture_output=True, timeout=PATIENCE)
            if made.returncode:
                return "Python has no venv (Debian: python3-venv)"
        if subprocess.run([python, "-c", IMPORTS], capture_output=True, timeout=PATIENCE).returncode == 0:
            return None
        words = ["-m", "pip", "--timeout", "10", "--retries", "0", "-q", "install", "-U", *PACKAGES[self.version]]
        done = subprocess.run([python, *words], capture_output=True, text=True, timeout=PATIENCE)
        return None if done.returncode == 0 else f"no package registry can be reached, and {self.folder / self.version} has no aiohttp, httpx and others"

    @staticmethod
    def prepare_node():
        return None if program("node", "nodejs") else "Node is not here (Debian: nodejs)"

    def prepare_undici(self):
        folder = self.folder / "node"
        if (folder / "node_modules" / "undici").exists():
            return None
        if not shutil.which("npm"):
            return "npm is not here, and undici is no part of Node (Debian: npm)"
        folder.mkdir(exist_ok=True)
        words = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), "undici@6"]
        done = subprocess.run(words, capture_output=True, stdin=subprocess.DEVNULL, cwd=folder, timeout=PATIENCE)
        return None if done.returncode == 0 else "no package registry can be reached for undici"

    @staticmethod
    def prepare_curl():
        return None if program("curl") else "curl is not here (Debian: curl)"

    @staticmethod
    def prepare_go():
        return None if program("go") else "Go is not here (Debian: golang-go)"

    def built(self, path):
        """A program of Go, without libc, as most are. What was put right has the name of what was not, so each has a folder of its own."""
        made = self.folder / "go" / hashlib.sha256(path.read_bytes()).hexdigest()[:12] / path.stem
        with alone_in(self.folder):
            if made.exists():
                return made
            made.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run([program("go"), "build", "-o", made, path], check=True, capture_output=True, timeout=PATIENCE, env=dict(os.environ, CGO_ENABLED="0"))
        return made


@contextlib.contextmanager
def alone_in(folder):
    """Until it ends, others wait who would make something in the folder."""
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def folder_of(given, directory):
    """Where all is kept: as given, else in a directory that ends with the run."""
    folder = Path(given).absolute() if given else directory / "libraries"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
