"""Certificates: which ones are believed, in a table, and what the curl of this machine thinks of them."""
import os
import shutil
import ssl
import subprocess

import pytest

from certificates import openssl
from ports import free_port, wait_for_port

NAME = "good.test"
LEAF = "basicConstraints=critical,CA:FALSE"
CA = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign"
DAYS_AGO = ("20200101000000Z", "20200201000000Z")
DAYS_AHEAD = ("20450101000000Z", "20460101000000Z")


class Authority:
    """Makes certificates, each once: a name stands for one of the recipes below."""

    def __init__(self, directory):
        self.directory = directory
        (directory / "ca.conf").write_text("[ca]\ndefault_ca = one\n[one]\ndatabase = index\nnew_certs_dir = .\nrand_serial = yes\nunique_subject = no\n"
                                           "policy = any\n[any]\ncommonName = supplied\n")
        (directory / "index").touch()
        self.make("root", None, CA)
        self.make("other root", None, CA)

    def path(self, name, kind="pem"):
        return self.directory / f"{name.replace(' ', '-')}.{kind}"

    def make(self, name, issuer, extensions, subject=None, key="ec:P-256", digest="sha256", dates=None):
        """A certificate in NAME.pem and its key in NAME.key; issuer None: its own."""
        if self.path(name).exists():
            return
        self.path(name, "ext").write_text(extensions + "\n")
        kind, size = key.split(":")
        how = ["-newkey", "ec", "-pkeyopt", f"ec_paramgen_curve:{size}"] if kind == "ec" else ["-newkey", f"rsa:{size}"]
        openssl("req", *how, "-nodes", "-subj", f"/CN={subject or name}", "-keyout", self.path(name, "key"), "-out", self.path(name, "csr"),
                cwd=self.directory)
        begin, end = dates or ("20240101000000Z", "20440101000000Z")
        signer = ["-selfsign", "-keyfile", self.path(name, "key")] if issuer is None else ["-cert", self.path(issuer), "-keyfile", self.path(issuer, "key")]
        openssl("ca", "-batch", "-notext", "-config", "ca.conf", "-md", digest, "-in", self.path(name, "csr"), *signer, "-startdate", begin,
                "-enddate", end, "-extfile", self.path(name, "ext"), "-out", self.path(name), cwd=self.directory)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    return Authority(tmp_path_factory.mktemp("authority"))


def names(*alternatives):
    return f"{LEAF}\nsubjectAltName={','.join(alternatives)}"


def der(hexadecimal):
    return f"{LEAF}\nsubjectAltName=DER:{hexadecimal}"


# "good.test", a NUL, ".evil.test": what a program that believes in C strings takes for good.test
WITH_NUL = "30:16:82:14:" + ":".join(f"{byte:02x}" for byte in b"good.test\0.evil.test")

GOOD = names("DNS:good.test")

# What the server sends, the leaf first: (name, issuer, extensions, more). The last column: part of what muster says, or None if it trusts it.
ROWS = {
    # --- names
    "its name": (NAME, [("leaf", "root", GOOD)], None),
    "one of many names": (NAME, [("many", "root", names(*[f"DNS:n{n}.test" for n in range(50)], "DNS:good.test"))], None),
    "in another case": (NAME, [("case", "root", names("DNS:GOOD.Test"))], None),
    "a dot at the host's end": ("good.test.", [("leaf", "root", GOOD)], None),
    "another name": ("bad.test", [("leaf", "root", GOOD)], 'is for "good.test" and does not match'),
    "a name below": ("sub.good.test", [("leaf", "root", GOOD)], "does not match"),
    "only a common name": (NAME, [("no names", "root", LEAF, {"subject": "good.test"})], "is for no host name"),
    "a common name beside other names": (NAME, [("beside", "root", names("DNS:other.test"), {"subject": "good.test"})], "does not match"),
    "NUL within the name": (NAME, [("nul", "root", der(WITH_NUL))], "does not match"),
    "a wildcard": ("a.wild.test", [("wild", "root", names("DNS:*.wild.test"))], None),
    "a wildcard's parent": ("wild.test", [("wild", "root", names("DNS:*.wild.test"))], "does not match"),
    "two labels for a wildcard": ("a.b.wild.test", [("wild", "root", names("DNS:*.wild.test"))], "does not match"),
    "part of a label": ("food.wild.test", [("part", "root", names("DNS:foo*.wild.test"))], "does not match"),
    "a wildcard within": ("a.b.wild.test", [("within", "root", names("DNS:a.*.wild.test"))], "does not match"),
    "a wildcard for a whole domain": (NAME, [("whole", "root", names("DNS:*.test"))], "does not match"),
    "a wildcard for all": (NAME, [("all", "root", names("DNS:*"))], "does not match"),
    "a wildcard for an address": ("127.0.0.1", [("wild address", "root", names("DNS:*.0.0.1"))], "does not match"),
    "an address": ("127.0.0.1", [("address", "root", names("IP:127.0.0.1"))], None),
    "another address": ("127.0.0.1", [("address 2", "root", names("IP:127.0.0.2"))], "does not match"),
    "an address as a name": ("127.0.0.1", [("named address", "root", names("DNS:127.0.0.1"))], "does not match"),
    "an address for a name": (NAME, [("address", "root", names("IP:127.0.0.1"))], "does not match"),
    "a mail address": (NAME, [("mail", "root", names("email:good.test@good.test"))], "does not match"),
    # --- times
    "expired": (NAME, [("expired", "root", GOOD, {"dates": DAYS_AGO})], "expired on"),
    "not valid yet": (NAME, [("early", "root", GOOD, {"dates": DAYS_AHEAD})], "is not valid before"),
    "an expired intermediate": (NAME, [("late leaf", "late", GOOD), ("late", "root", CA, {"dates": DAYS_AGO})], 'certificate "late" of good.test'),
    # --- chains
    "an intermediate": (NAME, [("leaf 2", "middle", GOOD), ("middle", "root", CA)], None),
    "two intermediates, in the wrong order": (NAME, [("leaf 3", "lower", GOOD), ("middle", "root", CA), ("lower", "middle", CA)], None),
    "the root as well": (NAME, [("leaf", "root", GOOD), "root"], None),
    "a stranger in between": (NAME, [("leaf 2", "middle", GOOD), "other root", ("middle", "root", CA)], None),
    "no intermediate": (NAME, [("leaf 2", "middle", GOOD)], 'issuer "middle" of certificate'),
    "another root": (NAME, [("foreign", "other root", GOOD)], 'issuer "other root"'),
    "another root that is sent": (NAME, [("foreign", "other root", GOOD), "other root"], 'which is not trusted here'),
    "signed by itself": (NAME, [("self", None, GOOD)], "is self-signed"),
    "an issuer that is no authority": (NAME, [("leaf 4", "no CA", GOOD), ("no CA", "root", LEAF)], "invalid CA certificate"),
    "an issuer that may not sign": (NAME, [("leaf 5", "no sign", GOOD), ("no sign", "root", "basicConstraints=CA:TRUE\nkeyUsage=critical,digitalSignature")],
                                    "invalid CA certificate"),
    "too many intermediates": (NAME, [("leaf 6", "below", GOOD), ("below", "short", CA), ("short", "root", CA.replace("TRUE", "TRUE,pathlen:0"))],
                               "path length constraint exceeded"),
    # --- constraints
    "a name that is permitted": (NAME, [("leaf 7", "bound", GOOD), ("bound", "root", f"{CA}\nnameConstraints=critical,permitted;DNS:good.test")], None),
    "a name that is not permitted": (NAME, [("leaf 8", "elsewhere", GOOD), ("elsewhere", "root", f"{CA}\nnameConstraints=critical,permitted;DNS:other.test")],
                                     "permitted subtree violation"),
    "a name that is excluded": (NAME, [("leaf 9", "barred", GOOD), ("barred", "root", f"{CA}\nnameConstraints=critical,excluded;DNS:good.test")],
                                "excluded subtree violation"),
    "for clients only": (NAME, [("client", "root", f"{GOOD}\nextendedKeyUsage=clientAuth")], "purpose"),
    "for servers": (NAME, [("purpose", "root", f"{GOOD}\nextendedKeyUsage=serverAuth")], None),
    "a critical extension that nobody knows": (NAME, [("odd", "root", f"{GOOD}\n1.2.3.4=critical,DER:05:00")], "unhandled critical extension"),
    # --- strength
    "RSA of 2048 bits": (NAME, [("rsa", "root", GOOD, {"key": "rsa:2048"})], None),
    "RSA of 1024 bits": (NAME, [("rsa 1024", "root", GOOD, {"key": "rsa:1024"})], "key too weak"),
    "an intermediate of RSA with 1024 bits": (NAME, [("leaf 10", "rsa CA", GOOD), ("rsa CA", "root", CA, {"key": "rsa:1024"})], "key too weak"),
    "SHA-1": (NAME, [("sha1", "root", GOOD, {"digest": "sha1"})], "too weak"),
    "MD5": (NAME, [("md5", "rsa middle", GOOD, {"digest": "md5"}), ("rsa middle", "root", CA, {"key": "rsa:2048"})], "too weak"),
}

# Where curl decides otherwise, and why we do not follow.
UNLIKE_CURL = {
    "only a common name": "RFC 9110 section 4.3.4: a common name is no host name",
}


def make_chain(authority, chain):
    """All of a row, whose issuers come behind what they sign. Returns the names."""
    for one in reversed(chain):
        if isinstance(one, tuple):
            name, issuer, extensions, *more = one
            if issuer and not authority.path(issuer).exists():  # it is not sent
                authority.make(issuer, "root", CA)
            authority.make(name, issuer, extensions, **(more[0] if more else {}))
    return [one if isinstance(one, str) else one[0] for one in chain]


@pytest.fixture
def present(authority, server):
    """present(chain) listens with that; returns the port."""

    def start(chain):
        sent = make_chain(authority, sorted_by_issuer(chain))
        order = [one if isinstance(one, str) else one[0] for one in chain]
        assert sorted(sent) == sorted(order)
        both = authority.path(f"{'+'.join(order)}", "chain")
        both.write_text("".join(authority.path(name).read_text() for name in order) + authority.path(order[0], "key").read_text())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("DEFAULT@SECLEVEL=0")  # it may show what nobody should
        context.load_cert_chain(both)
        return server(tls=context).port

    return start


def sorted_by_issuer(chain):
    """The leaf first, each followed by its issuer, whatever order they are sent in."""
    by_name = {one[0]: one for one in chain if isinstance(one, tuple)}
    ordered, one = [], chain[0]
    while isinstance(one, tuple) and one not in ordered:
        ordered.append(one)
        one = by_name.get(one[1])
    return ordered + [one for one in chain if one not in ordered]


def ask_curl(authority, host, port):
    done = subprocess.run(["curl", "-q", "-s", "--noproxy", "*", "--cacert", authority.path("root"), "--resolve", f"{host}:{port}:127.0.0.1",
                           "-o", os.devnull, f"https://{host}:{port}/"], stdin=subprocess.DEVNULL, timeout=60)
    return done.returncode


@pytest.mark.parametrize("name", ROWS)
def test_certificate(muster, authority, present, name):
    # [9110 4.3.4 verify] [9110 4.3.4 reference-identity] [9110 4.3.4 no-common-name] [9110 4.3.4 bad-certificate]
    host, chain, words = ROWS[name]
    port = present(chain)
    run = muster("fetch", "--cacert", authority.path("root"), "--resolve", f"{host}:{port}:127.0.0.1", f"https://{host}:{port}/")
    if words is None:
        assert run.status == 0, run.result["error"]
    else:
        error = run.result["error"]
        assert error["code"] == "tls_verify" and error["stage"] == "tls" and words in error["text"], error
        assert muster("fetch", "-k", "--resolve", f"{host}:{port}:127.0.0.1", f"https://{host}:{port}/").status == 0
    if shutil.which("curl"):
        is_trusted = ask_curl(authority, host, port)
        assert is_trusted in (0, 60)
        assert (is_trusted == 0) == (words is None) or name in UNLIKE_CURL


def test_an_intermediate_may_be_trusted(muster, authority, present):
    """Who names an intermediate as trusted need not name its root, as with curl."""
    port = present([("leaf 2", "middle", GOOD)])
    resolve = ["--resolve", f"{NAME}:{port}:127.0.0.1", f"https://{NAME}:{port}/"]
    assert muster("fetch", "--cacert", authority.path("middle"), *resolve).status == 0
    assert muster("fetch", "--cacert", authority.path("leaf 2"), *resolve).status == 0
    assert muster("fetch", "--cacert", authority.path("other root"), *resolve).status == 1


# --- revoked ------------------------------------------------------------------------------------------------------------


class Stapling:
    """`openssl s_server` with the leaf and a stapled answer; one response to each connection."""

    def __init__(self, authority, answer):
        self.port = free_port()
        staples = ["-status_file", answer] if answer else []
        self.process = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{self.port}", "-cert", authority.path("stapled"), "-key",
                                         authority.path("stapled", "key"), "-cert_chain", authority.path("root"), *staples, "-www", "-quiet"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_port(self.port)

    def stop(self):
        self.process.kill()
        self.process.wait()


def answer_of(authority, name, is_revoked, signer="root", days=1):
    """What the issuer says of the certificate "stapled"."""
    answer, index = authority.path(name, "ocsp"), authority.path(name, "index")
    serial = subprocess.run(["openssl", "x509", "-in", authority.path("stapled"), "-noout", "-serial"], capture_output=True, text=True).stdout.strip().split("=")[1]
    index.write_text(f"{'R' if is_revoked else 'V'}\t440101000000Z\t{'250101000000Z' if is_revoked else ''}\t{serial}\tunknown\t/CN=stapled\n")
    openssl("ocsp", "-index", index, "-CA", authority.path("root"), "-rsigner", authority.path(signer), "-rkey", authority.path(signer, "key"),
            "-issuer", authority.path("root"), "-cert", authority.path("stapled"), "-ndays", str(days), "-respout", answer, cwd=authority.directory)
    return answer


@pytest.fixture
def stapling(authority):
    servers = []
    authority.make("stapled", "root", GOOD)

    def start(answer):
        servers.append(Stapling(authority, answer))
        return servers[-1].port

    yield start
    for one in servers:
        one.stop()


STATUSES = {
    "good": (lambda authority: answer_of(authority, "good", False), None),
    "revoked": (lambda authority: answer_of(authority, "revoked", True), "says that the certificate was revoked"),
    "signed by somebody else": (lambda authority: answer_of(authority, "forged", False, "other root"), "is not signed by the certificate's issuer"),
    "none": (lambda authority: None, "no OCSP answer is stapled"),
}


@pytest.mark.parametrize("name", STATUSES)
def test_cert_status(muster, authority, stapling, name):
    make, words = STATUSES[name]
    port = stapling(make(authority))
    url = ["--cacert", authority.path("root"), "--resolve", f"{NAME}:{port}:127.0.0.1", f"https://{NAME}:{port}/"]
    assert muster("fetch", *url).status == 0  # nobody asked
    run = muster("fetch", "--http1.0", "-c", "1", "--cert-status", *url, url[-1])
    if words is None:
        assert run.status == 0 and all(result["status"] == 200 for result in run.results)
    else:
        assert all(result["error"]["code"] == "tls_verify" and words in result["error"]["text"] for result in run.results)
    if shutil.which("curl"):
        done = subprocess.run(["curl", "-q", "-s", "--noproxy", "*", "--cert-status", *url, "-o", os.devnull], stdin=subprocess.DEVNULL, timeout=60)
        assert (done.returncode == 0) == (words is None)
