"""What a hostile server can make the command keep or do: each bound is met, and not passed."""
import pytest

from scripted import ok


def cookies(n, first, more=""):
    return "\r\n".join(f"Set-Cookie: c{first + i}=v{'x' * 100}{more}" for i in range(n))


def test_ten_thousand_cookies_of_one_host(muster, server, tmp_path):
    """A head has at most 512 fields, so they come in 50 responses. At most 180 stay, the newest ones."""
    s = server(lambda r: ok(b"", cookies(200, 200 * int(r.path[1:]))))
    run = muster("fetch", "-c", "1", "-b", "", "--cookie-jar", "jar", *[s.url(f"/{i}", "www.example.test") for i in range(50)],
                 "--resolve", f"*:{s.port}:127.0.0.1")
    assert run.status == 0
    kept = [line.split("\t")[5] for line in (tmp_path / "jar").read_text().splitlines() if line.count("\t") == 6]
    assert 150 <= len(kept) <= 180 and kept == [f"c{n}" for n in range(10000 - len(kept), 10000)]
    sent = [line for line in s.requests[-1].head.split("\r\n") if line.lower().startswith("cookie:")]
    assert len(sent) == 1 and len(sent[0]) < 8300 and sent[0].count("=") <= 150


def test_ten_thousand_cookies_of_many_hosts(muster, server, tmp_path):
    """Each host of a domain has its own, and the domain's are sent to all: 20,000 in all, however many are set."""
    s = server(lambda r: ok(b"", cookies(100, 0) + "\r\n" + cookies(50, 1000, "; Domain=example.test")))
    run = muster("fetch", "-c", "8", "-b", "", "--cookie-jar", "jar", *[s.url("/", f"h{i}.example.test") for i in range(300)],
                 "--resolve", f"*:{s.port}:127.0.0.1")
    assert run.status == 0
    lines = [line for line in (tmp_path / "jar").read_text().splitlines() if line.count("\t") == 6]
    assert 19000 < len(lines) <= 20000


@pytest.mark.parametrize("n", [10, 500])
def test_redirect_farm(muster, server, n):
    """Each redirect leads to a host that is new: the limit of redirects holds."""
    s = server(lambda r: f"HTTP/1.1 302 Found\r\nLocation: http://h{len(s.requests)}.example.test:{s.port}/\r\nContent-Length: 0\r\n\r\n".encode())
    result = muster("fetch", "--max-redirs", n, "--resolve", f"*:{s.port}:127.0.0.1", s.url("/", "first.example.test")).result
    assert result["error"]["code"] == "redirect" and result["redirects"] == n and len(s.requests) == n + 1


def test_redirects_without_a_limit(muster, server):
    """What is kept to tell a loop is bounded; the chain itself is as long as the user allows."""
    def behave(r):
        n = int(r.path[1:].split("?")[0])
        return ok(b"there") if n == 400 else f"HTTP/1.1 302 Found\r\nLocation: /{n + 1}?{'x' * 4000}\r\nContent-Length: 0\r\n\r\n".encode()

    s = server(behave)
    result = muster("fetch", "--max-redirs", -1, s.url("/0")).result
    assert result["body"] == "there" and result["redirects"] == 400


def test_redirects_that_come_back(muster, server):
    """A loop is told as one, long before the limit."""
    s = server(lambda r: f"HTTP/1.1 302 Found\r\nLocation: /{(int(r.path[1:] or 0) + 1) % 7}\r\nContent-Length: 0\r\n\r\n".encode())
    result = muster("fetch", "--max-redirs", 1000, s.url("/0")).result
    assert result["error"]["code"] == "redirect" and result["redirects"] < 20, result["error"]


def test_interim_responses_without_end(muster, server):
    s = server(lambda r: b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 10000 + ok(b"late"))
    error = muster("fetch", s.url()).result["error"]
    assert error["code"] == "protocol" and "32" in error["text"], error
