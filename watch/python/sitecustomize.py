# SPDX-License-Identifier: MIT
"""
Begins the hook of `muster watch` in a Python program

The interpreter imports this module before the program, since `muster watch` puts its folder in front of PYTHONPATH. It starts the hook (muster_watch),
takes its folder out of sys.path, and then gives way to the sitecustomize that would have been imported without it. Nothing of ours may
break the program: what fails here is passed over, and the page says that there was no hook.
"""


def _watch():
    import os
    import sys

    linked = os.path.dirname(os.path.abspath(__file__))
    folder = os.path.realpath(linked)  # where compiled files are looked for by name
    try:
        if os.environ.get("MUSTER_WATCH") and os.environ.get("MUSTER_WATCH_HOOKS") != "0":
            before = sys.dont_write_bytecode, sys.pycache_prefix
            try:
                kept = _kept(os)
                if kept:
                    sys.dont_write_bytecode, sys.pycache_prefix = False, kept
                sys.path.insert(0, folder)
                import muster_watch

                muster_watch.start(os.environ["MUSTER_WATCH"], kept)
            finally:
                sys.dont_write_bytecode, sys.pycache_prefix = before
    except Exception:
        pass
    sys.path[:] = [path for path in sys.path if os.path.abspath(path or ".") not in (linked, folder)]


def _kept(os):
    """The user's folder for what is made once; None unless it is theirs, and theirs alone to write to: what lies in it is run."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.environ.get("HOME") or "/nonexistent", ".cache")
    folder = os.path.join(home, "muster", "watch")
    try:
        os.makedirs(folder, 0o700, exist_ok=True)
        facts = os.lstat(folder)
    except OSError:
        return None
    return folder if facts.st_uid == os.geteuid() and not facts.st_mode & 0o022 else None


def _next():
    """The program's own sitecustomize, if there is one. By what the interpreter itself imports with: importlib.util would load a dozen modules more."""
    import sys
    from _frozen_importlib import module_from_spec
    from _frozen_importlib_external import PathFinder

    spec = PathFinder.find_spec("sitecustomize")
    if spec is None or spec.loader is None:
        return
    module = module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


_watch()
_next()
