"""The program that mypy and pyright check does what it says."""

import subprocess
import sys
from pathlib import Path


def test_typed_program(lab, tmp_path):
    program = Path(__file__).with_name("typed_program.py")
    ran = subprocess.run([sys.executable, program, lab.url(""), tmp_path], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
