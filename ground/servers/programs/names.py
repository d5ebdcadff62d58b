"""A name server: each name has the address 127.0.0.1 and none of IPv6, and is told after "delay_ms"."""
import asyncio
import socket
import struct

from answers import settings

SETTINGS = settings()
A = 1


def reply_to(query):
    at = 12
    while query[at]:
        at += query[at] + 1
    question = query[12:at + 5]
    (kind,) = struct.unpack("!H", query[at + 1:at + 3])
    answers = b"\xc0\x0c" + struct.pack("!HHIH", A, 1, 60, 4) + socket.inet_aton("127.0.0.1") if kind == A else b""
    return query[:2] + struct.pack("!HHHHH", 0x8180, 1, bool(answers), 0, 0) + question + answers


class Names(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        asyncio.get_running_loop().call_later(SETTINGS.get("delay_ms", 0) / 1000, self.transport.sendto, reply_to(data), address)


async def main():
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(Names, local_addr=("127.0.0.1", SETTINGS["port"]))
    with socket.create_server(("127.0.0.1", SETTINGS["port"])):  # to be seen to listen
        await asyncio.sleep(3600)


asyncio.run(main())
