"""progress=: a bar by tqdm, or a function."""

import asyncio
import sys

import muster
import pytest


def urls_of(lab):
    return [lab.url(), "nonsense", lab.url("/delay/5ms")]


def fetched(kind, urls, progress):
    """By each of the ways that there are; the number of responses."""
    if kind == "fetch":
        return len(muster.fetch(urls, progress=progress))
    if kind == "stream":
        return len(list(muster.stream(urls, progress=progress)))

    async def main():
        async with muster.AsyncClient() as client:
            if kind == "async fetch":
                return len(await client.fetch(urls, progress=progress))
            return len([r async for r in client.stream(urls, progress=progress)])

    return asyncio.run(main())


KINDS = pytest.mark.parametrize("kind", ["fetch", "stream", "async fetch", "async stream"])


@KINDS
def test_function(kind, lab):
    """It gets each response in the order of completion."""
    seen = []
    assert fetched(kind, urls_of(lab), lambda response: seen.append((response.index, response.is_ok))) == 3
    assert sorted(seen) == [(0, True), (1, False), (2, True)]


@KINDS
def test_function_that_fails(kind, lab):
    def fail(response):
        raise KeyError("of the caller's")

    with pytest.raises(KeyError, match="of the caller's"):
        fetched(kind, urls_of(lab), fail)


@KINDS
def test_bar(kind, lab, capsys):
    pytest.importorskip("tqdm", reason="tqdm is not installed")
    assert fetched(kind, urls_of(lab), True) == 3
    shown = capsys.readouterr().err
    assert "3/3" in shown and "failed=1" in shown


def test_bar_of_a_generator(lab, capsys):
    pytest.importorskip("tqdm", reason="tqdm is not installed")
    assert len(muster.fetch((lab.url() for _ in range(5)), progress=True)) == 5
    assert "5req" in capsys.readouterr().err


def test_bar_is_put_away(lab, capsys):
    """Also when the caller leaves early."""
    tqdm = pytest.importorskip("tqdm.auto", reason="tqdm is not installed").tqdm
    with muster.Client() as client:
        stream = client.stream(urls_of(lab), progress=True)
        next(stream)
        stream.close()
    assert not tqdm._instances
    assert "1/3" in capsys.readouterr().err


@KINDS
def test_without_tqdm(kind, lab, monkeypatch):
    """The error says what to install; nothing was asked for by then."""
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ModuleNotFoundError, match="pip install tqdm"):
        fetched(kind, (pytest.fail("asked for") for _ in range(1)), True)


@KINDS
@pytest.mark.parametrize("progress", [None, False])
def test_none(kind, lab, capsys, progress):
    assert fetched(kind, urls_of(lab), progress) == 3
    assert capsys.readouterr().err == ""


@KINDS
def test_nonsense(kind, lab):
    with pytest.raises(TypeError, match="progress: True, or a function"):
        fetched(kind, urls_of(lab), 5)


def test_after_processing(lab):
    seen = []
    muster.fetch([lab.url("/bytes/1k")] * 3, process=len, progress=lambda response: seen.append(response.processed))
    assert seen == [1024] * 3


def test_fetch_processes(lab):
    assert [r.processed for r in muster.fetch([lab.url(f"/bytes/{n}") for n in (3, 1, 2)], process=len)] == [3, 1, 2]
    assert [r.processed for r in muster.fetch([lab.url(f"/bytes/{n}") for n in (3, 1, 2)], process=len, inline=True)] == [3, 1, 2]
