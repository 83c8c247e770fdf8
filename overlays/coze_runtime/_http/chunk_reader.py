"""Reads chunked bodies faster: everything that has arrived at once, not chunk by chunk.

Servers flush an event, or a part of one, at a time, so a body has many small chunks. h11 and the
layers above it take longer for a chunk than the client takes for an event.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import h11
import httpx

# From the response of httpx down to h11, whose body reader is replaced. All of these attributes are
# private; there is no public way. If one is missing, h11 reads the body.
_PATH_TO_H11 = ("_stream", "_httpcore_stream", "_stream", "_connection", "_h11_state")
_NUMBER = re.compile(rb"[0-9A-Fa-f]{1,16}")
_LONGEST_NUMBER = 16


def read_chunks_at_once(response: httpx.Response) -> None:
    """Replaces the body reader of h11 for the body of this response.

    All else stays with h11 and httpcore: trailers, errors, and whether the connection can be
    reused. Does nothing where h11 does not read chunks: HTTP/2, other transports, recorded
    responses, a body that has been read.

    Args:
        response: The response, as the HTTP library returned it.
    """
    if response.is_stream_consumed:
        return
    connection: Any = response.stream
    for name in _PATH_TO_H11:
        connection = getattr(connection, name, None)
    reader = getattr(connection, "_reader", None)
    if type(reader).__name__ == "ChunkedReader":
        connection._reader = ChunkReader(reader)


class ChunkReader:
    """A body reader, as h11 calls it. Chunks of which only the size and the data are given are read
    here; at any other line (extensions, the last chunk, an error) the reader of h11 takes over.
    """

    def __init__(self, h11_reader: Any) -> None:
        """Begins at the first chunk.

        Args:
            h11_reader: The reader of h11, which has not read anything yet.
        """
        self._h11_reader = h11_reader
        self._h11_reads = False
        # Bytes of the current chunk that have not arrived, with its line end.
        self._left = 0

    def __call__(self, buffer: Any) -> h11.Event | None:
        """Takes what has arrived; None if there is no data in it.

        Args:
            buffer: The receive buffer of h11.
        """
        if not self._h11_reads and buffer:
            data = bytes(buffer.maybe_extract_at_most(len(buffer)))
            parts: list[bytes] = []
            buffer += data[self._split(data, parts) :]
            if parts:
                return h11.Data(data=b"".join(parts))
        event: h11.Event | None = self._h11_reader(buffer) if self._h11_reads else None
        return event

    def read_eof(self) -> h11.Event:
        """Raises the error for a connection that was closed within the body."""
        event: h11.Event = self._h11_reader.read_eof()
        return event

    def _split(self, data: bytes, parts: list[bytes]) -> int:
        """Appends the data of the chunks to `parts`. Returns where the rest begins that was not
        read.
        """
        position = self._continue_chunk(data, parts) if self._left else 0
        while not self._left and position < len(data):
            line_end = data.find(b"\r\n", position)
            size = _size(data[position:line_end]) if line_end >= 0 else 0
            if not size:
                self._h11_reads = line_end >= 0 or len(data) - position > _LONGEST_NUMBER
                break
            start = line_end + 2
            end = start + size
            if data[end : end + 2] == b"\r\n":
                parts.append(data[start:end])
                position = end + 2
            else:
                self._left = size + 2
                position = start + self._continue_chunk(data[start:], parts)
        return position

    def _continue_chunk(self, data: bytes, parts: list[bytes]) -> int:
        """Reads the current chunk as far as it has arrived."""
        part = data[: max(self._left - 2, 0)]
        line_end = data[len(part) : self._left]
        if not b"\r\n"[-self._left :].startswith(line_end):
            if not part:
                raise h11.RemoteProtocolError("a chunk is longer than its size")
            line_end = b""  # the data comes first; the next call raises the error
        if part:
            parts.append(part)
        self._left -= len(part) + len(line_end)
        return len(part) + len(line_end)


@lru_cache(maxsize=1024)
def _size(line: bytes) -> int:
    """The size of a chunk; 0 for the last chunk, and if there is more than a number."""
    return int(line, 16) if _NUMBER.fullmatch(line) else 0
