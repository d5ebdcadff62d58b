"""nginx, in the clear and over TLS."""
import shutil
import socket
import subprocess
import time

import pytest

from folders import open_to_others
from ports import free_port


class Nginx:
    def __init__(self, directory, certificates):
        self.port, self.tls_port = free_port(), free_port()
        (directory / "www").mkdir()
        (directory / "www" / "small").write_text("x" * 100)
        (directory / "www" / "large").write_bytes(bytes(range(256)) * 4096 * 8)
        temporary = "".join(f"{kind}_temp_path {directory}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (directory / "nginx.conf").write_text(f"""
            daemon off; worker_processes 1; pid {directory}/pid; error_log {directory}/error.log;
            events {{ worker_connections 2048; }}
            http {{
                access_log off; keepalive_requests 1000000; root {directory}/www; {temporary}
                gzip on; gzip_min_length 10; gzip_types *;
                server {{ listen 127.0.0.1:{self.port}; }}
                server {{ listen 127.0.0.1:{self.tls_port} ssl; ssl_protocols TLSv1.2 TLSv1.3;
                         ssl_certificate {certificates.path('good')}; ssl_certificate_key {certificates.path('good')}; }}
            }}""")
        self.process = subprocess.Popen([shutil.which("nginx") or "/usr/sbin/nginx", "-p", directory, "-c", directory / "nginx.conf"],
                                        stderr=subprocess.DEVNULL)
        self.wait()

    def wait(self):
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.tls_port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("nginx did not start")

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def tls_url(self, path):
        return f"https://localhost:{self.tls_port}{path}"

    def stop(self):
        self.process.terminate()
        self.process.wait()


@pytest.fixture(scope="session")
def nginx(tmp_path_factory, certificates):
    directory = tmp_path_factory.mktemp("nginx")
    open_to_others(directory)
    one = Nginx(directory, certificates)
    yield one
    one.stop()
