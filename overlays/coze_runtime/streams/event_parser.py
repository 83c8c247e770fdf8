"""The core of typed event streams: bytes in, typed events out, and the knowledge when a stream is
over. No I/O.
"""

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
_UNFIT = (KeyError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_UNKNOWN = EventType(UnknownEvent)
_MAX_DIGITS = 18
"""Of the number of an event; text of any length may come in its place."""


class EventParser(ABC, Generic[E]):
    """Bytes → typed events. Subclasses say how the events add up and what counts as a failure."""

    numbered = False
    """Whether events carry numbers that show when one is missing; then `missing` is asked."""

    def __init__(self, spec: StreamSpec) -> None:
        self.spec = spec
        # The body as it came, for those who ask for past events: far cheaper to keep than these.
        self._chunks: list[bytes] = []
        self._waiting: Iterator[Frame] = iter(())
        self.received = 0
        """How many events the bytes so far complete."""
        self.ended = False
        """Whether the last event has come."""
        self.logid: str | None = None
        self.request: RequestInfo | None = None
        self.name = "stream"
        """What errors call it as long as there is no request."""
        self.on_drift: Any = None
        self._decoder = SSEDecoder()
        # Most events neither end a stream nor report a failure: they are spared the question.
        self._special = spec.end | spec.failure
        # By the bytes of the name: its text, its class, the fast reading of what it carries, and
        # whether it is one of the special ones.
        self._known = {
            name.encode(): (
                name,
                kind.cls,
                codec.event_decoder(kind.model),
                name in self._special,
            )
            for name, kind in spec.events.items()
            if kind.model is not None
        }
        self._problem: CozeError | None = None
        self.operation: Any = None

    def attach(self, opened: OpenResponse) -> None:
        """Tells the parser which call the bytes belong to."""
        prepared = opened.prepared
        self.logid = opened.logid
        self.request = prepared.info
        self.on_drift = prepared.on_drift
        self.operation = prepared.operation

    @abstractmethod
    def make(self, name: str, cls: type[Any], data: Any, id_: bytes) -> E:
        """The typed event, which is counted to what the stream adds up to.

        Args:
            name: Name of the event.
            cls: Its class; `UnknownEvent` where the description knows none.
            data: What it carries: a model, or plain JSON or text.
            id_: Its number; empty without one.
        """

    @abstractmethod
    def result(self, cls: type[Any]) -> Any:
        """What the events so far add up to.

        Args:
            cls: The class of the result.

        Raises:
            StreamInterrupted: The stream has ended, and its events do not say how.
        """

    @abstractmethod
    def failure(self, name: str, data: Any) -> APIError:
        """The error that a failed event stands for."""

    def missing(self, name: str, data: Any, id_: bytes) -> str | None:
        """What is missing before an event, in words; None when nothing is."""
        return None

    @property
    def events(self) -> list[E]:
        """Every event so far, read again from the body."""
        return type(self)(self.spec).reread(self._chunks, self._count(), self)

    def reread(self, chunks: list[bytes], count: int, source: EventParser[E]) -> list[E]:
        """The first events of a body that another parser has read."""
        self.logid, self.request, self.operation = source.logid, source.request, source.operation
        items = [item for chunk in chunks for item in self._decoder.feed(chunk)]
        return [self._event(item) for item in items[:count]]

    def _event(self, item: ServerSentEvent) -> E:
        name, kind = self._kind_of(item.event)
        return self.make(name, kind.cls, self._data(item, kind), _id(item))

    def _count(self) -> int:
        """How many events have been handed out."""
        return self.received - length_hint(self._waiting)

    def push(self, chunk: bytes) -> None:
        """Takes a piece of the body; `take` then hands out the events that it completes, and must
        have handed out those before.

        What comes after the last event of the stream is left alone.

        Raises:
            StreamError: An event is larger than any event should be.
        """
        if self.ended:
            return
        try:
            frames = self._decoder.frames(chunk)
        except EventTooLargeError as error:
            raise StreamError(self._text(str(error)), **self._facts()) from error
        self._chunks.append(chunk)
        self.received += len(frames)
        self._waiting = iter(frames)

    def take(self) -> Iterator[E]:
        """The events that wait, up to the last one of the stream. What is not taken waits for the
        next call.

        Raises:
            APIError: An event reports a failure.
            StreamError: An event is no JSON, or events are missing before it.
        """
        if self._problem is not None:
            raise self._problem  # who iterates again must not take it for an empty stream
        if self.ended:
            return
        known, numbered, make = self._known, self.numbered, self.make
        # The iterator is kept between calls, so an event that is not taken now is the first of the
        # next call.
        for frame in self._waiting:
            id_, raw_name, raw, _ = frame
            try:
                name, cls, decode, special = known[raw_name]
                data = decode(raw)
            except _UNFIT:
                item = self._decoder.event(frame)
                name, kind = self._kind_of(item.event)
                cls, data, id_ = kind.cls, self._data(item, kind), _id(item)
                special = name in self._special
            if numbered and (lost := self.missing(name, data, id_)) is not None:
                raise self._fatal(self._refused(lost))
            event = make(name, cls, data, id_)
            if special:
                self._judge(name, data)
            yield event
            if self.ended:
                return

    def _kind_of(self, name: str) -> tuple[str, EventType]:
        """The name as the description writes it, and what it says of it."""
        if name.upper() in self.spec.heartbeat:
            name = name.upper()
        return name, self.spec.events.get(name, _UNKNOWN)

    def _data(self, item: ServerSentEvent, kind: EventType) -> Any:
        """What an event carries; takes what the fast reading does not: unknown events, plain text,
        other shapes than described.
        """
        if kind.model is None:
            return _plain(item.data)
        if not item.data:
            return "" if kind.plain else from_wire(kind.model, {})
        try:
            if kind.plain and not isinstance(msgspec.json.decode(item.data), dict):
                return _plain(item.data)
            return codec.decode_event(item.data, kind.model, self.operation, self.on_drift)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            if kind.plain:
                return _plain(item.data)
            text = item.data[:80].decode("utf-8", "replace")
            raise self._refused(
                f"event {item.event} is not valid JSON ({error}): {text}"
            ) from error

    def _judge(self, name: str, data: Any) -> None:
        """Looks at an event that may end the stream or report a failure."""
        if name in self.spec.failure:
            raise self._fatal(self.failure(name, data))
        if name in self.spec.end:
            self.ended = True

    def finish(self) -> Iterator[E]:
        """The body is over: a last event may lack its blank line.

        Raises:
            StreamInterrupted: The last event of the stream had not come.
        """
        try:
            cut = self._decoder.close()
        except EventTooLargeError as error:
            raise StreamError(self._text(str(error)), **self._facts()) from error
        if cut is not None and cut.event in self._special and _is_complete(cut, self.spec):
            self.push(b"\n\n")  # the line end that it may lack, and its blank line
            yield from self.take()
        if not self.ended:
            raise self.interrupted("the stream ended before its last event")

    def _fatal(self, problem: CozeError) -> CozeError:
        self.ended, self._problem = True, problem
        return problem

    def _refused(self, problem: str) -> StreamError:
        """The error for an event that cannot be handed out."""
        self.received -= 1
        return StreamError(self._text(problem), **self._facts())

    def interrupted(self, problem: str) -> StreamInterrupted:
        """The error for a stream that stopped too early."""
        return StreamInterrupted(self._text(problem), **self._facts())

    def timed_out(self, problem: str) -> StreamTimeout:
        """The error for a stream that took too long."""
        return StreamTimeout(self._text(problem), **self._facts())

    def _text(self, problem: str) -> str:
        name = self.request.operation if self.request else self.name
        base = f", at {self.request.base_url}" if self.request else ""
        return f"{name}: {problem} ({self._count()} events so far, logid {self.logid}{base})"

    def _facts(self) -> dict[str, Any]:
        return {"events": self.events, "logid": self.logid, "request": self.request}


def _plain(data: bytes) -> Any:
    """Data that the description does not know: JSON when it is JSON, else the text."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return data.decode("utf-8", "replace")


def event_number(id_: bytes) -> int | None:
    """The number of an event; None where its id is none."""
    return int(id_) if id_.isdigit() and len(id_) <= _MAX_DIGITS else None


def _id(item: ServerSentEvent) -> bytes:
    return (item.id or "").encode()


def _is_complete(item: ServerSentEvent, spec: StreamSpec) -> bool:
    """Whether the data of an event without its blank line came whole: JSON shows it; plain text
    holds nothing to lose.
    """
    kind = spec.events.get(item.event, _UNKNOWN)
    if kind.model is None or kind.plain:
        return True
    try:
        msgspec.json.decode(item.data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def text_of(value: object) -> str:
    """A text as it is, and nothing as the empty one; what the service sends in place of a text, as
    JSON.
    """
    if isinstance(value, str):
        return value
    return "" if value is None else msgspec.json.encode(to_wire(value)).decode()
