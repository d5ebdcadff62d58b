"""The programs of python/examples, which docs/python.md shows: run as they stand, aiohttp's and muster's on the same URLs."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def lines(program, urls, tmp_path):
    """What it prints, in order."""
    if "aiohttp" in program and importlib.util.find_spec("aiohttp") is None:
        pytest.skip("aiohttp is not installed")
    done = subprocess.run([sys.executable, EXAMPLES / f"{program}.py"], input="\n".join(urls), capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("program", ["gather_aiohttp", "gather_muster", "gather_muster_asyncio"])
def test_gather(program, lab, refused, tmp_path):
    urls = [lab.url("/delay/20ms"), refused, lab.url("/status/404"), *[lab.url("/bytes/1k")] * 150]
    assert lines(program, urls, tmp_path) == [f"{urls[0]} 200 18", f"{refused} failed", f"{urls[2]} 404 14", *[f"{urls[3]} 200 1024"] * 150]


@pytest.mark.parametrize("program", ["limits_aiohttp", "limits_muster"])
def test_limits(program, lab, silent, refused, tmp_path):
    """As they complete: the one that hangs is last, and holds up nobody."""
    urls = [silent, lab.url("/hang/body"), refused, *[lab.url("/delay/10ms")] * 60]
    *answered, last, last_but_one = lines(program, urls, tmp_path)
    assert {last, last_but_one} == {f"{silent} timed out", f"{urls[1]} timed out"}
    assert sorted(answered) == sorted([f"{refused} failed"] + [f"{urls[3]} 200 18"] * 60)


@pytest.mark.parametrize("program", ["process_inline_aiohttp", "process_aiohttp", "process_muster"])
def test_process(program, lab, tmp_path):
    """The same checksums from all."""
    urls = [lab.url(f"/bytes/{n}k") for n in range(1, 9)]

    def checksum(body):
        total = 0
        for byte in body:
            total = (total * 31 + byte) % 65521
        return total

    import muster

    wanted = [f"{url} {checksum(response.content)}" for url, response in zip(urls, muster.fetch(urls))]
    assert sorted(lines(program, urls, tmp_path)) == sorted(wanted)


def test_each_is_run_here():
    """A program without a test would rot."""
    here = Path(__file__).read_text()
    assert all(f'"{program.stem}"' in here for program in EXAMPLES.glob("*.py"))
