"""A free-threaded Python, where there is one: objects have another shape there."""

import os
import shutil
import subprocess
from pathlib import Path

import muster
import pytest

PYTHON = next(filter(None, map(shutil.which, ["python3.13t", "python3.14t"])), None)


@pytest.mark.skipif(PYTHON is None, reason="there is no free-threaded Python")
@pytest.mark.skipif(".abi3." not in muster._engine.__file__, reason="this is no build for all versions")
def test_a_build_for_all_versions_is_refused(tmp_path):
    """As when a virtual environment is copied: a reason, no crash."""
    shutil.copytree(Path(muster.__file__).parent, tmp_path / "muster")
    told = subprocess.run([PYTHON, "-c", "import muster"], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert told.returncode == 1 and "ImportError: this muster was built for Python with its lock" in told.stderr, told
