"""Every scenario of the folder runs, and what its requests went through bears the signature that it is there to show."""
import json
import re
import shlex
import statistics
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from command import MUSTER, ROOT, check_record
from link import why_no_link, why_no_link_names

pytestmark = pytest.mark.quiet

FILES = sorted((ROOT / "scenarios").glob("*.lab"))


def causes_in(record):
    run = subprocess.run([MUSTER, "explain", "--json", record], capture_output=True, timeout=60, check=True)
    return [finding["cause"] for finding in json.loads(run.stdout)["findings"]]


class Outcome:
    def __init__(self, path, directory):
        scenario, record = directory / path.name, directory / "run.db"
        scenario.write_text(path.read_text().replace("muster fetch", f"muster fetch --record {shlex.quote(str(record))}", 1))
        run = subprocess.run([MUSTER, "lab", "--scenario", scenario], cwd=directory, capture_output=True, timeout=120, stdin=subprocess.DEVNULL)
        if record.exists():
            check_record(record)
        self.status = run.returncode
        self.stderr = run.stderr.decode(errors="replace")
        self.also = re.findall(r"^# .*Also found: ([a-z0-9-]+)\.", path.read_text(), re.M)
        self.found = causes_in(record) if self.also else []
        file = directory / "results.jsonl"
        self.results = [json.loads(line) for line in file.open()] if file.exists() else []

    def phase(self, name, reduce=statistics.median):
        """Of the last attempt of those that got an answer, in ms."""
        return reduce([result["phases_us"][name] / 1000 for result in self.results if result["status"]])

    def share(self, name):
        """Of the time between slot and end, over all."""
        whole = sum(result["total_us"] - result["phases_us"]["queue"] for result in self.results)
        return sum(result["phases_us"][name] for result in self.results) / whole

    def count(self, holds):
        return sum(1 for result in self.results if holds(result))

    @property
    def connections(self):
        return len({result["conn"]["id"] for result in self.results if result["conn"]})


def is_new(result):
    return not result["conn"]["reused"]


SIGNATURES = {
    "address-silent": lambda o: o.phase("tcp", max) >= 240 and o.phase("wait") < 200,
    "batch-barrier": lambda o: len(o.results) == 120 and o.phase("queue", max) < 50,
    "bandwidth": lambda o: o.share("receive") > 0.6 and o.phase("receive") > 300,
    "cold-start": lambda o: o.count(lambda r: r["phases_us"]["wait"] > 590000) == 16 and o.phase("wait") < 100,
    "client-saturated": lambda o: len(o.results) == 30000 and o.phase("wait") < 50,
    "concurrency-too-low": lambda o: o.phase("queue") > 5 * o.phase("wait") and 45 < o.phase("wait") < 100,
    "connection-bandwidth": lambda o: o.connections == 4 and o.phase("receive", min) > 220,
    "connection-limit": lambda o: len(o.results) == 480 and o.connections >= 24 and o.phase("wait", max) > 180,
    "connections-closed": lambda o: o.count(lambda r: r["attempts"] > 1) >= 24,
    "connections-refused": lambda o: o.count(lambda r: r["attempts"] > 1) >= 24,
    "cwnd-after-idle": lambda o: o.connections == 1 and o.phase("receive", min) > 150,
    "decode-on-loop": lambda o: o.share("lag") + o.share("decode") > 0.3,
    "decode-off-loop": lambda o: o.phase("lag", max) < 100,
    "dns-aaaa-silent": lambda o: o.phase("dns", max) >= 45,
    "dns-loss": lambda o: o.phase("dns", max) >= 1500,
    "dns-slow": lambda o: o.phase("dns", min) >= 490,
    "dns-uncached": lambda o: o.phase("dns") >= 290,
    "duplicate-requests": lambda o: len(o.results) == 192 and len({r["url"] for r in o.results}) == 12,
    "duplicates-wanted": lambda o: o.phase("wait") > 100,
    "expect-unanswered": lambda o: o.phase("wait", min) > 950 and o.phase("send", max) < 500,
    "far-server": lambda o: o.phase("wait", min) >= 290,
    "goaway": lambda o: len(o.results) == 400 and o.connections == 8 and o.count(lambda r: r["status"] == 200) == 400,
    "handshake-cpu": lambda o: o.connections == 500,
    "handshake-herd": lambda o: o.phase("tls", max) > 300,
    "head-of-line": lambda o: o.connections == 1 and o.count(lambda r: r["http"] == "2") == 300 and o.phase("wait", max) > 80,
    "hanging-host": lambda o: o.count(lambda r: r["error"] and r["error"]["code"] == "timeout") == 20 and o.phase("wait") < 200,
    "input-slow": lambda o: o.phase("wait") >= 19,
    "ipv6-broken": lambda o: o.phase("tcp", max) >= 240 and o.phase("wait") < 200,
    "localhost": lambda o: o.count(lambda r: r["conn"]["remote"].startswith("127.")) == 50 and o.phase("tcp", max) < 20,
    "long-fat-link": lambda o: o.connections == 1 and o.share("receive") > 0.6,
    "loss": lambda o: o.count(lambda r: r["conn"]["retransmits"]) > 0 or o.phase("receive", max) > 70,
    "mixed": lambda o: o.status == 1 and len(o.results) == 244,
    "nagle": lambda o: 35 < o.phase("receive") < 120,
    "nagle-not": lambda o: o.phase("receive") < 20 and o.phase("wait") >= 39,
    "no-keep-alive": lambda o: o.connections == 100,
    "no-resumption": lambda o: o.phase("tls", min) >= 78,
    "one-at-a-time": lambda o: len(o.results) == 40 and o.connections == 1,
    "overloaded": lambda o: o.count(lambda r: r["attempts"] > 1) > 10,
    "pause-in-body": lambda o: 44 < o.phase("receive") < 120 and o.phase("wait") < 30,
    "per-host-limit": lambda o: o.phase("queue") > 5 * o.phase("wait"),
    "ports-exhausted": lambda o: o.count(lambda r: r["error"] and r["error"]["code"] == "resource") > 0,
    "process-stopped": lambda o: len(o.results) == 300 and max(r["phases_us"]["lag"] + r["phases_us"]["queue"] for r in o.results) > 700000,
    "processor-busy": lambda o: len(o.results) == 8000,
    "process-on-loop": lambda o: o.phase("process") > 15 and o.phase("lag", max) > 100,
    "protocol-unknown": lambda o: o.count(lambda r: r["http"] == "1.1") == 20 and o.connections == 20 and o.phase("queue") > 290,
    "queue-timeout": lambda o: o.count(lambda r: r["error"] and r["error"]["stage"] == "queue") >= 20,
    "rate-too-low": lambda o: o.phase("queue", max) > 1500 and o.phase("wait") < 100 and all("planned_us" in r for r in o.results),
    "redirects": lambda o: o.count(lambda r: r["redirects"] == 1) == 100,
    "refused-streams": lambda o: o.connections == 1 and o.count(lambda r: r["status"] == 200) == 400,
    "resumption": lambda o: o.phase("tls", statistics.median) < 75,
    "retries": lambda o: o.count(lambda r: r["attempts"] > 1) >= 5,
    "server-closes": lambda o: o.connections == 100,
    "server-past-its-knee": lambda o: o.phase("wait") > 100,
    "server-pauses": lambda o: o.count(lambda r: r["phases_us"]["wait"] > 300000) >= 8 and o.phase("wait") < 100,
    "server-saturated": lambda o: o.phase("wait") > 150,
    "server-slow": lambda o: 150 < o.phase("wait") < 300,
    "slow-accept": lambda o: o.phase("wait", max) > 600 and statistics.median(r["phases_us"]["wait"] for r in o.results if not is_new(r)) < 50000,
    "slow-consumer": lambda o: len(o.results) == 400 and max(r["phases_us"]["lag"] + r["phases_us"]["deliver"] for r in o.results) > 800000,
    "slow-host": lambda o: o.phase("wait", max) >= 399 and o.phase("wait", min) < 100,
    "slow-path": lambda o: o.phase("wait", max) >= 399 and o.phase("wait", min) < 100,
    "slow-start": lambda o: o.phase("receive", min) >= 155,
    "stale-connections": lambda o: o.connections > 1,
    "stragglers": lambda o: o.count(lambda r: r["phases_us"]["wait"] > 1900000) == 2,
    "stream-limit": lambda o: o.connections == 1 and o.phase("queue") > 5 * o.phase("wait"),
    "stream-window": lambda o: o.phase("send") > 1200 and o.count(lambda r: r["status"] == 200) == 6,
    "syn-dropped": lambda o: o.phase("tcp", max) >= 950,
    "throttled": lambda o: o.count(lambda r: r["attempts"] > 1) > 10,
    "workers-held": lambda o: o.connections == 24 and o.count(lambda r: r["phases_us"]["wait"] > 650000) == 16,
    "workers-too-few": lambda o: o.phase("process", max) > 1000 and o.phase("wait") < 100,
}
TROUBLE_MAKERS = {"fd-limit": "needs 564 open files"}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """They mostly wait: several at once."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        futures = {path.stem: pool.submit(Outcome, path, tmp_path_factory.mktemp(path.stem)) for path in FILES}
        return {name: future.result() for name, future in futures.items()}


def test_every_scenario_says_what_it_shows():
    assert FILES
    for path in FILES:
        settings = [line.split()[0] for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
        assert settings[0] == "about" and settings[-1] == "run", path
        assert "cause" in settings or path.stem == "mixed"
        assert path.stem in SIGNATURES or path.stem in TROUBLE_MAKERS, f"no signature for {path.stem}"


def why_not(path):
    """What this machine does not have of what a scenario needs; empty when it has it all."""
    settings = {line.split()[0] for line in path.read_text().splitlines() if line.strip()}
    if "link" not in settings:
        return ""
    return why_no_link_names() if "name" in settings else why_no_link()


@pytest.mark.parametrize("name", [path.stem for path in FILES])
def test_scenario(outcomes, name):
    outcome = outcomes[name]
    if reason := why_not(ROOT / "scenarios" / f"{name}.lab"):
        pytest.skip(reason)
    assert outcome.status == (1 if name == "mixed" else 0), outcome.stderr
    for result in outcome.results:
        assert sum(result["phases_us"].values()) == result["total_us"]
    assert set(outcome.also) <= set(outcome.found)
    if name in TROUBLE_MAKERS:
        assert TROUBLE_MAKERS[name] in outcome.stderr
    else:
        assert SIGNATURES[name](outcome), outcome.stderr
