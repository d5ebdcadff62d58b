# SPDX-License-Identifier: MIT
"""
Threads that wait for the interpreter's lock (GIL), and the lines at which they have it

A thread of ours asks for the lock at random moments, about 40 times a second while threads of the program compute, and sees how late it gets it. Then it
has it, so nothing moves: it reads the processor time of each thread that made requests, and where each of them is that used some. If several used the
processor since the last time, and together no more than one, they took turns: for so long one of them waited for another. Who gave the lock away itself,
to send or to wait, is not where it computed: it queues for the lock there, behind those that do.

It also sees where a thread sleeps that makes requests: a few times a second, for which it is there from the first request on where there is no loop. (What a
loop sleeps for is counted, see bounds.py.)
"""

import sys
import time
from _thread import allocate_lock, start_new_thread
from time import monotonic_ns as now

from . import calls, log, sites

BUSY_S = 0.025
IDLE_S = 0.2
LATE_NS = 1_000_000  # later than it takes to wake up
USED_NS = 1_000_000
FULL = 0.5, 1.2  # of one processor, which others may use, too
WINDOW_NS = 2_000_000_000
PAUSE_LOOK_NS = 100_000_000

# Modules whose calls give the lock away, and one function of another that does.
WAITING = frozenset(("socket", "ssl", "selectors", "threading", "queue", "genericpath", "posixpath", "os", "urllib3.util.wait", "urllib3.util.connection"))
SENDING = "http.client", "send"

_numbers = {}  # ident of a thread: (the kernel's number, its processor time so far)
_wake = allocate_lock()
_wake.acquire()
_over = allocate_lock()
_running = False
_found = {}  # (site, name): processor time there
_slept = {}  # code and instruction: is it a call of sleep()?
_looked_ns = 0  # when pauses were looked for
_pauses = {}  # site: when it was first seen to sleep there, how often, for how long
_counts = [0, 0, 0, 0]  # when the first look was; looks; of these the lock was another's; for how long it was waited for


def has_lock():
    return getattr(sys, "_is_gil_enabled", lambda: True)()


def thread_seen(ident, number):
    """A thread made its first request."""
    try:
        _numbers[ident] = (number, 0)
        if not _running and has_lock() and (len(_numbers) > 1 or not _has_loop(ident)):
            start()
    except Exception:
        pass


def _has_loop(ident):
    holds = sys.modules.get("muster_watch.holds")
    return holds is not None and ident in holds._loops


calls.thread_seen = thread_seen


def start():
    global _running
    if log.is_last:
        return
    _running = True
    _over.acquire(False)
    start_new_thread(_look_again_and_again, ())


def stop():
    """Before a fork: the program has its own threads then, and no other."""
    global _running
    if _running:
        from .holds import _threads

        _running = False
        n = _threads()
        _wake.release()
        _over.acquire(True, 0.5)
        for _ in range(50):
            if _threads() < n:
                break
            time.sleep(0.0001)


def _look_again_and_again():
    try:
        import _signal

        _signal.pthread_sigmask(_signal.SIG_BLOCK, _signal.valid_signals() if hasattr(_signal, "valid_signals") else range(1, 65))
        from . import holds

        period, last = BUSY_S, now()
        while True:
            wait = period * (0.6 + 0.8 * ((now() >> 6) % 1024 / 1024))
            due = now() + int(wait * 1e9)
            if _wake.acquire(True, wait):
                break
            at = now()
            busy = _look(at, at - last, at - due, holds)
            _look_for_pauses(at, holds)
            last = at
            period = BUSY_S if busy else min(IDLE_S, period * 1.5)
            if log.is_due(at):
                log.flush()
    except Exception:
        pass
    finally:
        _over.release()


def _gives_away(frame):
    """Is it in one of the calls of the standard library and urllib3 that wait without the lock?"""
    module = frame.f_globals.get("__name__")
    return module in WAITING or (module, frame.f_code.co_name) == SENDING


def _sleeps(frame, holds):
    """Is it in time.sleep()? That is of C, and so has no frame."""
    code = frame.f_code
    if "sleep" not in code.co_names:
        return False
    key = id(code), frame.f_lasti
    if key not in _slept:
        name = holds._name((code, frame.f_lasti))
        _slept[key] = name == "sleep" or name.endswith(".sleep")
        sites.kind_of(code)  # keeps the code, so that no other gets its id
    return _slept[key]


def _look_for_pauses(at, holds):
    """Where threads sleep that make requests. Seldom, as it takes the frames of all threads."""
    global _looked_ns
    took = at - _looked_ns
    if took < PAUSE_LOOK_NS:
        return
    frames = sys._current_frames() if _looked_ns else {}
    _looked_ns = at
    for ident in list(_numbers):
        frame = frames.get(ident)
        site = sites.of(frame) if frame is not None and _sleeps(frame, holds) else 0
        if site:
            first, n, slept = _pauses.get(site, (at - took, 0, 0))
            _pauses[site] = first, n + 1, slept + took


def _look(at, took, late, holds):
    """Did threads compute since the last look? Where they are is looked for only if they may have waited for each other."""
    is_late = late > LATE_NS
    frames = sys._current_frames() if is_late else {}
    used = []
    sum_ns = 0
    for ident, (number, before) in list(_numbers.items()):
        try:
            cpu = time.clock_gettime_ns((~number << 3) | 6)  # the clock of a thread, by the kernel's number
        except OSError:
            del _numbers[ident]
            continue
        _numbers[ident] = (number, cpu)
        if before and cpu - before > USED_NS:
            used.append((cpu - before, frames.get(ident)))
            sum_ns += cpu - before
    if not _counts[0]:
        _counts[0] = at - took
    _counts[1] += 1
    if len(used) > 1 and is_late and FULL[0] * took < sum_ns < FULL[1] * took:
        _counts[2] += 1
        _counts[3] += took
        for ns, frame in used:
            if frame is None or _gives_away(frame):
                continue
            key = holds._place(frame, None)[0]
            if key is not None and key[0]:
                _found[key] = _found.get(key, 0) + ns
    return len(_numbers) > 1 and sum_ns > took * 0.3


def _work_of(key):
    """A function of the program, or a line of it from which a library's was called."""
    return key if key[1].__class__ is str else id(key[1][0])


def _rows():
    for site, (first, n, slept) in list(_pauses.items()):
        log.put(("pause", first, now(), n, slept, site))
    _pauses.clear()
    if not _counts[1] or now() - _counts[0] < WINDOW_NS and not log.is_last:
        return
    first, n, n_taken, waited = _counts
    _counts[:] = 0, 0, 0, 0
    site, share, name = 0, 0, ""
    if _found:
        from . import holds

        works = {}  # a function that computes does so at several lines
        for key, ns in _found.items():
            sites = works.setdefault(_work_of(key), {})
            sites[key[0]] = sites.get(key[0], 0) + ns
        sites = max(works.values(), key=lambda sites: sum(sites.values()))
        site = max(sites, key=sites.get)
        share = 100 * sum(ns for (at, _), ns in _found.items() if at == site) // sum(_found.values())
        name = holds._name(max((key for key in _found if key[0] == site), key=_found.get)[1])
        _found.clear()
    log.put(("interpreter", first, now(), waited, n, n_taken, site, share, name))


log.before_flush(_rows)


def after_fork():
    global _running, _wake, _over, _looked_ns
    _running = False
    _looked_ns = 0
    _wake, _over = allocate_lock(), allocate_lock()
    _wake.acquire()
    _numbers.clear()
    _found.clear()
    _pauses.clear()
    _counts[:] = 0, 0, 0, 0
