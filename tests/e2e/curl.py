"""The curl of this machine, and what it writes."""
import base64
import re
import shutil
import struct
import subprocess


def curl_version():
    """(7, 88); (0, 0) where there is no curl."""
    curl = shutil.which("curl")
    told = subprocess.run([curl, "--version"], capture_output=True, text=True).stdout if curl else ""
    found = re.match(r"curl (\d+)\.(\d+)", told)
    return tuple(map(int, found.groups())) if found else (0, 0)


def curl_session(until, salt=b"s" * 32):
    """A line as curl writes it, of a peer of which nothing is known."""
    packed = b"\x01" + b"\x04\x00\x03abc" + b"\x02\x03\x04" + b"\x03" + struct.pack(">Q", until) + b"\x05\x00\x02h2" + b"\x06\x00\x00\x40\x00"
    return base64.b64encode(salt + b"h" * 32).decode() + ":" + base64.b64encode(packed).decode()
