"""Multipart bodies: text fields and files.

The body is generated in chunks, so memory does not grow with the size of the files. httpx is not
used for it, because it reads files inside the event loop, keeps files of unknown length in memory,
and does not check media types, which could inject a header.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import aclosing

from .upload import Upload

_ESCAPES = {code: f"%{code:02X}" for code in (*range(32), 0x22, 0x5C, 0x7F)}


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
        """The error of a file while the body was sent; some transports replace it with theirs."""

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
