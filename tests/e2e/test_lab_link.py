"""The lab's link: delay, rate, loss, queue and schedule, as TCP and the link's own counters tell of them."""
import fcntl
import json
import os
import pty
import signal
import statistics
import subprocess
import sys
import termios
import time

import pytest
from command import MUSTER, PATIENCE
from link import why_no_link, why_no_link_names
from measured import measured


pytestmark = [pytest.mark.quiet, pytest.mark.skipif(bool(why_no_link()), reason=why_no_link())]


class Link:
    """A run of COMMAND over a link that is over."""

    def __init__(self, conditions, *command, options=()):
        links = [f"--link={one}" for one in conditions.split()]
        done = subprocess.run([MUSTER, "lab", *links, *options, "--", *command], capture_output=True, text=True, timeout=PATIENCE,
                              stdin=subprocess.DEVNULL)
        self.status, self.stdout, self.stderr = done.returncode, done.stdout, done.stderr

    @property
    def results(self):
        return [json.loads(line) for line in self.stdout.splitlines() if line.startswith("{")]

    @property
    def link(self):
        """The counters, when the last thing that COMMAND did was to fetch them."""
        return json.loads(self.results[-1]["body"])["link"]


def fetch(*words):
    return "muster fetch -s " + " ".join(words)


# --- conditions ---------------------------------------------------------------------------------------------------------


def test_rtt():
    def medians():
        done = Link("rtt=80ms", "sh", "-c", fetch("-c", "10", *["{lab}/close"] * 10))
        assert done.status == 0 and len(done.results) == 10
        assert all(result["phases_us"]["tcp"] >= 80_000 and result["phases_us"]["wait"] >= 80_000 for result in done.results)
        return [statistics.median(values) for values in zip(*((result["conn"]["rtt_us"], result["phases_us"]["tcp"]) for result in done.results))]

    measured(medians, lambda both: abs(both[0] - 80_000) < 2000 and abs(both[1] - 80_000) < 5000)


def test_http_2_is_as_fast_as_http_1_on_a_long_fast_link():
    """Its windows grow until they are not what bounds it."""

    def times():
        runs = [fetch("--body none", option, "{lab}/bytes/100M") for option in ("--http1.1", "--http2-prior-knowledge")]
        done = Link("rtt=100ms,rate=1gbit", "sh", "-c", " && ".join(runs), options=["--h2"])
        assert [(result["http"], result["body_bytes"]) for result in done.results] == [("1.1", 100 << 20), ("2", 100 << 20)], done.stderr
        return [result["total_us"] for result in done.results]

    measured(times, lambda both: both[1] < 1.1 * both[0], tries=3)


def test_jitter():
    done = Link("rtt=40ms,jitter=40ms", "sh", "-c", fetch("-c", "1", *["{lab}/close"] * 12))
    times = [result["phases_us"]["tcp"] for result in done.results]
    assert min(times) >= 40_000 and max(times) - min(times) > 20_000 and statistics.median(times) > 55_000


def test_rate():
    n = 2_500_000

    def share():
        done = Link("rate=20mbit,rtt=2ms", "sh", "-c", fetch("--body none", f"{{lab}}/bytes/{n}"))
        receive = done.results[0]["phases_us"]["receive"] / 1e6
        return receive / (n * 8 / (20e6 * 1448 / 1500))

    measured(share, lambda share: abs(share - 1) < 0.05)


def test_rate_of_one_direction():
    done = Link("up=1mbit", "sh", "-c", "head -c 100000 /dev/zero > {ca}.data; " + fetch("--data-binary @{ca}.data {lab}/upload", "; rm {ca}.data;")
                + fetch("{lab}/bytes/100000"))
    upload, download = done.results
    assert json.loads(upload["body"])["body_bytes"] == 100_000
    assert upload["total_us"] > 800_000 > 4 * download["total_us"]


UDP = """
import socket, sys, time
s = socket.socket(type=socket.SOCK_DGRAM)
for i in range({n}):
    s.sendto(b'x' * {size}, ('192.0.2.1', 9))
    if i % {burst} == {burst} - 1: time.sleep({pause})
time.sleep(0.3)
"""


def datagrams(n, size, burst, pause):
    return f'{sys.executable} -c "{UDP.format(n=n, size=size, burst=burst, pause=pause)}"; ' + fetch("--retry 9", "{lab}/lab/stats")


def test_loss():
    done = Link("loss=5%", "sh", "-c", datagrams(4000, 100, 20, 0.002))
    up = done.link["up"]
    n = up["packets"] + up["lost"]
    assert n >= 4000 and up["overflowed"] == 0
    assert abs(up["lost"] - 0.05 * n) < 4 * (0.05 * 0.95 * n) ** 0.5


def test_loss_of_one_direction():
    done = Link("loss-down=100%", "sh", "-c", fetch("-m 300ms", "{lab}/plain"))
    assert done.results[0]["error"]["code"] == "timeout" and done.results[0]["error"]["stage"] == "tcp"


def test_loss_delays_but_breaks_nothing():
    bodies = fetch("-c 20 --body none", *["{lab}/bytes/100k"] * 20)
    done = Link("rtt=20ms,loss-down=3%", "sh", "-c", f"{bodies}; {fetch('--retry 9', '{lab}/lab/stats')}")
    assert all(result["ok"] for result in done.results) and done.link["down"]["lost"] > 0 == done.link["up"]["lost"]


def test_same_seed_same_fate():
    """Of 60 packets that come one after another, the same ones are lost."""
    lost = [Link(f"loss-up=30%,seed={seed}", "sh", "-c", datagrams(60, 50, 1, 0.001)).link["up"]["lost"] for seed in (1, 1, 2)]
    assert lost[0] == lost[1] and len(set(lost)) > 1


def test_queue():
    done = Link("up=1mbit,queue=10", "sh", "-c", datagrams(200, 1000, 200, 0.1))
    up = done.link["up"]
    assert up["queue_max"] == 10 and up["overflowed"] > 100 and up["packets"] < 100


def test_mtu():
    done = Link("mtu=600", "sh", "-c", fetch("--body none", "{lab}/bytes/200k") + "; " + fetch("{lab}/lab/stats"))
    down = done.link["down"]
    assert done.results[0]["body_bytes"] == 200 << 10
    assert 400 < down["bytes"] / down["packets"] <= 600


def test_schedule():
    done = Link("rtt=20ms at=600ms,rtt=120ms at=1200ms,loss=100%", "sh", "-c",
                fetch("{lab}/close") + "; sleep 0.6; " + fetch("{lab}/close") + "; sleep 0.6; " + fetch("-m 300ms {lab}/close"))
    before, after, last = done.results
    assert 20_000 <= before["phases_us"]["tcp"] < 100_000 and 120_000 <= after["phases_us"]["tcp"]
    assert last["error"]["code"] == "timeout"


# --- what is at its ends ------------------------------------------------------------------------------------------------


@pytest.mark.skipif(bool(why_no_link_names()), reason=why_no_link_names())
def test_names_and_addresses():
    fetched = fetch("http://any.test/plain", "--cacert {ca} https://192.0.2.1/plain", "{lab}/plain")
    done = Link("rtt=1ms", "sh", "-c", f"cat /etc/resolv.conf; {fetched}; echo {{lab}} {{dns}}")
    assert "nameserver 192.0.2.1\n" in done.stdout and done.stdout.endswith("http://192.0.2.1 192.0.2.1:53\n")
    assert [result["status"] for result in done.results] == [200] * 3 and done.status == 0
    with open("/etc/resolv.conf") as ours:
        assert "192.0.2.1" not in ours.read()


# What a bare machine is asked for below: a folder with what muster needs to run, / of a chroot.
CHROOT = """
set -e
if [ "$2" = is-mount-point ]; then mount --bind "$1" "$1"; fi
for folder in bin etc lib lib64 proc dev tmp usr "${3%/*}"; do
    [ -e "/$folder" ] || continue
    mkdir -p "$1/$folder"
    mount --rbind "/$folder" "$1/$folder"
done
if [ "$2" = no-resolv-conf ]; then umount -l "$1/etc"; fi
exec chroot "$1" "$3" lab --link rtt=1ms -- sh -c "cat /etc/resolv.conf; muster --version"
"""


def in_chroot(directory, kind):
    directory.mkdir()
    done = subprocess.run(["unshare", "--mount", "bash", "-c", CHROOT, "chroot", directory, kind, os.path.abspath(MUSTER)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
    if "unshare" in done.stderr or "mount:" in done.stderr or "chroot:" in done.stderr:
        pytest.skip(f"no chroot can be made here: {done.stderr.strip()}")
    return done


def test_a_chroot_that_is_no_mount_point_says_what_to_do(tmp_path):
    done = in_chroot(tmp_path / "root", "plain")
    assert done.returncode == 0 and "192.0.2.1" not in done.stdout and "muster 0." in done.stdout
    assert done.stderr == ("muster: link: COMMAND uses this machine's name server, not the lab's: cannot make mounts private: Invalid argument; "
                           "in a chroot, / must be a mount point: mount --bind DIR DIR, then chroot DIR\n")
    told = in_chroot(tmp_path / "told", "is-mount-point")
    assert told.returncode == 0 and told.stderr == ""
    assert told.stdout.startswith("nameserver 192.0.2.1\nmuster 0.")  # and it finds itself there


def test_without_resolv_conf(tmp_path):
    done = in_chroot(tmp_path / "root", "no-resolv-conf")
    assert done.stderr.startswith("muster: link: COMMAND uses this machine's name server, not the lab's: /etc/resolv.conf: No such file or directory; "
                                  "create that file; it may be empty\n")


def test_there_is_no_other_way_out(server):
    s = server()
    done = Link("rtt=1ms", "sh", "-c", fetch("-m 2s", s.url(), "http://198.51.100.1/"))
    assert [result["ok"] for result in done.results] == [False, False] and s.requests == []


def test_reset_of_stats_keeps_the_links_counters_growing():
    done = Link("rtt=1ms", "sh", "-c", "; ".join(fetch("{lab}" + path) for path in ("/lab/stats", "/lab/reset", "/lab/stats")))
    first = json.loads(done.results[0]["body"])["link"]
    assert done.link["up"]["packets"] > first["up"]["packets"] >= 3 and done.link["down"]["bytes"] > first["down"]["bytes"]


# --- the end ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command, status", [
    (["true"], 0), (["sh", "-c", "exit 7"], 7), (["sh", "-c", "kill -9 $$"], 137), (["no-such-command"], 127),
])
def test_exit_status(command, status):
    done = Link("rtt=1ms", *command)
    assert done.status == status and ("cannot run" in done.stderr) == (status == 127)


def test_what_cannot_be_had():
    done = Link("rtt=1ms", "true", options=["--listen", "192.0.2.99:80"])
    assert done.status == 3 and "cannot bind to 192.0.2.99:80" in done.stderr


@pytest.mark.parametrize("how, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_signals(how, status):
    process = subprocess.Popen([MUSTER, "lab", "--link", "rtt=1ms", "--", "sh", "-c", "echo $$ {ca}; exec sleep 100"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    child, ca = process.stdout.readline().split()
    process.send_signal(how)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == status and not os.path.exists(ca) and not os.path.exists(f"/proc/{child}")


def test_ctrl_c_at_a_terminal():
    """To all of the group at once: the command decides, and the server is there until it has decided."""
    command = "trap 'muster fetch -s {lab}/plain; exit 5' INT; echo ready; while :; do sleep 0.05; done"
    master, terminal = pty.openpty()
    process = subprocess.Popen([MUSTER, "lab", "--link", "rtt=1ms", "--", "sh", "-c", command], stdin=terminal, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    assert process.stdout.readline() == "ready\n"
    os.write(master, b"\x03")
    stdout, _ = process.communicate(timeout=PATIENCE)
    os.close(master)
    os.close(terminal)
    assert process.returncode == 5 and json.loads(stdout)["status"] == 200
