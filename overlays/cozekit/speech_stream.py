"""Sound as it arrives: piece by piece, as bytes, or into a file."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from coze_openapi._http import AsyncByteStream, ByteStream

from .errors import ArgumentError

if TYPE_CHECKING:
    from typing import Self

    from .audio.wav import AudioFormat

DEFAULT_SAMPLE_RATE = 24_000


class SpeechStream(ByteStream):
    """The open answer of `audio.speech.stream`. Iterate over it, `read` it or `write_to_file`; use it in a `with` block."""

    def __init__(self, source: ByteStream, response_format: str | None = None, sample_rate: int | None = None) -> None:
        super().__init__(source)
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
        """Writes the sound to a file that appears only when it is complete; a file of that name is replaced.

        Raw samples (`pcm`) get the header of a WAV file when the name ends in `.wav`.

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

    def __init__(self, source: AsyncByteStream, response_format: str | None = None, sample_rate: int | None = None) -> None:
        super().__init__(source)
        self._format = (response_format, sample_rate)

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces as they arrive; raises as `SpeechStream` does."""
        return _Pieces(self)

    async def read(self) -> bytes:
        """Everything that is still to come; raises as iterating does."""
        async with self:
            return b"".join([piece async for piece in self])

    async def write_to_file(self, path: str | os.PathLike[str]) -> Path:
        """Writes the sound to a file, in worker threads; as `SpeechStream.write_to_file`."""
        from anyio import to_thread

        async with self:
            with await to_thread.run_sync(_Sink, path, *self._format) as sink:
                async for piece in self:
                    await to_thread.run_sync(sink.write, piece)
                return await to_thread.run_sync(sink.finish)


# No async generator: one that is left half-read would be finished by the event loop at some later time.
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

    def __init__(self, path: str | os.PathLike[str], response_format: str | None, sample_rate: int | None) -> None:
        self._path = Path(path)
        self._wav = _wav_format(sample_rate) if response_format == "pcm" and self._path.suffix.lower() == ".wav" else None
        self._size = 0
        self._part = self._path.with_name(f".{self._path.name}.{os.urandom(4).hex()}.part")
        try:
            self._file: IO[Any] = self._part.open("xb")
        except OSError as error:
            raise self._problem(error) from error
        if self._wav is not None:
            self._put(self._header())

    def write(self, piece: bytes) -> None:
        """Takes a piece."""
        self._put(piece)
        self._size += len(piece)

    def finish(self) -> Path:
        """Ends the file and gives it its name."""
        if self._wav is not None:
            self._put(b"\0" * (self._size % 2))
            self._file.seek(0)
            self._put(self._header())
        try:
            self._file.close()
            self._part.replace(self._path)
        except OSError as error:
            raise self._problem(error) from error
        return self._path

    def _header(self) -> bytes:
        from .audio.wav import wav_header

        assert self._wav is not None
        return wav_header(self._wav, self._size)

    def _put(self, piece: bytes) -> None:
        try:
            self._file.write(piece)
        except OSError as error:
            raise self._problem(error) from error

    def _problem(self, error: OSError) -> ArgumentError:
        return ArgumentError(f"path: cannot write {self._path}: {error.strerror}", argument="path")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._part.unlink(missing_ok=True)


def _wav_format(sample_rate: int | None) -> AudioFormat:
    from .audio.wav import AudioFormat

    return AudioFormat(sample_rate=int(sample_rate or DEFAULT_SAMPLE_RATE))
