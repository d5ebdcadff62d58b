#!/usr/bin/env python3
"""The server of the demonstration: a mix of latencies, sizes and answers. Writes its port into the file that is named."""
import asyncio
import gzip
import json
import sys
from urllib.parse import parse_qs, urlsplit


def response(status, body=b"", *fields):
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields, "", ""]
    return "\r\n".join(head).encode() + body


async def answer(target):
    url = urlsplit(target)
    query = parse_qs(url.query)
    if url.path == "/fast":
        return response("200 OK", b"here you are\n", "Content-Type: text/plain")
    if url.path == "/slow":
        await asyncio.sleep(int(query["ms"][0]) / 1000)
        return response("200 OK", b"that took a while\n")
    if url.path == "/json":
        return response("200 OK", json.dumps({"items": list(range(50))}).encode(), "Content-Type: application/json")
    if url.path == "/gzip":
        return response("200 OK", gzip.compress(b"again and again, " * 500), "Content-Encoding: gzip")
    if url.path == "/large":
        return response("200 OK", b"x" * (int(query["kb"][0]) * 1024))
    if url.path == "/redirect":
        return response("302 Found", b"", "Location: /fast")
    if url.path == "/hangs":
        await asyncio.sleep(3600)
    return response("404 Not Found", b"no such thing\n")


async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            writer.write(await answer(head.split(b" ")[1].decode()))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    with open(sys.argv[1], "w") as file:
        file.write(str(server.sockets[0].getsockname()[1]))
    await server.serve_forever()


asyncio.run(main())
