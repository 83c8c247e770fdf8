"""Sound in pieces, at full speed or in real time."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, TypeAlias, cast

from ..errors import ArgumentError
from .wav import AudioFormat

AudioSource: TypeAlias = str | os.PathLike[str] | bytes | IO[bytes] | Iterable[bytes]
"""A path, the bytes, an open binary file, or pieces of any length, such as those of a microphone.
"""
AsyncAudioSource: TypeAlias = AudioSource | AsyncIterable[bytes]

_READ = 65_536


def chunks(source: AudioSource, size: int = _READ) -> Iterator[bytes]:
    """Pieces of exactly `size` bytes, the last one shorter, whatever the pieces of the source are.
    At full speed.

    Args:
        source: Where the sound comes from. A file that was handed in open stays open.
        size: Bytes of a piece; `AudioFormat.size_of` gives those of a time.

    Raises:
        ArgumentError: `size` is below 1, or the source yields something else than bytes.
    """
    cut = _Cutter(size)
    for piece in _pieces(source):
        yield from cut.feed(piece)
    yield from cut.rest()


async def achunks(source: AsyncAudioSource, size: int = _READ) -> AsyncIterator[bytes]:
    """Pieces of exactly `size` bytes, the last one shorter, whatever the pieces of the source are.
    At full speed.

    Files are read in small steps on the event loop.

    Args:
        source: Where the sound comes from: a path, the bytes, an open binary file, or pieces from
            an iterable or async iterable. A file that was handed in open stays open.
        size: Bytes of a piece; `AudioFormat.size_of` gives those of a time.

    Raises:
        ArgumentError: `size` is below 1, or the source yields something other than bytes.
    """
    cut = _Cutter(size)
    if isinstance(source, AsyncIterable):
        async for piece in source:
            for whole in cut.feed(piece):
                yield whole
    else:
        for piece in _pieces(source):
            for whole in cut.feed(piece):
                yield whole
    for whole in cut.rest():
        yield whole


def paced(
    source: AudioSource,
    format: AudioFormat = AudioFormat(),  # noqa: B008
    *,
    chunk_ms: float = 100.0,
    speed: float | None = 1.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> Iterator[bytes]:
    """Pieces of equal length, each when its time has come, as a microphone would give them.

    The times follow from the number of bytes, so that small delays do not add up; a consumer that
    was slow gets the next pieces at once until it has caught up.

    Args:
        source: Where the sound comes from; for WAV take `read_wav(…).data` or let the header pass
            as sound.
        format: Its format, which says how long a byte is. `G711` for G.711.
        chunk_ms: Milliseconds of a piece.
        speed: 1.0 is real time, 2.0 twice as fast; None does not wait at all.
        clock: Returns monotonic time in seconds.
        sleep: Waits that many seconds.

    Raises:
        ArgumentError: `chunk_ms` or `speed` is not above 0.
    """
    pace = _Pace(format, chunk_ms, speed, clock)
    for piece in chunks(source, pace.size):
        delay = pace.delay(len(piece))
        if delay > 0:
            sleep(delay)
        yield piece


async def apaced(
    source: AsyncAudioSource,
    format: AudioFormat = AudioFormat(),  # noqa: B008
    *,
    chunk_ms: float = 100.0,
    speed: float | None = 1.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[object]] | None = None,
) -> AsyncIterator[bytes]:
    """Pieces of equal length, each when its time has come, as a microphone would give them; on
    asyncio and trio.

    The times follow from the number of bytes, so that small delays do not add up; a consumer that
    was slow gets the next pieces at once until it has caught up.

    Args:
        source: Where the sound comes from: a path, the bytes, an open binary file, or pieces from
            an iterable or async iterable. For WAV take `read_wav(…).data` or let the header pass as
            sound.
        format: Its format, which says how long a byte is. `G711` for G.711.
        chunk_ms: Milliseconds of a piece.
        speed: 1.0 is real time, 2.0 twice as fast; None does not wait at all.
        clock: Returns monotonic time in seconds.
        sleep: Coroutine function that waits that many seconds; None takes the sleep of the event
            loop.

    Raises:
        ArgumentError: `chunk_ms` or `speed` is not above 0.
    """
    import anyio

    pace = _Pace(format, chunk_ms, speed, clock)
    async for piece in achunks(source, pace.size):
        delay = pace.delay(len(piece))
        if delay > 0:
            await (sleep or anyio.sleep)(delay)
        yield piece


class _Pace:
    """When the next piece is due."""

    def __init__(
        self, format: AudioFormat, chunk_ms: float, speed: float | None, clock: Callable[[], float]
    ) -> None:
        if not chunk_ms > 0:
            raise ArgumentError("chunk_ms must be above 0", argument="chunk_ms")
        if speed is not None and not speed > 0:
            raise ArgumentError(
                "speed must be above 0; None does not wait at all", argument="speed"
            )
        self.size = format.size_of(chunk_ms)
        self._rate = None if speed is None else format.bytes_per_second * speed
        self._clock = clock
        self._start: float | None = None
        self._sent = 0

    def delay(self, size: int) -> float:
        """Seconds until a piece of so many bytes may go; the first one goes at once."""
        if self._rate is None:
            return 0.0
        now = self._clock()
        if self._start is None:
            self._start = now
        due = self._start + self._sent / self._rate
        self._sent += size
        return due - now


class _Cutter:
    """Cuts pieces of any length into pieces of one length."""

    def __init__(self, size: int) -> None:
        if size < 1:
            raise ArgumentError("size must be at least 1", argument="size")
        self._size = size
        self._held = bytearray()

    def feed(self, piece: bytes) -> Iterator[bytes]:
        if not isinstance(piece, bytes | bytearray | memoryview):
            raise ArgumentError(
                f"sound comes as bytes, not as {type(piece).__name__}", argument="source"
            )
        self._held += piece
        whole = len(self._held) // self._size * self._size
        ready = bytes(self._held[:whole])
        del self._held[:whole]
        for place in range(0, whole, self._size):
            yield ready[place : place + self._size]

    def rest(self) -> Iterator[bytes]:
        if self._held:
            yield bytes(self._held)


def _pieces(source: AudioSource) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield source
    elif isinstance(source, str | os.PathLike):
        with Path(source).open("rb") as file:
            yield from iter(lambda: file.read(_READ), b"")
    elif hasattr(source, "read"):
        opened = cast("IO[bytes]", source)
        yield from iter(lambda: opened.read(_READ), b"")
    else:
        yield from source
