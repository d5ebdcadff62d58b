"""The lab, serving."""
import http.client
import json
import signal
import socket
import subprocess

import pytest

from command import MUSTER, PATIENCE


class Lab:
    """`muster lab OPTIONS`, serving."""

    def __init__(self, *options):
        self.process = subprocess.Popen([MUSTER, "lab", *map(str, options)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.urls, self.dns, self.ca = {}, None, None
        for line in self.process.stdout:
            name, value = line.decode().split()[:2]
            if value.startswith("http"):
                self.urls[name] = value.rstrip("/")
            elif name in ("dns", "ca"):
                setattr(self, name, value)
            if self.dns and (self.ca or not any(url.startswith("https") for url in self.urls.values())):
                break
        assert self.dns, self.process.stderr.read()

    def url(self, path="/", listener=None):
        return self.urls[listener or next(iter(self.urls))] + path

    def port(self, listener=None):
        return int(self.url("", listener).rpartition(":")[2])

    def connect(self, listener=None):
        return socket.create_connection(("127.0.0.1", self.port(listener)), timeout=PATIENCE)

    def get(self, path, method="GET", body=None, headers={}, **named):
        """By Python's client, which knows nothing of muster's: the response with its body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port(), timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers, **named)
            response = connection.getresponse()
            response.body = response.read()
            return response
        finally:
            connection.close()

    def stats(self, listener=None):
        """Of one listener, the first one if it is not said, with "dns" and "seconds"."""
        every = json.loads(self.get("/lab/stats").body)
        (one,) = [one for one in every["listeners"] if one["name"] == (listener or next(iter(self.urls)))]
        return {**one, "dns": every["dns"], "seconds": every["seconds"]}

    def stop(self, how=signal.SIGTERM):
        """The exit status, and what it said to stderr."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        stderr = self.process.communicate(timeout=PATIENCE)[1].decode()
        return self.process.returncode, stderr


@pytest.fixture
def lab():
    """lab(*options) starts one; all are stopped at the end, and must end well."""
    labs = []

    def start(*options):
        labs.append(Lab(*options))
        return labs[-1]

    yield start
    ends = [one.stop() for one in labs]
    assert all(status == 0 and "runtime error" not in stderr for status, stderr in ends), ends
