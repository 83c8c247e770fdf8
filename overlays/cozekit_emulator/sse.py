"""Event streams on the wire, in the three spellings of the service, and the pump that sends
them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from .answers import compact

Event = tuple[str, Any]
"""Name and payload."""
Spelling = Callable[[int, str, Any], bytes]


def chat(_: int, name: str, data: Any) -> bytes:
    """`/v3/chat`: no `id`, no space after the colon; `done` holds a JSON string."""
    return f"event:{name}\ndata:{compact(data)}\n\n".encode()


def chatflow(_: int, name: str, data: Any) -> bytes:
    """`/v1/workflows/chat`: no `id`, one space after the colon."""
    return f"event: {name}\ndata: {compact(data)}\n\n".encode()


def workflow(number: int, name: str, data: Any) -> bytes:
    """`/v1/workflow/stream_run`: `id` counts all events of the stream from 0; the heartbeat has
    empty data.
    """
    return (
        f"id: {number}\nevent: {name}\ndata: {'' if data is None else compact(data)}\n\n".encode()
    )


async def pump(events: Iterator[Event], spelling: Spelling) -> AsyncIterator[bytes]:
    """One piece per event. A reader who leaves stops the traffic and not the work: the rest is
    played out unseen.
    """
    try:
        for number, (name, data) in enumerate(events):
            yield spelling(number, name, data)
            await asyncio.sleep(0)
    finally:
        for _ in events:
            pass
