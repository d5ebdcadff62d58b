"""What aiohttp's own tests put clients into, as situations of ours: servers that go, break off, or talk nonsense, with one client and with many."""

import asyncio
import gc
import os
import time

import muster
import pytest
import servers
from servers import OK

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def client():
    with muster.Client(concurrency=8) as one:
        yield one


# --- the server goes ---------------------------------------------------------------------------------------------------------


def test_server_gone_before_the_request(client, refused):
    with pytest.raises(muster.ConnectError, match="refused") as raised:
        client.get(refused)
    assert raised.value.errno == 111 and raised.value.response.n_attempts == 1


def test_server_gone_instead_of_an_answer(client):
    """A new connection that ends at once: no second try without retries."""
    with servers.Server(servers.answering(b"", then=lambda connection: None)) as server, pytest.raises(muster.ClosedError) as raised:
        client.get(server.url)
    assert raised.value.stage in ("wait", "receive") and len(server.events) == 1


def test_server_gone_while_it_listens_no_more(client):
    server = servers.Server(servers.answering(OK))
    assert client.get(server.url).text == "ok"
    server.stop()
    with pytest.raises(muster.TransportError):
        client.get(server.url)


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\nConte", HEAD, HEAD + b"12345"], ids=["nothing", "half a head", "head", "half a body"])
@pytest.mark.parametrize("end", [servers.reset, lambda connection: connection.close()], ids=["reset", "closed"])
def test_connection_that_ends_in_the_middle(client, beginning, end):
    with servers.Server(servers.answering(beginning, then=lambda connection: (time.sleep(0.02), end(connection)))) as server:
        with pytest.raises(muster.ClosedError) as raised:
            client.get(server.url)
    response = raised.value.response
    assert response.status == (200 if beginning.startswith(HEAD) else 0) and response.request.url == server.url
    assert isinstance(raised.value, ConnectionError)


def test_reset_while_a_streamed_body_is_read(client):
    with servers.Server(servers.answering(HEAD + b"12345", then=lambda connection: (time.sleep(0.1), servers.reset(connection)))) as server:
        response = client.get(server.url, stream=True)
        pieces = response.iter_bytes()
        assert next(pieces) == b"12345"
        with pytest.raises(muster.ClosedError):
            list(pieces)


def test_reset_while_a_body_is_sent(client):
    with servers.Server(lambda server, connection: (servers.read_head(connection), servers.reset(connection))) as server:
        with pytest.raises((muster.SendError, muster.ClosedError)):
            client.post(server.url, content=(bytes(64 * 1024) for _ in range(1000)))


def test_retries_reach_a_server_that_comes_back(lab):
    """It breaks off twice, then answers."""
    n = []

    def serve(server, connection):
        servers.read_head(connection)
        n.append(1)
        if len(n) > 2:
            connection.sendall(OK)

    with servers.Server(serve) as server, muster.Client(retries=3, retry_delay=0.01) as client:
        response = client.get(server.url)
    assert response.text == "ok" and response.n_attempts == 3 and [one.code for one in response.tries] == ["closed", "closed", "ok"]


# --- keep-alive --------------------------------------------------------------------------------------------------------------


def test_keep_alive(client):
    with servers.Server(servers.answering(OK)) as server:
        assert [client.get(server.url).text for _ in range(5)] == ["ok"] * 5
        assert client.stats["connections_opened"] == 1


@pytest.mark.parametrize("end", [servers.reset, lambda connection: connection.close()], ids=["reset", "closed"])
def test_keep_alive_that_the_server_ends_while_idle(client, end):
    """The next request finds it closed, and takes another connection, whatever its method."""
    with servers.Server(servers.answering(OK, then=lambda connection: (time.sleep(0.02), end(connection)))) as server:
        for n in range(4):
            assert client.request("POST" if n % 2 else "GET", server.url).text == "ok"
            time.sleep(0.06)
        assert client.stats["connections_opened"] == 4


def test_keep_alive_that_the_server_ends_as_the_request_comes(client):
    """It reads the second request and hangs up: GET is repeated on a new connection, POST is not."""
    def serve(server, connection):
        if servers.read_head(connection)[0]:
            connection.sendall(OK)
            server.tell(servers.read_head(connection)[0][:4])

    with servers.Server(serve) as server:
        assert [client.get(server.url).text for _ in range(3)] == ["ok"] * 3
        with pytest.raises(muster.ClosedError):
            client.post(server.url, content=b"a")
            client.post(server.url, content=b"a")


def test_connection_close_is_obeyed(client):
    answer = OK.replace(b"Content", b"Connection: close\r\nContent", 1)
    with servers.Server(servers.answering(answer)) as server:
        assert [client.get(server.url).text for _ in range(3)] == ["ok"] * 3
        assert client.stats["connections_opened"] == 3


# --- nonsense ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body, kind", [
    (b"zz\r\nab\r\n0\r\n\r\n", muster.ProtocolError),
    (b"5\r\nhello0\r\n\r\n", muster.ProtocolError),
    (b"-1\r\na\r\n0\r\n\r\n", muster.ProtocolError),
    (b"ffffffffffffffffff\r\n", muster.ProtocolError),
    (b"5\r\nhel", muster.ClosedError),
    (b"5\r\nhello\r\n", muster.ClosedError),
    (b"5\r\nhello\r\n0\r\n", muster.ClosedError),
], ids=["no number", "no line end", "negative", "too large", "cut in a chunk", "no last chunk", "no end of trailers"])
def test_errors_of_chunked(client, body, kind):
    with servers.Server(servers.answering(CHUNKED + body, then=lambda connection: connection.close())) as server:
        with pytest.raises(kind) as raised:
            client.get(server.url)
        assert raised.value.response.status == 200


def test_chunked_one_byte_at_a_time(client):
    whole = CHUNKED + b"5;ext=1\r\nhello\r\n1\r\n!\r\n0\r\nX-Trailer: 1\r\n\r\n"
    with servers.Server(servers.answering(*[whole[at:at + 1] for at in range(len(whole))])) as server:
        assert client.get(server.url).text == "hello!"


@pytest.mark.parametrize("answer", [b"nonsense\r\n\r\n", b"HTTP/1.1 abc OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
                                    b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"])
def test_answers_that_are_no_http(client, answer):
    with servers.Server(servers.answering(answer, then=lambda connection: connection.close())) as server, pytest.raises(muster.ProtocolError):
        client.get(server.url)


def test_head_without_end(client):
    with servers.Server(servers.answering(b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"a" * 400_000 + b"\r\n\r\n")) as server:
        with pytest.raises(muster.TooLargeError):
            client.get(server.url)


def test_interim_answers(client):
    with servers.Server(servers.answering(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", OK)) as server:
        assert client.get(server.url).status == 200


def test_body_until_the_end_of_the_connection(client):
    with servers.Server(servers.answering(b"HTTP/1.1 200 OK\r\n\r\nall of it", then=lambda connection: connection.close())) as server:
        assert client.get(server.url).text == "all of it"


# --- redirects ---------------------------------------------------------------------------------------------------------------


def test_redirect_loop(client):
    with servers.Server(servers.answering(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")) as server, \
            pytest.raises(muster.RedirectError):
        client.get(server.url)


def test_redirect_to_a_server_that_is_gone(client, refused):
    location = f"HTTP/1.1 302 Found\r\nLocation: {refused}\r\nContent-Length: 0\r\n\r\n".encode()
    with servers.Server(servers.answering(location)) as server, pytest.raises(muster.ConnectError) as raised:
        client.get(server.url)
    assert raised.value.response.final_url == refused and raised.value.response.url == server.url


def test_redirect_changes_the_method(client):
    seen = []

    def serve(server, connection):
        while True:
            head, _ = servers.read_head(connection)
            if not head:
                return
            seen.append(head.split(b" ", 1)[0])
            connection.sendall(OK if len(seen) == 2 else b"HTTP/1.1 303 See Other\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n")

    with servers.Server(serve) as server:
        assert client.post(server.url, content=b"").text == "ok"
    assert seen == [b"POST", b"GET"]


# --- many clients ------------------------------------------------------------------------------------------------------------


def test_many_sessions(run, lab):
    async def main():
        clients = [muster.AsyncClient(concurrency=4) for _ in range(40)]
        statuses = await asyncio.gather(*[client.get(lab.url("/delay/1ms")) for client in clients for _ in range(10)])
        for client in clients:
            await client.aclose()
        return {r.status for r in statuses}

    assert run(main()) == {200}


def test_clients_leave_nothing_behind(lab):
    """No descriptor, whether they are closed or forgotten."""
    def use(n):
        for number in range(n):
            client = muster.Client()
            assert client.get(lab.url()).status == 200
            if number % 2:
                client.close()
        del client
        gc.collect()
        return len(os.listdir("/proc/self/fd"))

    assert use(4) == use(40)


def test_responses_outlive_their_client(lab):
    with muster.Client() as client:
        response = client.get(lab.url("/json/2k/3"))
        view = memoryview(response)
    del client
    gc.collect()
    assert response.status == 200 and response.json() and len(view) == len(response.content) and response.phases.total > 0
