"""The loopback server of the async measurements: one event loop, so that a hundred connections cost
it little.

`python crowd.py` prints its port and ends with its standard input. It answers as `server.py`, and
besides: `POST /big/<bytes>/v3/chat` with one event of that many bytes, and `POST /hold/v3/chat`
with the beginning of a stream that never ends. Standard library only.
"""

from __future__ import annotations

import asyncio
import functools
import sys

import payloads
from server import PLAIN, STREAM, body

CHUNK = 16384


@functools.cache
def big(size: int) -> bytes:
    """A chat whose one piece has that many bytes."""
    first, *_, last, done = payloads.stream(1)
    event = (
        b"event:conversation.message.delta\ndata:"
        + payloads.encoded(payloads.message(0, "x" * size))
        + b"\n\n"
    )
    whole = first + event + last + done
    parts = (whole[start : start + CHUNK] for start in range(0, len(whole), CHUNK))
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@functools.cache
def whole(size: int, events: int) -> bytes:
    return b"".join(body(size, events))


@functools.cache
def beginning() -> bytes:
    part = b"".join(payloads.stream(1)[:3])
    return b"%x\r\n%b\r\n" % (len(part), part)


class Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self._waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while b"\r\n\r\n" in self._waiting:
            head, _, rest = self._waiting.partition(b"\r\n\r\n")
            lines = head.lower().split(b"\r\n")
            length = next(
                (int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0
            )
            if len(rest) < length:
                return
            content, self._waiting = rest[:length], rest[length:]
            self._transport.write(answer(head, content))


def answer(head: bytes, content: bytes) -> bytes:
    if b'"stream":true' not in content.replace(b" ", b""):
        return PLAIN
    first, second, *_ = head.split(b" ", 2)[1].decode().strip("/").split("/")
    if first == "hold":
        return STREAM + beginning()
    return STREAM + (big(int(second)) if first == "big" else whole(int(first), int(second)))


async def main() -> None:
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(Connection, "127.0.0.1", 0, backlog=2048)
    print(listening.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
