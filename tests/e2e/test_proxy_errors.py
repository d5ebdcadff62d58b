"""What a failing proxy is called: whose fault it is, what to do, and what -v tells of the way through it."""
import re

import pytest
from scripted import ok, response


@pytest.mark.parametrize("answer, code, words", [
    (["close"], "closed", "it ended the connection without a response"),
    ([b"HTTP/1.1 200", "close"], "closed", "it ended the connection within the head of the response"),
    ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", "close"], "closed", "it ended the connection with 4 bytes of the body still missing"),
    ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "close"], "closed", "it ended the connection before the last chunk of the body"),
    ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", 0.2, "reset"], "closed", "127.0.0.1:PORT: connection reset by the peer"),
    ([b"SSH-2.0-OpenSSH\r\n", "close"], "protocol", 'not an HTTP response, but "SSH-2.0-OpenSSH\\r\\n": this is an SSH server; check the host and the port'),
])
def test_one_that_is_asked_for_urls(muster, server, answer, code, words):
    proxy = server(lambda request: answer)
    error = muster("fetch", "-x", proxy.url(), "http://h.test/").result["error"]
    words = words.replace("PORT", str(proxy.port))
    assert (error["code"], error["text"]) == (code, f"{code}: proxy {proxy.url()[:-1]}: {words}")


def test_a_server_is_called_one(muster, server):
    error = muster("fetch", server(lambda request: ["close"]).url()).result["error"]
    assert error["text"] == "closed: the server ended the connection without a response"


@pytest.mark.parametrize("certificate, words", [
    ("unknown", 'issuer "other-ca" of certificate "unknown" of localhost is unknown: trust it with proxy_ca_file (--proxy-cacert), '
                "or have the proxy send the intermediate certificate"),
    ("expired", "expired on 2020-02-01 00:00:00 UTC; the proxy's owner must renew it"),
    ("wrong", 'certificate of localhost is for "elsewhere.test" and does not match the host'),
])
def test_its_certificate(muster, server, certificates, certificate, words):
    """--cacert would not help."""
    proxy = server(tls=certificates.context(certificate))
    for url in ("http://h.test/", "https://h.test/"):
        error = muster("fetch", "-x", proxy.url(host="localhost"), "--proxy-cacert", certificates.path("ca"), url).result["error"]
        assert error["code"] == "tls_verify" and error["text"].startswith(f"tls_verify: proxy {proxy.url(host='localhost')[:-1]}: ")
        assert error["text"].endswith(words)


def test_verbose_tells_the_way(muster, server):
    """The request line as it was sent, the proxy, and the tunnel between tcp and tls."""
    proxy = server(lambda request: b"HTTP/1.1 200 Connected\r\n\r\n" if request.method == "CONNECT" else ok())
    url = "http://h.test:81/a?b"
    told = muster("fetch", "-v", "-x", proxy.url(), "-U", "ann:secret", url).stderr
    assert f"> {proxy.requests[0].head.splitlines()[0]}\n> Host: h.test:81\n" in told and f"> GET {url} HTTP/1.1\n" in told
    assert f"* attempt 1 on new connection 1 to 127.0.0.1:{proxy.port}, proxy {proxy.url()[:-1]}\n" in told
    assert "> Proxy-Authorization: Basic [not shown]\n" in told and "secret" not in told
    told = muster("fetch", "-v", "-p", "-x", proxy.url(), url).stderr
    assert "> GET /a?b HTTP/1.1\n" in told and re.search(r"tcp [^,]*, tunnel [^,]*, send", told), told


def test_a_refusal_is_no_servers(muster, server):
    proxy = server(lambda request: response("502 Bad Gateway", b"sorry"))
    assert muster("fetch", "-x", proxy.url(), "https://h.test/").result["error"]["text"] == \
        f"proxy: {proxy.url()[:-1]} refused the tunnel to h.test:443: 502 Bad Gateway"
