"""Multipart bodies: text fields and files.

The body is generated in chunks, so memory does not grow with the size of the files. httpx is not
used for it, because it reads files inside the event loop, keeps files of unknown length in memory,
and does not check media types, which could inject a header.
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import aclosing
from io import TextIOBase
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from ..errors import ArgumentError
from ..types import OnProgress, UploadProgress
from .upload import IN_MEMORY, UNKNOWN_TYPE, Upload, file_errors

_ESCAPES = {code: f"%{code:02X}" for code in (*range(32), 0x22, 0x5C, 0x7F)}
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(;[ -~]*)?", re.ASCII)


class Form:
    """A multipart body: text fields and files, with a random boundary."""

    def __init__(self, fields: Mapping[str, str], files: Mapping[str, Upload]) -> None:
        self._boundary = f"cozekit-{os.urandom(16).hex()}"
        self._files = files
        self._fields = b"".join(
            self._head(name) + value.encode() + b"\r\n" for name, value in fields.items()
        )
        self._tail = f"--{self._boundary}--\r\n".encode()
        self._parts: list[tuple[bytes, Upload, int | None]] = []
        self.error: Exception | None = None
        """The error of a file while the body was sent."""
        self.is_read = False
        """Whether the body was read to its end, so that all of it may have been sent."""

    def begin(self) -> dict[str, str]:
        """Prepares an attempt. Returns the headers of the body.

        Raises:
            ArgumentError: A file cannot be read.
        """
        return self._begin([(name, file, file.begin()) for name, file in self._files.items()])

    async def begin_async(self) -> dict[str, str]:
        """The async form of `begin`."""
        return self._begin(
            [(name, file, await file.begin_async()) for name, file in self._files.items()]
        )

    def _begin(self, files: list[tuple[str, Upload, int | None]]) -> dict[str, str]:
        # A file without a name gets one when its first bytes are known.
        self._parts = [
            (self._head(name, file.file_name, file.media_type), file, size)
            for name, file, size in files
        ]
        return self._headers()

    def chunks(self) -> Generator[bytes, None, None]:
        """The body in chunks."""
        try:
            if self._fields:
                yield self._fields
            for head, content, size in self._parts:
                yield head
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
            if self._fields:
                yield self._fields
            for head, content, size in self._parts:
                yield head
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
        length = len(self._fields) + len(self._tail)
        for head, _, size in self._parts:
            if size is None:
                return headers  # sent with Transfer-Encoding: chunked
            length += len(head) + size + 2
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


def part(name: str, value: Any) -> Upload:
    """The multipart field for a file. A name that is given with the file is sent as it is; any
    other has an extension, if the type or the first bytes show one, because the server derives the
    type of the content from it.

    Args:
        name: Name of the field.
        value: The file, as a `FileInput`.

    Raises:
        ArgumentError: The value is not a file, or the file does not exist.
    """
    on_progress: OnProgress | None = None
    if isinstance(value, UploadProgress):
        value, on_progress = value.file, value.on_progress
    if not isinstance(value, tuple):
        file_type = _type_of(value)
        return Upload(name, _content(name, value), _name_of(value), file_type, on_progress)
    if len(value) not in (2, 3) or not isinstance(value[0], str) or isinstance(value[1], str):
        raise ArgumentError(
            f"{name} as a tuple must be (file name, bytes, path object or open file[, media type])",
            argument=name,
        )
    media_type = value[2] if len(value) == 3 else _type_of(value[1])
    if media_type is not None and not _is_media_type(media_type):
        raise ArgumentError(
            f"{name}: {media_type!r} is not a media type, such as image/png", argument=name
        )
    file_name = _last_part(value[0])
    content = _content(name, value[1])
    upload = Upload(name, content, file_name or _name_of(value[1]), media_type, on_progress)
    upload.is_named = upload.is_named or bool(file_name)
    return upload


def _content(name: str, value: Any) -> Any:
    """Bytes, a path or an open file."""
    value = _inner_file(value)
    if isinstance(value, IN_MEMORY):
        with file_errors(name):
            is_flat = not isinstance(value, memoryview) or (value.c_contiguous and value.nbytes)
            return value if is_flat else bytes(value)
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
    if not hasattr(value, "read"):
        raise ArgumentError(
            f"{name} must be a path, bytes, an open binary file or (file name, content), not "
            f"{type(value).__name__}",
            argument=name,
        )
    return value


def _inner_file(value: Any) -> Any:
    """The open file or bytes inside the file of a web framework that can only be read in an event
    loop, or not at all; other values as they are.
    """
    read = getattr(value, "read", None)
    if not hasattr(value, "filename") or not (read is None or inspect.iscoroutinefunction(read)):
        return value
    inner = (getattr(value, attribute, None) for attribute in ("file", "stream", "body"))
    return next((i for i in inner if isinstance(i, bytes) or hasattr(i, "read")), value)


def _name_of(value: Any) -> str:
    """The name of a file; "" if there is none, or only a file descriptor. In the files of web
    frameworks `name` is the field of the form.
    """
    if isinstance(value, str | os.PathLike):
        return _last_part(os.fspath(value))
    name = getattr(value, "filename" if hasattr(value, "filename") else "name", None)
    return _last_part(name)


def _last_part(path: object) -> str:
    """The name in a path; one from a Windows form may be a whole path."""
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    name = PurePosixPath(path).name if isinstance(path, str) else ""
    return PureWindowsPath(name).name


def _type_of(value: Any) -> str | None:
    """The media type that a web framework was told; None if it is unknown."""
    types = (getattr(value, attribute, None) for attribute in ("content_type", "type"))
    known = (type_ for type_ in types if _is_media_type(type_) and type_ != UNKNOWN_TYPE)
    return next(known, None)


def _is_media_type(value: object) -> bool:
    return isinstance(value, str) and _MEDIA_TYPE.fullmatch(value) is not None
