"""The core of typed event streams: bytes in, typed events out; detects the end. Does no I/O."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from operator import length_hint
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..errors import (
    APIError,
    ArgumentError,
    CozeError,
    RequestInfo,
    StreamError,
    StreamInterrupted,
    StreamTimeout,
)
from ..serialization import codec
from ..serialization.convert import from_wire, read_json, to_wire, write_json
from ..types import OnGap
from .events import EventType, StreamSpec, UnknownEvent
from .sse import EventTooLargeError, Frame, ServerSentEvent, SSEDecoder

if TYPE_CHECKING:
    from .._http.prepared import OpenResponse

E = TypeVar("E")
S = TypeVar("S", bound=StreamError)
_SLOW_PATH_ERRORS = (KeyError, ValueError, RecursionError)
_UNKNOWN = EventType(UnknownEvent)
_MAX_DIGITS = 18
"""Longest number of an event; the id could be text of any length."""
_LAST_EVENTS = 20
"""Events that a stream keeps for its errors."""
_MAX_PIECES = 256
"""Events after which pieces of text are joined; a list of all would take much more memory."""
_logger = logging.getLogger("cozekit")


class EventParser(ABC, Generic[E]):
    """Bytes → typed events. Subclasses collect the result and create the errors."""

    def __init__(
        self,
        spec: StreamSpec,
        sent: Mapping[str, Any],
        keep_events: bool = False,
        on_gap: OnGap = "raise",
    ) -> None:
        """Creates a parser for one stream.

        Args:
            spec: The kind of stream.
            sent: Query and body of the request.
            keep_events: Whether to keep every event, not only the last 20.
            on_gap: What to do when events are missing.

        Raises:
            ArgumentError: `on_gap` has another value.
        """
        if on_gap not in ("raise", "warn", "ignore"):
            raise ArgumentError(
                f'on_gap must be "raise", "warn" or "ignore", not {on_gap!r}', argument="on_gap"
            )
        self.spec = spec
        self.sent = sent
        self._on_gap = on_gap
        self._checks_numbers = spec.numbered and on_gap != "ignore"
        # Frames, not events: they are cheaper, and only errors and `events` need the events again.
        self._kept: list[Frame] | deque[Frame] = [] if keep_events else deque(maxlen=_LAST_EVENTS)
        self._chunk: list[Frame] = []
        self._frames: Iterator[Frame] = iter(())
        self.received = 0
        """Number of complete events so far."""
        self._before = 0  # `received` before the chunk
        self._joined = 0  # … and at the last `join_pieces`
        self.pieces: list[Any] = []
        """The last pieces of text, until `join_pieces`."""
        self.ended = False
        """Whether the stream has ended: by its last event or by a failure."""
        self.logid: str | None = None
        self.request: RequestInfo | None = None
        self.name = "stream"
        """Name in errors, until the request is known."""
        self.on_drift: Any = None
        self._decoder = SSEDecoder()
        # Events that end a stream or report a failure; the others skip these checks.
        special = spec.end | spec.failure
        # Name as bytes → name, class, decoder of the fast path, whether it is special or a delta.
        self._known = {
            name.encode(): (
                name,
                event_type.cls,
                codec.event_decoder(event_type.model),
                name in special,
                name in spec.delta,
            )
            for name, event_type in spec.events.items()
            if event_type.model is not None
        }
        self._failure: CozeError | None = None
        self.broken_by: StreamError | None = None
        """The error that broke the stream."""
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
        """Creates a typed event that is not a delta, and adds it to the result.

        Args:
            name: Name of the event.
            cls: Class of the event; `UnknownEvent` for an undocumented one.
            data: Its data: a model, plain JSON or text.
            id_: Its id; empty if it has none.
        """

    @abstractmethod
    def make_delta(self, cls: type[Any], data: Any, id_: bytes) -> E:
        """Creates the typed event with a piece of text, and adds the text to `pieces`.

        Args:
            cls: Class of the event.
            data: Its data: a model.
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
    def recovered(self, cls: type[Any], last: Any, then: Any) -> Any:
        """The result after a break, completed by what the service returned.

        Args:
            cls: Class of the result.
            last: The chat or run in its final state.
            then: The result of `Waiter.then`: the messages of a chat.
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

    @abstractmethod
    def join_pieces(self) -> None:
        """Joins `pieces` to the text so far, and clears them."""

    @abstractmethod
    def text_pieces(self) -> Callable[[E], str]:
        """A function that returns what an event adds to `text`; call it with each further event."""

    @property
    @abstractmethod
    def text(self) -> str:
        """The text of the answer or output so far."""

    @property
    @abstractmethod
    def ids(self) -> dict[str, Any]:
        """The ids of the chat or run, as far as they are known; for errors and recovery."""

    def is_settled(self) -> bool:
        """Whether the events show the outcome, so that the end of the body is the end."""
        return False

    @property
    def events(self) -> list[E]:
        """The events so far that are kept, parsed again."""
        parser = type(self)(self.spec, self.sent)
        parser.logid, parser.operation = self.logid, self.operation
        taken = self._taken_count() - self._before
        frames = [*self._kept, *self._chunk[:taken]]
        if isinstance(self._kept, deque):
            frames = frames[-_LAST_EVENTS:]
        return [parser.reread(self._decoder.event(frame)) for frame in frames]

    def reread(self, sse_event: ServerSentEvent) -> E:
        """Creates the typed event for an event that has been parsed before.

        Args:
            sse_event: The event.
        """
        name, event_type = self._event_type(sse_event.event)
        data = self._event_data(sse_event, event_type)
        id_ = _id_bytes(sse_event)
        if name in self.spec.delta:
            return self.make_delta(event_type.cls, data, id_)
        return self.make(name, event_type.cls, data, id_)

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
            raise self._broken(StreamError, self._error_text(str(error))) from error
        self._kept.extend(self._chunk)
        self._before = self.received
        self.received += len(frames)
        self._chunk, self._frames = frames, iter(frames)
        if self.received - self._joined > _MAX_PIECES:
            self._joined = self.received
            self.join_pieces()

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
        known, checks_numbers, make_delta = self._known, self._checks_numbers, self.make_delta
        # The iterator is shared between calls, so the next call continues with the next event.
        for frame in self._frames:
            id_, raw_name, raw, _ = frame
            try:
                name, cls, decode, special, is_delta = known[raw_name]
                data = decode(raw)
            except _SLOW_PATH_ERRORS:
                sse_event = self._decoder.event(frame)
                name, event_type = self._event_type(sse_event.event)
                cls, data = event_type.cls, self._event_data(sse_event, event_type)
                id_, special, is_delta = _id_bytes(sse_event), True, name in self.spec.delta
            if checks_numbers and (problem := self.missing(name, data, id_)) is not None:
                self._handle_gap(problem)
            event = make_delta(cls, data, id_) if is_delta else self.make(name, cls, data, id_)
            if special:
                self._handle_special(name, data)
            yield event
            if special and self.ended:
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
            value = json_or_text(data)
            if event_type is not _UNKNOWN and isinstance(value, str) and value.startswith("{"):
                # A heartbeat or a last event that swallowed the event before it.
                raise self._event_error(f"event {sse_event.event} is not valid JSON")
            return value
        if not data:
            return "" if event_type.plain else from_wire(model, {})
        try:
            if event_type.plain and not isinstance(read_json(data), dict):
                return json_or_text(data)
            return codec.decode_event(data, model, self.operation, self.on_drift)
        except ValueError as error:
            if event_type.plain:
                return json_or_text(data)
            raise self._event_error(f"event {sse_event.event} is not valid JSON") from error

    def _handle_gap(self, problem: str) -> None:
        if self._on_gap == "raise":
            raise self._fail(self._event_error(problem))
        _logger.warning("%s", self._error_text(problem))

    def _handle_special(self, name: str, data: Any) -> None:
        """Handles an event that ends the stream or reports a failure."""
        if name in self.spec.failure:
            raise self._fail(self.failure(name, data))
        if name in self.spec.end:
            self.ended = True

    def finish(self) -> Iterator[E]:
        """Call at the end of the body: yields a last event that lacks its blank line.

        Raises:
            StreamInterrupted: Neither the last event of the stream nor its outcome has arrived.
        """
        try:
            unfinished = self._decoder.close()
        except EventTooLargeError as error:
            raise self._broken(StreamError, self._error_text(str(error))) from error
        if (
            unfinished is not None
            and unfinished.event in self.spec.end | self.spec.failure
            and _is_complete(unfinished, self.spec)
        ):
            self.push(b"\n\n")  # end of the last line, and the blank line
            yield from self.take()
        if not self.ended and not self.is_settled():
            raise self.interrupted("the stream ended before its last event")
        self.ended = True

    def _fail(self, error: CozeError) -> CozeError:
        self.ended, self._failure = True, error
        return error

    def _event_error(self, problem: str) -> StreamError:
        """The error for an event that cannot be yielded; the event is not counted."""
        self.received -= 1
        return self._broken(StreamError, self._error_text(problem))

    def interrupted(self, problem: str, *, closed: bool = False) -> StreamInterrupted:
        """The error for a stream that stopped too early.

        Args:
            problem: What happened.
            closed: Whether the stream was closed, so that it has not broken.
        """
        error = self._broken(StreamInterrupted, self._stopped_text(problem))
        if closed:
            self.broken_by = None
        return error

    def timed_out(self, problem: str) -> StreamTimeout:
        """The error for a stream that took too long.

        Args:
            problem: What happened.
        """
        return self._broken(StreamTimeout, self._stopped_text(problem))

    def _broken(self, cls: type[S], text: str) -> S:
        self.broken_by = error = cls(text, **self._error_fields())
        return error

    def _stopped_text(self, problem: str) -> str:
        """The text for a stream that stopped, while the chat or run may go on."""
        next_step = "; it may go on at the server, retrieve it by its ids"
        return self._error_text(problem) + (next_step if any(self.ids.values()) else "")

    def _error_text(self, problem: str) -> str:
        facts = [f"{self._taken_count()} events so far", *self.facts()]
        if self.request is not None:
            facts.append(f"at {self.request.base_url}")
        name = self.request.call if self.request else self.name
        return f"{name}: {problem} ({', '.join(facts)})"

    def facts(self) -> list[str]:
        """Ids and log id as texts, for errors."""
        facts = {**self.ids, "logid": self.logid}
        return [f"{name} {value}" for name, value in facts.items() if value]

    def _error_fields(self) -> dict[str, Any]:
        return {
            "events": self.events,
            "text": self.text,
            **self.ids,
            "logid": self.logid,
            "request": self.request,
        }


def json_or_text(data: bytes | str) -> Any:
    """Undocumented data: parsed if it is JSON, else as text."""
    try:
        return read_json(data)
    except ValueError:
        return data if isinstance(data, str) else data.decode("utf-8", "replace")


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
        read_json(sse_event.data)
    except ValueError:
        return False
    return True


def text_of(value: object) -> str:
    """A string as it is, None as ""; any other value that the service sends as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else write_json(to_wire(value)).decode()
