"""Servers that limit: what they refuse comes in the end, and what does not is said."""
import json
import subprocess

import pytest

from command import MUSTER

N = 150


def first_cause(folder):
    told = subprocess.run([MUSTER, "explain", "--json", "run.db"], cwd=folder, capture_output=True, check=True)
    return json.loads(told.stdout)["findings"][0]["cause"]


@pytest.mark.parametrize("answer", ["429", "429,silent", "503", "503,silent"])
def test_none_is_lost(lab, muster, tmp_path, answer):
    limited = lab("--rate-limit", "50/s", "--limit-answer", answer)
    # Of a silent 503 the budget pays for as many as 10 and a fifth: with 8 at once there are fewer.
    run = muster("fetch", "-f", "--retry", "10", "-c", "8", "--summary", "--record", "run.db", input=limited.url("/plain\n") * N)
    assert run.status == 0
    assert [result["status"] for result in run.results] == [200] * N
    assert "muster slowed down for them" in run.stderr
    assert first_cause(tmp_path) == "throttled"


def test_posts_are_not_lost(lab, muster):
    limited = lab("--rate-limit", "100/s", "--limit-answer", "429,silent")
    run = muster("fetch", "-f", "--retry", "5", "--retry-unsafe", "-d", "x", input=limited.url("/plain\n") * N)
    assert run.status == 0
    assert [result["status"] for result in run.results] == [200] * N


def test_posts_that_may_not_be_repeated(lab, muster):
    limited = lab("--rate-limit", "1/m")
    run = muster("fetch", "--retry", "5", "-d", "x", limited.url("/plain"), limited.url("/plain"), "-c", "1")
    assert [result["status"] for result in run.results] == [200, 429]
    assert run.results[1]["warning"] == "not retried: POST is not retried without --retry-unsafe"


def test_budget(lab, muster, tmp_path):
    broken = lab()
    urls = broken.url("/status/500\n") * 60

    def fetch(*options):
        return muster("fetch", "-f", "--retry", "1", "--summary", "--record", "run.db", *options, input=urls)

    run = fetch()
    said = [result["error"]["text"] for result in run.results if "retry budget (20 %" in result["error"]["text"]]
    assert sum(result["attempts"] for result in run.results) == 60 + 10 + 12
    assert len(said) == 60 - 22 and "--retry-budget raises it" in said[0]
    assert "withheld     38 retries, because the retry budget was used up; --retry-budget allows more" in run.stderr
    assert first_cause(tmp_path) == "retries-withheld"
    assert sum(result["attempts"] for result in fetch("--retry-budget", "none").results) == 120
    assert sum(result["attempts"] for result in fetch("--retry-budget", "50").results) == 60 + 10 + 30


@pytest.mark.parametrize("value", ["0", "-1", "1001", "all", ""])
def test_bad_budget(muster, value):
    run = muster("fetch", "--retry-budget", value, "http://127.0.0.1:1/")
    assert run.status == 2
    assert "is neither a percentage from 1 to 1000 nor none" in run.stderr
