"""Files on their way to the server: any of the forms of `FileInput` → file name, content, media
type → a multipart body.

The body is made piece by piece, so a file of any size takes no more memory than one piece. The HTTP
library could write it too, but it reads files inside the event loop, holds files of unknown length
in memory, and lets a media type smuggle in a header.
"""

from __future__ import annotations

import inspect
import mimetypes
import os
import re
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import aclosing
from io import BytesIO, TextIOBase
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any

from ..errors import ArgumentError
from ..types import OnProgress, UploadProgress

CHUNK_SIZE = 128 * 1024
"""Bytes of a file that are read at once."""

_IN_MEMORY = (bytes, bytearray, memoryview)
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(;[ -~]*)?", re.ASCII)
_UNSAFE = {code: f"%{code:02X}" for code in (*range(32), 0x22, 0x5C, 0x7F)}
# How the content of a file without a name begins → its extension; the server judges files by it.
_SIGNATURES = (
    (b"\x89PNG", ".png"),
    (b"\xff\xd8\xff", ".jpg"),
    (b"GIF8", ".gif"),
    (b"BM", ".bmp"),
    (b"%PDF", ".pdf"),
    (b"PK\x03\x04", ".zip"),
    (b"ID3", ".mp3"),
    (b"\xff\xfb", ".mp3"),
    (b"OggS", ".ogg"),
    (b"fLaC", ".flac"),
    (b"\x1f\x8b", ".gz"),
    (b"Rar!", ".rar"),
)


class Upload:
    """The content of a file: bytes, a path that is opened for each sending, or a file that is open
    already.
    """

    def __init__(self, name: str, content: Any, on_progress: OnProgress | None = None) -> None:
        self._name = name
        self._content = content
        self._on_progress = on_progress
        self._read = getattr(content, "read", None)
        self._is_async = inspect.iscoroutinefunction(self._read)
        self._start: int | None = None
        self._back: int | None = None

    # Before a request is sent again, its files go back to where they were. An async file cannot be
    # asked without a loop: it is taken back by `begin_async`.
    def seekable(self) -> bool:
        """Whether it can be sent twice."""
        if self._read is None:
            return True
        if self._is_async:
            return hasattr(self._content, "seek") and hasattr(self._content, "tell")
        with _reading(self._name):
            return bool(hasattr(self._content, "seekable") and self._content.seekable())

    def tell(self) -> int:
        """Where an open file stands."""
        with _reading(self._name):
            position: int = 0 if self._read is None or self._is_async else self._content.tell()
            return position

    def seek(self, position: int) -> None:
        """Takes an open file back; done by `begin`, since a compressed file is read anew up to
        there.
        """
        if self._read is not None and not self._is_async:
            self._back = position

    def read(self, size: int) -> Any:
        """The next bytes of an open file; a coroutine when the file is async."""
        assert self._read is not None
        return self._read(size)

    def begin(self) -> int | None:
        """Before a sending: the number of bytes that will come; None when nobody knows.

        Raises:
            ArgumentError: The file cannot be read, or needs an async client.
        """
        if self._is_async:
            raise ArgumentError(
                f"{self._name}: an async file needs an async client", argument=self._name
            )
        with _reading(self._name):
            if isinstance(self._content, _IN_MEMORY):
                return memoryview(self._content).nbytes
            if isinstance(self._content, Path):
                size: int = self._content.stat().st_size
                return size
            if not self.seekable():
                return None
            start: int = self._content.tell() if self._back is None else self._back
            self._content.seek(0, os.SEEK_END)
            end: int = self._content.tell()
            self._content.seek(start)
            return max(0, end - start)

    async def begin_async(self) -> int | None:
        """The async form of `begin`; files are asked in a worker thread."""
        if not self._is_async:
            size: int | None = await _in_thread(self.begin)
            return size
        if not self.seekable():
            return None
        with _reading(self._name):
            start: int = await self._content.tell() if self._start is None else self._start
            self._start = start
            await self._content.seek(0, os.SEEK_END)
            end: int = await self._content.tell()
            await self._content.seek(start)
            return max(0, end - start)

    def pieces(self, size: int | None) -> Generator[bytes, None, None]:
        """The content; exactly `size` bytes when that is given."""
        count = _Count(self._name, size)
        _tell(self._on_progress, 0, size)
        file = self._open()
        try:
            while count.wants:
                with _reading(self._name):
                    piece = count.took(file.read(count.next_size))
                if piece:
                    yield piece
                    _tell(self._on_progress, count.done, size)
        finally:
            if file is not self:
                file.close()

    async def pieces_async(self, size: int | None) -> AsyncGenerator[bytes, None]:
        """The async form of `pieces`; files that are not async are read in a worker thread."""
        count = _Count(self._name, size)
        await _tell_async(self._on_progress, 0, size)
        in_memory = isinstance(self._content, _IN_MEMORY)
        file = self._open() if in_memory else await _in_thread(self._open)
        try:
            while count.wants:
                with _reading(self._name):
                    if self._is_async:
                        found = await file.read(count.next_size)
                    elif in_memory:
                        found = file.read(count.next_size)
                    else:
                        found = await _in_thread(file.read, count.next_size)
                    piece = count.took(found)
                if piece:
                    yield piece
                    await _tell_async(self._on_progress, count.done, size)
        finally:
            if file is not self:
                file.close()

    def _open(self) -> Any:
        """What is read from: this object for a file that is open already, which stays open."""
        with _reading(self._name):
            if isinstance(self._content, _IN_MEMORY):
                return _Memory(self._content)
            return self._content.open("rb") if isinstance(self._content, Path) else self


class Form:
    """A multipart body: text fields and files, with a boundary that nobody can guess."""

    def __init__(self, fields: Mapping[str, str], files: Mapping[str, Part]) -> None:
        self._boundary = f"cozekit-{os.urandom(16).hex()}"
        self._parts: list[tuple[bytes, Upload | None]] = []
        for name, value in fields.items():
            self._parts.append((self._head(name) + _encoded(name, value) + b"\r\n", None))
        for name, (file_name, content, media_type) in files.items():
            self._parts.append((self._head(name, file_name, media_type), content))
        self._tail = f"--{self._boundary}--\r\n".encode()
        self._sizes: list[int | None] = []
        self.problem: Exception | None = None
        """What went wrong with a file while the body was sent; some transports hide it behind an
        error of their own.
        """

    def begin(self) -> dict[str, str]:
        """Looks at the files; returns the headers of the body.

        Raises:
            ArgumentError: A file cannot be read.
        """
        self._sizes = [None if content is None else content.begin() for _, content in self._parts]
        return self._headers()

    async def begin_async(self) -> dict[str, str]:
        """The async form of `begin`."""
        self._sizes = [
            None if content is None else await content.begin_async() for _, content in self._parts
        ]
        return self._headers()

    def pieces(self) -> Generator[bytes, None, None]:
        """The body."""
        try:
            for (head, content), size in zip(self._parts, self._sizes, strict=True):
                yield head
                if content is not None:
                    yield from content.pieces(size)
                    yield b"\r\n"
            yield self._tail
        except Exception as error:
            self.problem = error
            raise

    async def pieces_async(self) -> AsyncGenerator[bytes, None]:
        """The body, without blocking the event loop."""
        try:
            for (head, content), size in zip(self._parts, self._sizes, strict=True):
                yield head
                if content is not None:
                    async with aclosing(content.pieces_async(size)) as pieces:
                        async for piece in pieces:
                            yield piece
                    yield b"\r\n"
            yield self._tail
        except Exception as error:
            self.problem = error
            raise

    def _headers(self) -> dict[str, str]:
        found = {"Content-Type": f"multipart/form-data; boundary={self._boundary}"}
        whole = len(self._tail)
        for (head, content), size in zip(self._parts, self._sizes, strict=True):
            if content is not None and size is None:
                return found  # sent in chunks
            whole += len(head) + (0 if content is None else (size or 0) + 2)
        return {**found, "Content-Length": str(whole)}

    def _head(
        self, name: str, file_name: str | None = None, media_type: str | None = None
    ) -> bytes:
        text = (
            f"--{self._boundary}\r\nContent-Disposition: form-data; "
            f'name="{name.translate(_UNSAFE)}"'
        )
        if file_name is not None:
            text += f'; filename="{file_name.translate(_UNSAFE)}"\r\nContent-Type: {media_type}'
        return f"{text}\r\n\r\n".encode(errors="replace")


Part = tuple[str, Upload, str]


def part(name: str, value: Any) -> Part:
    """The multipart field for a file: always with a file name and its extension, by which the
    server knows the kind of content.

    A path stays a path: it is opened when the request is sent, again if it is sent again, and
        closed afterwards.

    Raises:
        ArgumentError: The value is no file, or the path cannot be opened.
    """
    if isinstance(value, UploadProgress):
        return _part(name, value.file, value.on_progress)
    return _part(name, value, None)


def _part(name: str, value: Any, on_progress: OnProgress | None) -> Part:
    file_name, media_type = None, None
    if isinstance(value, tuple):
        if len(value) not in (2, 3) or not isinstance(value[0], str) or isinstance(value[1], str):
            raise ArgumentError(
                f"{name} as a tuple must be (file name, bytes, path object or open file[, media "
                "type])",
                argument=name,
            )
        file_name, content = value[0], _content(name, value[1])
        media_type = value[2] if len(value) == 3 else None
    else:
        content = _content(name, value)
    with _reading(name):
        file_name = _with_extension(file_name or _name_of(content), content, media_type)
    media_type = media_type or mimetypes.guess_type(file_name)[0] or "application/octet-stream"
    if not isinstance(media_type, str) or not _MEDIA_TYPE.fullmatch(media_type):
        raise ArgumentError(
            f"{name}: {media_type!r} is no media type, such as image/png", argument=name
        )
    return file_name, Upload(name, content, on_progress), media_type


def _content(name: str, value: Any) -> bytes | bytearray | memoryview | Path | IO[bytes]:
    if isinstance(value, _IN_MEMORY):
        with _reading(name):
            # What does not lie in one piece has to be put together.
            return (
                bytes(value)
                if isinstance(value, memoryview) and not (value.c_contiguous and value.nbytes)
                else value
            )
    if isinstance(value, str | os.PathLike):
        path = Path(value)
        if not path.is_file():
            raise ArgumentError(f"{name}: there is no file {path}", argument=name)
        return path
    if isinstance(value, TextIOBase) or getattr(value, "encoding", None):
        raise ArgumentError(
            f'{name}: the file is open for text; open it with mode "rb"', argument=name
        )
    if hasattr(value, "read"):
        file: IO[bytes] = value
        return file
    raise ArgumentError(
        f"{name} must be a path, bytes, an open binary file or (file name, content), not "
        f"{type(value).__name__}",
        argument=name,
    )


def _name_of(content: Any) -> str:
    """The last step of a path; "upload" for bytes and files that have no name, or only a number."""
    if isinstance(content, Path):
        return content.name
    name = getattr(content, "name", None)
    if isinstance(name, bytes):
        name = os.fsdecode(name)
    return PurePosixPath(name).name or "upload" if isinstance(name, str) else "upload"


def _with_extension(file_name: str, content: Any, media_type: str | None) -> str:
    # A name from a Windows form may hold its whole path.
    file_name = PureWindowsPath(PurePosixPath(file_name).name).name or "upload"
    if PurePosixPath(file_name).suffix not in ("", "."):
        return file_name
    found = (
        mimetypes.guess_extension(media_type.partition(";")[0])
        if isinstance(media_type, str)
        else None
    )
    return file_name.rstrip(".") + (found or _extension(content))


def _extension(content: Any) -> str:
    head = b""
    if isinstance(content, _IN_MEMORY):
        head = _Memory(content).read(16)
    elif isinstance(content, BytesIO):
        head = bytes(content.getbuffer()[:16])
    if head[:4] == b"RIFF":
        return {b"WAVE": ".wav", b"WEBP": ".webp", b"AVI ": ".avi"}.get(head[8:12], ".bin")
    if head[4:8] == b"ftyp":
        return ".mp4"
    return next(
        (extension for signature, extension in _SIGNATURES if head.startswith(signature)), ".bin"
    )


class _Memory:
    """Reads what lies in memory piece by piece, without a copy of the whole.

    It holds on to the bytes only while it cuts a piece: a `bytearray` that somebody looks at cannot
        grow.
    """

    def __init__(self, content: bytes | bytearray | memoryview) -> None:
        self._content = content
        self._at = 0

    def read(self, size: int) -> bytes:
        with memoryview(self._content) as view, view.cast("B") as flat:
            piece = bytes(flat[self._at : self._at + size])
        self._at += len(piece)
        return piece

    def close(self) -> None:
        pass


class _Count:
    """How much of a file has been read, and how much is still to come."""

    def __init__(self, name: str, size: int | None) -> None:
        self._name = name
        self._size = size
        self._over = False
        self.done = 0

    @property
    def wants(self) -> bool:
        return not self._over and (self._size is None or self.done < self._size)

    @property
    def next_size(self) -> int:
        return CHUNK_SIZE if self._size is None else min(CHUNK_SIZE, self._size - self.done)

    def took(self, piece: Any) -> bytes:
        if not isinstance(piece, bytes):
            raise ArgumentError(
                f"{self._name}: reading gave {type(piece).__name__}, not bytes; open it with "
                'mode "rb"',
                argument=self._name,
            )
        if not piece and self._size is not None:
            raise ArgumentError(
                f"{self._name}: the file became shorter while it was sent", argument=self._name
            )
        self._over = not piece
        self.done += len(piece)
        return piece


class _reading:  # noqa: N801  # used like a function
    """Turns what goes wrong with a file into our error; otherwise it would pass for a broken
    connection.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, OSError | ValueError) and not isinstance(error, ArgumentError):
            raise ArgumentError(
                f"{self._name}: the file cannot be read: {error}", argument=self._name
            ) from error


def _encoded(name: str, value: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise ArgumentError(f"{name}: the text is no valid Unicode", argument=name) from error


def _tell(on_progress: OnProgress | None, sent: int, total: int | None) -> None:
    if on_progress is not None:
        on_progress(sent, total)


async def _tell_async(on_progress: OnProgress | None, sent: int, total: int | None) -> None:
    if on_progress is not None:
        result = on_progress(sent, total)
        if inspect.isawaitable(result):
            await result


async def _in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    from anyio import to_thread

    return await to_thread.run_sync(function, *arguments)
