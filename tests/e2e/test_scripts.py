"""script/setup and script/build on a small project in the place of this one: a build folder that no longer fits is made anew, and it is said why."""
import json
import os
import shutil
import signal
import subprocess
import time

import pytest
from command import PATIENCE, ROOT

MESON = """\
project('small', 'c')
executable('muster', 'muster.c')
"""


class Checkout:
    """`script` of this project, with something small to build."""

    def __init__(self, path):
        self.path = path
        (path / "script").mkdir(parents=True)
        for name in ("setup", "build"):
            shutil.copy2(ROOT / "script" / name, path / "script" / name)
        (path / "meson.build").write_text(MESON)
        (path / "muster.c").write_text('int main(void) { return 0; }\n')

    def run(self, name, *arguments, status=0, **environment):
        clean = {name: value for name, value in os.environ.items() if name not in ("BUILD", "CC")}
        done = subprocess.run([self.path / "script" / name, *map(str, arguments)], env={**clean, **environment}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE)
        assert done.returncode == status, done.stdout
        return done.stdout

    def moved(self, path):
        self.path.rename(path)
        self.path = path
        return self

    def option(self, name, folder="build"):
        told = subprocess.run(["meson", "introspect", "--buildoptions", self.path / folder], capture_output=True, text=True, check=True).stdout
        return next(option["value"] for option in json.loads(told) if option["name"] == name)


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path / "a checkout")  # a path may have a blank


def test_build_says_what_it_does_and_nothing_when_there_is_nothing(checkout):
    assert checkout.run("build") == "script/build: building in build; the first time takes about a minute…\n"
    assert checkout.run("build") == ""
    (checkout.path / "muster.c").write_text("int main(void) { return 1; }\n")
    assert checkout.run("build") == "script/build: building what has changed, in build…\n"
    (checkout.path / "muster.c").write_text("int main(void) { return x; }\n")
    told = checkout.run("build", status=1)
    assert "muster.c:1" in told and told.endswith("script/build: the build failed; what the compiler said is above\n")


def test_a_moved_checkout_is_built_anew_with_its_options(checkout, tmp_path):
    checkout.run("build", "-Db_ndebug=true")
    old = checkout.path
    told = checkout.moved(tmp_path / "another").run("build")
    assert f"script/setup: build is made anew: it was made with source {old}, and this is {checkout.path}\n" in told
    assert checkout.option("b_ndebug") == "true" and checkout.option("buildtype") == "release"
    assert (checkout.path / "build" / "muster").exists() and checkout.run("build") == ""


def test_a_folder_that_meson_alone_has_made_is_known_too(checkout, tmp_path):
    subprocess.run(["meson", "setup", checkout.path / "build", checkout.path, "-Doptimization=1"], check=True, capture_output=True)
    told = checkout.run("build")
    assert "made anew" not in told and checkout.option("optimization") == "1"
    (checkout.path / "build" / "made-by").unlink()
    assert "build is made anew: it was made with source" in checkout.moved(tmp_path / "another").run("build")
    assert checkout.option("optimization") == "1"


@pytest.mark.parametrize("noun", ["meson", "compiler"])
def test_another_version_of_what_builds(checkout, noun):
    checkout.run("build")
    stamp = checkout.path / "build" / "made-by"
    lines = [f"{noun} 0.1" if line.startswith(f"{noun} ") else line for line in stamp.read_text().splitlines()]
    stamp.write_text("\n".join(lines) + "\n")
    assert f"build is made anew: it was made with {noun} 0.1, and this is " in checkout.run("build")
    assert checkout.run("build") == ""


def test_the_compiler_is_that_of_the_first_time(checkout):
    compiler = checkout.path.parent / "mine"  # meson takes CC apart at blanks
    compiler.write_text('#!/bin/sh\nexec cc "$@"\n')
    compiler.chmod(0o755)
    checkout.run("build", CC=str(compiler))
    assert checkout.run("build") == ""
    assert f"it was made with cc {compiler}, and this is cc" in checkout.run("build", CC="cc")


@pytest.mark.parametrize("left", ["nothing", "logs", "half"])
def test_an_interrupted_setup(checkout, left):
    if left == "half":
        checkout.run("build")
        (checkout.path / "build" / "build.ninja").unlink()
    else:
        (checkout.path / "build" / ("meson-logs" if left == "logs" else "")).mkdir(parents=True)
    assert "script/setup: build is made anew: its set-up was interrupted\n" in checkout.run("build")
    assert checkout.run("build") == ""


def test_an_interrupt_while_it_is_set_up(checkout):
    """Whenever it comes, the next run has a build."""
    for delay in (0.3, 0.8):
        process = subprocess.Popen([checkout.path / "script" / "build"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   start_new_session=True)
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        checkout.run("build")
        assert (checkout.path / "build" / "muster").exists()
        shutil.rmtree(checkout.path / "build")


def test_what_is_no_build_folder_is_left_alone(checkout):
    (checkout.path / "build").mkdir()
    (checkout.path / "build" / "mine").write_text("mine\n")
    told = checkout.run("build", status=1)
    assert told.endswith("script/setup: build is there, and is no build folder; move it away, or name another: BUILD=FOLDER\n")
    assert (checkout.path / "build" / "mine").read_text() == "mine\n"
    checkout.run("build", BUILD="other")
    assert (checkout.path / "other" / "muster").exists()


def test_a_checkout_that_cannot_be_written_to(checkout, tmp_path):
    """A file in the place of the folder's parent: root may write anywhere else."""
    (checkout.path / "file").write_text("")
    told = checkout.run("build", status=1, BUILD="file/build")
    assert f"script/setup: cannot make file/build in {checkout.path}; name a folder that you may write to: BUILD=FOLDER\n" in told
    checkout.run("build", BUILD=str(tmp_path / "elsewhere"))
    assert (tmp_path / "elsewhere" / "muster").exists()


def test_meson_says_why(checkout):
    (checkout.path / "meson.build").write_text("project('small', 'c')\ndependency('there-is-none')\n")
    told = checkout.run("build", status=1)
    assert 'Dependency "there-is-none" not found' in told and "script/setup: meson setup failed; what it said is above" in told
