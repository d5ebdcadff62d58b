# SPDX-License-Identifier: MIT
"""
What held an event loop, by file and line

asyncio's loop reads the clock between two callbacks, in a statement that is put into BaseEventLoop._run_once; so each callback that took longer than HELD_NS is found, exactly.
Where it was is what samples say: a thread of ours looks, at random moments, at where the loop's thread is. It looks about 50 times a second while callbacks hold the
loop, half as often while it is only busy, and ten times while it waits; more would cost, since each look takes the interpreter's lock from the program. A callback in which no look fell
has the place where looks found its coroutine most often: so short callbacks are placed when there are many, and only then they matter.

uvloop's loop is not Python. There the looks are all there is: those in a row that find the same callback make a row.
"""

import sys
import time
from _collections import deque
from _thread import allocate_lock, get_ident, start_new_thread
from time import monotonic_ns as now

from . import calls, log, sites
from .inject import at, into, statements, walk

HELD_NS = 5_000_000
HOLDS_S = 0.020
BUSY_S = 0.040
LATELY_NS = 2_000_000_000
IDLE_S = 0.1
FRAMES_MAX = 200
_THIN = ("contextlib", "functools")  # what they call is what the program called

_loops = {}  # thread: _Loop
_pending = []  # callbacks that held a loop, whose rows are not made yet
_by_code = {}  # id(code): {(site, name): looks}
_spent = {}  # (site, name): how long it held a loop, and processor time in that
_told = set()  # names of loops that have a row
_waits = set()  # ids of the codes in which a loop waits, if it is the loop that calls them
_wake = allocate_lock()
_wake.acquire()
_over = allocate_lock()
_running = False


class _Loop:
    __slots__ = ("thread", "clock", "looks", "holds", "depth", "is_python", "last", "edge")

    def __init__(self, thread):
        self.thread = thread
        self.is_python = False
        self.clock = time.pthread_getcpuclockid(thread)
        self.looks = deque(maxlen=1000)  # (when, processor time, key, codes)
        self.holds = deque(maxlen=1000)
        self.depth = 1
        self.last = None
        self.edge = None  # the program's own frame that runs a loop which has none


def entered(loop=None):
    """A loop begins to run in this thread: asyncio's, or one that a runner has."""
    try:
        thread = get_ident()
        known = _loops.get(thread)
        if known is None:
            known = _loops[thread] = _Loop(thread)
            start()
        else:
            known.depth += 1
        if loop is not None:
            known.is_python = True
            _know_waits()
            _tell("asyncio")
        return thread
    except Exception:
        return None


def _tell(name):
    if name not in _told:
        _told.add(name)
        log.put(("loop", name))


def left(thread, value=None):
    try:
        loop = _loops.get(thread)
        if loop is not None:
            loop.depth -= 1
            if loop.edge is not None:
                sites.edges.discard(id(loop.edge))
                loop.edge = None
            if not loop.depth:
                del _loops[thread]
    except Exception:
        pass
    return value


def held(start, end, handle):
    """A callback took longer than HELD_NS; called in the loop's thread."""
    try:
        loop = _loops.get(get_ident())
        code = _code_of(handle)
        if loop is None or code is not None and "/ipykernel/" in code.co_filename:
            return  # a cell of a notebook holds the loop of what runs it, as it is meant to
        loop.holds.append((start, end))
        looks = [look for look in list(loop.looks) if start <= look[0] <= end]
        _pending.append((start, end, _processor_time(loop, start, end, looks), [look[2] for look in looks], code))
        loop.looks.append((end, time.thread_time_ns(), None, ()))
    except Exception:
        pass


def _processor_time(loop, start, end, looks):
    """Of the thread in that time, from the looks before and in it; -1: they say too little."""
    cpu = time.thread_time_ns()
    took = end - start
    before = [look for look in list(loop.looks)[-50:] if look[0] < start]
    if before and start - before[-1][0] < took // 5:
        return min(took, cpu - before[-1][1])
    if looks and end - looks[0][0] > took // 3:
        return min(took, (cpu - looks[0][1]) * took // (end - looks[0][0]))
    return -1


def _code_of(handle):
    """The code of the coroutine or function that a handle runs: its outermost."""
    callback = getattr(handle, "_callback", None)
    task = getattr(callback, "__self__", None)
    if hasattr(task, "get_coro"):
        coroutine = task.get_coro()
        return getattr(coroutine, "cr_code", None) or getattr(coroutine, "gi_code", None)
    callback = getattr(callback, "func", callback)
    return getattr(callback, "__code__", None)


def held_in(start, end):
    """How long the loop of this thread was held between two moments."""
    loop = _loops.get(get_ident())
    if loop is None:
        return 0
    return sum(max(0, min(end, e) - max(start, s)) for s, e in loop.holds)


calls.held_in = held_in


# The thread that looks.


def start():
    global _running
    if not _running and not log.is_last:
        _running = True
        _over.acquire(False)
        start_new_thread(_look_again_and_again, ())


def stop():
    """Before a fork: the program has its own threads then, and no other."""
    global _running
    if _running:
        _running = False
        n = _threads()
        _wake.release()
        _over.acquire(True, 0.5)
        for _ in range(50):
            if _threads() < n:
                break
            time.sleep(0.0001)


def _threads():
    from os import listdir

    return len(listdir("/proc/self/task"))


def _chance():
    """0 to 1, from the clock's last digits: the program's random numbers are its own."""
    return (now() >> 6) % 1024 / 1024


def _look_again_and_again():
    try:
        import _signal

        _signal.pthread_sigmask(_signal.SIG_BLOCK, _signal.valid_signals() if hasattr(_signal, "valid_signals") else range(1, 65))
        period = HOLDS_S
        while not _wake.acquire(True, period * (0.6 + 0.8 * _chance())):
            if not _loops:
                period = IDLE_S * 3
            elif _look():
                period = HOLDS_S if _is_held() else BUSY_S
            else:
                period = min(IDLE_S, period * 1.5)
            if log.is_due(now()):
                log.flush()
    except Exception:
        pass
    finally:
        _over.release()


def _is_held():
    """Was a loop held lately? Of one whose callbacks are not told apart nobody knows but by looking."""
    at_ns = now()
    return any(not loop.is_python or (loop.holds and at_ns - loop.holds[-1][1] < LATELY_NS) for loop in list(_loops.values()))


def _look():
    """Look at each loop's thread. Was one busy?"""
    frames = sys._current_frames()
    busy = False
    for thread, loop in list(_loops.items()):
        frame = frames.get(thread)
        key = None
        if frame is not None and not _is_waiting(frame):
            key, codes, callback = _place(frame, loop.edge)
        if key is None:
            if not loop.is_python:
                _unbroken(loop, None)
            continue
        busy = True
        cpu = time.clock_gettime_ns(loop.clock) if hasattr(time, "clock_gettime_ns") else -1
        loop.looks.append((now(), cpu, key, codes))
        if not loop.is_python:
            _unbroken(loop, callback)
        for code in codes:
            found = _by_code.setdefault(code, {})
            found[key] = found.get(key, 0) + 1
    return busy


def _is_waiting(frame):
    """Is it the loop itself, which waits or is between two callbacks? A callback may wait with a selector, too: subprocess does."""
    if frame.f_code.co_name != "_run_once" and id(frame.f_code) in _waits:
        frame = frame.f_back
    return frame is not None and frame.f_code.co_name == "_run_once"


def _place(frame, edge):
    """
    Where a thread is: a site and the name of what it called there; the codes of the callback's frames; and what tells the callback from others, None in the
    middle of an HTTP library, which makes requests and holds nothing. (None, None, None): it is in no callback.
    """
    codes = []
    callee = inner = outer = user = None
    while frame is not None and frame is not edge and len(codes) < FRAMES_MAX:
        code = frame.f_code
        kind = sites.kind_of(code)
        if kind is sites.EDGE:
            break
        codes.append(id(code))
        outer = frame
        if inner is None:
            inner = frame
        if user is None:
            if kind.__class__ is dict:
                user = frame
            elif callee is None or frame.f_globals.get("__name__") not in _THIN:
                callee = frame
        frame = frame.f_back
    if not codes:
        return None, None, None
    if user is None:
        return (sites.of(inner), _called(callee or inner)), codes, None
    name = _called(callee) if callee is not None else (user.f_code, user.f_lasti)
    callback = None if callee is not None and sites.of_client(callee.f_code) else (id(outer), id(user.f_code))
    return (sites.of(user), name), codes, callback


def _called(frame):
    """Of a library's function; a function of the program calls it."""
    code = frame.f_code
    return "%s.%s" % (frame.f_globals.get("__name__", "?"), getattr(code, "co_qualname", code.co_name))


def _unbroken(loop, callback):
    """For a loop whose callbacks are not told apart: looks in a row at the same callback are one that held it. The shim knows for how long, exactly."""
    at_ns = now()
    last = loop.last
    if last is not None and callback is not None and last[2] == callback:
        loop.last = (last[0], at_ns, callback)
        return
    if last is not None and last[1] - last[0] > HELD_NS:
        looks = [look for look in list(loop.looks) if last[0] <= look[0] <= last[1]]
        loop.holds.append((last[0], last[1]))
        cpu = min(last[1] - last[0], looks[-1][1] - looks[0][1]) if len(looks) > 1 else -1
        _pending.append((last[0], last[1], cpu, [look[2] for look in looks], None))
    loop.last = (loop.looks[-1][0], at_ns, callback) if callback is not None else None


# Rows.


def _rows():
    todo = _pending[:]
    del _pending[: len(todo)]
    for start_ns, end_ns, cpu, keys, code in todo:
        counts = {}
        for key in keys:
            if key is not None:
                counts[key] = counts.get(key, 0) + 1
        if counts:
            _learn(max(counts, key=counts.get), end_ns - start_ns, cpu)
        else:
            counts = _likely(_by_code.get(id(code), {}), end_ns - start_ns, cpu)
        if not counts:
            log.put(("held", start_ns, end_ns, cpu, 0, 0, getattr(code, "co_name", "")))
            continue
        key = max(counts, key=counts.get)
        share = 100 * sum(n for (site, _), n in counts.items() if site == key[0]) // sum(counts.values())
        log.put(("held", start_ns, end_ns, cpu, key[0], share, _name(key[1])))


def _learn(key, took, cpu):
    if cpu >= 0:
        spent = _spent.setdefault(key, [0, 0])
        spent[0] += took
        spent[1] += cpu


def _likely(counts, took, cpu):
    """Of the places where a coroutine was found those that compute if this callback did, and that wait if it did not."""
    if cpu < 0:
        return counts
    computes = cpu * 2 > took
    fits = {}
    for key, n in counts.items():
        spent = _spent.get(key)
        if spent is None or (spent[1] * 2 > spent[0]) == computes:
            fits[key] = n
    return fits


_names = {}


def _name(name):
    """Of what was called: for a function in C it stands in the source, where the instruction is."""
    if name.__class__ is str:
        return name
    code, instruction = name
    key = (id(code), instruction)
    if key not in _names:
        try:
            _names[key] = _name_in_source(code, instruction) or code.co_name
        except Exception:
            _names[key] = code.co_name
    return _names[key]


def _name_in_source(code, instruction):
    from linecache import getline

    if hasattr(code, "co_positions"):
        line, end_line, column, end_column = list(code.co_positions())[instruction // 2]
        text = getline(code.co_filename, line).encode()[column : end_column if end_line == line else None].decode()
        head, bracket, _ = text.partition("(")
        return head.strip() if bracket and head.replace(".", "").replace("_", "").strip().isalnum() else ""
    line = code.co_firstlineno
    for offset, number in _line_starts(code):
        if offset > instruction:
            break
        line = number
    head = getline(code.co_filename, line).partition("(")[0].split()
    return head[-1] if head and head[-1].replace(".", "").replace("_", "").isalnum() else ""


def _line_starts(code):
    from dis import findlinestarts

    return findlinestarts(code)


log.before_flush(_rows)


# asyncio's loop.


def _between_callbacks(node):
    """In _run_once, before and in "for i in range(ntodo)"."""
    for parent in list(walk(node)):
        body = getattr(parent, "body", None)
        for i, child in enumerate(body if isinstance(body, list) else ()):
            if child.__class__.__name__ == "For" and getattr(getattr(child.iter, "func", None), "id", "") == "range":
                child.body.extend(at(s, child.body[-1]) for s in statements(_BETWEEN))
                body.insert(i, at(statements("_mw_start = _mw_now()")[0], child))
                return
    raise ValueError("no loop over callbacks")


_BETWEEN = """
_mw_end = _mw_now()
if _mw_end - _mw_start > %d:
    _mw_held(_mw_start, _mw_end, handle)
_mw_start = _mw_end
""" % HELD_NS


def in_base_events(module):
    loop = module.BaseEventLoop
    into(loop._run_once, {"_mw_now": now, "_mw_held": held}, edit=_between_callbacks)
    into(
        loop.run_forever,
        {"_mw_entered": entered, "_mw_left": left},
        before="_mw_thread = _mw_entered(self)",
        then="_mw_left(_mw_thread, _mw_value)",
        failed="_mw_left(_mw_thread)",
    )


def in_runners(module):
    """asyncio.run() with another loop than asyncio's own, which is uvloop's."""
    names = {"_mw_entered": entered, "_mw_left": left}
    run = module.Runner.run if hasattr(module, "Runner") else module.run
    into(run, names, before="_mw_thread = _mw_entered()", then="_mw_left(_mw_thread, _mw_value)", failed="_mw_left(_mw_thread)")


def before_uvloop(_):
    """
    uvloop's loop runs in C, wherever the program calls run_until_complete() or run_forever(). It says so to asyncio, by a function that it keeps when it is
    loaded: that is given one of ours, and nobody else is.
    """
    import asyncio

    tell = asyncio._set_running_loop

    def _set_running_loop(loop):
        _runs(loop is not None, sys._getframe(1))
        return tell(loop)

    asyncio._set_running_loop = _set_running_loop
    _before.append((asyncio, tell))


_before = []


def _runs(begins, frame):
    try:
        if not begins:
            left(get_ident())
            return
        loop = _loops.get(entered())
        if loop is not None and loop.edge is None:
            loop.edge = frame
            sites.edges.add(id(frame))
    except Exception:
        pass


def in_uvloop(module):
    while _before:
        asyncio, tell = _before.pop()
        asyncio._set_running_loop = tell
    _tell("uvloop")


def _know_waits():
    """In which functions an asyncio loop waits. Looked for when one runs, since every program with a socket imports selectors."""
    module = sys.modules.get("selectors")
    for name in ("EpollSelector", "PollSelector", "SelectSelector"):
        kind = getattr(module, name, None)
        if kind is not None:
            _waits.add(id(kind.select.__code__))


def after_fork():
    global _running, _wake, _over
    _running = False
    _wake, _over = allocate_lock(), allocate_lock()
    _wake.acquire()
    _loops.clear()
    _by_code.clear()
    _spent.clear()
    _told.clear()
    del _pending[:]
