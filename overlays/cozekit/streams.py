"""Typed event streams: what chats and workflow runs send while they work.

The core (`EventReader`) turns bytes into typed events and knows when a stream is over; two thin shells read from a sync or an
async connection. A stream ends at its last event, without waiting for the server to hang up; anything else is an error that
carries the events so far.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec
from coze_openapi import codec
from coze_openapi._http import AsyncByteStream, ByteStream
from coze_openapi.errors import request_info

from .errors import APIConnectionError, APITimeoutError, CozeError, RequestInfo, StreamError, StreamInterrupted, StreamTimeout
from .sse import EventTooLargeError, ServerSentEvent, SSEDecoder
from .transport import drain, drain_async, limited_reads

if TYPE_CHECKING:
    from typing import Self

    from coze_openapi._http import Opened
    from coze_openapi.types import Model, Stream

E = TypeVar("E")
Clock = Callable[[], float]

DRAIN_SECONDS = 0.1
"""How long a finished stream may take to hand its connection back; afterwards the connection is dropped."""


class EventReader(ABC, Generic[E]):
    """Bytes → typed events, without I/O. Subclasses name the kind of event and what counts as a failure."""

    def __init__(self, spec: Stream) -> None:
        self.spec = spec
        self.events: list[E] = []
        """Every event so far."""
        self.ended = False
        """Whether the last event has come."""
        self.logid: str | None = None
        self.request: RequestInfo | None = None
        self.on_drift: Any = None
        self._decoder = SSEDecoder()
        self._waiting: deque[ServerSentEvent] = deque()
        self._operation: Any = None

    def attach(self, opened: Opened) -> None:
        """Tells the reader which call the bytes belong to."""
        wire = opened.wire
        self.logid = opened.answer.headers.get("x-tt-logid")
        self.request = request_info(wire.operation, wire.url, wire.base_url)
        self.on_drift = wire.on_drift
        self._operation = wire.operation

    @abstractmethod
    def make(self, item: ServerSentEvent, data: Any) -> E:
        """The typed event; `data` is a model, or plain JSON or text where the description knows none."""

    @abstractmethod
    def failure(self, event: E, data: Any) -> CozeError | None:
        """The error that an event stands for; None when it is no failure."""

    def push(self, chunk: bytes) -> None:
        """Takes a piece of the body; `take` then hands out the events that it completes.

        Raises:
            StreamError: An event is larger than any event should be.
        """
        try:
            self._waiting.extend(self._decoder.feed(chunk))
        except EventTooLargeError as error:
            raise StreamError(self._text(str(error)), **self._facts()) from error

    def take(self) -> Iterator[E]:
        """The events that wait, up to the last one of the stream. What is not taken waits for the next call.

        Raises:
            APIError: An event reports a failure.
            StreamError: An event is no JSON.
        """
        waiting, models, end = self._waiting, self.spec.events, self.spec.end
        while waiting and not self.ended:
            item = waiting.popleft()
            name = item.event
            model = models.get(name)
            data = self._decode(item, model) if model is not None and item.data else self._plain(item)
            event = self.make(item, data)
            self.events.append(event)
            problem = self.failure(event, data)
            if problem is not None:
                self.ended = True
                raise problem
            if name in end:
                self.ended = True
            yield event

    def finish(self) -> Iterator[E]:
        """The body is over: a last event may lack its blank line.

        Raises:
            StreamInterrupted: The last event of the stream had not come.
        """
        cut = self._decoder.close()
        if cut is not None and cut.event in self.spec.end | self.spec.errors and _is_complete(cut, self.spec):
            self._waiting.append(cut)
            yield from self.take()
        if not self.ended:
            raise self.interrupted("the stream ended before its last event")

    def _decode(self, item: ServerSentEvent, model: type[Model]) -> Model:
        try:
            return codec.decode_event(item.data, model, self._operation, self.on_drift)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            text = item.data[:80].decode("utf-8", "replace")
            raise StreamError(self._text(f"event {item.event} is no JSON ({error}): {text}"), **self._facts()) from error

    @staticmethod
    def _plain(item: ServerSentEvent) -> Any:
        """Data of an event that the description does not know: JSON when it is JSON, else the text."""
        try:
            return msgspec.json.decode(item.data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return item.data.decode("utf-8", "replace")

    def interrupted(self, problem: str) -> StreamInterrupted:
        """The error for a stream that stopped too early."""
        return StreamInterrupted(self._text(problem), **self._facts())

    def timed_out(self, problem: str) -> StreamTimeout:
        """The error for a stream that took too long."""
        return StreamTimeout(self._text(problem), **self._facts())

    def _text(self, problem: str) -> str:
        name = self.request.operation if self.request else "stream"
        base = f", at {self.request.base_url}" if self.request else ""
        return f"{name}: {problem} ({len(self.events)} events so far, logid {self.logid}{base})"

    def _facts(self) -> dict[str, Any]:
        return {"events": list(self.events), "logid": self.logid, "request": self.request}


def _is_complete(item: ServerSentEvent, spec: Stream) -> bool:
    """Whether the data of an event without its blank line came whole: JSON shows it; plain text holds nothing to lose."""
    if spec.events.get(item.event) is None:
        return True
    try:
        msgspec.json.decode(item.data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


class _Watch:
    """Idle timeout and deadline. Only events reset the idle time, so that keep-alives cannot hold a dead stream open."""

    def __init__(self, idle: float | None, deadline: float | None, clock: Clock = time.monotonic) -> None:
        self.idle = idle
        self.deadline = deadline
        self._clock = clock
        self._end = None if deadline is None else clock() + deadline
        self._last = clock()

    @property
    def exact(self) -> bool:
        """Whether waits have to be cut short; otherwise the read timeout of the call is enough."""
        return self.idle is not None or self._end is not None

    def event(self) -> None:
        self._last = self._clock()

    def remaining(self) -> float | None:
        """Seconds until the first limit; None when there is none."""
        now = self._clock()
        limits = [] if self.idle is None else [self._last + self.idle - now]
        limits += [] if self._end is None else [self._end - now]
        return min(limits, default=None)

    def problem(self) -> str | None:
        """Which limit has passed."""
        now = self._clock()
        if self._end is not None and now >= self._end:
            return f"the deadline of {self.deadline:g} s passed"
        if self.idle is not None and now >= self._last + self.idle:
            return f"no event for {self.idle:g} s"
        return None


class EventStream(ByteStream, Generic[E]):
    """An open stream of typed events. Iterate over it; a `with` block or `close` ends it early."""

    def __init__(self, source: ByteStream, reader: EventReader[E], *, idle_timeout: float | None, deadline: float | None) -> None:
        super().__init__(source)
        self._reader = reader
        self._watch = _Watch(idle_timeout, deadline)
        reader.attach(self._opened)

    def __iter__(self) -> Iterator[E]:
        """The events, up to and with the last one.

        Raises:
            APIError: The service reports a failure.
            StreamInterrupted: The stream stopped before its last event.
            StreamTimeout: No event came for too long.
        """
        reader, watch = self._reader, self._watch
        try:
            yield from reader.take()
            if reader.ended:
                return
            for chunk in self._chunks():
                reader.push(chunk)
                for event in reader.take():
                    watch.event()
                    yield event
                if reader.ended:
                    drain(self, DRAIN_SECONDS)
                    return
                if watch.exact and (problem := watch.problem()):
                    raise reader.timed_out(problem)
            yield from reader.finish()
        except GeneratorExit:
            raise
        except BaseException:
            self.close()
            raise

    def _chunks(self) -> Iterator[bytes]:
        try:
            if self._watch.exact:
                with limited_reads(self, self._watch.remaining):
                    yield from self.iter_bytes()
            else:
                yield from self.iter_bytes()
        except APITimeoutError as error:
            raise self._reader.timed_out(self._watch.problem() or "no bytes came within the read timeout") from error
        except APIConnectionError as error:
            raise self._reader.interrupted(f"the connection broke ({error.__cause__ or error})") from error

    @property
    def events(self) -> list[E]:
        """The events that have been read so far."""
        return self._reader.events

    def __del__(self) -> None:
        # An abandoned stream must not keep its connection. Closing is plain, nothing is scheduled.
        if hasattr(self, "_opened"):
            self.close()


class AsyncEventStream(AsyncByteStream, Generic[E]):
    """The async form of `EventStream`: `async with` or `async for`, without an `await` before it."""

    def __init__(self, source: AsyncByteStream, reader: EventReader[E], *, idle_timeout: float | None, deadline: float | None) -> None:
        super().__init__(source)
        self._reader = reader
        self._limits = (idle_timeout, deadline)
        self._watch: _Watch | None = None
        self._batch = reader.take()

    # Not an async generator: one that is left half-read would be finished by the event loop at some later time.
    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> E:
        """The next event; raises as `EventStream` does."""
        reader = self._reader
        try:
            while True:
                for event in self._batch:
                    if self._watch is not None:
                        self._watch.event()
                    return event
                if reader.ended:
                    await drain_async(self, DRAIN_SECONDS)
                    raise StopAsyncIteration
                chunk = await self._next_chunk()
                if chunk is None:
                    self._batch = reader.finish()
                else:
                    reader.push(chunk)
                    self._batch = reader.take()
        except StopAsyncIteration:
            raise
        except BaseException:
            await self.close()
            raise

    async def _next_chunk(self) -> bytes | None:
        import anyio

        if self._watch is None:
            await self.open()
            assert self._opened is not None
            self._reader.attach(self._opened)
            self._watch = _Watch(*self._limits)
        watch = self._watch
        if watch.exact and (problem := watch.problem()):
            raise self._reader.timed_out(problem)
        try:
            if not watch.exact:
                return await self.next_bytes()
            with anyio.fail_after(watch.remaining()):
                return await self.next_bytes()
        except (APITimeoutError, TimeoutError) as error:
            raise self._reader.timed_out(watch.problem() or "no bytes came within the read timeout") from error
        except APIConnectionError as error:
            raise self._reader.interrupted(f"the connection broke ({error.__cause__ or error})") from error

    @property
    def events(self) -> list[E]:
        """The events that have been read so far."""
        return self._reader.events
