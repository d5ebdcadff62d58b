"""A wheel that was just installed does what it is for, and needs nothing of this machine but Python and its C library."""

import asyncio  # noqa: F401  (with what Python itself loads for it)
import os
import ssl  # noqa: F401
import sys

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

def loaded():
    with open("/proc/self/maps") as maps:
        return {line.split(None, 5)[5].strip() for line in maps if ".so" in line}


BEFORE = loaded()

import muster  # noqa: E402
from lab import Lab  # noqa: E402

OF_THE_MACHINE = ("libc.", "libm.", "libz.", "libgcc_s.", "libnss", "libresolv.")
INSIDE = ("libssl", "libcrypto", "libcares", "libnghttp2", "libbrotlidec", "libbrotlicommon", "libzstd", "libidn2", "libunistring", "libpsl", "libsqlite3")


def libraries():
    """The shared objects that came with muster."""
    return loaded() - BEFORE


def main():
    lab = Lab("--listener", "plain", "--listener", "tls", "--tls", "good", "--h2")
    try:
        assert [r.status for r in muster.fetch([lab.url()] * 100, concurrency=16)] == [200] * 100
        assert len(muster.fetch([lab.url("/encoded/br/10k"), lab.url("/encoded/zstd/10k"), lab.url("/encoded/gzip/10k")])[1].content) == 10240
        with muster.Client(verify=lab.ca, cookies=True) as client:
            response = client.post(lab.url("/echo", "tls").replace("127.0.0.1", "localhost"), content=iter([b"a", b"b"]))
            assert response.http_version == 20 and response.json()["body"] == "ab"
        with muster.record() as rec:
            muster.fetch([lab.url("/delay/20ms")] * 60, concurrency=2)
        assert "concurrency" in str(rec.explain()), str(rec.explain())
        error = muster.fetch(["http://bücher.example/"], resolve={"xn--bcher-kva.example:80": "127.0.0.1"}, connect_timeout=1)[0].error
        assert error is None or isinstance(error, muster.ConnectError), error
    finally:
        lab.stop()
    inside = {os.path.basename(path).split("-")[0] for path in libraries() if "/muster.libs/" in path}
    assert inside == set(INSIDE), f"inside the wheel: {sorted(inside)}"
    foreign = [path for path in libraries() if "/muster" not in path and "/lib-dynload/" not in path
               and not os.path.basename(path).startswith(OF_THE_MACHINE)]
    assert not foreign, f"libraries of this machine are used: {foreign}"
    print(f"muster {muster.__version__} works with Python {sys.version.split()[0]}")


main()
