"""Client: one engine, any number of threads."""

import asyncio
import itertools
import os
import signal
import threading
import time

import muster
import pytest


@pytest.fixture
def client():
    with muster.Client(concurrency=8) as one:
        yield one


def test_response(client, lab):
    response = client.get(lab.url("/json/2k/3"))
    assert response.status == response.status_code == 200 and response.ok and response.reason == "OK"
    assert response.json() and response.text and response.encoding == "utf-8"
    assert response.headers["CONTENT-LENGTH"] == str(len(response.content))
    assert "nothing" not in response.headers and response.headers.get("nothing") is None
    assert response.elapsed.total_seconds() > 0 and response.phases.total == pytest.approx(response.total_ns / 1e9)
    assert response.connection["remote"].startswith("127.0.0.1:")
    assert response.raise_for_status() is response


def test_status_errors(client, lab):
    response = client.get(lab.url("/status/503"))
    with pytest.raises(muster.StatusError, match="503 Service Unavailable") as raised:
        response.raise_for_status()
    assert raised.value.response is response and raised.value.code == "status"


def test_error_has_what_is_known(client, refused):
    with pytest.raises(muster.ConnectError) as raised:
        client.get(refused)
    error = raised.value
    assert isinstance(error, ConnectionError) and isinstance(error, muster.TransportError) and isinstance(error, muster.Error)
    assert error.stage == "tcp" and error.errno == 111 and error.request.url == refused and error.phases.total > 0


@pytest.mark.parametrize("timeout", [0.1, muster.Timeout(total=0.1), muster.Timeout(read=0.1)], ids=repr)
def test_timeouts(client, silent, timeout):
    with pytest.raises(TimeoutError) as raised:
        client.get(silent, timeout=timeout)
    assert isinstance(raised.value, muster.TimeoutError) and raised.value.stage == "wait"


def test_bodies(client, lab, tmp_path):
    (tmp_path / "upload.txt").write_text("from a file")

    def sent(**arguments):
        return client.post(lab.url("/echo"), **arguments).json()["body"].encode()

    assert sent(content=b"abc") == b"abc"
    assert sent(content="äbc") == "äbc".encode()
    assert sent(content=memoryview(bytearray(b"view"))) == b"view"
    assert sent(json={"a": [1, None]}) == b'{"a":[1,null]}'
    assert sent(json=None) == b"null"
    assert sent(data={"a": "1 2", "b": ["x", "y"]}) == b"a=1+2&b=x&b=y"
    assert sent(content=tmp_path / "upload.txt") == b"from a file"
    form = sent(data={"field": "value"}, files={"file": tmp_path / "upload.txt"})
    assert b'name="field"' in form and b'filename="upload.txt"' in form and b"from a file" in form
    with pytest.raises(TypeError, match="one of"):
        client.post(lab.url("/echo"), content=b"x", json={})


def test_params_and_headers(lab):
    with muster.Client(headers={"X-Mine": "client", "X-Other": "kept"}, params={"p": 1}, base_url=lab.url("")) as client:
        request = client.build_request("GET", "/echo", params={"q": "a b"}, headers={"x-mine": "request"})
        assert request.url in (lab.url("/echo?p=1&q=a+b"), lab.url("/echo?q=a+b&p=1"))
        fields = dict(client._parts(request)[2])
        assert fields["x-mine"] == "request" and fields["X-Other"] == "kept" and "X-Mine" not in fields
    with muster.Client(headers={"X-Mine": "client"}, base_url=lab.url("")) as client:
        assert "X-Mine" in client.get("/echo").text


@pytest.mark.parametrize("header", [{"na me": "x"}, {"name": "a\r\nb"}, {"Content-Length": "7"}])
def test_bad_headers(client, lab, header):
    with pytest.raises(muster.InvalidError):
        client.get(lab.url(), headers=header)
    assert client.get(lab.url()).status == 200, "the client goes on"


def test_https_and_http2(lab):
    with muster.Client(verify=lab.ca) as client:
        response = client.get(lab.url(listener="tls").replace("127.0.0.1", "localhost"))
        assert response.http_version == 20 and response.connection["tls_version"] == "TLSv1.3"
    with muster.Client() as client, pytest.raises(muster.CertificateError):
        client.get(lab.url(listener="tls").replace("127.0.0.1", "localhost"))


def test_certificates_of_other_distributions(lab, monkeypatch):
    """The OpenSSL in a wheel looks where Debian has them."""
    url = lab.url(listener="tls").replace("127.0.0.1", "localhost")
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    monkeypatch.setattr(muster._options, "_BUNDLES", ["/nowhere", lab.ca])
    with muster.Client() as client, pytest.raises(muster.CertificateError):
        client.get(url)
    monkeypatch.setattr(muster._options, "_OPENSSL", "/nowhere")
    with muster.Client() as client:
        assert client.get(url).status == 200
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    with muster.Client() as client, pytest.raises(muster.CertificateError):
        client.get(url)


def test_redirects(client, lab):
    response = client.get(lab.url("/redirect/3/302"))
    assert response.status == 200 and response.n_redirects == 3 and [one.status for one in response.history] == [302] * 3
    assert client.get(lab.url("/redirect/3/302"), follow_redirects=False).status == 302


def test_streamed_body(client, lab):
    response = client.get(lab.url("/bytes/300k"), stream=True)
    assert sum(map(len, response.iter_bytes())) == 300 * 1024
    response = client.get(lab.url("/bytes/300k"), stream=True)
    assert len(response.read_all()) == 300 * 1024 == len(response.content)
    response = client.get(lab.url("/bytes/10k?cut=5000"), stream=True)
    with pytest.raises(muster.ClosedError):
        list(response.iter_bytes())


def test_streamed_body_keeps_nobody_waiting(client, lab):
    """One thread waits for the next piece; others go on, and may ask what was done."""
    response = client.get(lab.url("/trickle/30/10/1s"), stream=True)
    reader = threading.Thread(target=response.read_all)
    reader.start()
    start = time.monotonic()
    assert [client.get(lab.url()).status for _ in range(20)] == [200] * 20
    assert client.stats["submitted"] == 21
    assert time.monotonic() - start < 1 and reader.is_alive()
    reader.join(20)
    assert len(response.content) == 30


def test_streamed_body_that_nobody_reads(client, lab):
    response = client.get(lab.url("/bytes/10M"), stream=True)
    del response
    assert client.get(lab.url()).status == 200


def test_from_many_threads(lab):
    statuses = []
    with muster.Client(concurrency=4) as client:
        def work():
            for n in range(40):
                statuses.append(client.get(lab.url("/delay/1ms" if n % 4 else "/plain")).status)

        threads = [threading.Thread(target=work) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert client.stats["connections_opened"] <= 4
    assert statuses == [200] * 480


def test_streams_and_requests_at_once(lab):
    counts = []
    with muster.Client(concurrency=4) as client:
        def streams():
            counts.append(sum(r.status == 200 for r in client.stream([lab.url("/delay/1ms")] * 100)))

        def requests():
            counts.append(sum(client.get(lab.url()).status == 200 for _ in range(100)))

        threads = [threading.Thread(target=target) for target in (streams, requests) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert counts == [100] * 6


def test_request_within_a_stream(client, lab):
    assert [client.get(lab.url()).status for _ in client.stream([lab.url()] * 30)] == [200] * 30


def test_stream_that_is_left(client, lab):
    for response in client.stream([lab.url("/delay/1ms")] + [lab.url("/hang/start")] * 5):
        assert response.status == 200
        break
    start = time.monotonic()
    assert client.get(lab.url()).status == 200 and time.monotonic() - start < 5


def test_interrupted(client, lab, silent):
    """Ctrl-C ends a blocking call at once, and the client goes on."""
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        client.get(silent)
    assert time.monotonic() - start < 5
    assert client.get(lab.url()).status == 200


def test_closed(lab, silent):
    client = muster.Client()
    errors = []

    def wait():
        try:
            client.get(silent)
        except muster.Error as error:
            errors.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.1)
    client.close()
    thread.join(10)
    assert [type(error) for error in errors] == [muster.CancelledError]
    with pytest.raises(RuntimeError, match="closed"):
        client.get(lab.url())
    client.close()


def test_after_a_fork(client, lab):
    assert client.get(lab.url()).status == 200
    pid = os.fork()
    if not pid:
        try:
            client.get(lab.url())
        except RuntimeError as error:
            os._exit(0 if "forked" in str(error) else 1)
        os._exit(2)
    assert os.waitpid(pid, 0)[1] == 0
    assert client.get(lab.url()).status == 200


# --- a client within itself ---------------------------------------------------------------------------------------------


def test_a_generator_asks_the_client_that_takes_from_it(client, lab):
    """As one does that reads a list page by page."""
    def urls():
        for _ in range(5):
            assert client.get(lab.url("/delay/5ms")).status == 200
            yield lab.url()
            yield from [response.url for response in client.stream([lab.url()] * 2)]

    assert [response.status for response in client.stream(urls())] == [200] * 15


def test_such_a_generator_beside_other_threads(client, lab):
    """Its thread leads for all; when it lets another one lead, that one gives it back."""
    def urls():
        for _ in range(20):
            client.get(lab.url())
            client.post(lab.url("/echo"), content=iter([b"a"]))
            yield lab.url()

    def work():
        for _ in range(20):
            assert len(client.get(lab.url("/bytes/10k"), stream=True).read_all()) == 10240
            seen.append(client.stats["submitted"])

    seen = []
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert sum(response.status == 200 for response in client.stream(urls())) == 20
    for thread in threads:
        thread.join(20)
    assert len(seen) == 80 and client._engine.outstanding == 0


def test_such_a_generator_whose_request_fails(client, lab, refused):
    def urls():
        yield lab.url()
        try:
            client.get(refused)
        except muster.ConnectError:
            yield lab.url()
        client.post(lab.url("/echo"), content=(1 // 0 for _ in range(1)))

    statuses = []
    with pytest.raises(muster.InputError):
        for response in client.stream(urls()):
            statuses.append(response.status)
    assert statuses == [200, 200] and client.get(lab.url()).status == 200


# --- closed meanwhile ---------------------------------------------------------------------------------------------------


def test_a_stream_of_a_client_that_was_closed(lab):
    """What is missing is not taken for the end."""
    client = muster.Client()
    stream = client.stream([lab.url()] * 100)
    next(stream)
    client.close()
    with pytest.raises(muster.CancelledError, match="still to come"):
        list(stream)
    with pytest.raises(RuntimeError, match="closed"):
        list(client.stream([lab.url()]))


def test_closed_by_the_generator_itself(lab):
    client = muster.Client()

    def urls():
        yield lab.url()
        client.close()
        yield lab.url()

    with pytest.raises(muster.CancelledError):
        list(client.stream(urls()))


def test_closed_while_threads_take_from_streams(lab):
    for _ in range(10):
        client, ends = muster.Client(), []

        def work():
            try:
                for _ in client.stream(itertools.repeat(lab.url("/delay/2ms"))):
                    pass
            except Exception as error:
                ends.append(error)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.02)
        client.close()
        for thread in threads:
            thread.join(10)
        assert len(ends) == 4 and all(isinstance(end, (muster.CancelledError, RuntimeError)) for end in ends), ends


# --- forks --------------------------------------------------------------------------------------------------------------


def in_child(function):
    """Its result or exception, as text; the child has 10 s."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        try:
            told = repr(function())
        except BaseException as error:
            told = f"{type(error).__name__}: {error}"
        os.write(writer, told.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as told:
        text = told.read()
    os.waitpid(child, 0)
    return text


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_may_leave_the_client_of_its_parent(client, lab):
    """`with` ends there as well, and says nothing."""
    def leave():
        client.close()
        with muster.Client() as own:
            return own.get(lab.url()).status

    response = client.get(lab.url())
    assert in_child(leave) == "200" and in_child(lambda: len(response.content)) == str(len(response.content))
    assert client.get(lab.url()).status == 200


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_while_another_thread_waits(client, lab):
    """That thread is not in the child, which must not wait for it."""
    thread = threading.Thread(target=client.get, args=(lab.url("/delay/500ms"),))
    thread.start()
    while client._leading_thread is None:
        time.sleep(0.001)
    told = [in_child(lambda: client.get(lab.url())), in_child(lambda: list(client.stream([lab.url()]))), in_child(lambda: client.stats), in_child(client.close)]
    thread.join()
    assert all(text.startswith("RuntimeError: the client was made before this process was forked") for text in told[:3]) and told[3] == "None", told


# --- what is no list ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["http://127.0.0.1/", b"http://127.0.0.1/"])
def test_one_url_is_no_list(client, url):
    with pytest.raises(TypeError, match="a list of URLs"):
        client.stream(url)
    with pytest.raises(TypeError, match="a list of URLs"):
        muster.fetch(url)

    async def main():
        async with muster.AsyncClient() as client:
            with pytest.raises(TypeError, match="a list of URLs"):
                client.stream(url)

    asyncio.run(main())
