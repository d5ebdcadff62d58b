"""Python programs with the hook (watch/python) in them, and without; with the newest libraries and those of Debian 12."""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from command import PATIENCE, ROOT
from hook_log import logs

sys.path.insert(0, str(ROOT))

from ground.programs.libraries import VERSIONS, Libraries, folder_of  # noqa: E402

PLAIN = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable
HOOK = ROOT / "watch" / "python"


@pytest.fixture(scope="module", params=VERSIONS)
def python(request, tmp_path_factory):
    """An interpreter with libraries, of a folder that is kept if it is given."""
    libraries = Libraries(folder_of(os.environ.get("WATCH_LIBRARIES"), tmp_path_factory.mktemp("watch")), request.param)
    reason = libraries.reason("python")
    if reason:
        pytest.skip(reason)
    return str(libraries.folder / request.param / "bin" / "python")


@pytest.fixture
def run(tmp_path):
    """Run a program with the hook, or without; with it, `logs` are those of its processes."""

    def run(python, source, *args, hook=True, options=(), path=(), variables=None, status=0):
        script = tmp_path / "program.py"
        script.write_text(source)
        folder = tempfile.mkdtemp(dir=tmp_path)
        env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MUSTER_WATCH"))}
        env.update(variables or {}, XDG_CACHE_HOME=str(tmp_path / "cache"))
        if hook:
            env.setdefault("MUSTER_WATCH", folder)
            env["PYTHONPATH"] = os.pathsep.join([str(HOOK), *map(str, path)])
        elif path:
            env["PYTHONPATH"] = os.pathsep.join(map(str, path))
        done = subprocess.run([python, *options, script, *args], env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=PATIENCE)
        done.logs = logs(folder)
        assert status is None or done.returncode == status, done.stderr
        return done

    return run


def both(run, python, source, *args, **named):
    """Its output and status are the same with the hook; what is answered has the logs."""
    without = run(python, source, *args, hook=False, status=None, **named)
    done = run(python, source, *args, status=None, **named)
    assert (done.returncode, done.stdout, done.stderr) == (without.returncode, without.stdout, without.stderr)
    return done
