"""Which line of a watched program `muster watch` names."""
import json
import subprocess
import sys

import pytest
from command import MUSTER, PATIENCE

REDIRECTED = """\
import sys, urllib.request
for n in range(20):
    urllib.request.urlopen(f"{sys.argv[1]}/redirect/1?to=/delay/5ms%3Fn={n}").read()
"""

CONNECT = """\
import http.client, sys
connection = http.client.HTTPConnection(sys.argv[1].partition("//")[2])

def load(n):
    connection.request("GET", f"/delay/5ms?n={n}")
    return connection.getresponse().read()

"""
IN_MAIN = """\
def main():
    for n in range(40):
        load(n)

main()
"""
IN_A_FUNCTION = """\
def load_all():
    for n in range(40):
        connection.request("GET", f"/delay/5ms?n={n}")
        connection.getresponse().read()

def main():
    load_all()

main()
"""
ONCE_BEFORE = """\
def main():
    load("login")
    return [len(load(n)) for n in range(40)]

main()
"""


@pytest.mark.parametrize("program, line", [
    (IN_MAIN, "        load(n)"), (IN_A_FUNCTION, '        connection.request("GET", f"/delay/5ms?n={n}")'),
    (ONCE_BEFORE, "    return [len(load(n)) for n in range(40)]"), ("for n in range(40):\n    load(n)\n", "    load(n)"),
], ids=["caller", "same-function", "another-call-before", "module"])
def test_requests_one_after_another(program, line, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(CONNECT + program)
    page = tmp_path / "page.json"
    subprocess.run([MUSTER, "lab", "--", MUSTER, "watch", "--json", "-o", page, "--", sys.executable, script, "{lab}"], check=True, capture_output=True,
                   timeout=PATIENCE)
    first = json.loads(page.read_text())["findings"][0]
    assert first["cause"] == "awaited-one-by-one"
    assert script.read_text().splitlines()[first["line"] - 1] == line


def test_a_redirect_that_is_followed_is_no_request_of_its_own(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(REDIRECTED)
    page = tmp_path / "page.json"
    subprocess.run([MUSTER, "lab", "--", MUSTER, "watch", "--json", "-o", page, "--", sys.executable, script, "{lab}"], check=True, capture_output=True,
                   timeout=PATIENCE)
    told = json.loads(page.read_text())
    assert told["run"]["requests"] == 20 and told["run"]["redirects"] == 20
