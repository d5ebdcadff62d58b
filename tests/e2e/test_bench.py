"""bench/run and bench/lab where something fails: a client that cannot run, or finishes nothing, is a row that says why, and the others go on."""
import importlib.machinery
import importlib.util
import sys
from types import SimpleNamespace

import pytest
from command import ROOT

sys.path.append(str(ROOT / "bench"))
import common  # noqa: E402


def load(name):
    loader = importlib.machinery.SourceFileLoader(f"bench_{name}", str(ROOT / "bench" / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


run, lab = load("run"), load("lab")
OPTIONS = SimpleNamespace(requests=100, concurrency=4, rounds=2, body="small")


def shell(text):
    return ["sh", "-c", text]


def table(capsys, **commands):
    clients = [run.Client(name, command) for name, command in commands.items()]
    run.measure_all(clients, OPTIONS)
    run.tell(clients, OPTIONS)
    return capsys.readouterr().out.splitlines()[2:]


@pytest.fixture
def wrk(tmp_path, monkeypatch):
    """wrk(text): a wrk that prints this."""
    def make(text):
        (tmp_path / "wrk").write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\n")
        (tmp_path / "wrk").chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return make


def test_every_way_to_fail_is_a_row(capsys, wrk):
    wrk("Running 2s test\n  0 requests in 2.00s, 0.00B read")
    rows = table(capsys, **{run.FLOOR: shell("true"), "fine": shell("echo ok"), "idle": ["wrk"], "absent": ["no-such-client"], "talks": shell("echo a >&2; echo why >&2; exit 3"),
                            "silent": shell("exit 1"), "killed": shell("kill -9 $$")})
    told = {row[:36].strip(): row[37:].strip() for row in rows}
    assert told["absent"] == "there is no no-such-client; script/deps bench installs it"
    assert told["idle"] == "finished no request in 0 s"
    assert (told["talks"], told["silent"], told["killed"]) == ("ended with status 3: why", "ended with status 1", "was killed by signal 9")
    assert len(told[run.FLOOR].split()) == len(told["fine"].split()) == 4 and told[run.FLOOR].split()[1] == "1.00"


def test_without_a_floor_the_others_have_no_ratio(capsys):
    floor, fine = table(capsys, **{run.FLOOR: shell("exit 1"), "fine": shell("true")})
    assert floor.endswith("ended with status 1")
    assert fine.split()[2] == "-" and float(fine.split()[1]) > 0


def test_one_that_fails_in_a_later_round_has_no_figures(capsys, tmp_path):
    once = shell(f"test ! -e {tmp_path}/once && touch {tmp_path}/once")
    _, row = table(capsys, **{run.FLOOR: shell("true"), "once": once})
    assert row.endswith("ended with status 1")


def test_one_that_hangs_is_ended():
    with pytest.raises(common.Trouble, match="did not end within 0.2 s"):
        common.run_client(["sleep", "60"], patience=0.2)


def test_wrk_counts_its_own(wrk):
    wrk("  500 requests in 2.00s, 1.00MB read")
    client = run.Client("wrk", ["wrk"])
    client.measure(100)
    assert client.n_done("  500 requests in 2.00s", 100) == 500 and not client.trouble and len(client.rounds) == 1


def test_a_server_that_answers_nothing(wrk):
    options = SimpleNamespace(connections=4, seconds=1)
    wrk("Requests/sec:      0.00")
    server = lab.Server("lab", "http://127.0.0.1:1/")
    server.measure(options)
    assert server.row(None).split(None, 1)[1] == "wrk finished no request in 1 s"
    wrk("Requests/sec:  12345.60")
    other = lab.Server("other", "http://127.0.0.1:1/")
    other.measure(options)
    assert other.row(common.median(server.rates)).split() == ["other", "12346", "-"]


def test_figures_of_nothing():
    assert common.median([]) is None and common.ratio(1, None) is None and common.ratio(1, 0) is None and common.ratio(None, 1) is None
    assert common.cell(None, 5, 1) == "    -" and common.cell(1.25, 5, 1) == "  1.2"


@pytest.mark.parametrize("nginx, words", [(None, "there is no nginx; script/deps bench installs it"), ("#!/bin/sh\necho broken >&2\nexit 1\n", "nginx did not start: broken")])
def test_without_nginx(tmp_path, monkeypatch, nginx, words):
    program = tmp_path / "nginx"
    if nginx:
        program.write_text(nginx)
        program.chmod(0o755)
    which = common.shutil.which
    monkeypatch.setattr(common.shutil, "which", lambda name: (str(program) if nginx else None) if "nginx" in name else which(name))
    with pytest.raises(SystemExit, match=words):
        common.start_nginx(tmp_path, common.free_port(), 64)
