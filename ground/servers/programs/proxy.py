"""A proxy for whole URLs of http that thinks for "delay_ms" before it passes a request on, as one that asks a filter does."""
import asyncio

from answers import settings

SETTINGS = settings()


async def pass_on(reader, writer):
    """One request and its answer, whose length must be known."""
    head = await reader.readuntil(b"\r\n\r\n")
    method, url, rest = head.split(b" ", 2)
    host, _, path = url.removeprefix(b"http://").partition(b"/")
    name, _, port = host.decode().partition(":")
    await asyncio.sleep(SETTINGS.get("delay_ms", 0) / 1000)
    from_server, to_server = await asyncio.open_connection(name, int(port or 80))
    to_server.write(method + b" /" + path + b" " + rest)
    answer = await from_server.readuntil(b"\r\n\r\n")
    length = next((int(line.partition(b":")[2]) for line in answer.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    writer.write(answer + await from_server.readexactly(length))
    to_server.close()
    await writer.drain()


async def serve(reader, writer):
    try:
        while True:
            await pass_on(reader, writer)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", SETTINGS["port"], backlog=1024)
    await server.serve_forever()


asyncio.run(main())
