"""Cookies and hosts that want https only: what clients share."""

import asyncio
import http.server
import threading

import muster
import pytest


class Handler(http.server.BaseHTTPRequestHandler):
    """Sets what the query says, and answers with the cookies that came."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path, _, query = self.path.partition("?")
        self.send_response(302 if path == "/login" else 200)
        if query:
            self.send_header("Set-Cookie", query)
        if path == "/login":
            self.send_header("Location", "/home")
        body = self.headers.get("Cookie", "").encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def shop():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_none_are_kept_without_a_jar(shop):
    with muster.Client() as client:
        client.get(shop + "/?a=1")
        assert client.get(shop).text == "" and client.cookies is None


def test_a_jar_of_the_clients_own(shop):
    with muster.Client(cookies=True) as client:
        client.get(shop + "/?a=1")
        assert client.get(shop).text == "a=1"
        assert [(one.name, one.value, one.domain) for one in client.cookies] == [("a", "1", "127.0.0.1")]
        assert client.get(shop, cookies=False).text == ""


def test_redirect_with_cookies(shop):
    with muster.Client(cookies=True) as client:
        response = client.get(shop + "/login?session=7; Path=/")
        assert response.text == "session=7" and response.n_redirects == 1


def test_clients_share_a_jar(shop):
    jar = muster.CookieJar()
    with muster.Client(cookies=jar) as one, muster.Client(cookies=jar) as other:
        one.get(shop + "/?a=1; Path=/")
        assert other.get(shop).text == "a=1" and other.cookies is jar

    async def main():
        async with muster.AsyncClient(cookies=jar) as client:
            return (await client.get(shop)).text

    assert asyncio.run(main()) == "a=1"
    assert muster.fetch([shop], cookies=jar)[0].text == "a=1"


def test_a_jar_outlives_its_name(shop):
    client = muster.Client(cookies=muster.CookieJar())
    client.get(shop + "/?a=1")
    assert client.get(shop).text == "a=1"
    client.close()
    assert len(client.cookies) == 1


def test_a_request_with_a_jar_of_its_own(shop):
    mine = muster.CookieJar()
    mine.set(shop, "who=me")
    with muster.Client(cookies=True) as client:
        client.get(shop + "/?a=1")
        assert client.get(shop, cookies=mine).text == "who=me"
        assert client.get(shop).text == "a=1"


def test_files(shop, tmp_path):
    jar = muster.CookieJar()
    assert jar.set("http://example.com/", "a=1; Max-Age=3600; HttpOnly; SameSite=Lax") is True
    assert jar.set("http://example.com/", "b=2; Domain=example.org") is False, "not of this host"
    jar.save(tmp_path / "cookies.txt")
    (cookie,) = muster.CookieJar(tmp_path / "cookies.txt")
    assert (cookie.name, cookie.value, cookie.domain, cookie.path, cookie.host_only, cookie.http_only) == ("a", "1", "example.com", "/", True, True)
    assert cookie.expires > 0 and not cookie.secure
    with pytest.raises(muster.InputError, match="nowhere"):
        muster.CookieJar(tmp_path / "nowhere")
    with pytest.raises(muster.ResourceError, match="nowhere"):
        jar.save(tmp_path / "nowhere" / "cookies.txt")
    with pytest.warns(UserWarning, match="2 lines are no cookie"):
        jar.read("nonsense\nmore of it\n")


def test_jar_as_a_container():
    jar = muster.CookieJar()
    assert len(jar) == 0 and bool(jar) and list(jar) == []
    jar.set("http://example.com/", "session=1")
    jar.set("http://example.com/", "kept=1; Max-Age=60")
    other = jar.copy()
    assert isinstance(other, muster.CookieJar) and len(other) == 2
    jar.clear_session()
    assert [one.name for one in jar] == ["kept"] and [one.expires is None for one in other] == [True, False]
    jar.clear()
    assert len(jar) == 0 and len(other) == 2
    with pytest.raises(muster.URLError):
        jar.set("nonsense", "a=1")


@pytest.mark.parametrize("cookies", [{"a": "1"}, "cookies.txt", 7])
def test_what_is_no_jar(cookies):
    with pytest.raises(TypeError, match="a muster.CookieJar"):
        muster.Client(cookies=cookies)
    with muster.Client() as client, pytest.raises(TypeError, match="a muster.CookieJar"):
        client.get("http://127.0.0.1/", cookies=cookies)


def test_hsts(tmp_path):
    hosts = muster.HSTS()
    hosts.set("https://example.com/", "max-age=3600; includeSubDomains")
    assert hosts.applies("http://www.example.com/") and not hosts.applies("http://example.org/") and hosts.has_changed
    hosts.save(tmp_path / "hsts.txt")
    assert not hosts.has_changed and muster.HSTS(tmp_path / "hsts.txt").applies("http://example.com/")
    assert not muster.HSTS(tmp_path / "nowhere").applies("http://example.com/"), "it need not be there yet"
    with pytest.raises(muster.InvalidError, match="https"):
        hosts.set("http://example.com/", "max-age=3600")


def test_hsts_is_obeyed(refused):
    """The request becomes one of https, which nobody serves there."""
    port = refused.rsplit(":", 1)[1]
    hosts = muster.HSTS()
    hosts.set("https://localhost/", "max-age=3600")
    with muster.Client(hsts=hosts) as client, pytest.raises(muster.ConnectError) as raised:
        client.get(f"http://localhost:{port}")
    assert raised.value.response.final_url.startswith("https://")


def test_hsts_file_of_a_client(tmp_path):
    with muster.Client(hsts=tmp_path / "hsts.txt") as client:
        client.hsts.set("https://example.com/", "max-age=3600")
    assert muster.HSTS(tmp_path / "hsts.txt").applies("http://example.com/")
