"""The body of an open response as bytes, for threads and for tasks."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any, Self, cast

import httpx

from .._publish import publish
from ..errors import CozeError
from ..operation import Operation
from .errors import HTTP_ERRORS, closed_error, connection_error
from .prepared import OpenResponse
from .sockets import hang_up


def _pieces(answer: httpx.Response) -> Iterator[bytes]:
    """The body as it arrives, decompressed. Where nothing is compressed, the layers of the library
    that would hand each piece on unchanged are left out.
    """
    if "content-encoding" in answer.headers:
        return answer.iter_bytes()
    return filter(None, cast(httpx.SyncByteStream, answer.stream))


class ByteStream:
    """An open answer as bytes. The typed streams of the handwritten client are built on it.

    Use it in a `with` block, or call `close`; a stream that is dropped closes itself.
    """

    def __init__(self, opened: OpenResponse) -> None:
        """Made by the method that returns it.

        Args:
            opened: The open response whose body is read.
        """
        self._closed = False
        self._opened = opened
        self._pieces = _pieces(opened.http_response)
        self._lock = threading.Lock()
        self._reading = False

    @property
    def logid(self) -> str | None:
        """Log id of the call."""
        return self._opened.logid

    @property
    def status(self) -> int:
        """HTTP status."""
        return self._opened.http_response.status_code

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the answer, names in lower case."""
        return dict(self._opened.http_response.headers)

    @property
    def operation(self) -> Operation:
        """The operation that answers with this stream."""
        return self._opened.prepared.operation

    def next_bytes(self) -> bytes | None:
        """The next piece of the body, decompressed; None at its end.

        Raises:
            APITimeoutError: No piece came within the read timeout.
            APIConnectionError: The connection broke, or the stream was closed.
        """
        with self._lock:
            if self._closed:
                raise closed_error(self._opened.prepared)
            if self._reading:
                name = self.operation.id
                raise CozeError(f"{name}: the stream is being read by another thread")
            self._reading = True
        piece: bytes | None = None
        problem: Exception | None = None
        try:
            piece = next(self._pieces, None)
        except HTTP_ERRORS as error:
            problem = error
        finally:
            with self._lock:
                self._reading = False
                closed = self._closed
            if closed:
                self._opened.http_response.close()
        if closed:
            raise closed_error(self._opened.prepared) from problem
        if problem is not None:
            raise connection_error(problem, self._opened.prepared) from problem
        if piece is None:
            # The connection is free, whether or not anybody closes the stream.
            self._opened.http_response.close()
        return piece

    def iter_bytes(self) -> Iterator[bytes]:
        """The body in pieces as they arrive; raises as `next_bytes` does."""
        while (piece := self.next_bytes()) is not None:
            yield piece

    def close(self) -> None:
        """Gives the connection back; what has not been read is lost. May be called twice.

        Called from another thread, it ends the wait of the parser, who gets an
        `APIConnectionError`.
        """
        with self._lock:
            self._closed = True
            reading = self._reading
        if reading:
            hang_up(self._opened.http_response)
        else:
            self._opened.http_response.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if not getattr(self, "_closed", True):
            self.close()


class AsyncByteStream:
    """The async form of `ByteStream`. The request is sent on first use: `async with`, iteration, or
    `await stream.open()`.
    """

    def __init__(
        self, start: Callable[[], Awaitable[OpenResponse]], operation: Operation | None = None
    ) -> None:
        """Made by the method that returns it; nothing is sent yet.

        Args:
            start: Sends the request and returns the open response.
            operation: The operation that answers with this stream, for errors; None if there is
                none.
        """
        self._start = start
        self._operation = operation
        self._opened: OpenResponse | None = None
        self._pieces: AsyncGenerator[bytes, None] | None = None
        self._closed = False
        self._reading = False
        # The wait that `close` cancels: opening, and reading from a transport that does not show
        # its socket.
        self._scope: Any = None
        self._shows_socket = False

    async def open(self) -> Self:
        """Sends the request, once; the methods that need the answer do it by themselves.

        Raises:
            APIError: The API returned an error.
            ResponseError: The response does not match the documented schema.
            APIConnectionError: The server could not be reached or did not respond in time.
            CozeError: The stream is closed, or another task is opening it.
        """
        if self._opened is None:
            if self._closed:
                raise CozeError(f"{self._name}: the stream is closed")
            if self._scope is not None:
                raise CozeError(f"{self._name}: the stream is being opened by another task")
            import anyio

            with anyio.CancelScope() as scope:
                self._scope = scope
                try:
                    self._take(await self._start())
                finally:
                    self._scope = None
            if self._closed:
                await self._release()
                raise CozeError(f"{self._name}: the stream was closed while it was opened")
        return self

    def _take(self, opened: OpenResponse) -> None:
        self._opened = opened
        self._pieces = cast("AsyncGenerator[bytes, None]", opened.http_response.aiter_bytes())
        self._shows_socket = "network_stream" in opened.http_response.extensions

    @property
    def _name(self) -> str:
        return self._operation.id if self._operation else "stream"

    @property
    def logid(self) -> str | None:
        """Log id of the call; `None` before it is open."""
        return self._opened.logid if self._opened else None

    @property
    def status(self) -> int | None:
        """HTTP status; `None` before it is open."""
        return self._opened.http_response.status_code if self._opened else None

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the answer, names in lower case; empty before it is open."""
        return dict(self._opened.http_response.headers) if self._opened else {}

    @property
    def operation(self) -> Operation | None:
        """The operation that answers with this stream."""
        return self._operation

    async def next_bytes(self) -> bytes | None:
        """The next piece of the body, decompressed; None at its end.

        Raises:
            APITimeoutError: No piece came within the read timeout.
            APIConnectionError: The connection broke, or the stream was closed.
        """
        if self._pieces is None:
            await self.open()
        opened, pieces = self._opened, self._pieces
        assert opened is not None and pieces is not None
        if self._closed:
            raise closed_error(opened.prepared)
        if self._reading:
            raise CozeError(f"{self._name}: the stream is being read by another task")
        self._reading = True
        piece: bytes | None = None
        problem: Exception | None = None
        try:
            if self._shows_socket:
                piece = await pieces.__anext__()
            else:
                import anyio

                with anyio.CancelScope() as self._scope:
                    piece = await pieces.__anext__()
        except StopAsyncIteration:
            pass
        except HTTP_ERRORS as error:
            problem = error
        finally:
            self._reading = False
            self._scope = None
        if self._closed:
            await self._release()
            raise closed_error(opened.prepared) from problem
        if problem is not None:
            raise connection_error(problem, opened.prepared) from problem
        return piece

    async def iter_bytes(self) -> AsyncIterator[bytes]:
        """The body in pieces as they arrive; raises as `next_bytes` does."""
        while (piece := await self.next_bytes()) is not None:
            yield piece

    async def close(self) -> None:
        """Gives the connection back; what has not been read is lost. May be called twice.

        Called from another task, it ends the wait of the parser, who gets an `APIConnectionError`.
        """
        self._closed = True
        if self._scope is not None:
            self._scope.cancel()
        elif self._reading and self._opened is not None:
            hang_up(self._opened.http_response)
        else:
            await self._release()

    async def _release(self) -> None:
        if self._opened is not None and self._pieces is not None:
            await release(self._opened, self._pieces)

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def release(opened: OpenResponse, pieces: AsyncGenerator[bytes, None]) -> None:
    """Closes an answer, read or not.

    The pieces come through generators within generators, and closing the outer one leaves the inner
    ones to the garbage collector. A cancelled read ends them all.
    """
    import anyio

    with anyio.CancelScope() as scope, suppress(Exception):
        scope.cancel()
        async for _ in pieces:
            pass
    await pieces.aclose()
    await opened.http_response.aclose()


publish(globals(), "cozekit.types")
