# SPDX-License-Identifier: MIT
"""
Time-outs that cancel: asyncio.wait_for(), asyncio.timeout(), async_timeout and anyio's scopes

What they end gets a CancelledError, as from a program that does not want the answer any more. So the tasks that a time-out ends are noted when it fires: the
one that it cancels, and those that this one waits for, which are cancelled with it. A note counts once, and not for long.
"""

import sys
from _weakref import ref
from time import monotonic_ns as now

from . import calls
from .inject import into

LASTS_NS = 5_000_000_000
FOLLOWED_MAX = 10_000

_ended = {}  # id(task): (the task, which lives no longer for this, and when its time-out fired)


def expires(task):
    """A time-out cancels this task."""
    try:
        at = now()
        if len(_ended) > FOLLOWED_MAX:
            _ended.clear()
        todo = [task]
        for _ in range(FOLLOWED_MAX):
            if not todo:
                break
            future = todo.pop()
            if hasattr(future, "get_coro"):
                _ended[id(future)] = (ref(future), at)
            todo.extend(f for f in (getattr(future, "_fut_waiter", None), *getattr(future, "_children", ())) if f is not None)
    except Exception:
        pass


def _is_noted(task):
    noted, at = _ended.get(id(task), (None, 0))
    return noted is not None and noted() is task and now() - at < LASTS_NS


def _current():
    return sys.modules["asyncio"].current_task()


def is_by_timeout():
    """Did the task that runs now get its CancelledError from a time-out?"""
    try:
        task = _current()
        found = _is_noted(task)
        _ended.pop(id(task), None)
        return found
    except Exception:
        return False


calls.is_by_timeout = is_by_timeout


def waited_enough(future):
    """wait_for() gives this up: its time is over, or it is cancelled itself, which may be by another time-out."""
    try:
        if sys.exc_info()[0] is None or _is_noted(_current()):
            expires(future)
    except Exception:
        pass


def group_ends(group):
    """Its tasks are cancelled: one of them failed, or the task that waits for them was cancelled."""
    try:
        if _is_noted(group._parent_task):
            for task in group._tasks:
                expires(task)
    except Exception:
        pass


def scope_ends(scope):
    try:
        if sys.modules["asyncio"].get_running_loop().time() >= scope._deadline:
            for task in scope._tasks:
                expires(task)
    except Exception:
        pass


def in_timeouts(module):
    into(module.Timeout._on_timeout, {"_mw_expires": expires}, before="_mw_expires(self._task)")


def in_async_timeout(module):
    function = module.Timeout._on_timeout
    into(function, {"_mw_expires": expires}, before="_mw_expires(%s)" % ("task" if "task" in function.__code__.co_varnames[:2] else "self._task"))


def in_tasks(module):
    into(module._cancel_and_wait, {"_mw_enough": waited_enough}, before="_mw_enough(fut)")


def in_groups(module):
    into(module.TaskGroup._abort, {"_mw_group_ends": group_ends}, before="_mw_group_ends(self)")


def in_anyio(module):
    into(module.CancelScope._timeout, {"_mw_scope_ends": scope_ends}, before="_mw_scope_ends(self)")


def after_fork():
    _ended.clear()
