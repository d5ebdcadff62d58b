"""Servers that are programs of programs/: in Python with threads or asyncio, in Node and in Go.

What they answer is given as a value, for all paths or for each: see programs/answers.py. All servers read the same value, as JSON.
"""
import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from ground.servers import WARM_PATH, Running, program

PROGRAMS = Path(__file__).parent / "programs"


@dataclass(frozen=True)
class Own:
    answers: dict = field(default_factory=dict)  # of a path, "/slow"; "" is that of all others
    settings: dict = field(default_factory=dict)  # of the server itself

    warms = True
    scheme = "http"

    @staticmethod
    def missing():
        return None

    def command(self, place):
        raise NotImplementedError

    def start(self, place):
        value = {"port": place.ports[self.settings["port_of"]] if "port_of" in self.settings else place.port, "answers": {**self.answers, WARM_PATH: {}}, **self.settings}
        return Running([*self.command(place), place.filled(json.dumps(value))], place, self.settings.get("address", "127.0.0.1"), value["port"])


class Threaded(Own):
    """http.server's ThreadingHTTPServer: a thread for each connection."""

    def command(self, place):
        return [sys.executable, "-u", PROGRAMS / "threaded.py"]


class Pool(Own):
    """A fixed number of threads, each of which serves one connection until it ends."""

    def command(self, place):
        return [sys.executable, "-u", PROGRAMS / "pool.py"]


class Asyncio(Own):
    """asyncio's streams: one thread, any number of requests at a time."""

    def command(self, place):
        return [sys.executable, "-u", PROGRAMS / "streams.py"]


class Proxy(Own):
    """A proxy over asyncio's streams that takes its time."""

    warms = False

    def command(self, place):
        return [sys.executable, "-u", PROGRAMS / "proxy.py"]


class Silent(Own):
    """A listener whose queue is full, so that the kernel answers nobody."""

    warms = False

    def command(self, place):
        return [sys.executable, "-u", PROGRAMS / "silent.py"]


class Names(Own):
    """A name server that takes its time."""

    warms = False

    def command(self, place):
        return [sys.executable, "-u", PROGRAMS / "names.py"]


class Node(Own):
    """Node's http.createServer()."""

    @staticmethod
    def missing():
        return None if program("node", "nodejs") else "Node is not here (Debian: nodejs)"

    def command(self, place):
        return [program("node", "nodejs"), PROGRAMS / "server.js"]


class Go(Own):
    """Go's net/http."""

    @staticmethod
    def missing():
        return None if program("go") else "Go is not here (Debian: golang-go)"

    def command(self, place):
        built = place.shared / "go-server"
        if not built.exists():
            subprocess.run([program("go"), "build", "-o", built, PROGRAMS / "server.go"], check=True, capture_output=True, timeout=300)
        return [built]
