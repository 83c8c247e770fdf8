"""Uploads: turns a `FileInput` into file name, content and media type, and these into a multipart
body.

The body is generated in chunks, so memory does not grow with the size of the file. httpx is not
used for it, because it reads files inside the event loop, keeps files of unknown length in memory,
and does not check media types, which could inject a header.
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
"""Bytes that are read from a file at a time."""

_IN_MEMORY = (bytes, bytearray, memoryview)
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(;[ -~]*)?", re.ASCII)
_ESCAPES = {code: f"%{code:02X}" for code in (*range(32), 0x22, 0x5C, 0x7F)}
# First bytes of a file → extension, for files without a name; the server goes by the extension.
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
    """The content of a file: bytes, a path that is opened for each attempt, or an open file."""

    def __init__(self, name: str, content: Any, on_progress: OnProgress | None = None) -> None:
        self._name = name
        self._content = content
        self._on_progress = on_progress
        self._read = getattr(content, "read", None)
        self._is_async = inspect.iscoroutinefunction(self._read)
        self._start: int | None = None
        self._was_read = False

    @property
    def can_restart(self) -> bool:
        """Whether the content can be sent again: it can be rewound, or nothing was read from it."""
        return not self._was_read or self._is_seekable()

    def _is_seekable(self) -> bool:
        if self._read is None:
            return True
        if self._is_async:
            return hasattr(self._content, "seek") and hasattr(self._content, "tell")
        with _file_errors(self._name):
            return bool(hasattr(self._content, "seekable") and self._content.seekable())

    def read(self, size: int) -> Any:
        """Reads from an open file; returns a coroutine if the file is async.

        Args:
            size: Most bytes to read.
        """
        assert self._read is not None
        self._was_read = True
        return self._read(size)

    def begin(self) -> int | None:
        """Prepares an attempt: rewinds the file. Returns its size in bytes, None if unknown.

        Raises:
            ArgumentError: The file cannot be read, or is async in a sync client.
        """
        if self._is_async:
            raise ArgumentError(f"{self._name}: async files need AsyncCoze", argument=self._name)
        with _file_errors(self._name):
            if isinstance(self._content, _IN_MEMORY):
                return memoryview(self._content).nbytes
            if isinstance(self._content, Path):
                size: int = self._content.stat().st_size
                return size
            if not self._is_seekable():
                return None
            start: int = self._content.tell() if self._start is None else self._start
            self._start = start
            self._content.seek(0, os.SEEK_END)
            end: int = self._content.tell()
            self._content.seek(start)
            return max(0, end - start)

    async def begin_async(self) -> int | None:
        """The async form of `begin`; calls sync files in a worker thread."""
        if not self._is_async:
            size: int | None = await _in_thread(self.begin)
            return size
        if not self._is_seekable():
            return None
        with _file_errors(self._name):
            start: int = await self._content.tell() if self._start is None else self._start
            self._start = start
            await self._content.seek(0, os.SEEK_END)
            end: int = await self._content.tell()
            await self._content.seek(start)
            return max(0, end - start)

    def chunks(self, size: int | None) -> Generator[bytes, None, None]:
        """The content in chunks.

        Args:
            size: Number of bytes to read, from `begin`; None to read to the end.

        Raises:
            ArgumentError: The file cannot be read, or is shorter than `size`.
        """
        progress = _ReadProgress(self._name, size)
        _report(self._on_progress, 0, size)
        file = self._open()
        try:
            while not progress.is_complete:
                with _file_errors(self._name):
                    chunk = progress.add(file.read(progress.next_size))
                if chunk:
                    yield chunk
                    _report(self._on_progress, progress.done, size)
        finally:
            if file is not self:
                file.close()

    async def chunks_async(self, size: int | None) -> AsyncGenerator[bytes, None]:
        """The async form of `chunks`; reads sync files in a worker thread.

        Args:
            size: Number of bytes to read, from `begin_async`; None to read to the end.

        Raises:
            ArgumentError: The file cannot be read, or is shorter than `size`.
        """
        progress = _ReadProgress(self._name, size)
        await _report_async(self._on_progress, 0, size)
        in_memory = isinstance(self._content, _IN_MEMORY)
        file = self._open() if in_memory else await _in_thread(self._open)
        try:
            while not progress.is_complete:
                with _file_errors(self._name):
                    if self._is_async:
                        data = await file.read(progress.next_size)
                    elif in_memory:
                        data = file.read(progress.next_size)
                    else:
                        data = await _in_thread(file.read, progress.next_size)
                    chunk = progress.add(data)
                if chunk:
                    yield chunk
                    await _report_async(self._on_progress, progress.done, size)
        finally:
            if file is not self:
                file.close()

    def _open(self) -> Any:
        """The object to read from; `self` for an open file, which stays open."""
        with _file_errors(self._name):
            if isinstance(self._content, _IN_MEMORY):
                return _MemoryReader(self._content)
            return self._content.open("rb") if isinstance(self._content, Path) else self


class Form:
    """A multipart body: text fields and files, with a random boundary."""

    def __init__(self, fields: Mapping[str, str], files: Mapping[str, Part]) -> None:
        self._boundary = f"cozekit-{os.urandom(16).hex()}"
        self._parts: list[tuple[bytes, Upload | None]] = []
        for name, value in fields.items():
            self._parts.append((self._head(name) + _encoded(name, value) + b"\r\n", None))
        for name, (file_name, content, media_type) in files.items():
            self._parts.append((self._head(name, file_name, media_type), content))
        self._tail = f"--{self._boundary}--\r\n".encode()
        self._sizes: list[int | None] = []
        self.error: Exception | None = None
        """The error of a file while the body was sent."""
        self.is_read = False
        """Whether the body was read to its end, so that all of it may have been sent."""

    def begin(self) -> dict[str, str]:
        """Prepares an attempt. Returns the headers of the body.

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

    def chunks(self) -> Generator[bytes, None, None]:
        """The body in chunks."""
        try:
            for (head, content), size in zip(self._parts, self._sizes, strict=True):
                yield head
                if content is not None:
                    yield from content.chunks(size)
                    yield b"\r\n"
            self.is_read = True
            yield self._tail
        except Exception as error:
            self.error = error
            raise

    async def chunks_async(self) -> AsyncGenerator[bytes, None]:
        """The async form of `chunks`; does not block the event loop."""
        try:
            for (head, content), size in zip(self._parts, self._sizes, strict=True):
                yield head
                if content is not None:
                    async with aclosing(content.chunks_async(size)) as chunks:
                        async for chunk in chunks:
                            yield chunk
                    yield b"\r\n"
            self.is_read = True
            yield self._tail
        except Exception as error:
            self.error = error
            raise

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": f"multipart/form-data; boundary={self._boundary}"}
        length = len(self._tail)
        for (head, content), size in zip(self._parts, self._sizes, strict=True):
            if content is not None and size is None:
                return headers  # sent with Transfer-Encoding: chunked
            length += len(head) + (0 if content is None else (size or 0) + 2)
        return {**headers, "Content-Length": str(length)}

    def _head(
        self, name: str, file_name: str | None = None, media_type: str | None = None
    ) -> bytes:
        text = (
            f"--{self._boundary}\r\nContent-Disposition: form-data; "
            f'name="{name.translate(_ESCAPES)}"'
        )
        if file_name is not None:
            text += f'; filename="{file_name.translate(_ESCAPES)}"\r\nContent-Type: {media_type}'
        return f"{text}\r\n\r\n".encode(errors="replace")


Part = tuple[str, Upload, str]


def part(name: str, value: Any) -> Part:
    """The multipart field for a file. It always has a file name with an extension, because the
    server derives the type of the content from it. A path is opened for each attempt.

    Args:
        name: Name of the field.
        value: The file, as a `FileInput`.

    Raises:
        ArgumentError: The value is not a file, or the file does not exist.
    """
    on_progress: OnProgress | None = None
    if isinstance(value, UploadProgress):
        value, on_progress = value.file, value.on_progress
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
    with _file_errors(name):
        file_name = _with_extension(file_name or _name_of(content), content, media_type)
    media_type = media_type or mimetypes.guess_type(file_name)[0] or "application/octet-stream"
    if not isinstance(media_type, str) or not _MEDIA_TYPE.fullmatch(media_type):
        raise ArgumentError(
            f"{name}: {media_type!r} is not a media type, such as image/png", argument=name
        )
    return file_name, Upload(name, content, on_progress), media_type


def _content(name: str, value: Any) -> bytes | bytearray | memoryview | Path | IO[bytes]:
    if isinstance(value, _IN_MEMORY):
        with _file_errors(name):
            # A memoryview that is not contiguous is copied.
            return (
                bytes(value)
                if isinstance(value, memoryview) and not (value.c_contiguous and value.nbytes)
                else value
            )
    if isinstance(value, str | os.PathLike):
        path = Path(value)
        if not path.is_file():
            problem = f"{path} is a folder" if path.is_dir() else f"there is no file {path}"
            raise ArgumentError(f"{name}: {problem}", argument=name)
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
    """The last part of a path or name; "upload" if there is no name, or only a file descriptor."""
    if isinstance(content, Path):
        return content.name
    name = getattr(content, "name", None)
    if isinstance(name, bytes):
        name = os.fsdecode(name)
    return PurePosixPath(name).name or "upload" if isinstance(name, str) else "upload"


def _with_extension(file_name: str, content: Any, media_type: str | None) -> str:
    # A name from a Windows form may be a whole path.
    file_name = PureWindowsPath(PurePosixPath(file_name).name).name or "upload"
    if PurePosixPath(file_name).suffix not in ("", "."):
        return file_name
    extension = None
    if isinstance(media_type, str):
        extension = mimetypes.guess_extension(media_type.partition(";")[0])
    return file_name.rstrip(".") + (extension or _extension(content))


def _extension(content: Any) -> str:
    head = b""
    if isinstance(content, _IN_MEMORY):
        head = _MemoryReader(content).read(16)
    elif isinstance(content, BytesIO):
        head = bytes(content.getbuffer()[:16])
    if head[:4] == b"RIFF":
        return {b"WAVE": ".wav", b"WEBP": ".webp", b"AVI ": ".avi"}.get(head[8:12], ".bin")
    if head[4:8] == b"ftyp":
        return ".mp4"
    return next(
        (extension for signature, extension in _SIGNATURES if head.startswith(signature)), ".bin"
    )


class _MemoryReader:
    """Reads bytes in chunks, without a copy of the whole.

    It holds a view only while it reads, because a `bytearray` with an open view cannot grow.
    """

    def __init__(self, content: bytes | bytearray | memoryview) -> None:
        self._content = content
        self._position = 0

    def read(self, size: int) -> bytes:
        with memoryview(self._content) as view, view.cast("B") as flat:
            chunk = bytes(flat[self._position : self._position + size])
        self._position += len(chunk)
        return chunk

    def close(self) -> None:
        pass


class _ReadProgress:
    """How much of a file has been read."""

    def __init__(self, name: str, size: int | None) -> None:
        self._name = name
        self._size = size
        self._at_end = False
        self.done = 0

    @property
    def is_complete(self) -> bool:
        return self._at_end or (self._size is not None and self.done >= self._size)

    @property
    def next_size(self) -> int:
        return CHUNK_SIZE if self._size is None else min(CHUNK_SIZE, self._size - self.done)

    def add(self, chunk: Any) -> bytes:
        if not isinstance(chunk, bytes):
            raise ArgumentError(
                f"{self._name}: the file returned {type(chunk).__name__}, not bytes; open it "
                'with mode "rb"',
                argument=self._name,
            )
        if not chunk and self._size is not None:
            raise ArgumentError(
                f"{self._name}: the file became shorter while it was being sent",
                argument=self._name,
            )
        self._at_end = not chunk
        self.done += len(chunk)
        return chunk


class _file_errors:  # noqa: N801  # used like a function
    """Context manager that raises errors of a file as ArgumentError; otherwise an OSError would
    look like a connection error.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, error_type: Any, error: BaseException | None, traceback: Any) -> None:
        if isinstance(error, Exception) and not isinstance(error, ArgumentError):
            # The text of a file from the network may show its address with a signature.
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise ArgumentError(
                f"{self._name}: the file cannot be read: {reason}", argument=self._name
            ) from error


def _encoded(name: str, value: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise ArgumentError(f"{name}: the text is not valid Unicode", argument=name) from error


def _report(on_progress: OnProgress | None, sent: int, total: int | None) -> None:
    if on_progress is not None:
        on_progress(sent, total)


async def _report_async(on_progress: OnProgress | None, sent: int, total: int | None) -> None:
    if on_progress is not None:
        result = on_progress(sent, total)
        if inspect.isawaitable(result):
            await result


async def _in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    from anyio import to_thread

    return await to_thread.run_sync(function, *arguments)
