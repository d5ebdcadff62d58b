"""Who is cancelled, or interrupted, ends its request: the server sees the connection end, or its stream reset."""

import asyncio
import os
import signal
import socket
import sys
import threading
import time

import muster
import pytest
import servers


@pytest.fixture
def server():
    with servers.Server(servers.silent) as one:
        yield one


@pytest.fixture
def server_h2():
    with servers.Server(servers.silent_h2) as one:
        yield one


async def wait(server, event):
    """In an event loop."""
    return await asyncio.get_running_loop().run_in_executor(None, server.wait_for, event)


def test_task_that_is_cancelled(run, server):
    async def main():
        async with muster.AsyncClient() as client:
            task = asyncio.ensure_future(client.get(server.url))
            await wait(server, "request")
            start = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return await wait(server, "gone") - start

    assert run(main()) < 0.5


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.timeout() came with Python 3.11")
def test_asyncio_timeout(run, server):
    async def main():
        async with muster.AsyncClient() as client:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await client.get(server.url)
            return await wait(server, "gone") - await wait(server, "request")

    assert run(main()) < 0.6


def test_stream_of_http2_is_reset(run, server_h2):
    """The connection stays: the other request on it goes on."""
    async def main():
        async with muster.AsyncClient(http="2-prior-knowledge") as client:
            tasks = [asyncio.ensure_future(client.get(server_h2.url)) for _ in range(2)]
            await wait(server_h2, ("request", 1))
            await wait(server_h2, ("request", 3))
            tasks[0].cancel()
            await wait(server_h2, ("reset", 1, 8))  # CANCEL
            await asyncio.sleep(0.05)
            assert not tasks[1].done() and "gone" not in [event for event, _ in server_h2.events]
            tasks[1].cancel()
            await wait(server_h2, ("reset", 3, 8))
            await asyncio.gather(*tasks, return_exceptions=True)

    run(main())


def test_gather_that_is_cancelled(run, server):
    async def main():
        async with muster.AsyncClient(concurrency=10) as client:
            all_of_them = asyncio.gather(*[client.get(server.url) for _ in range(50)])
            await wait(server, "request")
            all_of_them.cancel()
            with pytest.raises(asyncio.CancelledError):
                await all_of_them
            await wait(server, "gone")
            return client.stats["in_flight"], client.stats["queued"]

    assert run(main()) == (0, 0)


def full_listener():
    """Whose queue is full: the kernel drops what wants to connect."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    held = []
    for _ in range(8):
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(listener.getsockname())
        held.append(one)
    time.sleep(0.05)
    return listener, held


def test_while_connecting(run):
    listener, held = full_listener()

    async def main():
        async with muster.AsyncClient() as client:
            task = asyncio.ensure_future(client.get(f"http://127.0.0.1:{listener.getsockname()[1]}/"))
            await asyncio.sleep(0.1)
            assert not task.done() and client.stats["in_flight"] == 1
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.sleep(0.02)
            return client.stats["in_flight"]

    try:
        assert run(main()) == 0
    finally:
        for one in [listener, *held]:
            one.close()


def test_while_reading(run):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"a" * 500

    def serve(server, connection):
        servers.read_head(connection)
        connection.sendall(head)
        server.tell("half")
        connection.recv(1)
        server.tell("gone")

    async def main():
        async with muster.AsyncClient() as client:
            task = asyncio.ensure_future(client.get(server.url))
            await wait(server, "half")
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await wait(server, "gone")

    with servers.Server(serve) as server:
        run(main())


def test_before_it_has_a_slot(run, server, lab):
    """It never leaves the queue."""
    async def main():
        async with muster.AsyncClient(concurrency=1) as client:
            first = asyncio.ensure_future(client.get(server.url))
            await wait(server, "request")
            second = asyncio.ensure_future(client.get(lab.url()))
            await asyncio.sleep(0.05)
            second.cancel()
            with pytest.raises(asyncio.CancelledError):
                await second
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
            return client.stats["attempts"]

    assert run(main()) == 1


# --- Ctrl-C ------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def interrupt():
    """
    Ctrl-C, once the server has the request and the caller waits for its answer; how long it took to be heard. A signal that comes between asyncio's
    giving away Python's lock and its epoll_wait() is heard at the loop's next event only, in each program: hence a moment later.
    """
    moments = []

    def after(server):
        def kill():
            server.wait_for("request")
            time.sleep(0.05)
            moments.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)

        thread = threading.Thread(target=kill)
        thread.start()
        return thread

    after.took = lambda: time.monotonic() - moments[0]
    return after


def test_ctrl_c_in_a_request(server, lab, interrupt):
    with muster.Client() as client:
        thread = interrupt(server)
        with pytest.raises(KeyboardInterrupt):
            client.get(server.url)
        assert interrupt.took() < 0.5
        thread.join()
        server.wait_for("gone")
        assert client.get(lab.url()).status == 200, "the client goes on"


def test_ctrl_c_in_a_stream(server, lab, interrupt):
    thread = interrupt(server)
    with pytest.raises(KeyboardInterrupt):
        for _ in muster.stream([server.url] * 5):
            pass
    assert interrupt.took() < 0.5
    thread.join()
    server.wait_for("gone")


def test_ctrl_c_in_an_event_loop(run, server, interrupt):
    async def main():
        async with muster.AsyncClient() as client:
            await client.get(server.url)

    thread = interrupt(server)
    with pytest.raises(KeyboardInterrupt):
        run(main())
    assert interrupt.took() < 1
    thread.join()
    server.wait_for("gone")


def test_ctrl_c_while_a_generator_is_sent(server, interrupt):
    closed = threading.Event()

    def body():
        try:
            while True:
                yield b"a"
                time.sleep(0.01)
        finally:
            closed.set()

    with muster.Client() as client:
        thread = interrupt(server)
        with pytest.raises(KeyboardInterrupt):
            client.post(server.url, content=body())
        thread.join()
        server.wait_for("gone")
        assert closed.wait(5)
