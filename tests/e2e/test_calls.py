"""tests/calls/calls.py, which holds the modules of the core to an order, on small libraries."""
import subprocess
import sys

import pytest
from command import PATIENCE, ROOT
from test_docs import CC

UPPER = "void lower(void); void upper(void); void upper(void) { lower(); }\n"
LOWER = "void lower(void); void lower(void) { }\n"
RISEN = "void lower(void); void upper(void); void lower(void) { upper(); }\n"


@pytest.fixture
def calls(tmp_path):
    """Runs it on an archive of these sources against this order."""

    def run(order, status=0, **sources):
        objects = []
        for name, source in sources.items():
            (tmp_path / f"{name}.c").write_text(source)
            objects.append(tmp_path / f"{name}.c.o")
            subprocess.run([CC[0], "-c", tmp_path / f"{name}.c", "-o", objects[-1]], check=True, timeout=PATIENCE)
        archive = tmp_path / "small.a"
        archive.unlink(missing_ok=True)
        subprocess.run(["ar", "rc", archive, *objects], check=True, timeout=PATIENCE)
        (tmp_path / "order").write_text(order)
        done = subprocess.run([sys.executable, "-B", ROOT / "tests/calls/calls.py", archive, tmp_path / "order"], capture_output=True, text=True,
                              timeout=PATIENCE)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def test_an_order_that_is_kept(calls):
    assert calls("upper # all of it\nlower\n", upper=UPPER, lower=LOWER) == "upper -> lower\nlower\n\nno rings\n"


def test_a_call_upwards_and_the_ring_that_it_makes(calls):
    told = calls("upper\nlower\n", upper=UPPER, lower=RISEN, status=1)
    assert "lower -> [upper]\n" in told
    assert "lower calls upwards: upper stands above it" in told and "it needs upper." in told
    assert "calls.py: these call each other in a ring: lower, upper\n" in told


def test_what_is_allowed_is_still_told(calls):
    told = calls("upper\nlower\nlower -> upper\n", upper=UPPER, lower=RISEN)
    assert "2 modules call each other in a ring: lower upper\n" in told and "calls.py" not in told


def test_what_is_allowed_and_gone_is_to_be_taken_out(calls):
    assert "allows lower -> upper, which is gone" in calls("upper\nlower\nlower -> upper\n", upper=UPPER, lower=LOWER, status=1)


def test_a_ring_within_a_line(calls):
    assert "in a ring: lower, upper" in calls("upper lower\n", upper=UPPER, lower=RISEN, status=1)


def test_every_module_has_a_line_and_every_line_a_module(calls):
    assert "lower has no line" in calls("upper\n", upper=UPPER, lower=LOWER, status=1)
    assert "names middle, which does not exist" in calls("upper\nmiddle\nlower\n", upper=UPPER, lower=LOWER, status=1)
