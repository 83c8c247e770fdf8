"""Rounds of async work, the same for both sides. Standard library only; also read by the peer's
interpreter.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from rounds import Round, resident_now

STREAMS = 100
IN_FLIGHT = 100
CALLS = 5
OPEN = 1000

# One loop for the life of the process: connections stay open from round to round, as they do in a
# server.
_LOOP = asyncio.new_event_loop()


def now(work: Awaitable[Any]) -> Any:
    return _LOOP.run_until_complete(work)


def streams(read: Callable[[], Awaitable[int]], events: int, count: int = STREAMS) -> Round:
    """Seconds per event when that many streams are read at once; `read` reads one and returns how
    many pieces it has seen.
    """

    async def all_at_once() -> float:
        start = time.perf_counter()
        seen = await asyncio.gather(*(read() for _ in range(count)))
        took = time.perf_counter() - start
        if set(seen) != {events}:
            raise SystemExit(f"the streams have {sorted(set(seen))} of {events} events")
        return took / count / events

    return _after_one(all_at_once)


def calls(once: Callable[[], Awaitable[object]]) -> Round:
    """Seconds per call when a hundred are under way at any time."""

    async def in_turn() -> None:
        for _ in range(CALLS):
            await once()

    async def all_at_once() -> float:
        start = time.perf_counter()
        await asyncio.gather(*(in_turn() for _ in range(IN_FLIGHT)))
        return (time.perf_counter() - start) / IN_FLIGHT / CALLS

    return _after_one(all_at_once)


def _after_one(work: Callable[[], Awaitable[float]]) -> Round:
    """The round; a first one opens the connections."""
    now(work())

    def turn() -> float:
        gc.collect()
        return float(now(work()))

    return turn


def kept_open(opened: Callable[[], AsyncIterator[object]]) -> Round:
    """Bytes by which the process grows for one of a thousand streams that have begun and not ended;
    0 where that cannot be told.
    """

    async def begin() -> AsyncIterator[object]:
        stream = opened()
        await anext(stream)
        return stream

    async def hold() -> float:
        first = await begin()  # what is loaded and made once is not counted
        gc.collect()
        before = resident_now()
        kept = [first, *[await begin() for _ in range(OPEN - 1)]]
        gc.collect()
        grown = resident_now() - before if before else 0
        for stream in kept:
            await stream.aclose()  # type: ignore[attr-defined]
        return grown / (OPEN - 1)

    return lambda: now(hold())
