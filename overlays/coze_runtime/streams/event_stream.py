"""Typed event streams: what chats and workflow runs send while they work.

Two thin shells around `EventParser` read from a sync or an async connection. A stream ends at its
last event, without waiting for the server to hang up; anything else is an error that carries the
events so far.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

from .._http.byte_stream import AsyncByteStream, ByteStream, release
from .._http.connections import Loop, current, spawn
from .._http.prepared import OpenResponse
from .._http.sockets import limit_reads
from ..calls.deadlines import StreamLimits
from ..calls.execute import opening
from ..errors import APIConnectionError, APITimeoutError, CozeError
from ..operation import CallOptions, Request
from ..types import Listener
from .event_parser import EventParser, text_of
from .events import StreamSpec, notify, notify_async

E = TypeVar("E")
R = TypeVar("R")


class SyncOpener(Protocol):
    """What a stream needs of a client."""

    def open_response(
        self, request: Request, options: CallOptions, *, events: bool = True
    ) -> OpenResponse:
        """Sends a request and returns once the head of the response has come."""
        ...


class AsyncOpener(Protocol):
    """The async form of `SyncOpener`."""

    async def open_response(
        self, request: Request, options: CallOptions, *, events: bool = True
    ) -> OpenResponse:
        """Sends a request and returns once the head of the response has come."""
        ...


DRAIN_SECONDS = 0.1
"""How long a finished stream may take to hand its connection back; afterwards the connection is
dropped.
"""


class EventStream(ByteStream, Generic[E, R]):
    """An open stream of typed events. Iterate over it; a `with` block or `close` ends it early,
    also from another thread. The generator makes one class for each kind of stream.
    """

    spec: ClassVar[StreamSpec]
    parser_type: ClassVar[type[EventParser[Any]]]
    result_type: ClassVar[type[Any]]
    _parser: Any
    """Of `parser_type`."""

    def __init__(
        self,
        client: SyncOpener,
        request: Request,
        options: CallOptions,
        *,
        idle_timeout: float | None = None,
        deadline: float | None = None,
    ) -> None:
        """Opens the stream.

        Args:
            client: Sends the request.
            request: What starts the stream.
            options: Options of this call.
            idle_timeout: Seconds without an event, the wait for the head included; None for the
                read timeout of the call.
            deadline: Seconds for everything, from here on.

        Raises:
            StreamTimeout: A limit passed before the answer came.
            CozeError: What the client raises.
            ArgumentError: A limit is not a number above zero.
        """
        self._limits = limits = StreamLimits(idle_timeout, deadline)
        parser: EventParser[E] = self.parser_type(self.spec)
        self._parser = parser
        try:
            with opening(limits):
                opened = client.open_response(request, options)
        except APITimeoutError as error:
            problem = limits.problem()
            if problem is None:
                raise
            parser.request = error.request
            raise parser.timed_out(problem) from error
        super().__init__(opened)
        parser.attach(self._opened)
        limits.opened(self._opened.prepared.timeout.read)
        if limits.exact:
            limit_reads(self._opened, limits.remaining)

    def __iter__(self) -> Iterator[E]:
        """The events, up to and with the last one.

        Raises:
            APIError: The service reports a failure.
            StreamInterrupted: The stream stopped before its last event, or was closed from
                elsewhere.
            StreamTimeout: No event came for too long.
        """
        parser: EventParser[E] = self._parser
        try:
            while True:
                yield from parser.take()
                if parser.ended:
                    self._drain()
                    return
                chunk = self._next_chunk()
                if chunk is None:
                    yield from parser.finish()
                    self.close()
                    return
                parser.push(chunk)
        except GeneratorExit:
            raise  # the loop was left; another one may go on where it stopped
        except BaseException:
            self.close()
            raise

    def _next_chunk(self) -> bytes | None:
        parser: EventParser[E] = self._parser
        limits = self._limits
        if problem := limits.waits(parser.received):
            raise parser.timed_out(problem)
        try:
            return self.next_bytes()
        except APITimeoutError as error:
            raise parser.timed_out(
                limits.problem() or "no bytes came within the read timeout"
            ) from error
        except APIConnectionError as error:
            raise parser.interrupted(_reason(error, closed=self._closed)) from error

    def _drain(self) -> None:
        """Reads what is left of a body whose content is complete, so that the connection can serve
        the next call.
        """
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

    def text_stream(self) -> Iterator[str]:
        """The text that the events bring, piece by piece."""
        event: Any
        for event in self:
            if event.event in self.spec.delta and event.data.content:
                yield text_of(event.data.content)

    def until_done(self, on_event: Listener[E] | None = None) -> R:
        """Reads the stream to its end.

        Args:
            on_event: Called with each event; as a mapping from event names to functions, with the
                events of these names.

        Returns:
            What the events add up to: the chat with its messages, or the outputs of the run.

        Raises:
            APIError: The work failed: ChatFailed, WorkflowFailed.
            StreamInterrupted: The stream stopped before its last event.
            StreamTimeout: No event came for too long.
        """
        with self:
            for event in self:
                notify(on_event, event)
        result: R = self._parser.result(self.result_type)
        return result

    @property
    def events(self) -> list[E]:
        """The events that have been read so far."""
        events: list[E] = self._parser.events
        return events


class AsyncEventStream(AsyncByteStream, Generic[E, R]):
    """The async form of `EventStream`: `async with` or `async for`, without an `await`
    before it.
    """

    spec: ClassVar[StreamSpec]
    parser_type: ClassVar[type[EventParser[Any]]]
    result_type: ClassVar[type[Any]]
    _parser: Any
    """Of `parser_type`."""

    def __init__(
        self,
        client: AsyncOpener,
        request: Request,
        options: CallOptions,
        *,
        idle_timeout: float | None = None,
        deadline: float | None = None,
    ) -> None:
        """The stream, not yet opened: nothing is sent, and the limits begin when it is opened.

        Args:
            client: Sends the request.
            request: What starts the stream.
            options: Options of this call.
            idle_timeout: Seconds without an event, the wait for the head included; None for the
                read timeout of the call.
            deadline: Seconds for everything, from the opening on; None for no limit.
        """
        super().__init__(partial(client.open_response, request, options), request.operation)
        self._parser = self.parser_type(self.spec)
        self._parser.name = self._name
        self._wanted = (idle_timeout, deadline)
        self._limits = StreamLimits(*self._wanted)
        self._batch: Iterator[E] = self._parser.take()
        self._loop: Loop | None = None

    async def open(self) -> Self:
        """Sends the request, once.

        Raises:
            StreamTimeout: A limit passed before the answer came.
            CozeError: As `AsyncByteStream.open`.
        """
        if self._opened is None:
            self._limits = StreamLimits(*self._wanted)
            with opening(self._limits):
                await (self._open_in_time() if self._limits.exact else super().open())
            assert self._opened is not None
            self._loop = current()
            self._parser.attach(self._opened)
            self._limits.opened(self._opened.prepared.timeout.read)
        return self

    async def _open_in_time(self) -> None:
        import anyio

        try:
            with anyio.fail_after(self._limits.remaining()):
                await super().open()
        except (APITimeoutError, TimeoutError) as error:
            problem = self._limits.problem()
            if problem is None:
                raise
            self._parser.request = getattr(error, "request", None)
            raise self._parser.timed_out(problem) from error

    # Not an async generator: one that is left half-read would be finished by the event loop at some
    # later time.
    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> E:
        """The next event; raises as `EventStream` does."""
        parser: EventParser[E] = self._parser
        try:
            while True:
                for event in self._batch:
                    return event
                if parser.ended:
                    break
                chunk = await self._next_chunk()
                if chunk is None:
                    self._batch = parser.finish()
                else:
                    parser.push(chunk)
                    self._batch = parser.take()
        except BaseException:
            await self.close()
            raise
        await self._drain()
        raise StopAsyncIteration

    async def _next_chunk(self) -> bytes | None:
        if self._opened is None:
            await self.open()
        parser: EventParser[E] = self._parser
        limits = self._limits
        if problem := limits.waits(parser.received):
            raise parser.timed_out(problem)
        try:
            if not limits.exact:
                return await self.next_bytes()
            import anyio

            with anyio.fail_after(limits.remaining()):
                return await self.next_bytes()
        except (APITimeoutError, TimeoutError) as error:
            raise parser.timed_out(
                limits.problem() or "no bytes came within the read timeout"
            ) from error
        except APIConnectionError as error:
            raise parser.interrupted(_reason(error, closed=self._closed)) from error

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

    def text_stream(self) -> AsyncIterator[str]:
        """The text that the events bring, piece by piece."""
        return TextStream(self, self.spec.delta)

    async def until_done(self, on_event: Listener[E] | None = None) -> R:
        """Reads the stream to its end.

        Args:
            on_event: Called with each event; as a mapping from event names to functions, with the
                events of these names. The functions may be async.

        Returns:
            What the events add up to: the chat with its messages, or the outputs of the run.

        Raises:
            APIError: The work failed: ChatFailed, WorkflowFailed.
            StreamInterrupted: The stream stopped before its last event.
            StreamTimeout: No event came for too long.
        """
        async with self:
            async for event in self:
                await notify_async(on_event, event)
        result: R = self._parser.result(self.result_type)
        return result

    @property
    def events(self) -> list[E]:
        """The events that have been read so far."""
        events: list[E] = self._parser.events
        return events

    def __del__(self) -> None:
        # An abandoned stream must not keep its connection. Closing needs the loop, and the loop
        # must not finish the pieces first.
        if getattr(self, "_loop", None) is not None and not self._closed:
            assert self._opened is not None and self._pieces is not None
            spawn(
                self._loop,
                partial(release, self._opened, self._pieces),
                self._opened.http_response.aclose,
            )


def _reason(error: APIConnectionError, *, closed: bool) -> str:
    return (
        "the stream was closed" if closed else f"the connection broke ({error.__cause__ or error})"
    )


# Not an async generator: one that is left half-read would be finished by the event loop at some
# later time.
class TextStream:
    """The text of the pieces that a stream brings."""

    def __init__(self, stream: AsyncIterator[Any], delta: frozenset[str]) -> None:
        self._stream = stream
        self._delta = delta

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        while True:
            event = await anext(self._stream)
            if event.event in self._delta and event.data.content:
                return text_of(event.data.content)
