"""The body of an open response as bytes, sync and async."""

from __future__ import annotations

import _thread
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any, Self, cast

from .. import publish
from ..errors import CozeError
from ..operation import Operation
from .chunk_reader import read_chunks_at_once
from .exchange import closed_error, connection_error
from .prepared import OpenResponse
from .sockets import hang_up, network_stream

# Responses that are not closed, with their bodies. Closing one takes the lock of the connection
# pool, and so does finalizing the generators of a body. The garbage collector may run while its own
# thread holds that lock, so it must find none of them: it finds the stream.
_unfinished: dict[int, tuple[OpenResponse, Iterator[bytes]]] = {}


class ByteStream:
    """The body of an open response, as chunks of bytes.

    Use it in a `with` block, or call `close`. A stream that is no longer referenced closes itself.
    """

    def __init__(self, opened: OpenResponse) -> None:
        """Created by the method that returns it.

        Args:
            opened: The open response.
        """
        self._closed = False
        self._opened = opened
        read_chunks_at_once(opened.http_response)
        self._chunks = opened.http_response.iter_bytes()
        _unfinished[id(opened.http_response)] = (opened, self._chunks)
        self._lock = threading.Lock()
        self._reading = False

    @property
    def logid(self) -> str | None:
        """Log id of the call."""
        return self._opened.logid

    @property
    def status(self) -> int:
        """HTTP status code."""
        return self._opened.http_response.status_code

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the response, names in lower case."""
        return dict(self._opened.http_response.headers)

    @property
    def operation(self) -> Operation:
        """The operation that was called."""
        return self._opened.prepared.operation

    def next_bytes(self) -> bytes | None:
        """Reads the next chunk of the body, decompressed; None at the end.

        Raises:
            APITimeoutError: No data arrived within the read timeout.
            APIConnectionError: The connection was lost, or the stream was closed.
            CozeError: Another thread is reading the stream.
        """
        with self._lock:
            if self._closed:
                raise closed_error(self._opened.prepared)
            if self._reading:
                name = self.operation.label
                raise CozeError(f"{name}: another thread is reading the stream")
            self._reading = True
        chunk: bytes | None = None
        cause: Exception | None = None
        try:
            chunk = next(self._chunks, None)
        except Exception as error:
            cause = error
        finally:
            with self._lock:
                self._reading = False
                closed = self._closed
            if closed:
                _finish(self._opened)
        if closed:
            raise closed_error(self._opened.prepared) from cause
        if cause is not None:
            raise connection_error(cause, self._opened.prepared) from cause
        if chunk is None:
            # Release the connection even if the caller never closes the stream.
            _finish(self._opened)
        return chunk

    def iter_bytes(self) -> Iterator[bytes]:
        """Iterates over the chunks of the body as they arrive; raises what `next_bytes` raises."""
        while (chunk := self.next_bytes()) is not None:
            yield chunk

    def close(self) -> None:
        """Closes the stream and releases the connection; unread data is lost. May be called more
        than once.

        A thread that is reading the stream gets an `APIConnectionError`: at once, or with HTTP/2
        and transports that do not show their socket when data arrives or the read timeout passes.
        """
        with self._lock:
            self._closed = True
            reading = self._reading
        if reading:
            hang_up(self._opened.http_response)
        else:
            _finish(self._opened)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        # Another thread closes the response; see `_unfinished`.
        if not getattr(self, "_closed", True):
            self._closed = True
            with suppress(RuntimeError):  # the interpreter ends
                if self._opened.http_response.is_closed:
                    _unfinished.pop(id(self._opened.http_response), None)
                else:
                    _thread.start_new_thread(_close_quietly, (self._opened,))


def _finish(opened: OpenResponse) -> None:
    opened.http_response.close()
    _unfinished.pop(id(opened.http_response), None)


def _close_quietly(opened: OpenResponse) -> None:
    with suppress(Exception):
        _finish(opened)


class AsyncByteStream:
    """The body of an open response, as chunks of bytes. The request is sent on first use: by `async
    with`, by reading, or by `await stream.open()`.

    Use it in an `async with` block, or await `close`.
    """

    def __init__(
        self, start: Callable[[], Awaitable[OpenResponse]], operation: Operation | None = None
    ) -> None:
        """Created by the method that returns it. Nothing is sent yet.

        Args:
            start: Sends the request and returns the open response.
            operation: The operation to call, for errors.
        """
        self._start = start
        self._operation = operation
        self._opened: OpenResponse | None = None
        self._chunks: AsyncGenerator[bytes, None] | None = None
        self._closed = False
        self._reading = False
        # What `close` cancels: opening, and reading where it must not shut the socket down.
        self._scope: Any = None
        self._shows_socket = False
        self._released = False

    async def open(self) -> Self:
        """Sends the request, once. The methods that read the stream call this if needed.

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
                raise CozeError(f"{self._name}: another task is opening the stream")
            import anyio

            with anyio.CancelScope() as scope:
                self._scope = scope
                try:
                    self._attach(await self._start())
                finally:
                    self._scope = None
            if self._closed:
                await self._release()
                raise CozeError(f"{self._name}: the stream was closed while it was being opened")
        return self

    def _attach(self, opened: OpenResponse) -> None:
        self._opened = opened
        read_chunks_at_once(opened.http_response)
        self._chunks = cast("AsyncGenerator[bytes, None]", opened.http_response.aiter_bytes())
        self._shows_socket = network_stream(opened.http_response) is not None

    @property
    def _name(self) -> str:
        return self._operation.label if self._operation else "stream"

    @property
    def logid(self) -> str | None:
        """Log id of the call; `None` before the stream is open."""
        return self._opened.logid if self._opened else None

    @property
    def status(self) -> int | None:
        """HTTP status code; `None` before the stream is open."""
        return self._opened.http_response.status_code if self._opened else None

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the response, names in lower case; empty before the stream is open."""
        return dict(self._opened.http_response.headers) if self._opened else {}

    @property
    def operation(self) -> Operation | None:
        """The operation that was called."""
        return self._operation

    async def next_bytes(self) -> bytes | None:
        """Reads the next chunk of the body, decompressed; None at the end.

        Raises:
            APITimeoutError: No data arrived within the read timeout.
            APIConnectionError: The connection was lost, or the stream was closed.
            CozeError: Another task is reading the stream. The first read also raises what `open`
                raises.
        """
        if self._chunks is None:
            await self.open()
        opened, chunks = self._opened, self._chunks
        assert opened is not None and chunks is not None
        if self._closed:
            raise closed_error(opened.prepared)
        if self._reading:
            raise CozeError(f"{self._name}: another task is reading the stream")
        self._reading = True
        chunk: bytes | None = None
        cause: Exception | None = None
        try:
            if self._shows_socket:
                chunk = await chunks.__anext__()
            else:
                import anyio

                with anyio.CancelScope() as self._scope:
                    chunk = await chunks.__anext__()
        except StopAsyncIteration:
            pass
        except Exception as error:
            cause = error
        finally:
            self._reading = False
            self._scope = None
        if self._closed:
            await self._release()
            raise closed_error(opened.prepared) from cause
        if cause is not None:
            raise connection_error(cause, opened.prepared) from cause
        return chunk

    async def iter_bytes(self) -> AsyncIterator[bytes]:
        """Iterates over the chunks of the body as they arrive; raises what `next_bytes` raises."""
        while (chunk := await self.next_bytes()) is not None:
            yield chunk

    async def close(self) -> None:
        """Closes the stream and releases the connection; unread data is lost. May be called more
        than once.

        A task that is reading or opening the stream gets an error.
        """
        self._closed = True
        if self._scope is not None:
            self._scope.cancel()
        elif self._reading and self._opened is not None:
            hang_up(self._opened.http_response)
        else:
            await self._release()

    async def aclose(self) -> None:
        """The same as `close`, for `contextlib.aclosing`."""
        await self.close()

    async def _release(self) -> None:
        """Releases the connection, once: the async generators below refuse a second closing."""
        if self._opened is not None and self._chunks is not None and not self._released:
            self._released = True
            try:
                await release(self._opened, self._chunks)
            except BaseException:
                self._released = False
                raise

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def release(opened: OpenResponse, chunks: AsyncGenerator[bytes, None]) -> None:
    """Closes a response, even if its body is half-read.

    The chunks come from nested async generators. Closing the outer one would leave the inner ones
    to the garbage collector; a cancelled read ends all of them.
    """
    import anyio

    with anyio.CancelScope() as scope, suppress(Exception):
        scope.cancel()
        async for _ in chunks:
            pass
    await chunks.aclose()
    await opened.http_response.aclose()


publish(globals(), "cozekit.types")
