"""Where a program is run: beside the lab, or beside servers of ground/servers.

A bed starts what it needs and gives the words that go before the program's own command, and its URL. In both, {ca} is the file with the certificate to trust.
"""
import contextlib
import shlex
from dataclasses import dataclass, field

from ground.servers import Place, certificate, free_port, warm_up

LINK_TROUBLE = {}  # of the lab's link, by command: asked for once


@dataclass(frozen=True)
class Lab:
    """The lab around the program; with a link the program reaches nothing else."""

    options: str = ""
    url: str = "{lab}"

    @property
    def needs_link(self):
        return "--link" in self.options

    @staticmethod
    def missing():
        return None

    @contextlib.contextmanager
    def ready(self, ground, directory):
        """(words before the command, URL, what is replaced in words): the lab replaces by itself."""
        yield [ground.muster, "lab", *shlex.split(self.options), "--"], self.url, {}


@dataclass(frozen=True)
class Servers:
    """Servers of ground/servers by name; the one that is called web is the program's."""

    servers: dict = field(default_factory=dict)

    needs_link = False

    def missing(self):
        return next((reason for reason in (server.missing() for server in self.servers.values()) if reason), None)

    @contextlib.contextmanager
    def ready(self, ground, directory):
        ports = {name: free_port() for name in self.servers}
        with contextlib.ExitStack() as stack:
            for name, server in self.servers.items():
                own = directory / f"server-{name}"
                own.mkdir()
                place = Place(own, ports[name], ports, ground.shared)
                stack.callback(server.start(place).stop)
                if server.warms:
                    warm_up(server, ports[name])
            known = {"{" + name + "}": f"127.0.0.1:{port}" for name, port in ports.items()}
            tls = getattr(self.servers["web"], "tls", "")
            if tls:
                known["{ca}"] = str(certificate(place, tls)[0])
            yield [], f"{self.servers['web'].scheme}://localhost:{ports['web']}" if tls else f"http://127.0.0.1:{ports['web']}", known
