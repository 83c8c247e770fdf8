"""Streams of audio: in chunks as they arrive, as bytes, or into a file."""

from __future__ import annotations

import os
import wave
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Self

from .. import publish
from .._http.byte_stream import AsyncByteStream, ByteStream
from ..errors import ArgumentError
from ..operation import CallOptions, Request
from .event_stream import AsyncOpener, SyncOpener

DEFAULT_SAMPLE_RATE = 24_000
"""Sample rate in Hz of the service if the call has none."""


class SpeechStream(ByteStream):
    """The open audio of `coze.audio.speech.stream`. Iterate over its chunks, `read` all of it, or
    `write_to_file`. Use it in a `with` block.

    ```python
    coze.audio.speech.stream(input="Hello", voice_id="7426720361733046281").write_to_file("a.mp3")
    ```
    """

    def __init__(
        self,
        client: SyncOpener,
        request: Request,
        options: CallOptions,
        response_format: str | None = None,
        sample_rate: int | None = None,
    ) -> None:
        """Sends the request and opens the response.

        Args:
            client: Sends the request.
            request: The request.
            options: Options of this call.
            response_format: Audio format of the call, for `write_to_file`; None if it has none.
            sample_rate: Sample rate of the call in Hz, for `write_to_file`; None if it has none.
        """
        super().__init__(client.open_response(request, options, events=False))
        self._format = (response_format, sample_rate)

    def __iter__(self) -> Iterator[bytes]:
        """Iterates over the chunks as they arrive.

        Raises:
            APIConnectionError: The connection was lost; the audio is incomplete.
        """
        return self.iter_bytes()

    def read(self) -> bytes:
        """Reads the rest of the audio; raises what iterating raises."""
        with self:
            return b"".join(self)

    def write_to_file(self, path: str | os.PathLike[str]) -> Path:
        """Writes the audio to a file, which appears when it is complete. An existing file is
        replaced. Raw samples (`pcm`) get a WAV header if the name ends in `.wav`.

        Args:
            path: Path of the file, in an existing folder.

        Returns:
            The path of the file.

        Raises:
            ArgumentError: The file cannot be written.
            APIConnectionError: The connection was lost; no file is written.
        """
        with self, AudioFile(path, *self._format) as file:
            for chunk in self:
                file.write(chunk)
            return file.finish()


class AsyncSpeechStream(AsyncByteStream):
    """The audio of `coze.audio.speech.stream`, requested on first use. Iterate over its chunks with
    `async for`, `read` all of it, or `write_to_file`. Use it in an `async with` block.
    """

    def __init__(
        self,
        client: AsyncOpener,
        request: Request,
        options: CallOptions,
        response_format: str | None = None,
        sample_rate: int | None = None,
    ) -> None:
        """Creates a stream. The request is sent on first use.

        Args:
            client: Sends the request.
            request: The request.
            options: Options of this call.
            response_format: Audio format of the call, for `write_to_file`; None if it has none.
            sample_rate: Sample rate of the call in Hz, for `write_to_file`; None if it has none.
        """
        start = partial(client.open_response, request, options, events=False)
        super().__init__(start, request.operation)
        self._format = (response_format, sample_rate)

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Iterates over the chunks as they arrive.

        Raises:
            APIConnectionError: The connection was lost; the audio is incomplete.
        """
        return _Chunks(self)

    async def read(self) -> bytes:
        """Reads the rest of the audio; raises what iterating raises."""
        async with self:
            return b"".join([chunk async for chunk in self])

    async def write_to_file(self, path: str | os.PathLike[str]) -> Path:
        """Writes the audio to a file, which appears when it is complete. An existing file is
        replaced. Raw samples (`pcm`) get a WAV header if the name ends in `.wav`. A worker thread
        writes the file.

        Args:
            path: Path of the file, in an existing folder.

        Returns:
            The path of the file.

        Raises:
            ArgumentError: The file cannot be written.
            APIConnectionError: The connection was lost; no file is written.
        """
        from anyio import to_thread

        async with self:
            with await to_thread.run_sync(AudioFile, path, *self._format) as file:
                async for chunk in self:
                    await to_thread.run_sync(file.write, chunk)
                return await to_thread.run_sync(file.finish)


# Not an async generator: the event loop would close an abandoned one at some later time.
class _Chunks:
    def __init__(self, stream: AsyncSpeechStream) -> None:
        self._stream = stream

    def __aiter__(self) -> _Chunks:
        return self

    async def __anext__(self) -> bytes:
        chunk = await self._stream.next_bytes()
        if chunk is None:
            raise StopAsyncIteration
        return chunk


class AudioFile:
    """A file of audio that is written under a temporary name and renamed when it is complete."""

    def __init__(
        self, path: str | os.PathLike[str], response_format: str | None, sample_rate: int | None
    ) -> None:
        """Creates the file.

        Args:
            path: Path of the file, in an existing folder.
            response_format: Audio format; `pcm` gets a WAV header if the name ends in `.wav`.
            sample_rate: Sample rate in Hz; None is that of the service.

        Raises:
            ArgumentError: The file cannot be written.
        """
        self._path = Path(path)
        self._size = 0
        self._temporary = self._path.with_name(f".{self._path.name}.{os.urandom(4).hex()}.part")
        try:
            self._file: IO[bytes] = self._temporary.open("xb")
        except OSError as error:
            raise self._error(error) from error
        self._wav: wave.Wave_write | None = None
        if response_format == "pcm" and self._path.suffix.lower() == ".wav":
            self._wav = wave.open(self._file, "wb")  # noqa: SIM115
            self._wav.setparams(
                (1, 2, int(sample_rate or DEFAULT_SAMPLE_RATE), 0, "NONE", "not compressed")
            )

    def write(self, chunk: bytes) -> int:
        """Writes a chunk; returns its length."""
        try:
            if self._wav is None:
                self._file.write(chunk)
            else:
                self._wav.writeframesraw(chunk)
        except OSError as error:
            raise self._error(error) from error
        self._size += len(chunk)
        return len(chunk)

    def finish(self) -> Path:
        """Completes and renames the file."""
        if self._wav is not None and (self._size % 2 or not self._size):
            self.write(b"\0" * (self._size % 2))
        try:
            if self._wav is not None:
                self._wav.close()  # writes the length into the header
            self._file.close()
            self._temporary.replace(self._path)
        except OSError as error:
            raise self._error(error) from error
        return self._path

    def _error(self, error: OSError) -> ArgumentError:
        return ArgumentError(f"path: cannot write {self._path}: {error.strerror}", argument="path")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._wav = None
        self._file.close()
        self._temporary.unlink(missing_ok=True)


publish(globals(), "cozekit", "SpeechStream", "AsyncSpeechStream")
