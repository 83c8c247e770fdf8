"""Typed event streams: what chats and workflow runs send while they work.

Two thin shells around `EventReader` read from a sync or an async connection. A stream ends at its last event, without waiting
for the server to hang up; anything else is an error that carries the events so far.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from coze_openapi._http import AsyncByteStream, ByteStream, release

from .errors import APIConnectionError, APITimeoutError, CozeError
from .eventloops import Loop, current, spawn
from .reader import EventReader as EventReader
from .transport import limit_reads
from .watch import Watch, opening

if TYPE_CHECKING:
    from typing import Self

E = TypeVar("E")

DRAIN_SECONDS = 0.1
"""How long a finished stream may take to hand its connection back; afterwards the connection is dropped."""


class EventStream(ByteStream, Generic[E]):
    """An open stream of typed events. Iterate over it; a `with` block or `close` ends it early, also from another thread."""

    def __init__(
        self, send: Callable[[], ByteStream], reader: EventReader[E], *, idle_timeout: float | None, deadline: float | None
    ) -> None:
        """Opens the stream.

        Args:
            send: Sends the request and returns once the head of the answer has come.
            reader: What the events mean.
            idle_timeout: Seconds without an event, the wait for the head included; None for the read timeout of the call.
            deadline: Seconds for everything, from here on.

        Raises:
            StreamTimeout: A limit passed before the answer came.
            CozeError: What `send` raises.
            ArgumentError: A limit is no number above zero.
        """
        self._watch = watch = Watch(idle_timeout, deadline)
        self._reader = reader
        try:
            with opening(watch):
                source = send()
        except APITimeoutError as error:
            problem = watch.problem()
            if problem is None:
                raise
            reader.request = error.request
            raise reader.timed_out(problem) from error
        super().__init__(source)
        reader.attach(self._opened)
        watch.opened(self._opened.wire.timeout.read)
        if watch.exact:
            limit_reads(self._opened, watch.remaining)

    def __iter__(self) -> Iterator[E]:
        """The events, up to and with the last one.

        Raises:
            APIError: The service reports a failure.
            StreamInterrupted: The stream stopped before its last event, or was closed from elsewhere.
            StreamTimeout: No event came for too long.
        """
        reader = self._reader
        try:
            while True:
                yield from reader.take()
                if reader.ended:
                    self._drain()
                    return
                chunk = self._next_chunk()
                if chunk is None:
                    yield from reader.finish()
                    self.close()
                    return
                reader.push(chunk)
        except GeneratorExit:
            raise  # the loop was left; another one may go on where it stopped
        except BaseException:
            self.close()
            raise

    def _next_chunk(self) -> bytes | None:
        reader, watch = self._reader, self._watch
        if problem := watch.waits(reader.received):
            raise reader.timed_out(problem)
        try:
            return self.next_bytes()
        except APITimeoutError as error:
            raise reader.timed_out(watch.problem() or "no bytes came within the read timeout") from error
        except APIConnectionError as error:
            raise reader.interrupted(_reason(error, closed=self._closed)) from error

    def _drain(self) -> None:
        """Reads what is left of a body whose content is complete, so that the connection can serve the next call."""
        if self._closed:
            return
        end = time.monotonic() + DRAIN_SECONDS
        # A transport whose waits cannot be cut short is not waited for.
        if limit_reads(self._opened, lambda: end - time.monotonic()):
            try:
                while self.next_bytes() is not None and time.monotonic() < end:
                    pass
            except CozeError:
                pass  # the server keeps the body open; closing drops the connection
        self.close()

    @property
    def events(self) -> list[E]:
        """The events that have been read so far."""
        return self._reader.events


class AsyncEventStream(AsyncByteStream, Generic[E]):
    """The async form of `EventStream`: `async with` or `async for`, without an `await` before it."""

    def __init__(self, source: AsyncByteStream, reader: EventReader[E], *, idle_timeout: float | None, deadline: float | None) -> None:
        """As `EventStream`, but nothing is sent yet: the limits begin when the stream is opened."""
        super().__init__(source)
        self._reader = reader
        reader.name = self._name
        self._limits = (idle_timeout, deadline)
        self._watch = Watch(*self._limits)
        self._batch = reader.take()
        self._loop: Loop | None = None

    async def open(self) -> Self:
        """Sends the request, once.

        Raises:
            StreamTimeout: A limit passed before the answer came.
            CozeError: As `AsyncByteStream.open`.
        """
        if self._opened is None:
            self._watch = Watch(*self._limits)
            with opening(self._watch):
                await (self._open_in_time() if self._watch.exact else super().open())
            assert self._opened is not None
            self._loop = current()
            self._reader.attach(self._opened)
            self._watch.opened(self._opened.wire.timeout.read)
        return self

    async def _open_in_time(self) -> None:
        import anyio

        try:
            with anyio.fail_after(self._watch.remaining()):
                await super().open()
        except (APITimeoutError, TimeoutError) as error:
            problem = self._watch.problem()
            if problem is None:
                raise
            self._reader.request = getattr(error, "request", None)
            raise self._reader.timed_out(problem) from error

    # Not an async generator: one that is left half-read would be finished by the event loop at some later time.
    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> E:
        """The next event; raises as `EventStream` does."""
        reader = self._reader
        try:
            while True:
                for event in self._batch:
                    return event
                if reader.ended:
                    break
                chunk = await self._next_chunk()
                if chunk is None:
                    self._batch = reader.finish()
                else:
                    reader.push(chunk)
                    self._batch = reader.take()
        except BaseException:
            await self.close()
            raise
        await self._drain()
        raise StopAsyncIteration

    async def _next_chunk(self) -> bytes | None:
        if self._opened is None:
            await self.open()
        reader, watch = self._reader, self._watch
        if problem := watch.waits(reader.received):
            raise reader.timed_out(problem)
        try:
            if not watch.exact:
                return await self.next_bytes()
            import anyio

            with anyio.fail_after(watch.remaining()):
                return await self.next_bytes()
        except (APITimeoutError, TimeoutError) as error:
            raise reader.timed_out(watch.problem() or "no bytes came within the read timeout") from error
        except APIConnectionError as error:
            raise reader.interrupted(_reason(error, closed=self._closed)) from error

    async def _drain(self) -> None:
        """As `EventStream._drain`."""
        if self._closed:
            return
        import anyio

        try:
            with anyio.move_on_after(DRAIN_SECONDS):
                while await self.next_bytes() is not None:
                    pass
        except CozeError:
            pass
        await self.close()

    @property
    def events(self) -> list[E]:
        """The events that have been read so far."""
        return self._reader.events

    def __del__(self) -> None:
        # An abandoned stream must not keep its connection. Closing needs the loop, and the loop must not finish the pieces first.
        if getattr(self, "_loop", None) is not None and not self._closed:
            assert self._opened is not None and self._pieces is not None
            spawn(self._loop, partial(release, self._opened, self._pieces), self._opened.answer.aclose)


def _reason(error: APIConnectionError, *, closed: bool) -> str:
    return "the stream was closed" if closed else f"the connection broke ({error.__cause__ or error})"
