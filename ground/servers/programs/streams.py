"""asyncio's streams: one thread, any number of requests at a time.

"stop" is [every ms, for ms]: the whole server stands still now and then, as when it collects garbage; asyncio would have gone on, so it is a plain sleep.
"limit" is how many are answered at a time, "refuse_above" how many connections are served: others are answered 503.
"rate" is bytes a second that all connections share. "no_continue": nobody is told to go on with a body (100).
"""
import asyncio
import time

from answers import Answers, settings

SETTINGS = settings()
ANSWERS = Answers(SETTINGS["answers"])


class Link:
    """Bytes a second for all connections together: each part is sent when its turn has come."""

    def __init__(self, rate):
        self.rate = rate
        self.next = 0.0

    async def send(self, writer, data):
        for at in range(0, len(data), 8192):
            part = data[at:at + 8192]
            now = time.monotonic()
            self.next = max(self.next, now) + len(part) / self.rate
            await asyncio.sleep(self.next - now)
            writer.write(part)
            await writer.drain()


class Server:
    def __init__(self):
        self.link = Link(SETTINGS["rate"]) if "rate" in SETTINGS else None
        self.limit = asyncio.Semaphore(SETTINGS.get("limit", 100000))
        self.n_connections = 0

    async def body_of(self, reader, head):
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                await reader.readexactly(int(value))

    async def send_body(self, writer, answer):
        if self.link:
            await self.link.send(writer, answer.body)
            return
        if not answer.drip_s:
            writer.write(answer.body)
            return
        step = -(-len(answer.body) // 8)
        for at in range(0, len(answer.body), step):
            writer.write(answer.body[at:at + step])
            await writer.drain()
            await asyncio.sleep(answer.drip_s)

    async def answer(self, writer, target):
        answer, status, delay_s, query = ANSWERS.begin(target)
        try:
            async with self.limit:
                await asyncio.sleep(delay_s)
            writer.write(answer.head(status, query))
            if answer.pause_s:
                await writer.drain()
                await asyncio.sleep(answer.pause_s)
            await self.send_body(writer, answer)
            await writer.drain()
        finally:
            ANSWERS.end()
        return answer.close

    async def serve(self, reader, writer):
        self.n_connections += 1
        try:
            if self.n_connections > SETTINGS.get("refuse_above", 100000):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                await writer.drain()
                return
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await self.body_of(reader, head)
                if await self.answer(writer, head.split(b" ", 2)[1].decode()):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.n_connections -= 1
            writer.close()


async def stop_now_and_then(every_ms, for_ms):
    while True:
        await asyncio.sleep(every_ms / 1000)
        time.sleep(for_ms / 1000)  # not asyncio's: all stands still


async def main():
    server = await asyncio.start_server(Server().serve, "127.0.0.1", SETTINGS["port"], backlog=1024)
    if "stop" in SETTINGS:
        stopping = asyncio.create_task(stop_now_and_then(*SETTINGS["stop"]))  # kept, as a task that nobody keeps may vanish
        await stopping
    await server.serve_forever()


asyncio.run(main())
