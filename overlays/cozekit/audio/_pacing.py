"""Splits audio into chunks, at full speed or in real time."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, TypeAlias, cast

from ..errors import ArgumentError
from ._formats import SOCKET_FORMAT, AudioFormat

AudioSource: TypeAlias = str | os.PathLike[str] | bytes | IO[bytes] | Iterable[bytes]
"""A path, bytes, an open binary file, or an iterable of bytes, such as a microphone."""
AsyncAudioSource: TypeAlias = AudioSource | AsyncIterable[bytes]

_READ_SIZE = 65_536


def chunks(source: AudioSource, size: int = _READ_SIZE) -> Iterator[bytes]:
    """Yields chunks of exactly `size` bytes; the last one may be shorter. At full speed.

    Args:
        source: The audio. An open file is not closed.
        size: Bytes per chunk; `AudioFormat.size_of` converts a duration.

    Raises:
        ArgumentError: `size` is below 1, or the source yields something other than bytes.
    """
    splitter = _Splitter(size)
    for piece in _pieces(source):
        yield from splitter.feed(piece)
    yield from splitter.rest()


async def achunks(source: AsyncAudioSource, size: int = _READ_SIZE) -> AsyncIterator[bytes]:
    """Yields chunks of exactly `size` bytes; the last one may be shorter. At full speed.

    Files are read in small blocks on the event loop.

    Args:
        source: The audio: a path, bytes, an open binary file, or an iterable or async iterable of
            bytes. An open file is not closed.
        size: Bytes per chunk; `AudioFormat.size_of` converts a duration.

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
    """Yields chunks of equal duration in real time, as a microphone would.

    Due times are computed from the number of bytes, so small delays do not add up. A slow consumer
    gets chunks immediately until it has caught up.

    Args:
        source: The audio. For WAV pass `read_wav(…).data`; otherwise the header counts as audio.
        format: Format of the audio, which determines the duration of a byte. `G711` for G.711.
        chunk_ms: Milliseconds per chunk.
        speed: 1.0 is real time, 2.0 twice as fast; None does not wait.
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
    """Yields chunks of equal duration in real time, as a microphone would; on asyncio and trio.

    Due times are computed from the number of bytes, so small delays do not add up. A slow consumer
    gets chunks immediately until it has caught up.

    Args:
        source: The audio: a path, bytes, an open binary file, or an iterable or async iterable of
            bytes. For WAV pass `read_wav(…).data`; otherwise the header counts as audio.
        format: Format of the audio, which determines the duration of a byte. `G711` for G.711.
        chunk_ms: Milliseconds per chunk.
        speed: 1.0 is real time, 2.0 twice as fast; None does not wait.
        clock: Returns monotonic time in seconds.
        sleep: Coroutine function that waits for this number of seconds; None uses that of the
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
    """Computes when each chunk is due."""

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
        """Returns the seconds until a chunk of this size is due; the first is due immediately."""
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
                f"audio must be bytes, not {type(piece).__name__}", argument="source"
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
            yield from iter(lambda: file.read(_READ_SIZE), b"")
    elif hasattr(source, "read"):
        open_file = cast("IO[bytes]", source)
        yield from iter(lambda: open_file.read(_READ_SIZE), b"")
    else:
        yield from source
