"""Decodes server-sent events: bytes in, events out. Does no I/O, so it serves sync, async and
recorded streams.

The decoder follows the WHATWG standard
(https://html.spec.whatwg.org/multipage/server-sent-events.html, section 9.2.6), on bytes: only CR,
LF and CRLF end a line; U+2028, U+2029 and U+0085, which are legal inside JSON, do not.
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

# Whole events with LF line ends: the form that Coze sends (id, event, data), or else any lines up
# to a blank line. One of the alternatives always matches where the last match ended, so no byte is
# skipped. The first byte of id and event must be neither space nor LF, so that `event: ` (an empty
# name) and `event:  x` (a name with a space) take the second alternative. The possessive
# quantifiers (`+`) never backtrack: a long event costs one pass.
_EVENTS = re.compile(
    rb"(?:id: ?([^ \n\0][^\n\0]*+)\n)?event: ?([^ \n].*+)\ndata: ?+(.*+)\n\n|((?:.++\n)*+\n)"
)
_other_lines = itemgetter(3)


class ServerSentEvent(NamedTuple):
    """One event of a stream.

    Attributes:
        event: Name of the event; `message` if it has none.
        data: The data lines, joined by LF; `b""` if there are none.
        id: Value of the `id` line of this event, `None` without one. In the standard an event
            inherits the last id, which is `SSEDecoder.last_event_id`; but Coze numbers its events,
            so a missing id must be visible.
        retry: Value of the `retry` line of this event in milliseconds, `None` without one.
    """

    event: str
    data: bytes
    id: str | None = None
    retry: int | None = None


Frame: TypeAlias = tuple[bytes, bytes, bytes, ServerSentEvent | bytes]
"""One event as bytes: the values of its lines `id`, `event` and `data`; or three empty values and
an event that was parsed line by line. Cheaper than a `ServerSentEvent`.
"""


class EventTooLargeError(ValueError):
    """An event, or a single line, is larger than `max_event_bytes`.

    Attributes:
        limit: The limit in bytes.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit

    def __str__(self) -> str:
        return f"an event of the stream is larger than {self.limit} bytes"


class SSEDecoder:
    """Decodes an event stream, cut into chunks of any size, in linear time.

    One deviation from the standard, which drops events without a data line: events with a name are
    delivered. Coze documents the heartbeat `PING` of workflow streams as an event with empty data;
    it distinguishes a slow run from a dead connection.

    Args:
        max_event_bytes: Most bytes of one event (its lines without line ends and comments) or of
            one line. The decoder buffers no more than that, plus the current chunk.

    Attributes:
        last_event_id: The last event id of the standard: the last `id` of a complete event, `""`
            before the first one.
        retry: The last `retry` value in milliseconds, even of an event that was not delivered;
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
        "_fast",
        "_held",
        "_id",
        "_names",
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
        # Fast mode: only LF ends lines. The buffer has the bytes since the last complete event, and
        # a regular expression extracts whole events. The first CR, or an event near the limit,
        # switches to line mode for good; the buffer then has the unfinished line.
        self._fast = True
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
        """Adds a chunk and returns the events that it completes.

        Args:
            chunk: The next bytes.

        Raises:
            EventTooLargeError: An event is over the limit. Events before it in the same chunk are
                returned first, and the next call raises. The decoder cannot be used any more.
        """
        return [self.event(frame) for frame in self.frames(chunk)]

    def event(self, frame: Frame) -> ServerSentEvent:
        """Converts a frame.

        Args:
            frame: A frame, from `frames`.
        """
        id_, name, data, parsed = frame
        if isinstance(parsed, ServerSentEvent):
            return parsed
        return ServerSentEvent(self._name(name), data, _text(id_) if id_ else None)

    def frames(self, chunk: bytes) -> list[Frame]:
        """As `feed`, but returns frames.

        Args:
            chunk: The next bytes.

        Raises:
            EventTooLargeError: As `feed`.
        """
        if self._at_start and not (chunk := self._without_bom(chunk)):
            return []
        if not self._fast:
            return _frames(self._feed_lines(chunk))
        buffer = self._buffer
        if b"\r" in chunk or len(buffer) + len(chunk) > self.max_event_bytes:
            self._fast = False
            chunk = bytes(buffer) + chunk
            buffer.clear()
            return _frames(self._feed_lines(chunk))
        if not buffer and chunk.endswith(b"\n\n"):
            return self._parse_block(chunk, len(chunk))
        searched = len(buffer)
        buffer += chunk
        end = buffer.rfind(b"\n\n", max(searched - 1, 0)) + 2
        if end < 2:
            return []
        frames = self._parse_block(buffer, end)
        del buffer[:end]
        return frames

    @property
    def pending(self) -> bool:
        """Whether there is an unfinished event or line. At the end of a stream it means that the
        stream is incomplete.

        A comment is not part of an event, so an unfinished comment does not count.
        """
        if self._held:
            return True
        return any(line and not line.startswith(b":") for line in self._buffer.split(b"\n"))

    def close(self) -> ServerSentEvent | None:
        """Call at the end of the stream. Returns the unfinished event, `None` if there is none.

        The standard discards such an event, because its data may be incomplete. It is for error
        reports and is not delivered. `pending` does not change.

        Raises:
            EventTooLargeError: The event is over the limit.
        """
        if self._failed:
            raise EventTooLargeError(self.max_event_bytes)
        if not self.pending:
            return None
        self._parse_lines(bytes(self._buffer).splitlines())
        self._buffer.clear()
        return self._current_event()

    def _current_event(self) -> ServerSentEvent:
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
        """The whole events up to `end`, in fast mode."""
        frames: list[Frame] = _EVENTS.findall(block, 0, end)
        if any(map(_other_lines, frames)):
            return [parsed for frame in frames for parsed in self._parse_frame(frame)]
        for frame in reversed(frames):
            if frame[0]:
                self._set_last_id(frame[0])
                break
        return frames

    def _parse_frame(self, frame: Frame) -> list[Frame]:
        """The frame itself if it has the form that Coze sends; else its lines are parsed, to no
        frame if they are comments.
        """
        if isinstance(frame[3], bytes) and frame[3]:
            return _frames(self._parse_lines(frame[3].splitlines()))
        self._set_last_id(frame[0])
        return [frame]

    def _set_last_id(self, id_: bytes) -> None:
        if id_:
            self.last_event_id = _text(id_)

    def _feed_lines(self, chunk: bytes) -> list[ServerSentEvent]:
        """Line mode: any line ends, chunks cut anywhere."""
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
        """Completes an event at its blank line. Without data and name it only sets the last id."""
        if self._id is not None:
            self.last_event_id = self._id
        if self._data or self._event:
            events.append(self._current_event())
        self._reset()

    def _name(self, raw: bytes) -> str:
        """The name as text. Names repeat, so each is decoded once; the cache is bounded, so that a
        hostile stream cannot grow it.
        """
        name = self._names.get(raw)
        if name is None:
            name = _text(raw) or _DEFAULT_EVENT
            if len(self._names) < _MAX_NAMES:
                self._names[raw] = name
        return name


def _frames(events: list[ServerSentEvent]) -> list[Frame]:
    return [(b"", b"", b"", event) for event in events]


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
