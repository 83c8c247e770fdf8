"""Sound as it arrives: piece by piece, as bytes, or into a file."""

from __future__ import annotations

import os
import wave
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Self

from .._http.byte_stream import AsyncByteStream, ByteStream
from .._publish import publish
from ..errors import ArgumentError
from ..operation import CallOptions, Request
from .event_stream import AsyncOpener, SyncOpener

DEFAULT_SAMPLE_RATE = 24_000


class SpeechStream(ByteStream):
    """The open answer of `coze.audio.speech.stream`. Iterate over it, `read` it or `write_to_file`;
    use it in a `with` block.
    """

    def __init__(
        self,
        client: SyncOpener,
        request: Request,
        options: CallOptions,
        response_format: str | None = None,
        sample_rate: int | None = None,
    ) -> None:
        """Sends the request.

        Args:
            client: Sends the request.
            request: What asks for the sound.
            options: Options of this call.
            response_format: Format of the sound, for writing files; None when the call did not say.
            sample_rate: Hz of raw samples, for writing files; None when the call did not say.
        """
        super().__init__(client.open_response(request, options, events=False))
        self._format = (response_format, sample_rate)

    def __iter__(self) -> Iterator[bytes]:
        """The pieces as they arrive.

        Raises:
            APIConnectionError: The connection broke; what came is incomplete.
        """
        return self.iter_bytes()

    def read(self) -> bytes:
        """Everything that is still to come; raises as iterating does."""
        with self:
            return b"".join(self)

    def write_to_file(self, path: str | os.PathLike[str]) -> Path:
        """Writes the sound to a file that appears only when it is complete; a file of that name is
        replaced.

        Raw samples (`pcm`) get the header of a WAV file when the name ends in `.wav`.

        Args:
            path: Where to write; its folder must exist.

        Raises:
            ArgumentError: The file cannot be written.
            APIConnectionError: The connection broke; there is no file then.
        """
        with self, _Sink(path, *self._format) as sink:
            for piece in self:
                sink.write(piece)
            return sink.finish()


class AsyncSpeechStream(AsyncByteStream):
    """The async form of `SpeechStream`; use it in an `async with` block."""

    def __init__(
        self,
        client: AsyncOpener,
        request: Request,
        options: CallOptions,
        response_format: str | None = None,
        sample_rate: int | None = None,
    ) -> None:
        """The stream, not yet opened; the request is sent on first use.

        Args:
            client: Sends the request.
            request: What asks for the sound.
            options: Options of this call.
            response_format: Format of the sound, for writing files; None when the call did not say.
            sample_rate: Hz of raw samples, for writing files; None when the call did not say.
        """
        start = partial(client.open_response, request, options, events=False)
        super().__init__(start, request.operation)
        self._format = (response_format, sample_rate)

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces as they arrive.

        Raises:
            APIConnectionError: The connection broke; what came is incomplete.
        """
        return _Pieces(self)

    async def read(self) -> bytes:
        """Everything that is still to come; raises as iterating does."""
        async with self:
            return b"".join([piece async for piece in self])

    async def write_to_file(self, path: str | os.PathLike[str]) -> Path:
        """Writes the sound to a file that appears only when it is complete; a file of that name is
        replaced. Files are written in worker threads.

        Raw samples (`pcm`) get the header of a WAV file when the name ends in `.wav`.

        Args:
            path: Where to write; its folder must exist.

        Raises:
            ArgumentError: The file cannot be written.
            APIConnectionError: The connection broke; there is no file then.
        """
        from anyio import to_thread

        async with self:
            with await to_thread.run_sync(_Sink, path, *self._format) as sink:
                async for piece in self:
                    await to_thread.run_sync(sink.write, piece)
                return await to_thread.run_sync(sink.finish)


# No async generator: one that is left half-read would be finished by the event loop at some later
# time.
class _Pieces:
    def __init__(self, stream: AsyncSpeechStream) -> None:
        self._stream = stream

    def __aiter__(self) -> _Pieces:
        return self

    async def __anext__(self) -> bytes:
        piece = await self._stream.next_bytes()
        if piece is None:
            raise StopAsyncIteration
        return piece


class _Sink:
    """A file that takes its name when it is complete."""

    def __init__(
        self, path: str | os.PathLike[str], response_format: str | None, sample_rate: int | None
    ) -> None:
        self._path = Path(path)
        self._size = 0
        self._part = self._path.with_name(f".{self._path.name}.{os.urandom(4).hex()}.part")
        try:
            self._file: IO[bytes] = self._part.open("xb")
        except OSError as error:
            raise self._problem(error) from error
        self._wav: wave.Wave_write | None = None
        if response_format == "pcm" and self._path.suffix.lower() == ".wav":
            self._wav = wave.open(self._file, "wb")  # noqa: SIM115
            self._wav.setparams(
                (1, 2, int(sample_rate or DEFAULT_SAMPLE_RATE), 0, "NONE", "not compressed")
            )

    def write(self, piece: bytes) -> None:
        """Takes a piece."""
        try:
            if self._wav is None:
                self._file.write(piece)
            else:
                self._wav.writeframesraw(piece)
        except OSError as error:
            raise self._problem(error) from error
        self._size += len(piece)

    def finish(self) -> Path:
        """Ends the file and gives it its name."""
        if self._wav is not None and (self._size % 2 or not self._size):
            self.write(b"\0" * (self._size % 2))
        try:
            if self._wav is not None:
                self._wav.close()  # writes the length into the header
            self._file.close()
            self._part.replace(self._path)
        except OSError as error:
            raise self._problem(error) from error
        return self._path

    def _problem(self, error: OSError) -> ArgumentError:
        return ArgumentError(f"path: cannot write {self._path}: {error.strerror}", argument="path")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._wav = None
        self._file.close()
        self._part.unlink(missing_ok=True)


publish(globals(), "cozekit")
