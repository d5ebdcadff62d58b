"""Whether this machine lets the lab make a link."""
import functools
import subprocess

from command import MUSTER, PATIENCE


@functools.cache
def first_link():
    """The shortest run over a link that there is."""
    return subprocess.run([MUSTER, "lab", "--link", "rtt=1ms", "--", "true"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)


def why_no_link():
    """What keeps a link from being made here; empty when nothing does."""
    # Only what the machine denies: anything else is a failure of the tests that need a link.
    denied = ("not permitted", "Permission denied", "No such file", "No such device", "No space left", "Invalid argument", "Function not implemented")
    stderr = first_link().stderr.strip()
    return stderr if first_link().returncode and any(words in stderr for words in denied) else ""


def why_no_link_names():
    """What keeps a link's COMMAND from asking the lab's name server, as in a chroot without private mounts; empty when nothing does."""
    return why_no_link() or (first_link().stderr.strip() if "uses this machine's name server" in first_link().stderr else "")
