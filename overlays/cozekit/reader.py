"""The core of typed event streams: bytes in, typed events out, and the knowledge when a stream is over. No I/O."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from operator import length_hint
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from coze_openapi import codec
from coze_openapi.errors import request_info

from .errors import CozeError, RequestInfo, StreamError, StreamInterrupted, StreamTimeout
from .sse import EventTooLargeError, Frame, ServerSentEvent, SSEDecoder

if TYPE_CHECKING:
    from coze_openapi._http import Opened
    from coze_openapi.types import Model, Stream

E = TypeVar("E")
_UNFIT = (KeyError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class EventReader(ABC, Generic[E]):
    """Bytes → typed events. Subclasses name the kind of event and what counts as a failure."""

    failing: frozenset[str] = frozenset()
    """Names of events that may report a failure, besides the errors of the description."""

    def __init__(self, spec: Stream) -> None:
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
        # Most events neither end a stream nor report a failure, and most streams are not numbered: they are spared the questions.
        self._special = spec.end | spec.errors | self.failing
        # By the bytes of the name: its text, the fast reading of what it carries, and whether it is one of the special ones.
        self._known = {
            name.encode(): (name, codec.event_decoder(model), name in self._special)
            for name, model in spec.events.items()
            if model is not None
        }
        self._counts = type(self).lost is not EventReader.lost
        self._problem: CozeError | None = None
        self._operation: Any = None

    def attach(self, opened: Opened) -> None:
        """Tells the reader which call the bytes belong to."""
        wire = opened.wire
        self.logid = opened.answer.headers.get("x-tt-logid")
        self.request = request_info(wire.operation, wire.url, wire.base_url)
        self.on_drift = wire.on_drift
        self._operation = wire.operation

    @abstractmethod
    def make(self, name: str, data: Any, id_: bytes) -> E:
        """The typed event; `data` is a model, or plain JSON or text where the description knows none; `id_` is empty without one."""

    @abstractmethod
    def failure(self, event: E, data: Any) -> CozeError | None:
        """The error that an event stands for; None when it is no failure."""

    def lost(self, data: Any, id_: bytes) -> str | None:
        """What is missing before an event, in words; None when nothing is, or when its kind does not tell."""
        return None

    @property
    def events(self) -> list[E]:
        """Every event so far, read anew from the body."""
        other = type(self)(self.spec)
        other.logid, other.request, other._operation = self.logid, self.request, self._operation
        items = [item for chunk in self._chunks for item in other._decoder.feed(chunk)]
        return [other.make(item.event, other._data(item), _id(item)) for item in items[: self._count()]]

    def _count(self) -> int:
        """How many events have been handed out."""
        return self.received - length_hint(self._waiting)

    def push(self, chunk: bytes) -> None:
        """Takes a piece of the body; `take` then hands out the events that it completes, and must have handed out those before.

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
        """The events that wait, up to the last one of the stream. What is not taken waits for the next call.

        Raises:
            APIError: An event reports a failure.
            StreamError: An event is no JSON, or events are missing before it.
        """
        if self._problem is not None:
            raise self._problem  # whoever iterates again must not take a failed stream for an empty one
        if self.ended:
            return
        known, counts, make = self._known, self._counts, self.make
        # The iterator is kept between calls, so an event that is not taken now is the first of the next call.
        for frame in self._waiting:
            id_, raw_name, raw, _ = frame
            try:
                name, decode, special = known[raw_name]
                data = decode(raw)
            except _UNFIT:
                item = self._decoder.event(frame)
                name, data, id_ = item.event, self._data(item), _id(item)
                special = name in self._special
            if counts and (missing := self.lost(data, id_)) is not None:
                raise self._fatal(self._refused(missing))
            event = make(name, data, id_)
            if special:
                self._judge(event, data, name)
            yield event
            if self.ended:
                return

    def _data(self, item: ServerSentEvent) -> Any:
        """What an event carries; takes what the fast reading does not: unknown events, plain text, other shapes than described."""
        model = self.spec.events.get(item.event)
        return self._decode(item, model) if model is not None and item.data else self._plain(item)

    def _judge(self, event: E, data: Any, name: str) -> None:
        """Looks at an event that may end the stream or report a failure."""
        problem = self.failure(event, data)
        if problem is not None:
            raise self._fatal(problem)
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
        if cut is not None and cut.event in self.spec.end | self.spec.errors and _is_complete(cut, self.spec):
            self.push(b"\n\n")  # the line end that it may lack, and its blank line
            yield from self.take()
        if not self.ended:
            raise self.interrupted("the stream ended before its last event")

    def _fatal(self, problem: CozeError) -> CozeError:
        self.ended, self._problem = True, problem
        return problem

    def _decode(self, item: ServerSentEvent, model: type[Model]) -> Model:
        try:
            return codec.decode_event(item.data, model, self._operation, self.on_drift)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            text = item.data[:80].decode("utf-8", "replace")
            raise self._refused(f"event {item.event} is no JSON ({error}): {text}") from error

    def _refused(self, problem: str) -> StreamError:
        """The error for an event that cannot be handed out."""
        self.received -= 1
        return StreamError(self._text(problem), **self._facts())

    @staticmethod
    def _plain(item: ServerSentEvent) -> Any:
        """Data of an event that the description does not know: JSON when it is JSON, else the text."""
        try:
            return msgspec.json.decode(item.data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return item.data.decode("utf-8", "replace")

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


def _id(item: ServerSentEvent) -> bytes:
    return (item.id or "").encode()


def _is_complete(item: ServerSentEvent, spec: Stream) -> bool:
    """Whether the data of an event without its blank line came whole: JSON shows it; plain text holds nothing to lose."""
    if spec.events.get(item.event) is None:
        return True
    try:
        msgspec.json.decode(item.data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def text_of(value: object) -> str:
    """A text as it is, and nothing as the empty one; what the service sends in place of a text, as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else msgspec.json.encode(codec.to_wire(value)).decode()
