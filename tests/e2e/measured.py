"""Figures that are measured on a machine that may be busy."""
import pytest

from command import MUSTER


def processor_time():
    """(idle, all) of all processors since the machine started, in clock ticks."""
    with open("/proc/stat") as stat:
        ticks = [int(field) for field in stat.readline().split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


def measured(measure, is_good, tries=2):
    """
    A figure that one of the tries shows is one that can be kept. Where none does the test fails, but not when others kept the processors
    busy all the while: then it is skipped.
    """
    seen, n_calm = [], 0
    for _ in range(tries):
        idle, every = processor_time()
        seen.append(measure())
        if is_good(seen[-1]):
            print(seen[-1])
            return seen[-1]
        idle_then, every_then = processor_time()
        n_calm += idle_then - idle > (every_then - every) / 2
    assert not n_calm or "asan" in MUSTER, seen
    pytest.skip(f"this machine, or this build, is too slow or too busy to measure anything: {str(seen)[:200]}")
