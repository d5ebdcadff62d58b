"""fetch() and stream(): lists in, responses out."""

import itertools
import tracemalloc

import muster
import pytest


def test_order_is_that_of_the_urls(lab):
    paths = [f"/delay/{ms}ms" for ms in (60, 5, 30, 0)]
    results = muster.fetch([lab.url(path) for path in paths], concurrency=4)
    assert [r.url for r in results] == [lab.url(path) for path in paths]
    assert {r.status for r in results} == {200}
    assert [r.index for r in results] == [0, 1, 2, 3]


def test_each_failure_is_isolated(lab, refused):
    results = muster.fetch([lab.url(), refused, "nonsense", lab.url("/status/404")])
    assert [r.status for r in results] == [200, 0, 0, 404]
    assert [type(r.error) for r in results] == [type(None), muster.ConnectError, muster.URLError, type(None)]
    assert results.failed == results[1:3]
    with pytest.raises(muster.ConnectError):
        results.raise_for_status()


def test_stream_gives_them_as_they_complete(lab):
    paths = ["/delay/300ms", "/delay/1ms", "/delay/100ms"]
    assert [r.index for r in muster.stream([lab.url(path) for path in paths], concurrency=3)] == [1, 2, 0]


def test_what_an_item_may_be(lab):
    items = [lab.url(), muster.Request("HEAD", lab.url()), {"url": lab.url("/echo"), "method": "POST", "json": {"a": 1}}, ("GET", lab.url())]
    results = muster.fetch(items)
    assert [(r.method, r.status) for r in results] == [("GET", 200), ("HEAD", 200), ("POST", 200), ("GET", 200)]
    assert results[1].request is items[1]


def test_endless_generator(lab):
    """Only so much is taken as is under way."""
    taken = []
    stream = muster.stream((taken.append(n) or lab.url() for n in itertools.count()), concurrency=8)
    for response in itertools.islice(stream, 100):
        assert response.status == 200
    stream.close()
    assert 100 <= len(taken) <= 150


def test_generator_that_fails(lab):
    """What was asked comes out first."""
    def urls():
        yield lab.url()
        yield lab.url()
        raise KeyError("the list broke off")

    stream = muster.stream(urls())
    assert [next(stream).status, next(stream).status] == [200, 200]
    with pytest.raises(KeyError, match="broke off"):
        next(stream)


def test_bad_item(lab):
    with pytest.raises(TypeError, match="no option 'colour'"):
        list(muster.stream([lab.url(), {"url": lab.url(), "colour": "red"}]))


@pytest.mark.parametrize("options, trouble, text", [
    ({"colour": "red"}, TypeError, "no option 'colour'"),
    ({"concurrency": 0}, ValueError, "below 1"),
    ({"concurrency": 2.5}, TypeError, "a whole number"),
    ({"concurrency": 10**7}, muster.InvalidError, "concurrency"),
    ({"total_timeout": 0}, ValueError, "leaves no time"),
    ({"timeout": "5"}, TypeError, "seconds are a number"),
    ({"http": "3"}, ValueError, "none of"),
    ({"verify": "/nowhere/ca.pem"}, muster.TLSError, "/nowhere/ca.pem"),
])
def test_bad_options(options, trouble, text):
    with pytest.raises(trouble, match=text):
        muster.fetch([], **options)


def test_nothing_to_do():
    assert muster.fetch([]) == []


def test_bodies_are_not_copied(lab):
    (response,) = muster.fetch([lab.url("/bytes/100k")])
    view = memoryview(response)
    assert view.nbytes == 102400 == response.body_bytes and view.readonly
    assert bytes(view[:100]) == response.content[:100]
    del response
    assert len(bytes(view)) == 102400, "the view holds what it looks at"


def test_memory_stays_flat(lab):
    def run(n):
        for response in muster.stream(itertools.repeat(lab.url("/bytes/1k"), n), concurrency=32):
            assert response.status == 200

    run(500)
    tracemalloc.start()
    before = tracemalloc.take_snapshot()
    run(5000)
    grown = sum(line.size_diff for line in tracemalloc.take_snapshot().compare_to(before, "filename"))
    tracemalloc.stop()
    assert grown < 200_000


def test_records(lab, refused):
    records = muster.fetch([lab.url(), refused]).to_records()
    assert records[0]["status"] == 200 and records[0]["error"] is None and records[0]["elapsed"] > 0
    assert records[1]["error"] == "connect" and records[1]["status"] == 0
    assert records[0].keys() == records[1].keys()


def test_verdict(lab):
    with muster.record() as rec:
        muster.fetch([lab.url("/delay/20ms")] * 60, concurrency=2)
    explanation = rec.explain()
    assert explanation.findings[0]["cause"] == "concurrency-too-low", str(explanation)
    assert "--concurrency" in str(explanation) or "concurrency" in explanation.findings[0]["remedy"]
    assert explanation["run"]["requests"] == 60


def test_nothing_recorded():
    with muster.record() as rec:
        pass
    with pytest.raises(muster.InputError, match="no client"):
        rec.explain()
