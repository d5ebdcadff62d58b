"""Apache as a server that asks for credentials: /basic, /digest and /both want user ada with password "circle of life", / nothing."""

import hashlib
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from folders import open_to_others

MODULES = Path("/usr/lib/apache2/modules")
USER, PASSWORD, REALM = "ada", "circle: of life", "a realm"


def program():
    return shutil.which("apache2") or next((path for path in ("/usr/sbin/apache2",) if os.path.exists(path)), None)


def why_not():
    if not program() or not (MODULES / "mod_auth_digest.so").exists():
        return "Apache with mod_auth_digest is not here (Debian: apache2, apache2-utils)"
    if not shutil.which("htpasswd"):
        return "htpasswd is not here (Debian: apache2-utils)"
    return None


class Apache:
    def __init__(self, directory):
        self.directory = directory
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
        for name in ("basic", "digest", "both", "upload"):
            (directory / "www" / name).mkdir(parents=True)
            (directory / "www" / name / "file").write_text(f"of {name}\n")
        (directory / "www" / "file").write_text("of all\n")
        subprocess.run(["htpasswd", "-b", "-c", directory / "passwords", USER, PASSWORD], check=True, capture_output=True)
        # htdigest asks on a terminal; its file is this
        digest = hashlib.md5(f"{USER}:{REALM}:{PASSWORD}".encode()).hexdigest()
        (directory / "digests").write_text(f"{USER}:{REALM}:{digest}\n")
        self.write_configuration()
        self.process = subprocess.Popen([program(), "-X", "-f", directory / "conf"], stderr=subprocess.DEVNULL)
        self.wait()

    def write_configuration(self):
        directory = self.directory
        modules = "\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so"
                            for name in ("mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic", "auth_digest", "alias", "rewrite", "http2")
                            if (MODULES / f"mod_{name}.so").exists())
        user = f"User #{os.getuid()}\nGroup #{os.getgid()}" if os.getuid() else ""
        digest = f'AuthType Digest\nAuthName "{REALM}"\nAuthDigestProvider file\nAuthUserFile {directory}/digests\nRequire valid-user'
        (directory / "conf").write_text(f"""
            ServerRoot {directory}
            DefaultRuntimeDir {directory}
            {modules}
            {user}
            ServerName localhost
            Listen 127.0.0.1:{self.port}
            PidFile {directory}/pid
            ErrorLog {directory}/error.log
            LogFormat "%m %U %>s %H %{{Authorization}}i" credentials
            CustomLog {directory}/access.log credentials
            DocumentRoot {directory}/www
            KeepAlive On
            MaxKeepAliveRequests 0
            <IfModule http2_module>
                Protocols h2c http/1.1
            </IfModule>
            <Directory {directory}/www>
                Require all granted
            </Directory>
            <Location /basic>
                AuthType Basic
                AuthName "{REALM}"
                AuthUserFile {directory}/passwords
                Require valid-user
            </Location>
            <Location /digest>
                {digest}
                AuthDigestNonceLifetime 300
            </Location>
            <Location /upload>
                {digest}
            </Location>
            <Location /short>
                {digest}
                AuthDigestNonceLifetime 1
            </Location>
            Alias /short {directory}/www/digest
            """)

    def wait(self):
        for _ in range(400):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        log = self.directory / "error.log"
        raise RuntimeError("Apache did not start: " + (log.read_text() if log.exists() else ""))

    def url(self, path, host="127.0.0.1", login=""):
        return f"http://{login}{host}:{self.port}{path}"

    def answers(self):
        """The status of each request since the last call, in order."""
        time.sleep(0.05)
        log = self.directory / "access.log"
        lines = log.read_text().splitlines()
        new, self.seen = lines[getattr(self, "seen", 0):], len(lines)
        return [int(line.split()[2]) for line in new]

    def stop(self):
        self.process.terminate()
        self.process.wait()


@pytest.fixture(scope="session")
def apache(tmp_path_factory):
    why = why_not()
    if why:
        pytest.skip(why)
    directory = tmp_path_factory.mktemp("apache")
    open_to_others(directory)
    one = Apache(directory)
    yield one
    one.stop()
