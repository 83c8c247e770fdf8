"""Event streams: bytes in, events out. No I/O, so the same code serves sync, async and recorded
streams.

The decoder follows the WHATWG standard
(https://html.spec.whatwg.org/multipage/server-sent-events.html, section 9.2.6), on bytes: lines end
at CR, LF or CRLF and nowhere else. U+2028, U+2029 and U+0085, legal inside JSON, do not end a line.
"""

from __future__ import annotations

import re
from operator import itemgetter
from typing import NamedTuple, TypeAlias

__all__ = ["EventTooLargeError", "Frame", "SSEDecoder", "ServerSentEvent"]

_BOM = b"\xef\xbb\xbf"
_DEFAULT_EVENT = "message"
_MAX_NAMES = 256
_MAX_RETRY_DIGITS = 15

# Whole events with LF line ends: the shape that Coze sends (id, event, data), or anything else up
# to the blank line. One alternative always matches where the last match ended, so no byte is
# skipped; a first byte of id and event that is neither space nor line end keeps `event: ` (an empty
# name) and `event:  x` (a name with a space) out of the first one. The quantifiers with `+` never
# go back: a long event costs one pass.
_EVENTS = re.compile(
    rb"(?:id: ?([^ \n\0][^\n\0]*+)\n)?event: ?([^ \n].*+)\ndata: ?+(.*+)\n\n|((?:.++\n)*+\n)"
)
_other = itemgetter(3)


class ServerSentEvent(NamedTuple):
    """One event of a stream.

    Attributes:
        event: Name of the event; `message` when the stream names none.
        data: The data lines, joined by LF, exactly the bytes that came. `b""` when there is none.
        id: Value of the event's own `id` line, `None` without one. (The standard hands the last id
            on to the events that follow; that one is `SSEDecoder.last_event_id`. Coze numbers its
            events, so a missing id must stay visible.)
        retry: Value of the event's own `retry` line in milliseconds, `None` without one.
    """

    event: str
    data: bytes
    id: str | None = None
    retry: int | None = None


Frame: TypeAlias = tuple[bytes, bytes, bytes, ServerSentEvent | bytes]
"""One event as it stands in the stream: the values of its lines `id` and `event` and its data; or
an event that was read line by line, at the end, behind three empty values. A program that reads
many events looks at these and is spared an object for each.
"""


class EventTooLargeError(ValueError):
    """An event, or a single line, has more bytes than the decoder may hold.

    Attributes:
        limit: The limit in bytes.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit

    def __str__(self) -> str:
        return f"an event of the stream is larger than {self.limit} bytes"


class SSEDecoder:
    """Turns the bytes of an event stream into events, however the bytes are cut into chunks, in
    linear time.

    One deviation from the standard, which drops every event without a data line: an event that has
    a name is delivered without data too. Coze documents the heartbeat `PING` of workflow streams as
    an event with empty content, and its arrival is what tells a slow run from a dead connection.

    Args:
        max_event_bytes: Most bytes that one event (its lines without line ends; comments do not
            count) or one line may have. The decoder holds no more than that, plus the chunk at
            hand.

    Attributes:
        last_event_id: The standard's last event id: the last `id` of a finished event, `""` before
            the first one.
        retry: The last `retry` value in milliseconds, also of an event that was not delivered;
            `None` before the first one.

    Source: pages chat_v3 and workflow_stream_run.
    """

    __slots__ = (
        "_after_cr",
        "_at_start",
        "_buffer",
        "_data",
        "_event",
        "_failed",
        "_held",
        "_id",
        "_names",
        "_plain",
        "_retry",
        "last_event_id",
        "max_event_bytes",
        "retry",
    )

    def __init__(self, *, max_event_bytes: int = 64 * 1024 * 1024) -> None:
        self.max_event_bytes = max_event_bytes
        self.last_event_id = ""
        self.retry: int | None = None
        self._names: dict[bytes, str] = {}
        self._at_start = True
        self._failed = False
        # While only LF ends lines (`_plain`), the buffer holds the bytes since the last finished
        # event, and whole events are taken out by one regular expression. The first CR, or an event
        # near the limit, turns to reading line by line for good; the buffer then holds the
        # unfinished line.
        self._plain = True
        self._buffer = bytearray()
        self._after_cr = False
        self._reset()

    def _reset(self) -> None:
        self._held = 0
        self._event = b""
        self._data: list[bytes] = []
        self._id: str | None = None
        self._retry: int | None = None

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """Takes the next bytes and returns the events they complete, in order.

        Raises:
            EventTooLargeError: The event that has begun is over the limit. Events before it in the
                same chunk are returned first; the next call raises. Nothing can be read after that.
        """
        return [self.event(frame) for frame in self.frames(chunk)]

    def event(self, frame: Frame) -> ServerSentEvent:
        """The event that a frame stands for."""
        id_, name, data, read = frame
        if isinstance(read, ServerSentEvent):
            return read
        return ServerSentEvent(self._name(name), data, _text(id_) if id_ else None)

    def frames(self, chunk: bytes) -> list[Frame]:
        """As `feed`, in the cheapest form."""
        if self._at_start and not (chunk := self._without_bom(chunk)):
            return []
        if not self._plain:
            return _frames(self._feed_lines(chunk))
        buffer = self._buffer
        if b"\r" in chunk or len(buffer) + len(chunk) > self.max_event_bytes:
            self._plain = False
            chunk = bytes(buffer) + chunk
            buffer.clear()
            return _frames(self._feed_lines(chunk))
        if not buffer and chunk.endswith(b"\n\n"):
            return self._parse_block(chunk, len(chunk))
        seen = len(buffer)
        buffer += chunk
        end = buffer.rfind(b"\n\n", max(seen - 1, 0)) + 2
        if end < 2:
            return []
        frames = self._parse_block(buffer, end)
        del buffer[:end]
        return frames

    @property
    def pending(self) -> bool:
        """Whether an event or a line has begun and not ended. True at the end of a stream means
        that it was cut there.

        A comment is not part of an event, so one without its blank line is no cut.
        """
        if self._held:
            return True
        return any(line and not line.startswith(b":") for line in self._buffer.split(b"\n"))

    def close(self) -> ServerSentEvent | None:
        """What had arrived of an event that the end of the stream cut off; `None` when nothing was
        cut.

        The standard discards such an event, because nobody can know whether its data is complete.
        It is returned for reports, never to be handed on as an event. `pending` stays as it is.

        Raises:
            EventTooLargeError: The event is over the limit.
        """
        if self._failed:
            raise EventTooLargeError(self.max_event_bytes)
        if not self.pending:
            return None
        self._parse_lines(bytes(self._buffer).splitlines())
        self._buffer.clear()
        return ServerSentEvent(
            self._name(self._event), b"\n".join(self._data), self._id, self._retry
        )

    def _without_bom(self, chunk: bytes) -> bytes:
        chunk = bytes(self._buffer) + chunk
        self._buffer.clear()
        if len(chunk) < len(_BOM) and _BOM.startswith(chunk):
            self._buffer += chunk
            return b""
        self._at_start = False
        return chunk.removeprefix(_BOM)

    def _parse_block(self, block: bytes | bytearray, end: int) -> list[Frame]:
        """Whole events, up to `end`, each with its blank line, LF only."""
        frames: list[Frame] = _EVENTS.findall(block, 0, end)
        if any(map(_other, frames)):
            return [found for frame in frames for found in self._read(frame)]
        for frame in reversed(frames):
            if frame[0]:
                self._note(frame[0])
                break
        return frames

    def _read(self, frame: Frame) -> list[Frame]:
        """The frame as it is when it has the usual form; otherwise its lines are read: a comment
        leaves nothing.
        """
        if isinstance(frame[3], bytes) and frame[3]:
            return _frames(self._parse_lines(frame[3].splitlines()))
        self._note(frame[0])
        return [frame]

    def _note(self, id_: bytes) -> None:
        if id_:
            self.last_event_id = _text(id_)

    def _feed_lines(self, chunk: bytes) -> list[ServerSentEvent]:
        """The general way: any line ends, cut anywhere."""
        if self._failed:
            raise EventTooLargeError(self.max_event_bytes)
        if self._after_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        if not chunk:
            return []
        lines = chunk.splitlines()
        rest = b"" if chunk.endswith((b"\n", b"\r")) else lines.pop()
        self._after_cr = chunk.endswith(b"\r")
        if lines and self._buffer:
            lines[0] = bytes(self._buffer) + lines[0]
            self._buffer.clear()
        events = self._parse_lines(lines)
        self._buffer += rest
        if self._held + len(self._buffer) > self.max_event_bytes:
            self._failed = True
        if self._failed:
            self._buffer.clear()
            if not events:
                raise EventTooLargeError(self.max_event_bytes)
        return events

    def _parse_lines(self, lines: list[bytes]) -> list[ServerSentEvent]:
        events: list[ServerSentEvent] = []
        for line in lines:
            if not line:
                if self._held:
                    self._dispatch(events)
                continue
            if self._held + len(line) > self.max_event_bytes:
                self._failed = True
                break
            if not line.startswith(b":"):
                self._held += len(line)
                self._field(line)
        return events

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._event = value
        elif name == b"id":
            if b"\0" not in value:
                self._id = _text(value)
        elif name == b"retry" and value.isdigit() and len(value) <= _MAX_RETRY_DIGITS:
            self._retry = self.retry = int(value)

    def _dispatch(self, events: list[ServerSentEvent]) -> None:
        """A blank line: the event is finished. Without data and name it only leaves its id
        behind.
        """
        if self._id is not None:
            self.last_event_id = self._id
        if self._data or self._event:
            events.append(
                ServerSentEvent(
                    self._name(self._event), b"\n".join(self._data), self._id, self._retry
                )
            )
        self._reset()

    def _name(self, raw: bytes) -> str:
        """The name as text. A stream repeats few names, so each is decoded once; a hostile stream
        cannot grow the table.
        """
        found = self._names.get(raw)
        if found is None:
            found = _text(raw) or _DEFAULT_EVENT
            if len(self._names) < _MAX_NAMES:
                self._names[raw] = found
        return found


def _frames(events: list[ServerSentEvent]) -> list[Frame]:
    return [(b"", b"", b"", event) for event in events]


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
