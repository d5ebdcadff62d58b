# SPDX-License-Identifier: MIT
"""
What the program's own code bounds its requests with: semaphores, gather and its kin, pools of threads, and pauses

Semaphores and pools are counted; each has a row for each few seconds in which it was used, and one at the end.
"""

import sys
from time import monotonic_ns as now

from . import calls, log, sites
from .inject import into

WINDOW_NS = 2_000_000_000
MOST_LIMITS = 10_000
put = log.put
_limits = []
_pools = []
_next_window = 0


class _Count:
    """How often one was asked for, and who had to wait."""

    __slots__ = ("first", "last", "size", "n", "n_waited", "waited", "waiting", "most", "site", "makes_requests", "name")

    def __init__(self, size, site, name=""):
        self.size, self.site, self.name = size, site, name
        self.waiting = 0
        self.makes_requests = False
        self.empty()

    def empty(self):
        self.first = self.last = self.n = self.n_waited = self.waited = 0
        self.most = self.waiting

    def begin(self, waits):
        """Answers since when it waits, 0: it does not."""
        if waits:
            self.waiting += 1
            if self.waiting > self.most:
                self.most = self.waiting
        elif self.first:
            return 0
        at = now()
        if not self.first:
            self.first = at
        return at if waits else 0

    def end(self, start):
        at = self.last = now()
        self.n += 1
        if start:
            self.waiting -= 1
            self.n_waited += 1
            self.waited += at - start


def _program_calls(depth):
    """Does the program itself call, and not a library?"""
    frame = sys._getframe(depth + 1)
    while frame is not None and frame.f_code.co_name == "__init__" and sites.kind_of(frame.f_code) is sites.LIBRARY:
        frame = frame.f_back
    return frame is not None and sites.kind_of(frame.f_code).__class__ is dict


def semaphore_made(semaphore, value, result):
    try:
        if _program_calls(2):
            count = semaphore.__dict__["_mw_count"] = _Count(value, sites.here(3))
            if len(_limits) < MOST_LIMITS:
                _limits.append(count)
    except Exception:
        pass
    return result


def ask(semaphore):
    count = semaphore.__dict__.get("_mw_count")
    if count is None:
        return None
    try:
        return count, count.begin(semaphore._value <= 0)
    except Exception:
        return None


def acquired(asked, value):
    if asked is not None:
        try:
            count, start = asked
            count.end(start)
            if value:
                calls.limits_held.set(count)
        except Exception:
            pass
    return value


def not_acquired(asked):
    acquired(asked, False)


def in_locks(module):
    """asyncio's and threading's alike."""
    names = {"_mw_semaphore": semaphore_made, "_mw_ask": ask, "_mw_acquired": acquired, "_mw_not_acquired": not_acquired}
    into(module.Semaphore.__init__, names, then="_mw_semaphore(self, value, _mw_value)")
    into(
        module.Semaphore.acquire,
        names,
        before="_mw_asked = _mw_ask(self)",
        then="_mw_acquired(_mw_asked, _mw_value)",
        failed="_mw_not_acquired(_mw_asked)",
    )


class _Gather:
    __slots__ = ("start", "n", "site")

    def __init__(self, n, site):
        self.start, self.n, self.site = now(), n, site

    def end(self, _=None):
        if self.n > 1 and self.site:
            put(("gather", self.start, now(), self.n, self.site))


def gathered(n, future):
    try:
        if n > 1:
            future.add_done_callback(_Gather(n, sites.here(3)).end)
    except Exception:
        pass
    return future


def several(things):
    """Begins a wait for them."""
    try:
        return _Gather(len(things) if hasattr(things, "__len__") else 0, sites.here(3))
    except Exception:
        return None


def all_there(gather, things=None, value=None):
    try:
        if gather is not None:
            if things is not None:
                gather.n = len(things)
            gather.end()
    except Exception:
        pass
    return value


def group_entered(group, value):
    try:
        group.__dict__["_mw_gather"] = _Gather(0, sites.here(3))
    except Exception:
        pass
    return value


def group_grows(group):
    gather = group.__dict__.get("_mw_gather")
    if gather is not None:
        gather.n += 1


def group_over(group, value=None):
    return all_there(group.__dict__.pop("_mw_gather", None), None, value)


PAUSE_NS = 1_000_000  # what is shorter lets others run, and is no pause
_pauses = {}  # site: when the first began, when the last ended, how many, for how long


def slept(start, result):
    """In asyncio.sleep(), which the program awaits; in a task that makes requests, since another has nothing to do with them."""
    try:
        at = now()
        if at - start > PAUSE_NS and _program_calls(2) and sites.has_asked(sys._getframe(2)):
            site = sites.here(3)
            first, _, n, took = _pauses.get(site, (start, 0, 0, 0))
            _pauses[site] = first, at, n + 1, took + at - start
    except Exception:
        pass
    return result


def in_tasks(module):
    into(module.sleep, {"_mw_now": now, "_mw_slept": slept}, before="_mw_start = _mw_now()", then="_mw_slept(_mw_start, _mw_value)")
    names = {"_mw_gathered": gathered, "_mw_several": several, "_mw_there": all_there}
    into(module.gather, names, then="_mw_gathered(len(coros_or_futures), _mw_value)")
    into(module.wait, names, before="_mw_gather = _mw_several(fs)", then="_mw_there(_mw_gather, fs, _mw_value)")
    each = getattr(module, "_AsCompletedIterator", None)
    if each is None:
        into(module.as_completed, names, before="_mw_gather = _mw_several(fs)", then="_mw_there(_mw_gather, None, _mw_value)", failed="_mw_there(_mw_gather)")
    else:
        names.update(_mw_entered=group_entered_by, _mw_one=one_completed)
        into(each.__init__, names, then="_mw_entered(self, _mw_value)")
        into(each._handle_completion, names, before="_mw_one(self)")


def mapped(n, value):
    """Work for a pool of threads, of which the results are waited for in turn."""
    try:
        _Gather(n, sites.here(3)).end()
    except Exception:
        pass
    return value


def in_futures(module):
    """Those of threads."""
    names = {"_mw_several": several, "_mw_there": all_there, "_mw_mapped": mapped}
    into(module.wait, names, before="_mw_gather = _mw_several(fs)", then="_mw_there(_mw_gather, fs, _mw_value)")
    into(module.as_completed, names, before="_mw_there(_mw_several(fs))")
    into(module.Executor.map, names, then="_mw_mapped(len(fs), _mw_value)")


def limit_made(value, result):
    """Where a limit is made whose waiting is not seen: it is looked for where there are never more requests under way."""
    try:
        if value > 1 and _program_calls(2):
            at = now()
            put(("executor", at, at, int(value), 0, 0, 0, "other", sites.here(3)))
    except Exception:
        pass
    return result


def workers_made(value, result):
    try:
        at = now()
        put(("executor", at, at, value, 0, 0, 0, "other", sites.here(3)))
    except Exception:
        pass
    return result


def in_processes(module):
    """multiprocessing's pools, of processes and of threads."""
    into(module.Pool.__init__, {"_mw_pool": workers_made}, then="_mw_pool(self._processes, _mw_value)")


def in_anyio(module):
    names = {"_mw_limit": limit_made}
    into(module.CapacityLimiter.__new__, names, then="_mw_limit(total_tokens, _mw_value)")
    made = "_mw_limit(initial_value, _mw_value)"
    into(module.Semaphore.__new__, names, then=made) or into(module.Semaphore.__init__, names, then=made)


def in_trio(module):
    names = {"_mw_limit": limit_made}
    into(module.CapacityLimiter.__init__, names, then="_mw_limit(total_tokens, _mw_value)")
    into(module.Semaphore.__init__, names, then="_mw_limit(initial_value, _mw_value)")


def group_entered_by(each, value):
    """as_completed of Python 3.13 is an object that has what is not done yet."""
    try:
        each._mw_gather = _Gather(each._todo_left, sites.here(3))
    except Exception:
        pass
    return value


def one_completed(each):
    try:
        if len(each._todo) <= 1:
            all_there(each.__dict__.pop("_mw_gather", None))
    except Exception:
        pass


def in_groups(module):
    group = module.TaskGroup
    names = {"_mw_entered": group_entered, "_mw_grows": group_grows, "_mw_over": group_over}
    into(group.__aenter__, names, then="_mw_entered(self, _mw_value)")
    into(group.create_task, names, before="_mw_grows(self)")
    into(group.__aexit__, names, then="_mw_over(self, _mw_value)", failed="_mw_over(self)")


def _of_loop():
    """Is the pool that is made the loop's own?"""
    frame = sys._getframe(3)
    return frame is not None and frame.f_code.co_name == "run_in_executor"


def pool_made(pool, value):
    try:
        site = 0 if _of_loop() else sites.here(3)
        pool.__dict__["_mw_counts"] = (_Count(pool._max_workers, site, "other"), _Count(pool._max_workers, site, "getaddrinfo"))
        _pools.extend(pool._mw_counts)
    except Exception:
        pass
    return value


def submitted(pool, work, function, value):
    try:
        counts = pool.__dict__.get("_mw_counts")
        if counts is not None:
            count = counts[function is sys.modules["socket"].getaddrinfo] if "socket" in sys.modules else counts[0]
            work._mw_asked = (count, count.begin(True), calls.limits_held.get())
    except Exception:
        pass
    return value


def work_begins(work):
    try:
        asked = work.__dict__.pop("_mw_asked", None)
        if asked is not None:
            count, start, limit = asked
            count.end(start)
            calls.limits_held.set(limit)  # whoever holds it has its requests made by this thread
    except Exception:
        pass


def in_pools(module):
    names = {"_mw_made": pool_made, "_mw_submitted": submitted, "_mw_works": work_begins}
    pool = module.ThreadPoolExecutor
    into(pool.__init__, names, then="_mw_made(self, _mw_value)")
    if "w" in pool.submit.__code__.co_varnames and "fn" in pool.submit.__code__.co_varnames:
        into(module._WorkItem.run, names, before="_mw_works(self)")
        into(pool.submit, names, edit=_before_put)


def _before_put(node):
    """Before "self._work_queue.put(w)": then no thread has it yet."""
    from .inject import at, statements, walk

    for parent in list(walk(node)):
        body = getattr(parent, "body", None)
        for i, child in enumerate(body if isinstance(body, list) else ()):
            function = getattr(getattr(child, "value", None), "func", None)
            if child.__class__.__name__ == "Expr" and getattr(function, "attr", "") == "put":
                body.insert(i, at(statements("_mw_submitted(self, w, fn, None)")[0], child))
                return
    raise ValueError("no put")


def _rows():
    for count in _limits:
        if count.n and count.makes_requests:
            put(("semaphore", count.first, count.last, count.size, count.n, count.n_waited, count.waited, count.most, count.site))
            count.empty()
    for site, (first, last, n, took) in list(_pauses.items()):
        put(("pause", first, last, n, took, site))
    _pauses.clear()
    for count in _pools:
        if count.n:
            put(("executor", count.first, count.last, count.size, count.n, count.waited, count.most, count.name, count.site))
            count.empty()


def _window():
    global _next_window
    at = now()
    if at > _next_window:
        if _next_window:
            _rows()
        _next_window = at + WINDOW_NS


def after_fork():
    """Sites of before are not in the child's log."""
    for count in _limits + _pools:
        count.empty()
        count.site = 0
    _pauses.clear()


log.before_flush(_window)
log.before_end(_rows)
