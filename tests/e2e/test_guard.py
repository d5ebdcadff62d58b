"""What may be reached: --deny-private and its like. Only loopback is forbidden here; unit tests have all other addresses."""
import json
import time

import pytest

from command import measure
import proxies
from scripted import ok, response


@pytest.fixture
def start(tmp_path):
    """start(proxies.tinyproxy, ...) starts one; all are stopped at the end."""
    started = []

    def run(make, *arguments):
        started.append(make(*arguments))
        return started[-1]

    yield run
    for one in started:
        one.stop()


def denied(run, *words, n=1):
    """All requests of the run are, before anything was connected, and each says why."""
    assert run.status == 1 and len(run.results) == n, run.stderr
    for result in run.results:
        error = result["error"]
        assert error["code"] == "denied" and result["status"] == 0 and result["attempts"] == 1, result
        assert result["phases_us"]["tcp"] == 0 and result["phases_us"]["send"] == 0
        assert all(word in error["text"] for word in words), error["text"]


def test_spellings_and_retries(muster, server):
    """One path reads all of them; nothing is retried, and the server hears of nothing."""
    one = server()
    hosts = ["127.0.0.1", "127.1", "2130706433", "0x7f.0.0.1", "0177.1", "127.0.0.1.", "%31%32%37.0.0.1", "１２７.0.0.1", "0", "localhost", "LOCALHOST.",
             "a.localhost", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::]"]
    urls = "".join(f"http://{host}:{one.port}/\n" for host in hosts)
    denied(muster("fetch", "--deny-private", "--retry", 3, input=urls), "--allow-host", n=len(hosts))
    assert one.n_connections == 0
    assert muster("fetch", "--deny-private", "--allow-host", "127.0.0.0/8", one.url()).status == 0
    assert muster("fetch", "--deny-private", "--allow-host", "localhost", one.url(host="localhost")).status == 0


def test_redirects(muster, server):
    """An allowed host sends us to a forbidden one, by name, by address and from port to port."""
    inner = server()
    targets = [inner.url("/secret"), inner.url("/secret", "inner.localhost"), inner.url("/secret", "[::ffff:127.0.0.1]"), f"//017700000001:{inner.port}/"]
    outer = server(lambda request: response("302 Found", b"", f"Location: {targets[int(request.path[1:])]}"))
    urls = "".join(f"{outer.url('/' + str(n), 'ok.localhost')}\n" for n in range(len(targets)))
    run = muster("fetch", "--deny-private", "--allow-host", "ok.localhost", input=urls)
    assert [result["error"]["code"] for result in run.results] == ["denied"] * len(targets)
    assert all(result["redirects"] == 1 and f":{inner.port}/" in result["final_url"] for result in run.results)
    assert inner.n_connections == 0 and outer.n_connections >= 1


def test_names(muster, lab):
    """Names and chains of names that lead here, with one address or a thousand, and --resolve."""
    thousand = ",".join(f"127.{n % 250}.{n // 250}.1" for n in range(1000))
    one = lab("--name", "a.test 127.0.0.1", "--name", "b.test cname=a.test", "--name", "c.test cname=b.test", "--name", f"many.test {thousand}")
    urls = "".join(f"http://{name}.test:{one.port()}/plain\n" for name in ("a", "b", "c"))
    denied(muster("fetch", "--deny-private", "--dns-server", one.dns, input=urls), "127.0.0.1 is a loopback address", n=3)
    begin = time.monotonic()
    denied(muster("fetch", "--deny-private", "--dns-server", one.dns, f"http://many.test:{one.port()}/plain"), "is a loopback address")
    assert time.monotonic() - begin < 5
    result = muster("fetch", "--deny-private", "--allow-host", "127.0.0.1", "--dns-server", one.dns, f"http://c.test:{one.port()}/plain").result
    assert result["status"] == 200
    denied(muster("fetch", "--deny-private", "--resolve", f"h.test:{one.port()}:127.0.0.1", f"http://h.test:{one.port()}/plain"), "h.test: 127.0.0.1 is")
    denied(muster("fetch", "--deny-private", "--connect-to", f"::127.0.0.1:{one.port()}", "http://h.test/plain"), "127.0.0.1 is a loopback")


def test_hosts_and_ports(muster, server):
    """Without --deny-private the hosts are the only ones, the ports in any case."""
    one = server()
    run = muster("fetch", "--allow-host", "ok.localhost", "--in-order", one.url(host="ok.localhost"), one.url(host="a.ok.localhost"), one.url(host="no.localhost"), one.url())
    assert [result["error"] and result["error"]["code"] for result in run.results] == [None, None, "denied", "denied"]
    denied(muster("fetch", "--allow-port", "80", "--allow-port", "1-9", one.url()), f"port {one.port} of 127.0.0.1", f"--allow-port {one.port}")
    assert muster("fetch", "--allow-port", f"{one.port}-{one.port}", one.url()).status == 0
    for bad in ("--allow-host=a:1", "--allow-host=10.0.0.1/8", "--allow-port=x"):
        run = muster("fetch", *bad.split("="), one.url())
        assert run.status == 2 and bad.split("=")[0] in run.stderr and not run.results


def test_socks_with_addresses(muster, server, start):
    """The name is looked up here: a forbidden address is not sent to the proxy, an allowed one is."""
    one, socks = server(), start(proxies.microsocks)
    run = muster("fetch", "--deny-private", "-x", socks.url("socks5"), one.url(host="localhost"))
    assert run.result["error"]["code"] == "denied" and run.result["error"]["stage"] == "tunnel"
    assert "localhost: 127.0.0.1 is a loopback address" in run.result["error"]["text"]
    assert one.n_connections == 0
    run = muster("fetch", "--deny-private", "--allow-host", "127.0.0.1", "-x", socks.url("socks5"), one.url(host="localhost"))
    assert run.result["status"] == 200 and run.result["conn"]["proxy"]


def test_proxies_that_look_up(muster, server, start, tmp_path):
    """Names are refused, as nobody here knows where they lead, unless they are allowed. The proxy itself is the user's own."""
    one, socks, web = server(), start(proxies.microsocks), start(proxies.tinyproxy, tmp_path / "tiny")
    for proxy in (socks.url("socks5h"), web.url()):
        denied(muster("fetch", "--deny-private", "-x", proxy, one.url(host="localhost")), "known to the proxy", "socks5://", "--allow-host")
        denied(muster("fetch", "--deny-private", "-x", proxy, one.url()), "127.0.0.1 is a loopback address")
        assert one.n_connections == 0
        assert muster("fetch", "--deny-private", "--allow-host", "localhost", "-x", proxy, one.url(host="localhost")).result["status"] == 200
        one.n_connections = 0
    denied(muster("fetch", "--deny-private", one.url(host="localhost"), env={"http_proxy": web.url()}), "known to the proxy")
    denied(muster("fetch", "--deny-private", web.url(), env={"no_proxy": "*"}), "127.0.0.1 is a loopback address")


def test_unix_socket(muster, tmp_path):
    denied(muster("fetch", "--deny-private", "--unix-socket", tmp_path / "there", "http://h.test/"), "is of this machine", "--allow-host")


def test_untrusted_input(muster, server, tmp_path):
    """Each line that asks for too much is an error of its own; the others are made as they are."""
    one = server(lambda request: ok(request.head.encode()))
    (tmp_path / "secret").write_text("secret")
    url = one.url(host="ok.localhost")
    lines = [
        {"url": url, "id": "a", "headers": {"Accept": "text/x"}},
        {"url": url, "body_file": str(tmp_path / "secret")},
        {"url": url, "form": {"a": {"file": str(tmp_path / "secret")}}},
        {"url": url, "method": "DELETE"},
        {"url": url, "headers": {"X-Api-Key": "guess"}},
        {"url": url.replace("://", "://u:p@")},
        {"url": "ftp://h/"},
        {"url": one.url()},
        {"url": "http://ok.localhost:1/"},
        {"url": url, "method": "HEAD"},
    ]
    run = muster("fetch", "--untrusted-input", "--allow-host", "ok.localhost", "--allow-port", one.port, "--in-order", input="".join(json.dumps(line) + "\n" for line in lines))
    codes = [result["error"] and result["error"]["code"] for result in run.results]
    assert run.status == 1 and codes == [None, "input", "input", "input", "input", "input", "url", "denied", "denied", None]
    assert "Accept: text/x" in run.results[0]["body"] and run.results[0]["id"] == "a"
    assert sorted(request.method for request in one.requests) == ["GET", "HEAD"]
    run = muster("fetch", "--untrusted-input", input=f"{one.url()}\n")
    denied(run, f"port {one.port}")
    for names in (["-O"], ["--body", "out/{id}"], ["--body", "{remote_name}"]):
        run = muster("fetch", "--untrusted-input", *names, input=f"{url}\n")
        assert run.status == 2 and "--untrusted-input" in run.stderr and not (tmp_path / "out").exists()


def test_the_server_is_not_to_blame(muster, server, tmp_path):
    """A record of such requests has no finding about a server, and the summary names the code."""
    one = server()
    run = muster("fetch", "--deny-private", "--record", "run.db", "--summary", input=f"{one.url()}\n" * 50)
    assert "denied: 50, first: " in run.stderr
    told = json.loads(measure("explain", "--json", tmp_path / "run.db").stdout)
    assert told["findings"] == [] and one.n_connections == 0


@pytest.mark.parametrize("command", ["compare", "sweep"])
def test_measuring_commands(server, tmp_path, command):
    """They take the same options."""
    one = server()
    (tmp_path / "list").write_text(f"{one.url()}\n" * 4)
    measure(command, "-i", tmp_path / "list", "--deny-private", status=1)
    assert one.n_connections == 0
