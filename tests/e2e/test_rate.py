"""Rates in real time: starts where the plan has them, and what the plan tells of a server that falls behind."""
import re

import pytest

from measured import measured

pytestmark = pytest.mark.quiet


def starts(results):
    """Of requests that were submitted together: when each got its slot, in microseconds from then, in order."""
    return sorted(result["phases_us"]["queue"] for result in results)


def per_second(times):
    return (len(times) - 1) / (times[-1] - times[0]) * 1e6


def most_within(times, us):
    """The most starts in any window of that length."""
    most, first = 0, 0
    for i, time in enumerate(times):
        while time - times[first] >= us:
            first += 1
        most = max(most, i - first + 1)
    return most


def lateness(results):
    return sorted(result["phases_us"]["queue"] - result["planned_us"] for result in results)


def test_rate_is_held_without_bursts(lab, muster):
    one = lab()
    urls = "".join(one.url("/plain\n") for _ in range(1500))

    def measure():
        done = muster("fetch", "--rate", "500/s", "--body", "none", "-c", "64", input=urls)
        assert done.status == 0
        times, late = starts(done.results), lateness(done.results)
        assert late[0] >= -1  # both are rounded
        gaps = sorted(after - before for before, after in zip(times, times[1:]))
        return per_second(times), most_within(times, 20_000), gaps[len(gaps) // 2], late[len(late) // 2]

    def is_good(seen):
        rate, most, gap, late = seen
        return 495 <= rate <= 505 and most <= 14 and 1800 <= gap <= 2200 and late < 1000

    measured(measure, is_good)


def test_each_host_has_its_own(lab, muster):
    one = lab("--listener", "a", "--listener", "b", "--delay", "300ms")
    urls = "".join(one.url("/plain\n", name) for name in "ab" for _ in range(51 if name == "a" else 26))

    def measure():
        results = muster("fetch", "--rate-per-host", "50/s", input=urls).results
        by_host = {name: [result for result in results if result["url"].startswith(one.url("", name))] for name in "ab"}
        return [(round(per_second(starts(of)), 1), round(starts(of)[-1] / 1e6, 2)) for of in by_host.values()]

    measured(measure, lambda seen: all(48.5 <= rate <= 51.5 for rate, _ in seen) and seen[0][1] < 1.1 and seen[1][1] < 0.6)


def test_plan_tells_what_a_slow_server_did_to_those_behind(lab, muster):
    """100/s wanted, 50/s served, one at a time: each request takes 20 ms, but the last one came 2 s after its moment."""
    one = lab("--workers", "1", "--service-time", "20ms")
    urls = "".join(one.url("/plain\n") for _ in range(200))
    done = muster("fetch", "--rate", "100", "-c", "1", "--summary", input=urls)
    results = done.results
    planned = sorted(result["planned_us"] for result in results)
    # 10 ms from one to the next, but for how long it took to submit them all.
    assert all(abs(at - planned[0] - i * 10_000) < 100_000 for i, at in enumerate(planned))
    late = lateness(results)
    assert late[0] < 500_000 and late[-1] > 1_800_000
    summary = dict(re.findall(r"^(latency|from plan) +p50 (.+?),", done.stderr, re.M))
    assert summary["latency"].endswith(" ms") and summary["from plan"].endswith(" s"), done.stderr


def test_full_queue_is_not_an_excuse(lab, muster):
    """More than fits into the queue: who is submitted late for that was to start before."""
    one = lab("--delay", "2ms")
    urls = "".join(one.url("/plain\n") for _ in range(4500))
    results = muster("fetch", "--rate", "100000", "-c", "4", "--body", "none", input=urls).results
    assert len(results) == 4500
    assert all(result["planned_us"] < 0 for result in results if result["n"] > 4400)


def test_what_the_lines_say(lab, muster):
    one = lab()
    assert "planned_us" not in muster("fetch", one.url("/plain")).result
    done = muster("fetch", "--rate", "60/m", "--retry", "1", "--summary", one.url("/retry/503/0?times=1&key=a"), "nonsense")
    good, bad = sorted(done.results, key=lambda result: result["n"])
    assert 0 <= good["planned_us"] < 1_000_000 and bad["planned_us"] is None
    assert good["attempts"] == 2 and good["total_us"] > 900_000  # the retry has the next moment
    assert re.search(r"^from plan    p50 1(\.0\d)? s,", done.stderr, re.M), done.stderr
    done = muster("fetch", "--summary", one.url("/plain"))
    assert "from plan" not in done.stderr
    for rate in ["fast", "5/d", "-1", "1e9"]:
        done = muster("fetch", "--rate-per-host", rate, one.url("/plain"))
        assert done.status == 2 and "is not a rate; write 500/s, 30/m or a plain number per second" in done.stderr
