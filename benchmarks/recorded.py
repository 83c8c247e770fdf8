"""A long answer of a real server, recorded with its chunks: 2,009 events in 12,054 chunks, most of
them a few bytes. The same bytes for both sides. Also run by the interpreter of the official SDK, so
standard library only.
"""

from __future__ import annotations

import functools
import gzip
import json
from pathlib import Path

RECORDING = Path(__file__).with_name("long_answer.http.gz")
STUDIO_END = [b"event:", b"conversation.stream.done", b"\n", b"data:", b"\n\n"]
END = [b"event:", b"done", b"\n", b"data:", b'"[DONE]"', b"\n\n"]
"""In place of the last event of Coze Studio, so that both sides read it as the end."""
EVENTS = 2009
PIECES = 2000
"""Events with a piece of the answer, which both sides deliver."""


@functools.cache
def chunks() -> list[bytes]:
    """The chunks as they came."""
    rest = gzip.decompress(RECORDING.read_bytes()).partition(b"\r\n\r\n")[2]
    found: list[bytes] = []
    while True:
        size, _, rest = rest.partition(b"\r\n")
        if not int(size, 16):
            break
        found.append(rest[: int(size, 16)])
        rest = rest[int(size, 16) + 2 :]
    assert found[-len(STUDIO_END) :] == STUDIO_END
    return found[: -len(STUDIO_END)] + END


@functools.cache
def events() -> list[list[bytes]]:
    """The chunks of each event."""
    per_event = len(END)
    return [chunks()[start : start + per_event] for start in range(0, len(chunks()), per_event)]


@functools.cache
def body(framing: str) -> bytes:
    """The whole body, in chunks `as_recorded`, one an `event`, or of so many bytes."""
    if framing == "as_recorded":
        parts = chunks()
    elif framing == "event":
        parts = [b"".join(event) for event in events()]
    else:
        whole, size = b"".join(chunks()), int(framing)
        parts = [whole[start : start + size] for start in range(0, len(whole), size)]
    return framed(parts) + framed([b""])


def framed(parts: list[bytes]) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)


def stamped(nanoseconds: int) -> list[bytes]:
    """The chunks of an event whose text is the time at which it is sent."""
    *before, data, blank = events()[2]
    fields = json.loads(data) | {"content": str(nanoseconds)}
    return [*before, json.dumps(fields).encode(), blank]
