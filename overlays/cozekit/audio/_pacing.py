"""Sound in chunks, at full speed or in real time."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, TypeAlias, cast

from ..errors import ArgumentError
from ._wav import SOCKET_FORMAT, AudioFormat

AudioSource: TypeAlias = str | os.PathLike[str] | bytes | IO[bytes] | Iterable[bytes]
"""A path, the bytes, an open binary file, or pieces of any length, such as those of a microphone.
"""
AsyncAudioSource: TypeAlias = AudioSource | AsyncIterable[bytes]

_READ = 65_536


def chunks(source: AudioSource, size: int = _READ) -> Iterator[bytes]:
    """Chunks of exactly `size` bytes, the last one shorter, whatever the pieces of the source. At
    full speed.

    Args:
        source: Where the sound comes from. An open file stays open.
        size: Bytes of a chunk; `AudioFormat.size_of` gives those of a duration.

    Raises:
        ArgumentError: `size` is below 1, or the source yields something other than bytes.
    """
    splitter = _Splitter(size)
    for piece in _pieces(source):
        yield from splitter.feed(piece)
    yield from splitter.rest()


async def achunks(source: AsyncAudioSource, size: int = _READ) -> AsyncIterator[bytes]:
    """Chunks of exactly `size` bytes, the last one shorter, whatever the pieces of the source. At
    full speed.

    Files are read in small steps on the event loop.

    Args:
        source: Where the sound comes from: a path, the bytes, an open binary file, or pieces from
            an iterable or async iterable. An open file stays open.
        size: Bytes of a chunk; `AudioFormat.size_of` gives those of a duration.

    Raises:
        ArgumentError: `size` is below 1, or the source yields something other than bytes.
    """
    if not isinstance(source, AsyncIterable):
        for chunk in chunks(source, size):
            yield chunk
        return
    splitter = _Splitter(size)
    async for piece in source:
        for chunk in splitter.feed(piece):
            yield chunk
    for chunk in splitter.rest():
        yield chunk


def paced(
    source: AudioSource,
    format: AudioFormat = SOCKET_FORMAT,
    *,
    chunk_ms: float = 100.0,
    speed: float | None = 1.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> Iterator[bytes]:
    """Chunks of equal duration, each when it is due, as a microphone would deliver them.

    The times follow from the number of bytes, so small delays do not add up; a slow consumer gets
    the next chunks at once until it has caught up.

    Args:
        source: Where the sound comes from; for WAV pass `read_wav(…).data`, or let the header pass
            as sound.
        format: Its format, which says how long a byte is. `G711` for G.711.
        chunk_ms: Milliseconds of a chunk.
        speed: 1.0 is real time, 2.0 twice as fast; None does not wait at all.
        clock: Returns monotonic time in seconds.
        sleep: Waits for this number of seconds.

    Raises:
        ArgumentError: `chunk_ms` or `speed` is not above 0.
    """
    pacer = _Pacer(format, chunk_ms, speed, clock)
    for chunk in chunks(source, pacer.size):
        delay = pacer.delay(len(chunk))
        if delay > 0:
            sleep(delay)
        yield chunk


async def apaced(
    source: AsyncAudioSource,
    format: AudioFormat = SOCKET_FORMAT,
    *,
    chunk_ms: float = 100.0,
    speed: float | None = 1.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[object]] | None = None,
) -> AsyncIterator[bytes]:
    """Chunks of equal duration, each when it is due, as a microphone would deliver them; on asyncio
    and trio.

    The times follow from the number of bytes, so small delays do not add up; a slow consumer gets
    the next chunks at once until it has caught up.

    Args:
        source: Where the sound comes from: a path, the bytes, an open binary file, or pieces from
            an iterable or async iterable. For WAV pass `read_wav(…).data`, or let the header pass
            as sound.
        format: Its format, which says how long a byte is. `G711` for G.711.
        chunk_ms: Milliseconds of a chunk.
        speed: 1.0 is real time, 2.0 twice as fast; None does not wait at all.
        clock: Returns monotonic time in seconds.
        sleep: Coroutine function that waits for this number of seconds; None takes the sleep of the
            event loop.

    Raises:
        ArgumentError: `chunk_ms` or `speed` is not above 0.
    """
    import anyio

    pacer = _Pacer(format, chunk_ms, speed, clock)
    async for chunk in achunks(source, pacer.size):
        delay = pacer.delay(len(chunk))
        if delay > 0:
            await (sleep or anyio.sleep)(delay)
        yield chunk


class _Pacer:
    """When the next chunk is due."""

    def __init__(
        self, format: AudioFormat, chunk_ms: float, speed: float | None, clock: Callable[[], float]
    ) -> None:
        if not chunk_ms > 0:
            raise ArgumentError("chunk_ms must be above 0", argument="chunk_ms")
        if speed is not None and not speed > 0:
            raise ArgumentError("speed must be above 0, or None for no waits", argument="speed")
        self.size = format.size_of(chunk_ms)
        self._rate = None if speed is None else format.bytes_per_second * speed
        self._clock = clock
        self._start: float | None = None
        self._sent = 0

    def delay(self, size: int) -> float:
        """Seconds until a chunk of this size is due; the first one is due at once."""
        if self._rate is None:
            return 0.0
        now = self._clock()
        if self._start is None:
            self._start = now
        due = self._start + self._sent / self._rate
        self._sent += size
        return due - now


class _Splitter:
    """Splits pieces of any length into chunks of one length."""

    def __init__(self, size: int) -> None:
        if size < 1:
            raise ArgumentError("size must be at least 1", argument="size")
        self._size = size
        self._buffer = bytearray()

    def feed(self, piece: bytes) -> Iterator[bytes]:
        if not isinstance(piece, bytes | bytearray | memoryview):
            raise ArgumentError(
                f"sound must be bytes, not {type(piece).__name__}", argument="source"
            )
        self._buffer += piece
        end = len(self._buffer) // self._size * self._size
        ready = bytes(self._buffer[:end])
        del self._buffer[:end]
        for start in range(0, end, self._size):
            yield ready[start : start + self._size]

    def rest(self) -> Iterator[bytes]:
        if self._buffer:
            yield bytes(self._buffer)


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
