"""nginx: one process, files of some sizes, and whatever directives a set-up adds."""
from dataclasses import dataclass

from ground.servers import Running, certificate, open_to_all, program

SIZES = {"warm": 0, "small": 200, "4k": 4096, "100k": 102400, "1m": 1048576}


@dataclass(frozen=True)
class Nginx:
    server: str = ""  # directives of the server; {NAME} is another server's address
    http: str = ""  # directives above it
    tls: str = ""  # the key of a certificate that is made for it, such as ec; without it there is no TLS
    http2: bool = False

    warms = False
    scheme = property(lambda self: "https" if self.tls else "http")

    @staticmethod
    def missing():
        return None if program("nginx") else "nginx is not here (Debian: nginx-light)"

    def start(self, place):
        open_to_all(place)
        files = place.directory / "files"
        files.mkdir(exist_ok=True)
        for name, size in SIZES.items():
            (files / name).write_bytes(b"0123456789abcde\n" * (size // 16) + b"." * (size % 16))
        (place.directory / "nginx.conf").write_text(self.configuration(place, files))
        return Running([program("nginx"), "-p", place.directory, "-e", place.directory / "error.log", "-c", place.directory / "nginx.conf"], place)

    def configuration(self, place, files):
        listen, tls = f"listen 127.0.0.1:{place.port} backlog=511", ""
        if self.tls:
            cert, key = certificate(place, self.tls)
            listen += " ssl http2" if self.http2 else " ssl"
            tls = f"ssl_certificate {cert}; ssl_certificate_key {key};"
        paths = " ".join(f"{name}_temp_path {place.directory}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        return place.filled(f"""
            daemon off; master_process off; pid {place.directory}/pid; worker_rlimit_nofile 4096;
            events {{ worker_connections 2048; }}
            http {{
                access_log off; {paths}
                keepalive_requests 100000;
                {self.http}
                server {{ {listen}; {tls} root {files}; {self.server} }}
            }}
            """)
