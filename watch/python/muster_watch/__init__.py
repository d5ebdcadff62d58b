# SPDX-License-Identifier: MIT
"""
The hook of `muster watch` in Python: what only the interpreter knows

It writes the log of src/watch/hook_log.h. Statements are put into functions of HTTP libraries and of asyncio when those are imported (inject.py, imports.py); what they
see becomes rows (calls.py, log.py) with places in the program's own code (sites.py). Everything that fails here is passed over: the program comes first.
"""


kept_in = None  # the folder for what is made once for all processes; None: nothing is kept


def start(folder, kept=None):
    """Log into this folder, and keep in the other one what is made once. What only programs with requests need is imported when they import their library."""
    global kept_in
    import atexit
    import os
    import sys

    from . import imports, log

    kept_in = kept
    language = ("python", "%d.%d.%d" % sys.version_info[:3])
    log.begin(folder, *language)

    def later(module, function):
        """Modules of ours are imported when theirs are."""
        return lambda loaded: getattr(_imported("muster_watch." + module), function)(loaded)

    for name, module, function in (
        ("aiohttp.client", "of_aiohttp", "in_client"),
        ("aiohttp.connector", "of_aiohttp", "in_connector"),
        ("httpx._client", "of_httpx", "in_client"),
        ("httpcore._async.connection_pool", "of_httpx", "in_pool"),
        ("httpcore._sync.connection_pool", "of_httpx", "in_pool"),
        ("httpcore._async.connection", "of_httpx", "in_connection"),
        ("httpcore._sync.connection", "of_httpx", "in_connection"),
        ("urllib3.connectionpool", "of_urllib3", "in_pool"),
        ("urllib3.connection", "of_urllib3", "in_connection"),
        ("urllib3.poolmanager", "of_urllib3", "in_manager"),
        ("requests.sessions", "of_urllib3", "in_sessions"),
        ("http.client", "of_http_client", "in_client"),
        ("asyncio.base_events", "holds", "in_base_events"),
        ("asyncio.runners", "holds", "in_runners"),
        ("uvloop.loop", "holds", "in_uvloop"),
        ("asyncio.locks", "bounds", "in_locks"),
        ("asyncio.tasks", "bounds", "in_tasks"),
        ("asyncio.taskgroups", "bounds", "in_groups"),
        ("asyncio.tasks", "cancels", "in_tasks"),
        ("asyncio.taskgroups", "cancels", "in_groups"),
        ("asyncio.timeouts", "cancels", "in_timeouts"),
        ("async_timeout", "cancels", "in_async_timeout"),
        ("anyio._backends._asyncio", "cancels", "in_anyio"),
        ("concurrent.futures.thread", "bounds", "in_pools"),
        ("concurrent.futures._base", "bounds", "in_futures"),
        ("multiprocessing.pool", "bounds", "in_processes"),
        ("anyio._core._synchronization", "bounds", "in_anyio"),
        ("trio._sync", "bounds", "in_trio"),
        ("threading", "bounds", "in_locks"),
        ("ssl", "of_ssl", "in_ssl"),
    ):
        imports.when(name, later(module, function))
    imports.before("uvloop.loop", later("holds", "before_uvloop"))
    imports.begin()

    def ours(module):
        return sys.modules.get("muster_watch." + module)

    def stop():
        for module in (ours("locks"), ours("holds")):
            if module:
                module.stop()

    def in_child():
        log.begin(folder, *language)
        for module in (ours("calls"), ours("holds"), ours("bounds"), ours("cancels"), ours("locks")):
            if module:
                module.after_fork()

    def at_exit():
        """The interpreter takes itself apart now: no thread of ours may wake up in that."""
        log.end()
        stop()

    os.register_at_fork(before=stop, after_in_child=in_child)
    atexit.register(at_exit)
    _at_other_ends(os, log.end)
    log.flush()


def _imported(name):
    """A module of ours, whose compiled file is kept with what else is."""
    import sys
    from _signal import SIG_IGN, SIGXFSZ, getsignal

    before = sys.dont_write_bytecode, sys.pycache_prefix
    try:
        if kept_in:
            sys.dont_write_bytecode, sys.pycache_prefix = getsignal(SIGXFSZ) != SIG_IGN, kept_in
        __import__(name)
        return sys.modules[name]
    finally:
        sys.dont_write_bytecode, sys.pycache_prefix = before


def _at_other_ends(os, end):
    """Where a process ends, or becomes another program, without running what was registered for its end."""

    def first(function):
        def run(*args, **kwargs):
            end()
            return function(*args, **kwargs)

        run.__name__ = run.__qualname__ = function.__name__
        run.__doc__ = function.__doc__
        return run

    for name in ("_exit", "execv", "execve"):
        setattr(os, name, first(getattr(os, name)))
