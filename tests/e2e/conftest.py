"""The fixtures that every test here may ask for, each from the module of its noun, and what is set before any of them."""
import os
import signal

import pytest

pytest.register_assert_rewrite("certificates", "command", "hooked", "http2", "lab", "measured", "terminal")  # what fails there tells its values as a test does

from certificates import certificates  # noqa: E402, F401
from command import muster  # noqa: E402, F401
from lab import lab  # noqa: E402, F401
from name_server import name_server  # noqa: E402, F401
from nginx import nginx  # noqa: E402, F401
from scripted import hole, server  # noqa: E402, F401

for number in (signal.SIGHUP, signal.SIGINT):
    # Tests may run under nohup, or behind a shell's &; what they start is to be as on a terminal.
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)
for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[name]  # whatever proxy this machine needs, servers of tests are reached without


def pytest_configure(config):
    config.addinivalue_line("markers", "quiet: tells how long something takes; tests/e2e/run runs these one after another, with nothing beside them")
