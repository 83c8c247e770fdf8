"""A file on its way: sized, rewound, recognised by its first bytes, and read in chunks while it is
sent.
"""

from __future__ import annotations

import inspect
import mimetypes
import os
from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import ArgumentError
from ..types import OnProgress

CHUNK_SIZE = 128 * 1024
"""Bytes that are read from a file at a time."""
IN_MEMORY = (bytes, bytearray, memoryview)
UNKNOWN_TYPE = "application/octet-stream"
_HEAD_SIZE = 16
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
    """A file to upload: bytes, a path that is opened for each attempt, or an open file."""

    def __init__(
        self,
        name: str,
        content: Any,
        file_name: str,
        media_type: str | None,
        on_progress: OnProgress | None,
    ) -> None:
        self._name = name
        self._content = content
        self.file_name = file_name
        """The name to send; complete after `begin`."""
        self.media_type = media_type or mimetypes.guess_type(file_name)[0] or ""
        """The media type to send; complete after `begin`."""
        self.is_named = bool(PurePosixPath(file_name).suffix.strip("."))
        """Whether the name is sent as it is."""
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
        with file_errors(self._name):
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
        """Prepares an attempt: rewinds the file, completes name and type. Returns the size in
        bytes; None if it is not known.

        Raises:
            ArgumentError: The file cannot be read, or is async in a sync client.
        """
        if self._is_async:
            raise ArgumentError(f"{self._name}: async files need AsyncCoze", argument=self._name)
        with file_errors(self._name):
            size = self._size()
            if not (self.is_named and self.media_type):
                self._complete(self._head())
            return size

    def _size(self) -> int | None:
        """The size; an open file stands at its start afterwards."""
        if isinstance(self._content, IN_MEMORY):
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

    def _head(self) -> bytes:
        """The first bytes; of a file that cannot go back, as far as it shows them."""
        if self._read is None:
            file = self._open()
            try:
                head: bytes = file.read(_HEAD_SIZE)
                return head
            finally:
                file.close()
        if self._start is None:
            return bytes(self._content.peek(_HEAD_SIZE)) if hasattr(self._content, "peek") else b""
        head = self._read(_HEAD_SIZE)
        self._content.seek(self._start)
        return head

    async def begin_async(self) -> int | None:
        """The async form of `begin`; calls sync files in a worker thread."""
        if not self._is_async:
            size: int | None = await _in_thread(self.begin)
            return size
        head, length = b"", None
        if self._is_seekable():
            with file_errors(self._name):
                start: int = await self._content.tell() if self._start is None else self._start
                self._start = start
                await self._content.seek(0, os.SEEK_END)
                length = max(0, await self._content.tell() - start)
                await self._content.seek(start)
                if not (self.is_named and self.media_type):
                    head = await self._content.read(_HEAD_SIZE)
                    await self._content.seek(start)
        self._complete(head)
        return length

    def _complete(self, head: bytes) -> None:
        """Completes name and type by the type and the first bytes."""
        extension = _extension(head) if isinstance(head, bytes) else ""
        if not self.is_named:
            by_type = mimetypes.guess_extension(self.media_type.partition(";")[0])
            stem = self.file_name.rstrip(".")
            known = by_type or extension
            self.file_name = f"{stem}{known}" if stem else f"upload{known or '.bin'}"
            self.is_named = True
        if not self.media_type:
            names = (self.file_name, f"x{extension}")
            guesses = (mimetypes.guess_type(name)[0] for name in names)
            self.media_type = next(filter(None, guesses), UNKNOWN_TYPE)

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
                with file_errors(self._name):
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
        in_memory = isinstance(self._content, IN_MEMORY)
        file = self._open() if in_memory else await _in_thread(self._open)
        try:
            while not progress.is_complete:
                with file_errors(self._name):
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
        with file_errors(self._name):
            if isinstance(self._content, IN_MEMORY):
                return _MemoryReader(self._content)
            return self._content.open("rb") if isinstance(self._content, Path) else self


def _extension(head: bytes) -> str:
    """The extension of a file by its first bytes; "" if they are unknown."""
    if head[:4] == b"RIFF":
        return {b"WAVE": ".wav", b"WEBP": ".webp", b"AVI ": ".avi"}.get(head[8:12], "")
    if head[4:8] == b"ftyp":
        return ".mp4"
    return next((extension for start, extension in _SIGNATURES if head.startswith(start)), "")


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


class file_errors:  # noqa: N801  # used like a function
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
