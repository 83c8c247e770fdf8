"""The core of typed event streams: bytes in, typed events out, and the knowledge when a stream is over. No I/O."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from coze_openapi import codec
from coze_openapi.errors import request_info

from .errors import CozeError, RequestInfo, StreamError, StreamInterrupted, StreamTimeout
from .sse import EventTooLargeError, ServerSentEvent, SSEDecoder

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
        self._items: list[ServerSentEvent] = []
        self.ended = False
        """Whether the last event has come."""
        self.logid: str | None = None
        self.request: RequestInfo | None = None
        self.on_drift: Any = None
        self._decoder = SSEDecoder()
        self._waiting: Iterator[ServerSentEvent] = iter(())
        self._decoders = {name: codec.event_decoder(model) for name, model in spec.events.items() if model is not None}
        # Most events neither end a stream nor report a failure, and most streams are not numbered: they are spared the questions.
        self._special = spec.end | spec.errors | self.failing
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
    def make(self, item: ServerSentEvent, data: Any) -> E:
        """The typed event; `data` is a model, or plain JSON or text where the description knows none."""

    @abstractmethod
    def failure(self, event: E, data: Any) -> CozeError | None:
        """The error that an event stands for; None when it is no failure."""

    def lost(self, item: ServerSentEvent, data: Any) -> str | None:
        """What is missing before an event, in words; None when nothing is, or when its kind does not tell."""
        return None

    @property
    def events(self) -> list[E]:
        """Every event so far, decoded anew: keeping the bytes costs a fraction of keeping the objects."""
        other = type(self)(self.spec)
        other.logid, other.request, other._operation = self.logid, self.request, self._operation
        return [other.make(item, other._data(item)) for item in self._items]

    def push(self, chunk: bytes) -> None:
        """Takes a piece of the body; `take` then hands out the events that it completes.

        Raises:
            StreamError: An event is larger than any event should be.
        """
        try:
            self._waiting = iter(self._decoder.feed(chunk))
        except EventTooLargeError as error:
            raise StreamError(self._text(str(error)), **self._facts()) from error

    def take(self) -> Iterator[E]:
        """The events that wait, up to the last one of the stream. What is not taken waits for the next call.

        Raises:
            APIError: An event reports a failure.
            StreamError: An event is no JSON, or events are missing before it.
        """
        if self._problem is not None:
            raise self._problem  # whoever iterates again must not take a failed stream for an empty one
        decoders, special, counts, make, keep = self._decoders, self._special, self._counts, self.make, self._items.append
        if self.ended:
            return
        # The iterator is kept between calls, so an event that is not taken now is the first of the next call.
        for item in self._waiting:
            name, raw = item[0], item[1]
            try:
                data = decoders[name](raw)
            except _UNFIT:
                data = self._data(item)
            if counts and (missing := self.lost(item, data)) is not None:
                raise self._fatal(StreamError(self._text(missing), **self._facts()))
            event = make(item, data)
            keep(item)
            if name in special:
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
            self._waiting = iter((cut,))
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
            raise StreamError(self._text(f"event {item.event} is no JSON ({error}): {text}"), **self._facts()) from error

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
        name = self.request.operation if self.request else "stream"
        base = f", at {self.request.base_url}" if self.request else ""
        return f"{name}: {problem} ({len(self._items)} events so far, logid {self.logid}{base})"

    def _facts(self) -> dict[str, Any]:
        return {"events": self.events, "logid": self.logid, "request": self.request}


def _is_complete(item: ServerSentEvent, spec: Stream) -> bool:
    """Whether the data of an event without its blank line came whole: JSON shows it; plain text holds nothing to lose."""
    if spec.events.get(item.event) is None:
        return True
    try:
        msgspec.json.decode(item.data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True
