"""Typed event streams of chats and workflow runs.

Two thin drivers feed the bytes of a sync or async connection to an `EventParser`. A stream ends at
its last event, without waiting for the server to close the connection, or at the end of the body
once the events have shown the outcome. Any other end is an error that has what came.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

from .._http.byte_stream import AsyncByteStream, ByteStream, release
from .._http.connections import Loop, current, spawn
from .._http.prepared import OpenResponse
from .._http.sockets import limit_reads
from ..calls.deadlines import StreamLimits
from ..calls.execute import opening
from ..errors import APIConnectionError, APITimeoutError, CozeError, StreamError
from ..operation import CallOptions, Request
from ..types import Listener, OnGap
from .event_parser import EventParser
from .events import StreamSpec, check_listener, notify, notify_async

E = TypeVar("E")
R = TypeVar("R")


_POLL_TIMEOUT = 600.0
"""Seconds to wait for the outcome of a broken stream."""


class SyncOpener(Protocol):
    """The part of a sync client that a stream uses."""

    def open_response(
        self, request: Request, options: CallOptions, *, events: bool = True
    ) -> OpenResponse:
        """Sends a request and returns when the headers of the response have arrived."""
        ...


class AsyncOpener(Protocol):
    """The part of an async client that a stream uses."""

    async def open_response(
        self, request: Request, options: CallOptions, *, events: bool = True
    ) -> OpenResponse:
        """Sends a request and returns when the headers of the response have arrived."""
        ...


DRAIN_SECONDS = 0.1
"""Seconds to wait for the end of the body after the last event, so that the connection can be
reused; then the connection is dropped.
"""


class EventStream(ByteStream, Generic[E, R]):
    """An open stream of typed events: iterate over it, or call `until_done`. To end it early, use
    it in a `with` block or call `close`, also from another thread.
    """

    spec: ClassVar[StreamSpec]
    parser_type: ClassVar[type[EventParser[Any]]]
    result_type: ClassVar[type[Any]]
    # Typed by the subclasses, as `parser_type`.
    _parser: Any

    def __init__(
        self,
        client: SyncOpener,
        request: Request,
        options: CallOptions,
        *,
        idle_timeout: float | None = None,
        deadline: float | None = None,
        keep_events: bool = False,
        on_gap: OnGap = "raise",
        recovery: str = "",
    ) -> None:
        """Sends the request and opens the stream.

        Args:
            client: Sends the request.
            request: The request that starts the stream.
            options: Options of this call.
            idle_timeout: Longest time without an event, in seconds, including the wait for the
                first one; None for the read timeout of the call.
            deadline: Longest time for the whole stream, in seconds; None for no limit.
            keep_events: Whether `events` has all events, not only the last 20.
            on_gap: What to do when events are missing.
            recovery: Module of the operation whose `WAITER` knows the outcome; empty if there is
                none.

        Raises:
            StreamTimeout: A limit passed before the response arrived.
            CozeError: The request failed.
            ArgumentError: A limit is not a positive number, or `on_gap` has another value.
        """
        self._call: Any = (client, options, recovery)
        self._limits = limits = StreamLimits(idle_timeout, deadline)
        sent = {**request.query, **(request.body or {})}
        parser: EventParser[E] = self.parser_type(self.spec, sent, keep_events, on_gap)
        self._parser = parser
        try:
            with opening(limits):
                opened = client.open_response(request, options)
        except APITimeoutError as error:
            reason = limits.exceeded()
            if reason is None:
                raise
            parser.request = error.request
            raise parser.timed_out(reason) from error
        super().__init__(opened)
        parser.attach(self._opened)
        limits.start_reading(self._opened.prepared.timeout.read)
        if limits.exact:
            limit_reads(self._opened, limits.remaining)

    def __iter__(self) -> Iterator[E]:
        """Iterates over the events, including the last one.

        Raises:
            APIError: The chat or run failed.
            StreamInterrupted: The stream stopped before its last event, or was closed by another
                thread.
            StreamTimeout: No event arrived within `idle_timeout`, or `deadline` passed.
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
            raise  # the caller left the loop; another loop may continue
        except BaseException:
            self.close()
            raise

    def _next_chunk(self) -> bytes | None:
        parser: EventParser[E] = self._parser
        limits = self._limits
        if reason := limits.exceeded_before_read(parser.received):
            raise parser.timed_out(reason)
        try:
            return self.next_bytes()
        except APITimeoutError as error:
            raise parser.timed_out(
                limits.exceeded() or "no data arrived within the read timeout"
            ) from error
        except APIConnectionError as error:
            reason = _reason(error, closed=self._closed)
            raise parser.interrupted(reason, closed=self._closed) from error

    def _drain(self) -> None:
        """Reads the rest of the body after the last event, so that the connection can be reused."""
        if self._closed:
            return
        end = time.monotonic() + DRAIN_SECONDS
        # If reads cannot be limited, the rest is not read.
        if limit_reads(self._opened, lambda: end - time.monotonic()):
            try:
                while self.next_bytes() is not None and time.monotonic() < end:
                    pass
            except CozeError:
                pass  # the server keeps the body open; `close` drops the connection
        self.close()

    def text_stream(self) -> Iterator[str]:
        """Iterates over the text of the answer or output in pieces as they arrive. Raises what
        iterating over the events raises.
        """
        piece_of: Callable[[E], str] = self._parser.text_pieces()
        for event in self:
            if piece := piece_of(event):
                yield piece

    def until_done(self, on_event: Listener[E] | None = None, *, recover: bool = False) -> R:
        """Reads the stream to its end.

        Args:
            on_event: Called with each event; or a mapping from event names to functions.
            recover: Whether to call the method `recover` if the stream breaks.

        Returns:
            The result: the chat with its messages, or the outputs of the run.

        Raises:
            APIError: The chat or run failed: ChatFailed, WorkflowFailed.
            StreamInterrupted: The stream stopped before its last event.
            StreamTimeout: No event arrived within `idle_timeout`, or `deadline` passed.
        """
        try:
            with self:
                check_listener(on_event)
                for event in self:
                    notify(on_event, event)
                result: R = self._parser.result(self.result_type)
                return result
        except StreamError as error:
            seconds = self._limits.before_deadline(_POLL_TIMEOUT)
            if not recover or error is not self._parser.broken_by or not seconds:
                raise
            return self.recover(poll_timeout=seconds)

    def recover(self, *, poll_timeout: float = _POLL_TIMEOUT) -> R:
        """Closes the stream and asks the service for the outcome: a chat or run goes on although
        its stream broke. Waits until it has ended and fetches its messages; sends nothing that is
        billed. Not possible before the ids are known, for a chat without `auto_save_history`, and
        for a run that is not a resumed one.

        Args:
            poll_timeout: Seconds to wait for the outcome.

        Returns:
            The result, as that of an unbroken stream; `nodes` of a run has those that had begun.

        Raises:
            APIError: The chat or run failed: ChatFailed, ChatCanceled, WorkflowFailed.
            StreamInterrupted: The outcome could not be retrieved; the error has what came.
        """
        from ..steps import run_steps
        from .recovery import recover

        self.close()
        client, options, module = self._call
        steps = recover(client, self._parser, self.result_type, module, options, poll_timeout)
        result: R = run_steps(steps, client.settings.retries.wait)
        return result

    @property
    def events(self) -> list[E]:
        """The events so far with `keep_events=True`; else the last 20 of them."""
        events: list[E] = self._parser.events
        return events


class AsyncEventStream(AsyncByteStream, Generic[E, R]):
    """A stream of typed events, opened on first use: iterate over it with `async for`, or await
    `until_done`. To end it early, use it in an `async with` block or await `close`.
    """

    spec: ClassVar[StreamSpec]
    parser_type: ClassVar[type[EventParser[Any]]]
    result_type: ClassVar[type[Any]]
    # Typed by the subclasses, as `parser_type`.
    _parser: Any

    def __init__(
        self,
        client: AsyncOpener,
        request: Request,
        options: CallOptions,
        *,
        idle_timeout: float | None = None,
        deadline: float | None = None,
        keep_events: bool = False,
        on_gap: OnGap = "raise",
        recovery: str = "",
    ) -> None:
        """Creates a stream. Nothing is sent before it is opened; then the limits start.

        Args:
            client: Sends the request.
            request: The request that starts the stream.
            options: Options of this call.
            idle_timeout: Longest time without an event, in seconds, including the wait for the
                first one; None for the read timeout of the call.
            deadline: Longest time for the whole stream, in seconds; None for no limit.
            keep_events: Whether `events` has all events, not only the last 20.
            on_gap: What to do when events are missing.
            recovery: Module of the operation whose `WAITER` knows the outcome; empty if there is
                none.

        Raises:
            ArgumentError: A limit is not a positive number, or `on_gap` has another value.
        """
        super().__init__(partial(client.open_response, request, options), request.operation)
        self._call: Any = (client, options, recovery)
        sent = {**request.query, **(request.body or {})}
        self._parser = self.parser_type(self.spec, sent, keep_events, on_gap)
        self._parser.name = self._name
        self._limit_arguments = (idle_timeout, deadline)
        self._limits = StreamLimits(*self._limit_arguments)
        self._events: Iterator[E] = self._parser.take()
        self._loop: Loop | None = None

    async def open(self) -> Self:
        """Sends the request, once. The methods that read the stream call this if needed.

        Raises:
            StreamTimeout: A limit passed before the response arrived.
            CozeError: The request failed, the stream is closed, or another task is opening it.
        """
        if self._opened is None:
            self._limits = StreamLimits(*self._limit_arguments)
            with opening(self._limits):
                await (self._open_in_time() if self._limits.exact else super().open())
            assert self._opened is not None
            self._loop = current()
            self._parser.attach(self._opened)
            self._limits.start_reading(self._opened.prepared.timeout.read)
        return self

    async def _open_in_time(self) -> None:
        import anyio

        try:
            with anyio.fail_after(self._limits.remaining()):
                await super().open()
        except (APITimeoutError, TimeoutError) as error:
            reason = self._limits.exceeded()
            if reason is None:
                raise
            self._parser.request = getattr(error, "request", None)
            raise self._parser.timed_out(reason) from error

    # Not an async generator: the event loop would close an abandoned one at some later time.
    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> E:
        """Returns the next event.

        Raises:
            APIError: The chat or run failed.
            StreamInterrupted: The stream stopped before its last event, or was closed by another
                task.
            StreamTimeout: No event arrived within `idle_timeout`, or `deadline` passed.
        """
        parser: EventParser[E] = self._parser
        try:
            while True:
                for event in self._events:
                    return event
                if parser.ended:
                    for event in parser.take():  # raises a failure again
                        return event
                    break
                chunk = await self._next_chunk()
                if chunk is None:
                    self._events = parser.finish()
                else:
                    parser.push(chunk)
                    self._events = parser.take()
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
        if reason := limits.exceeded_before_read(parser.received):
            raise parser.timed_out(reason)
        try:
            if not limits.exact:
                return await self.next_bytes()
            import anyio

            with anyio.fail_after(limits.remaining()):
                return await self.next_bytes()
        except (APITimeoutError, TimeoutError) as error:
            raise parser.timed_out(
                limits.exceeded() or "no data arrived within the read timeout"
            ) from error
        except APIConnectionError as error:
            reason = _reason(error, closed=self._closed)
            raise parser.interrupted(reason, closed=self._closed) from error

    async def _drain(self) -> None:
        """The async form of `EventStream._drain`."""
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
        """Iterates over the text of the answer or output in pieces as they arrive. Raises what
        iterating over the events raises.
        """
        return _TextStream(self, self._parser.text_pieces())

    async def until_done(self, on_event: Listener[E] | None = None, *, recover: bool = False) -> R:
        """Reads the stream to its end.

        Args:
            on_event: Called with each event; or a mapping from event names to functions. The
                functions may be async.
            recover: Whether to call the method `recover` if the stream breaks.

        Returns:
            The result: the chat with its messages, or the outputs of the run.

        Raises:
            APIError: The chat or run failed: ChatFailed, WorkflowFailed.
            StreamInterrupted: The stream stopped before its last event.
            StreamTimeout: No event arrived within `idle_timeout`, or `deadline` passed.
        """
        try:
            check_listener(on_event)
            async with self:
                async for event in self:
                    await notify_async(on_event, event)
                result: R = self._parser.result(self.result_type)
                return result
        except StreamError as error:
            seconds = self._limits.before_deadline(_POLL_TIMEOUT)
            if not recover or error is not self._parser.broken_by or not seconds:
                raise
            return await self.recover(poll_timeout=seconds)

    async def recover(self, *, poll_timeout: float = _POLL_TIMEOUT) -> R:
        """Closes the stream and asks the service for the outcome: a chat or run goes on although
        its stream broke. Waits until it has ended and fetches its messages; sends nothing that is
        billed. Not possible before the ids are known, for a chat without `auto_save_history`, and
        for a run that is not a resumed one.

        Args:
            poll_timeout: Seconds to wait for the outcome.

        Returns:
            The result, as that of an unbroken stream; `nodes` of a run has those that had begun.

        Raises:
            APIError: The chat or run failed: ChatFailed, ChatCanceled, WorkflowFailed.
            StreamInterrupted: The outcome could not be retrieved; the error has what came.
        """
        from ..steps import run_steps_async
        from .recovery import recover

        await self.close()
        client, options, module = self._call
        steps = recover(client, self._parser, self.result_type, module, options, poll_timeout)
        result: R = await run_steps_async(steps, client.settings.retries.wait_async)
        return result

    @property
    def events(self) -> list[E]:
        """The events so far with `keep_events=True`; else the last 20 of them."""
        events: list[E] = self._parser.events
        return events

    def __del__(self) -> None:
        # An abandoned stream must not keep its connection. It can only be closed in its loop, and
        # before the loop closes the async generator of the chunks.
        if getattr(self, "_loop", None) is not None and not self._closed:
            assert self._opened is not None and self._chunks is not None
            spawn(
                self._loop,
                partial(release, self._opened, self._chunks),
                self._opened.http_response.aclose,
            )


def _reason(error: APIConnectionError, *, closed: bool) -> str:
    if closed:
        return "the stream was closed"
    from .._http.diagnosis import diagnose

    cause = error.__cause__
    return diagnose(cause).text if isinstance(cause, Exception) else "the connection was lost"


# Not an async generator: the event loop would close an abandoned one at some later time.
class _TextStream(Generic[E]):
    """Async iterator over the text of an event stream."""

    def __init__(self, stream: AsyncIterator[E], piece_of: Callable[[E], str]) -> None:
        self._stream = stream
        self._piece_of = piece_of

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        while not (piece := self._piece_of(await anext(self._stream))):
            pass
        return piece
