"""The core of typed event streams: bytes in, typed events out; detects the end. Does no I/O."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from operator import length_hint
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from ..errors import (
    APIError,
    CozeError,
    RequestInfo,
    StreamError,
    StreamInterrupted,
    StreamTimeout,
)
from ..serialization import codec
from ..serialization.convert import from_wire, to_wire
from .events import EventType, StreamSpec, UnknownEvent
from .sse import EventTooLargeError, Frame, ServerSentEvent, SSEDecoder

if TYPE_CHECKING:
    from .._http.prepared import OpenResponse

E = TypeVar("E")
_SLOW_PATH_ERRORS = (KeyError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_UNKNOWN = EventType(UnknownEvent)
_MAX_DIGITS = 18
"""Longest number of an event; the id could be text of any length."""


class EventParser(ABC, Generic[E]):
    """Bytes → typed events. Subclasses collect the result and create the errors."""

    numbered = False
    """Whether events have numbers, so that `missing` can detect gaps."""

    def __init__(self, spec: StreamSpec) -> None:
        self.spec = spec
        # The body is kept for the property `events`; it takes far less memory than the events.
        self._chunks: list[bytes] = []
        self._frames: Iterator[Frame] = iter(())
        self.received = 0
        """Number of complete events so far."""
        self.ended = False
        """Whether the stream has ended: by its last event or by a failure."""
        self.logid: str | None = None
        self.request: RequestInfo | None = None
        self.name = "stream"
        """Name in errors, until the request is known."""
        self.on_drift: Any = None
        self._decoder = SSEDecoder()
        # Events that end a stream or report a failure; the others skip these checks.
        self._special = spec.end | spec.failure
        # Name as bytes → name, class, decoder of the fast path, whether it is special.
        self._known = {
            name.encode(): (
                name,
                event_type.cls,
                codec.event_decoder(event_type.model),
                name in self._special,
            )
            for name, event_type in spec.events.items()
            if event_type.model is not None
        }
        self._failure: CozeError | None = None
        self.operation: Any = None

    def attach(self, opened: OpenResponse) -> None:
        """Sets the call that the bytes belong to.

        Args:
            opened: The open response.
        """
        prepared = opened.prepared
        self.logid = opened.logid
        self.request = prepared.info
        self.on_drift = prepared.on_drift
        self.operation = prepared.operation

    @abstractmethod
    def make(self, name: str, cls: type[Any], data: Any, id_: bytes) -> E:
        """Creates the typed event and adds it to the result.

        Args:
            name: Name of the event.
            cls: Class of the event; `UnknownEvent` for an undocumented one.
            data: Its data: a model, plain JSON or text.
            id_: Its id; empty if it has none.
        """

    @abstractmethod
    def result(self, cls: type[Any]) -> Any:
        """The result of the events so far.

        Args:
            cls: Class of the result.

        Raises:
            StreamInterrupted: The stream has ended, but its events do not show the outcome.
        """

    @abstractmethod
    def failure(self, name: str, data: Any) -> APIError:
        """Creates the error for an event that reports a failure.

        Args:
            name: Name of the event.
            data: Its data.
        """

    def missing(self, name: str, data: Any, id_: bytes) -> str | None:
        """What is missing before an event, as text; None if nothing is.

        Args:
            name: Name of the event.
            data: Its data.
            id_: Its id; empty if it has none.
        """
        return None

    @property
    def events(self) -> list[E]:
        """Every event so far, parsed again from the body."""
        return type(self)(self.spec).reread(self._chunks, self._taken_count(), self)

    def reread(self, chunks: list[bytes], count: int, source: EventParser[E]) -> list[E]:
        """Parses the first events of a body again.

        Args:
            chunks: The body.
            count: Number of events.
            source: The parser that has read the body.
        """
        self.logid, self.request, self.operation = source.logid, source.request, source.operation
        sse_events = [event for chunk in chunks for event in self._decoder.feed(chunk)]
        return [self._event(sse_event) for sse_event in sse_events[:count]]

    def _event(self, sse_event: ServerSentEvent) -> E:
        name, event_type = self._event_type(sse_event.event)
        data = self._event_data(sse_event, event_type)
        return self.make(name, event_type.cls, data, _id_bytes(sse_event))

    def _taken_count(self) -> int:
        """Number of events that `take` has yielded."""
        return self.received - length_hint(self._frames)

    def push(self, chunk: bytes) -> None:
        """Adds a chunk of the body; `take` then yields the events that it completes. Exhaust `take`
        before the next call. Bytes after the last event of the stream are ignored.

        Args:
            chunk: The chunk.

        Raises:
            StreamError: An event is too large.
        """
        if self.ended:
            return
        try:
            frames = self._decoder.frames(chunk)
        except EventTooLargeError as error:
            raise StreamError(self._error_text(str(error)), **self._error_fields()) from error
        self._chunks.append(chunk)
        self.received += len(frames)
        self._frames = iter(frames)

    def take(self) -> Iterator[E]:
        """Yields the complete events, up to the last one of the stream. Events that are not taken
        remain for the next call.

        Raises:
            APIError: An event reports a failure.
            StreamError: An event is not valid JSON, or events are missing before it.
        """
        if self._failure is not None:
            raise self._failure  # a second iteration must not look like an empty stream
        if self.ended:
            return
        known, numbered, make = self._known, self.numbered, self.make
        # The iterator is shared between calls, so the next call continues with the next event.
        for frame in self._frames:
            id_, raw_name, raw, _ = frame
            try:
                name, cls, decode, special = known[raw_name]
                data = decode(raw)
            except _SLOW_PATH_ERRORS:
                sse_event = self._decoder.event(frame)
                name, event_type = self._event_type(sse_event.event)
                cls, data = event_type.cls, self._event_data(sse_event, event_type)
                id_, special = _id_bytes(sse_event), name in self._special
            if numbered and (problem := self.missing(name, data, id_)) is not None:
                raise self._fail(self._event_error(problem))
            event = make(name, cls, data, id_)
            if special:
                self._handle_special(name, data)
            yield event
            if self.ended:
                return

    def _event_type(self, name: str) -> tuple[str, EventType]:
        """The documented spelling of the name, and the type of the event."""
        if name.upper() in self.spec.heartbeat:
            name = name.upper()
        return name, self.spec.events.get(name, _UNKNOWN)

    def _event_data(self, sse_event: ServerSentEvent, event_type: EventType) -> Any:
        """The data of an event that the fast path cannot decode: undocumented events, plain text,
        data of an undocumented shape.
        """
        data, model = sse_event.data, event_type.model
        if model is None:
            return _json_or_text(data)
        if not data:
            return "" if event_type.plain else from_wire(model, {})
        try:
            if event_type.plain and not isinstance(msgspec.json.decode(data), dict):
                return _json_or_text(data)
            return codec.decode_event(data, model, self.operation, self.on_drift)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            if event_type.plain:
                return _json_or_text(data)
            raise self._event_error(f"event {sse_event.event} is not valid JSON") from error

    def _handle_special(self, name: str, data: Any) -> None:
        """Handles an event that ends the stream or reports a failure."""
        if name in self.spec.failure:
            raise self._fail(self.failure(name, data))
        if name in self.spec.end:
            self.ended = True

    def finish(self) -> Iterator[E]:
        """Call at the end of the body: yields a last event that lacks its blank line.

        Raises:
            StreamInterrupted: The last event of the stream has not arrived.
        """
        try:
            unfinished = self._decoder.close()
        except EventTooLargeError as error:
            raise StreamError(self._error_text(str(error)), **self._error_fields()) from error
        if (
            unfinished is not None
            and unfinished.event in self._special
            and _is_complete(unfinished, self.spec)
        ):
            self.push(b"\n\n")  # end of the last line, and the blank line
            yield from self.take()
        if not self.ended:
            raise self.interrupted("the stream ended before its last event")

    def _fail(self, error: CozeError) -> CozeError:
        self.ended, self._failure = True, error
        return error

    def _event_error(self, problem: str) -> StreamError:
        """The error for an event that cannot be yielded; the event is not counted."""
        self.received -= 1
        return StreamError(self._error_text(problem), **self._error_fields())

    def interrupted(self, problem: str) -> StreamInterrupted:
        """The error for a stream that stopped too early.

        Args:
            problem: What happened.
        """
        return StreamInterrupted(self._error_text(problem), **self._error_fields())

    def timed_out(self, problem: str) -> StreamTimeout:
        """The error for a stream that took too long.

        Args:
            problem: What happened.
        """
        return StreamTimeout(self._error_text(problem), **self._error_fields())

    def _error_text(self, problem: str) -> str:
        name = self.request.call if self.request else self.name
        logid = f", logid {self.logid}" if self.logid else ""
        base = f", at {self.request.base_url}" if self.request else ""
        return f"{name}: {problem} ({self._taken_count()} events so far{logid}{base})"

    def _error_fields(self) -> dict[str, Any]:
        return {"events": self.events, "logid": self.logid, "request": self.request}


def _json_or_text(data: bytes) -> Any:
    """Undocumented data: parsed if it is JSON, else as text."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return data.decode("utf-8", "replace")


def event_number(id_: bytes) -> int | None:
    """The number of an event; None if its id is not a number."""
    return int(id_) if id_.isdigit() and len(id_) <= _MAX_DIGITS else None


def _id_bytes(sse_event: ServerSentEvent) -> bytes:
    return (sse_event.id or "").encode()


def _is_complete(sse_event: ServerSentEvent, spec: StreamSpec) -> bool:
    """Whether the data of an event without its blank line is complete: valid JSON is, and text
    has nothing that the parser needs.
    """
    event_type = spec.events.get(sse_event.event, _UNKNOWN)
    if event_type.model is None or event_type.plain:
        return True
    try:
        msgspec.json.decode(sse_event.data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def text_of(value: object) -> str:
    """A string as it is, None as ""; any other value that the service sends as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else msgspec.json.encode(to_wire(value)).decode()
