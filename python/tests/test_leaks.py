"""Memory stays flat, however many requests there are. MUSTER_URLS: how many (1,000,000)."""

import asyncio
import gc
import itertools
import os
import tracemalloc

import muster
import pytest

N_URLS = int(os.environ.get("MUSTER_URLS", 1_000_000))
PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024


def resident_kib():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * PAGE_KIB


@pytest.mark.slow
def test_urls_without_end(lab):
    """From a tenth of the way on nothing grows."""
    sizes = []
    urls = itertools.repeat(lab.url(), N_URLS)
    for n, response in enumerate(muster.stream(urls, concurrency=64), 1):
        assert response.status == 200
        if n % (N_URLS // 10) == 0:
            sizes.append(resident_kib())
    print(f"{N_URLS} URLs: resident KiB by tenths {sizes}")
    assert n == N_URLS and max(sizes) - sizes[0] < 4096, sizes


def use_everything(lab, refused):
    with muster.Client(concurrency=16, cookies=True, hsts=muster.HSTS(), record=True) as client:
        for response in client.stream([lab.url(), refused, "nonsense", lab.url("/bytes/100k")] * 100):
            assert response.error is None or response.status == 0
        client.post(lab.url("/echo"), content=(b"a" for _ in range(10)), headers={"X-A": "b"}).json()
        client.post(lab.url("/echo"), files={"f": b"a"}, data={"a": "b"})
        client.get(lab.url("/bytes/100k"), stream=True).read_all()
        for response in client.stream([lab.url("/echo"), lab.url()] * 20, process="json"):
            assert (response.error is None) == isinstance(response.processed, dict)
        memoryview(client.get(lab.url("/bytes/100k"))).release()
        list(client.cookies.copy())
        for _ in client.stream([lab.url("/hang/start")] * 5 + [lab.url()]):
            break
        with pytest.raises(muster.InputError):
            client.post(lab.url("/echo"), content=(1 // 0 for _ in range(1)))
        str(client.explain())

    async def main():
        async with muster.AsyncClient() as client:
            await asyncio.gather(*[client.get(url) for url in [lab.url(), refused] * 50], return_exceptions=True)
            task = asyncio.ensure_future(client.get(lab.url("/hang/start")))
            await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())


@pytest.mark.slow
def test_ten_rounds(lab, refused):
    """Of all that there is: what one round leaves behind would be there ten times."""
    for _ in range(3):
        use_everything(lab, refused)
    gc.collect()
    tracemalloc.start()
    use_everything(lab, refused)
    gc.collect()
    before, resident = tracemalloc.take_snapshot(), resident_kib()
    for _ in range(10):
        use_everything(lab, refused)
    gc.collect()
    after = tracemalloc.take_snapshot()
    tracemalloc.stop()
    here = tracemalloc.Filter(False, tracemalloc.__file__)
    lines = after.filter_traces([here]).compare_to(before.filter_traces([here]), "lineno")
    grown = sum(line.size_diff for line in lines)
    print(f"10 rounds: {grown} bytes by tracemalloc, {resident_kib() - resident} KiB resident")
    assert grown < 50_000, "\n".join(map(str, lines[:10]))
    assert resident_kib() - resident < 4096
