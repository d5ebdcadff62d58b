"""A terminal, and what a program shows on one."""
import os
import pty
import subprocess
import termios

import pytest

from command import PATIENCE


def terminal():
    """Both ends of a new one: ours, and that of the program."""
    try:
        return pty.openpty()
    except OSError as error:
        pytest.skip(f"there is no terminal to be had (is /dev/pts mounted?): {error}")


def shown_on_a_terminal(*command, columns=None, stderr=None, **environment):
    """What a program writes to one, which is its standard error as well unless that is told."""
    ours, theirs = terminal()
    if columns:
        termios.tcsetwinsize(theirs, (24, columns))
    process = subprocess.Popen([*map(str, command)], stdin=subprocess.DEVNULL, stdout=theirs, stderr=stderr or theirs, env={**os.environ, **environment})
    os.close(theirs)
    shown = b""
    try:
        while more := os.read(ours, 65536):
            shown += more
    except OSError:
        pass  # nobody has the other end any more
    os.close(ours)
    assert process.wait(PATIENCE) == 0, shown
    return shown
