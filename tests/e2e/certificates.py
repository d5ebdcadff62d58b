"""Certificates: good ones, also where RFC 5280 is taken to the letter, as Python does since 3.13, and those that are not to be trusted."""
import subprocess

import pytest


def openssl(*arguments, cwd):
    done = subprocess.run(["openssl", *arguments], cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, f"openssl {' '.join(map(str, arguments))}: {done.stderr}"


class Certificates:
    def __init__(self, directory):
        self.directory = directory
        self.make_ca("ca")
        self.make_ca("other-ca")
        self.make("good", "ca", "DNS:localhost,IP:127.0.0.1")
        self.make("wrong", "ca", "DNS:elsewhere.test")
        self.make("unknown", "other-ca", "DNS:localhost,IP:127.0.0.1")
        self.make("expired", "ca", "DNS:localhost,IP:127.0.0.1", sign=self.sign_for_2020)

    def path(self, name):
        return self.directory / f"{name}.pem"

    def make_ca(self, name):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", f"/CN={name}",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout", f"{name}.key", "-out", f"{name}.pem", cwd=self.directory)

    def sign(self, name, ca):
        openssl("x509", "-req", "-in", "request", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-CAcreateserial", "-days", "10",
                "-extfile", "extensions", "-out", f"{name}.crt", cwd=self.directory)

    def sign_for_2020(self, name, ca):
        """One that is over. OpenSSL 3.5 takes no negative number of days, and 3.0 has dates for its "ca" alone."""
        (self.directory / "ca.conf").write_text("[ca]\ndefault_ca = one\n[one]\ndatabase = index\nnew_certs_dir = .\nrand_serial = yes\n"
                                                "default_md = sha256\npolicy = any\n[any]\ncommonName = supplied\n")
        (self.directory / "index").touch()
        openssl("ca", "-batch", "-notext", "-config", "ca.conf", "-in", "request", "-cert", f"{ca}.pem", "-keyfile", f"{ca}.key",
                "-startdate", "20200101000000Z", "-enddate", "20200201000000Z", "-extfile", "extensions", "-out", f"{name}.crt", cwd=self.directory)

    def make(self, name, ca, names, sign=None):
        (self.directory / "extensions").write_text(f"subjectAltName={names}\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key",
                "-out", "request", cwd=self.directory)
        (sign or self.sign)(name, ca)
        both = (self.directory / f"{name}.crt").read_bytes() + (self.directory / f"{name}.key").read_bytes()
        self.path(name).write_bytes(both)

    def context(self, name):
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path(name))
        return context


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))
