"""A sample of what tests/shim/sweep.py does: a call fails, and nothing is lost. The deeper checks do many more."""
import os
import random
import sys
from pathlib import Path

import pytest

from command import MUSTER, ROOT

sys.path.insert(0, str(ROOT / "tests" / "shim"))
import sweep  # noqa: E402

BUILD = Path(MUSTER).parent


@pytest.mark.skipif(not (BUILD / "tests" / "shim" / "shim.so").exists(), reason="the build has no tests")
@pytest.mark.skipif("tsan" in MUSTER, reason="the thread sanitizer must be loaded first")
def test_a_sample_of_failures():
    seed = random.SystemRandom().randrange(1 << 32)
    said = []
    with sweep.serving(MUSTER) as lab:
        done, bad, _ = sweep.sweep(BUILD, lab, 20, seed, (os.cpu_count() or 1) + 1, tell=said.append)
    assert done > 10 and not bad, f"{done} runs with seed {seed}:\n" + "\n".join(bad)
