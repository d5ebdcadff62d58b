"""Folders of tests, which others have to reach."""
import os
import tempfile
from pathlib import Path


def open_to_others(directory, mode=0o755):
    """What root starts goes on as another user. Pytest's folders are closed to that, as many as there are above one."""
    directory.chmod(mode)
    for parent in directory.parents:
        if parent == Path(tempfile.gettempdir()) or parent.stat().st_uid != os.getuid():
            break
        parent.chmod(parent.stat().st_mode | 0o755)
