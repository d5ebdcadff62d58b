"""Apache: prefork or event, files, and whatever directives a set-up adds."""
import os
from dataclasses import dataclass
from pathlib import Path

from ground.servers import Running, certificate, open_to_all, program
from ground.servers.nginx import SIZES

MODULES = Path("/usr/lib/apache2/modules")


@dataclass(frozen=True)
class Apache:
    mpm: str = "event"
    directives: str = ""  # {NAME} is another server's address
    tls: str = ""
    modules: tuple = ("proxy", "proxy_http", "headers", "ratelimit", "env", "socache_shmcb")

    warms = True
    scheme = property(lambda self: "https" if self.tls else "http")

    @staticmethod
    def missing():
        return None if program("apache2") and (MODULES / "mod_mpm_prefork.so").exists() else "Apache is not here (Debian: apache2-bin)"

    def start(self, place):
        open_to_all(place)
        files = place.directory / "files"
        files.mkdir(exist_ok=True)
        for name, size in SIZES.items():
            (files / name).write_bytes(b"0123456789abcde\n" * (size // 16) + b"." * (size % 16))
        (place.directory / "apache.conf").write_text(self.configuration(place, files))
        return Running([program("apache2"), "-DFOREGROUND", "-f", place.directory / "apache.conf"], place)

    def configuration(self, place, files):
        user = f"User #{os.getuid()}\nGroup #{os.getgid()}" if os.getuid() else "User nobody\nGroup nogroup"
        names = [f"mpm_{self.mpm}", "authz_core", *self.modules]
        tls = ""
        if self.tls:
            names.append("ssl")
            cert, key = certificate(place, self.tls)
            tls = f"SSLEngine on\nSSLCertificateFile {cert}\nSSLCertificateKeyFile {key}"
        modules = "\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in names)
        return place.filled(f"""
            ServerRoot {place.directory}
            DefaultRuntimeDir {place.directory}
            {modules}
            {user}
            ServerName localhost
            Listen 127.0.0.1:{place.port}
            PidFile {place.directory}/pid
            ErrorLog {place.directory}/error.log
            DocumentRoot {files}
            MaxKeepAliveRequests 0
            {tls}
            {self.directives}
            <Directory {files}>
                Require all granted
            </Directory>
            """)
