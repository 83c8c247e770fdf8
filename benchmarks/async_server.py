"""The loopback server of the async benchmarks: a single event loop, so that 100 connections are
cheap.

`python async_server.py` prints its port and exits when its standard input closes. It responds like
`server.py`; also, `POST /big/<bytes>/v3/chat` sends one event of that size, and `POST
/hold/v3/chat` the beginning of a stream that never ends. Standard library only.
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
    """A chat with a single piece of that many bytes."""
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
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, rest = self._buffer.partition(b"\r\n\r\n")
            lines = head.lower().split(b"\r\n")
            length = next(
                (int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0
            )
            if len(rest) < length:
                return
            content, self._buffer = rest[:length], rest[length:]
            self._transport.write(response(head, content))


def response(head: bytes, content: bytes) -> bytes:
    if b'"stream":true' not in content.replace(b" ", b""):
        return PLAIN
    first, second, *_ = head.split(b" ", 2)[1].decode().strip("/").split("/")
    if first == "hold":
        return STREAM + beginning()
    return STREAM + (big(int(second)) if first == "big" else whole(int(first), int(second)))


async def main() -> None:
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(Connection, "127.0.0.1", 0, backlog=2048)
    print(listener.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
