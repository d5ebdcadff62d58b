"""httpx and requests over muster: a program changes one line."""

import asyncio

import muster
import pytest

httpx = pytest.importorskip("httpx")
requests = pytest.importorskip("requests")


# --- httpx -------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def client():
    with httpx.Client(transport=muster.HTTPXTransport()) as one:
        yield one


def test_httpx(client, lab):
    response = client.get(lab.url("/json/2k/3"))
    assert response.status_code == 200 and response.json() and response.http_version == "HTTP/1.1"
    assert response.extensions["muster"].phases.total > 0


def test_httpx_does_what_is_its_own(client, lab):
    assert client.get(lab.url("/redirect/2/302")).status_code == 302
    followed = client.get(lab.url("/redirect/2/302"), follow_redirects=True)
    assert followed.status_code == 200 and len(followed.history) == 2
    assert len(client.get(lab.url("/encoded/gzip/10k")).content) == 10240
    assert client.post(lab.url("/echo"), json={"a": 1}).json()["body"] == '{"a":1}'
    assert client.post(lab.url("/echo"), content=iter([b"a", b"b"])).json()["body"] == "ab"


def test_httpx_errors(client, lab, refused, silent):
    with pytest.raises(httpx.ConnectError):
        client.get(refused)
    with pytest.raises(httpx.ReadTimeout):
        client.get(silent, timeout=0.1)
    with pytest.raises(httpx.RemoteProtocolError):
        client.get(lab.url("/bytes/10k?cut=5000"))


def test_httpx_async(lab):
    async def main():
        async with httpx.AsyncClient(transport=muster.HTTPXTransport(concurrency=8, verify=lab.ca)) as client:
            statuses = [r.status_code for r in await asyncio.gather(*[client.get(lab.url()) for _ in range(50)])]
            secure = await client.get(lab.url(listener="tls").replace("127.0.0.1", "localhost"))
            async with client.stream("GET", lab.url("/bytes/300k")) as response:
                n = sum([len(piece) async for piece in response.aiter_bytes()])
            return statuses, secure.http_version, n

    assert asyncio.run(main()) == ([200] * 50, "HTTP/2", 300 * 1024)


# --- requests ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def session():
    with requests.Session() as one:
        one.mount("http://", muster.RequestsAdapter())
        one.mount("https://", muster.RequestsAdapter())
        one.trust_env = False
        yield one


def test_requests(session, lab):
    response = session.get(lab.url("/json/2k/3"))
    assert response.status_code == 200 and response.json() and response.reason == "OK"
    assert response.raw.muster.phases.total > 0


def test_requests_does_what_is_its_own(session, lab):
    followed = session.get(lab.url("/redirect/2/302"))
    assert followed.status_code == 200 and len(followed.history) == 2
    assert len(session.get(lab.url("/encoded/gzip/10k")).content) == 10240
    assert session.post(lab.url("/echo"), data={"a": "1"}).json()["body"] == "a=1"
    assert session.post(lab.url("/echo"), data=iter([b"a", b"b"])).json()["body"] == "ab"
    assert sum(len(piece) for piece in session.get(lab.url("/bytes/300k"), stream=True).iter_content(10000)) == 300 * 1024


def test_requests_over_https(session, lab):
    url = lab.url(listener="tls").replace("127.0.0.1", "localhost")
    assert session.get(url, verify=lab.ca).status_code == 200
    with pytest.raises(requests.exceptions.SSLError):
        session.get(url)
    assert session.get(url, verify=False).status_code == 200


def test_requests_errors(session, lab, refused, silent):
    with pytest.raises(requests.ConnectionError):
        session.get(refused)
    with pytest.raises(requests.ReadTimeout):
        session.get(silent, timeout=0.1)
