"""The loopback server of the benchmarks by framing.

`python recorded_server.py` prints its port and exits when its standard input closes. `POST
/whole/<framing>/<pieces>/v3/chat` sends the recorded answer at once; `/paced/<pieces>/v3/chat`
sends so many events of it, 20 a second; `/stamped/<pieces>/v3/chat` sends events whose text is the
time at which they are sent. Standard library only.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
import time

import recorded
from server import STREAM

PER_SECOND = 20
STAMPED_PER_SECOND = 200


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            lines = head.split(b"\r\n")
            await reader.readexactly(
                next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
            )
            kind, *rest = head.split(b" ")[1].decode().strip("/").split("/")
            writer.write(STREAM)
            if kind == "whole":
                writer.write(recorded.body(rest[0]))
            else:
                await slowly(writer, int(rest[0]), stamped=kind == "stamped")
            await writer.drain()


async def slowly(writer: asyncio.StreamWriter, pieces: int, *, stamped: bool) -> None:
    """Each event by itself, as a model writes them."""
    loop = asyncio.get_running_loop()
    pause = 1 / (STAMPED_PER_SECOND if stamped else PER_SECOND)
    due = loop.time() + random.random() * pause  # streams do not keep step
    for number in range(pieces):
        await asyncio.sleep(due - loop.time())
        due += pause
        event = recorded.stamped(time.monotonic_ns()) if stamped else recorded.events()[2 + number]
        writer.write(recorded.framed(event))
    # The last two events, and the end of the body.
    ending = [part for event in recorded.events()[-2:] for part in event]
    writer.write(recorded.framed([*ending, b""]))


async def main() -> None:
    for framing in ("as_recorded", "event", "2048", "16384"):
        recorded.body(framing)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
