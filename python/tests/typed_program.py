"""A typed program that uses all of the API: mypy --strict and pyright check it against the stubs, and a test runs it."""

import asyncio
import concurrent.futures
import pathlib
import sys
from collections.abc import AsyncIterator, Iterator

import muster


def length(content: bytes) -> int:
    return len(content)


def pieces() -> Iterator[bytes]:
    yield b"a"
    yield b"b"


async def async_pieces() -> AsyncIterator[bytes]:
    yield b"a"
    yield b"b"


def look(response: muster.Response) -> list[str]:
    """All of a response."""
    phases: muster.Phases = response.phases
    seconds: float = phases.queue + phases.wait + phases.total + response.latency + response.elapsed.total_seconds()
    attempts: list[muster.Attempt] = response.tries + response.history
    numbers: list[int] = [response.id, response.status, response.status_code, response.http_version, response.body_bytes, response.wire_bytes,
                          response.total_ns, response.submitted_ns, response.planned_ns, response.n_attempts, response.n_redirects]
    truths: list[bool] = [response.ok, response.is_ok, response.is_success]
    texts: list[str] = [response.method, response.url, response.final_url, response.reason, response.reason_phrase, response.text, response.encoding,
                        response.undecoded, response.heads, response.warning]
    content: bytes = response.content
    view = memoryview(response)
    headers: muster.Headers = response.headers
    values: list[str] = headers.get_list("Set-Cookie") + headers.getall("Set-Cookie") + [headers["content-length"], headers.get("nothing", "")]
    fields: list[tuple[str, str]] = response.fields + headers.multi_items()
    first: str | None = response.header("content-type")
    error: muster.Error | None = response.error
    request: muster.Request | None = response.request
    connection = response.connection
    if connection is not None:
        texts.append(f"{connection['remote']} {connection['reuse_count']}")
    if request is not None:
        texts.append(f"{request.method} {request.url} {request.extra}")
    if attempts:
        texts.append(f"{attempts[0].code} {attempts[0].status} {attempts[0].phases.tcp} {attempts[0].backoff} {attempts[0].connection}")
    response.encoding = "utf-8"
    record: dict[str, object] = response.to_dict()
    assert response.raise_for_status() is response and error is None and all(truths) and len(view) == len(content) and seconds > 0
    return texts + values + [str(part) for part in (numbers, fields, first, record, response.index, response.processed, response.process_seconds)
                             if part is not None]


def without_a_loop(url: str, folder: pathlib.Path) -> int:
    jar = muster.CookieJar()
    taken: bool = jar.set(url, "a=1; Max-Age=60")
    jar.save(folder / "cookies.txt")
    cookies: list[muster.Cookie] = list(muster.CookieJar(folder / "cookies.txt").copy())
    expires: int | None = cookies[0].expires
    hosts = muster.HSTS()
    hosts.set("https://example.com/", "max-age=60")
    assert taken and expires and len(jar) == 1 and hosts.applies("http://example.com/") and hosts.has_changed
    n: int = 0
    with muster.record() as rec:
        with muster.Client(concurrency=8, per_host=4, retries=2, timeout=muster.Timeout(10, connect=5, read=None), headers={"X-Mine": "1"},
                           cookies=jar, hsts=hosts, http="1.1", user_agent="typed", base_url=url, allow_ports=["1-65535"]) as client:
            n += len(look(client.get("/plain", params={"delay": "1ms"}, headers=[("X-Other", "2")], extra=7)))
            answers = [client.post("/echo", content=body) for body in (b"a", bytearray(b"b"), "text", pieces(), [b"a", b"b"])]
            answers += [client.post("/echo", json={"a": [1]}), client.put("/echo", data={"a": "1"}), client.patch("/echo", files={"f": b"1"}),
                        client.delete("/plain"), client.head("/plain"), client.options("/plain"), client.request("GET", "/plain", timeout=3),
                        client.send(client.build_request("GET", "/plain", cookies=False, retries=0, follow_redirects=False))]
            n += sum(answer.status == 200 for answer in answers)
            streamed = client.get("/bytes/100k", stream=True)
            n += sum(len(piece) for piece in streamed.iter_bytes())
            n += len(client.get("/bytes/100k", stream=True).read_all()) + len(list(client.get("/plain").iter_lines()))
            items: list[str | muster.Request] = ["/plain", muster.Request("GET", url + "/plain")]
            results: muster.Results = client.fetch(items, progress=lambda response: None)
            stats: dict[str, int] = client.stats
            n += len(results) + len(results.failed) + len(results.to_records()) + stats["submitted"] + len(results.raise_for_status())
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                n += sum(int(response.processed) for response in client.stream(["/plain"] * 3, process=length, executor=pool))
            n += sum(len(response.processed) for response in client.stream(["/echo"], process="json", inline=True))
            n += len(client.get("/echo", process="json").processed) + (muster.Request("GET", url, process="json").process == "json")
            assert client.cookies is jar and client.hsts is hosts and not client.is_closed
    explanation: muster.Explanation = rec.explain()
    for finding in explanation.findings:
        print(finding["cause"], finding["grade"], finding["remedy"], finding["wall_s"])
    assert explanation.verdict == str(explanation)
    try:
        muster.Client(total_timeout=1).get("http://127.0.0.1:1/")
    except muster.ConnectError as error:
        n += error.errno + len(error.code) + len(error.stage)
        if error.response is not None and error.request is not None and error.phases is not None:
            n += error.response.n_attempts
    n += len(muster.fetch([url + "/plain"], concurrency=1)) + len(list(muster.stream((url + "/plain" for _ in range(3)), rate=1000.0)))
    return n


async def in_a_loop(url: str) -> int:
    async def urls() -> AsyncIterator[str]:
        for _ in range(3):
            yield url + "/plain"

    async with muster.AsyncClient(concurrency=8, cookies=True) as client:
        responses = await asyncio.gather(client.get(url + "/plain"), client.head(url + "/plain"), client.options(url + "/plain"),
                                         client.post(url + "/echo", content=async_pieces()), client.put(url + "/echo", data=b"a"),
                                         client.patch(url + "/echo", json=None), client.delete(url + "/plain"), client.request("GET", url + "/plain"),
                                         client.send(muster.Request("GET", url + "/plain")))
        n = len(look(responses[0])) + sum(response.status for response in responses)
        async for response in client.stream(urls()):
            n += response.index or 0
        results = await client.fetch([url + "/plain"])
        n += len((await client.fetch([url + "/echo"], process="json"))[0].processed)
        streamed = await client.get(url + "/bytes/10k", stream=True)
        async for piece in streamed.aiter_bytes():
            n += len(piece)
        return n + len(results) + len(await (await client.get(url + "/bytes/10k", stream=True)).aread())


def main(url: str, folder: str) -> None:
    print(without_a_loop(url, pathlib.Path(folder)), asyncio.run(in_a_loop(url)), muster.__version__)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
