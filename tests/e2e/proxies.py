"""Proxies that others wrote, started on loopback: squid, tinyproxy, dante, microsocks; and TLS in front of one."""
import hashlib
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import threading
import time

import pytest

from command import PATIENCE
from folders import open_to_others
from ports import free_port

USER, PASSWORD = "ann", "s3cret pass"


def find(*names):
    """The first of these programs that is there; the test is skipped without one."""
    for name in names:
        path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/usr/lib/squid")
        if path:
            return path
    pytest.skip(f"this machine has no {names[0]}")


class Proxy:
    def __init__(self, command, port, cwd=None):
        self.port = port
        self.log = open(os.devnull, "wb")
        self.process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, cwd=cwd)
        for _ in range(PATIENCE * 20):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                assert self.process.poll() is None, f"{command[0]} ended with {self.process.returncode}"
                time.sleep(0.05)
        raise RuntimeError(f"{command[0]} did not start")

    def url(self, scheme="http", login=""):
        return f"{scheme}://{login}127.0.0.1:{self.port}"

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


def squid(directory, auth=None, allowed_ports=(), https=None):
    """auth: None, "basic", "digest" or "both". CONNECT is allowed to these ports only."""
    program, port = find("squid"), free_port()
    directory.mkdir()
    open_to_others(directory, 0o777)
    lines = []
    if auth in ("basic", "both"):
        crypt = subprocess.run(["openssl", "passwd", "-apr1", PASSWORD], capture_output=True, text=True, check=True).stdout.strip()
        (directory / "basic").write_text(f"{USER}:{crypt}\n")
        lines += [f"auth_param basic program {find('basic_ncsa_auth')} {directory}/basic", "auth_param basic realm ours", "auth_param basic children 1 startup=1"]
    if auth in ("digest", "both"):
        ha1 = hashlib.md5(f"{USER}:ours:{PASSWORD}".encode()).hexdigest()
        (directory / "digest").write_text(f"{USER}:ours:{ha1}\n")
        lines += [f"auth_param digest program {find('digest_file_auth')} -c {directory}/digest", "auth_param digest realm ours",
                  "auth_param digest children 1 startup=1"]
    listen = f"http_port 127.0.0.1:{port}" if not https else f"https_port 127.0.0.1:{port} tls-cert={https}"
    lines += [
        listen, f"pid_filename {directory}/pid", f"cache_log {directory}/cache.log", f"access_log stdio:{directory}/access.log", "cache deny all",
        "cache_mem 4 MB", "max_filedescriptors 1024", "shutdown_lifetime 0 seconds", "pinger_enable off", "netdb_filename none",
        "visible_hostname squid.test", f"coredump_dir {directory}", "via off", "forwarded_for delete",
        f"acl tunnels port {' '.join(map(str, allowed_ports)) or 1}", "acl connect method CONNECT", "http_access deny connect !tunnels",
    ]
    lines += ["acl known proxy_auth REQUIRED", "http_access allow known", "http_access deny all"] if auth else ["http_access allow all"]
    (directory / "squid.conf").write_text("\n".join(lines) + "\n")
    # Its own name, so that several can run at once: their shared memory is named by it.
    proxy = Proxy([program, "-N", "-n", f"muster{port}", "-f", directory / "squid.conf"], port, directory)
    proxy.directory = directory
    return proxy


def tinyproxy(directory, login=False):
    port = free_port()
    directory.mkdir()
    open_to_others(directory, 0o777)
    (directory / "conf").write_text(f"Port {port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 100\nLogLevel Critical\n"
                                    + (f"BasicAuth {USER} word\n" if login else ""))
    return Proxy([find("tinyproxy"), "-d", "-c", directory / "conf"], port, directory)


def microsocks(login=False):
    port = free_port()
    return Proxy([find("microsocks"), "-i", "127.0.0.1", "-p", port, *(["-u", USER, "-P", PASSWORD] if login else [])], port)


def dante(directory):
    """SOCKS 4 and 5, without a login: that would take a user of this machine."""
    port = free_port()
    directory.mkdir()
    open_to_others(directory, 0o777)
    user = pwd.getpwuid(os.getuid()).pw_name
    (directory / "conf").write_text(f"""
        logoutput: {directory}/log
        internal: 127.0.0.1 port = {port}
        external: 127.0.0.1
        clientmethod: none
        socksmethod: none
        user.privileged: {user}
        user.unprivileged: {user}
        client pass {{ from: 0/0 to: 0/0 }}
        socks block {{ from: 0/0 to: 127.0.0.1/32 port = 9 }}
        socks pass {{ from: 0/0 to: 0/0 protocol: tcp }}
    """)
    return Proxy([find("danted", "sockd"), "-f", directory / "conf", "-p", directory / "pid"], port, directory)


class TlsFront:
    """TLS before a proxy that has none."""

    def __init__(self, certificate, to_port):
        self.to_port = to_port
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.ends = set()
        self.resumed = []  # for each handshake
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def url(self, login="", host="localhost"):
        return f"https://{login}{host}:{self.port}"

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            ours = self.context.wrap_socket(connection, server_side=True)
            self.resumed.append(ours.session_reused)
            theirs = socket.create_connection(("127.0.0.1", self.to_port))
        except OSError:
            connection.close()
            return
        self.ends |= {ours, theirs}
        back = threading.Thread(target=self.copy, args=(theirs, ours), daemon=True)
        back.start()
        self.copy(ours, theirs)
        back.join()
        for end in (ours, theirs):
            self.ends.discard(end)
            end.close()

    @staticmethod
    def copy(source, to):
        try:
            while data := source.recv(65536):
                to.sendall(data)
        except OSError:
            pass
        for end in (source, to):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for end in list(self.ends):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.thread.join()
