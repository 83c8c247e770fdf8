"""Events that wait: to be sent, and to be taken by the program or its handlers. Nothing here waits
or locks; the drivers of a connection do.
"""

from __future__ import annotations

import inspect
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeAlias
from weakref import WeakSet

from ..errors import ArgumentError, WebSocketError
from ._handshake import SocketOptions
from ._protocol import SocketSpec, event_error

PENDING: Final[Any] = object()
"""No event is there yet."""
OVER: Final[Any] = object()
"""No event will come any more, and none was lost."""

# Failures of handlers that are kept until somebody asks; more would tell nothing new.
_MAX_FAILURES = 100

logger = logging.getLogger("cozekit")

Matcher: TypeAlias = Callable[[Any], bool]
Handler: TypeAlias = Callable[[Any], object]
Handlers: TypeAlias = list[tuple[Matcher, Handler]]
"""The functions that a program registered for events, in their order."""


def check_handler(handler: object, *, coroutines: bool) -> None:
    """Raises for what cannot be a handler.

    Raises:
        ArgumentError: It does not take one argument, or it is a coroutine function and the socket
            is sync.
    """
    if not callable(handler):
        raise ArgumentError(
            "a handler is a function of one argument, the event", argument="handler"
        )
    if not coroutines and inspect.iscoroutinefunction(handler):
        raise ArgumentError(
            "a coroutine function cannot be a handler of a sync socket; use AsyncCoze",
            argument="handler",
        )
    try:
        inspect.signature(handler).bind(None)
    except TypeError:
        raise ArgumentError(
            "a handler is called with one argument, the event", argument="handler"
        ) from None
    except ValueError:
        pass  # a builtin without a signature


class SendQueue:
    """Frames that wait to be sent."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._frames: deque[str] = deque()
        self._settings: str | None = None
        self._settings_are_due = False
        self._is_closed = False
        self.is_sending = False
        """Whether the frame that was taken last is under way."""
        self.sent = 0
        """How many frames were sent."""

    def __len__(self) -> int:
        """How many frames wait."""
        return len(self._frames) + self._settings_are_due

    def put(self, frame: str, *, is_settings: bool) -> bool:
        """Appends a frame; False when the queue is full. The last settings go first on another
        connection.
        """
        if len(self._frames) >= self._limit:
            return False
        self._frames.append(frame)
        if is_settings:
            self._settings = frame
        return True

    def take(self) -> str | None:
        """The next frame, under way until `confirm` or `put_back`; None when there is none."""
        frame = self._settings if self._settings_are_due else None
        self._settings_are_due = False
        if frame is None and self._frames:
            frame = self._frames.popleft()
        self.is_sending = frame is not None
        return frame

    def confirm(self) -> None:
        """The frame that was taken is sent."""
        self.is_sending = False
        self.sent += 1

    def put_back(self, frame: str) -> None:
        """The frame that was taken was not sent, since the connection is lost. A queue that was
        closed meanwhile does not take it: no other connection follows.
        """
        self.is_sending = False
        if not self._is_closed and frame is not self._settings:
            self._frames.appendleft(frame)

    def restart(self) -> None:
        """Another connection begins, and with it another session of the server."""
        self._settings_are_due = self._settings is not None

    def close(self, *, flush: bool) -> None:
        """Nothing is put any more; without `flush`, what waits is dropped."""
        self._is_closed = True
        if not flush:
            self._frames.clear()
            self._settings_are_due = False


class _Entry(NamedTuple):
    event: Any
    size: int
    serial: int
    """Number of an `error` event; 0 for every other."""


class EventQueue:
    """A bounded queue that can be searched.

    An `error` event is an entry like others, raised at its place. Everybody who waits when it
    arrives gets it raised as well.
    """

    def __init__(self, options: SocketOptions, spec: SocketSpec, handlers: Handlers) -> None:
        self._options = options
        self._socket = spec.socket
        self._handlers = handlers
        self._entries: deque[_Entry] = deque()
        self._bytes = 0
        self._last_error: tuple[int, WebSocketError] | None = None
        self.settled = False
        """Whether the server owes nothing: its last event was a closing one, and nothing was sent
        since.
        """
        self._failures: deque[Exception] = deque()
        self._end: WebSocketError | None = None
        self._end_is_normal = False
        self._dropped = False
        self.surfaced = 0
        """Number of the last `error` event that was raised."""
        self.waiting = 0
        """Calls of `wait_for` that are under way."""
        self.iterations: WeakSet[Any] = WeakSet()
        """Iterations that are under way; one that the program has left disappears by itself."""

    @property
    def has_room(self) -> bool:
        """Whether another event may be put: there is room, or dropping the oldest makes it."""
        full = (
            len(self._entries) >= self._options.max_events or self._bytes >= self._options.max_bytes
        )
        return not full or self._lossy

    @property
    def _lossy(self) -> bool:
        return not self.iterations and (self.waiting > 0 or bool(self._handlers))

    @property
    def stored(self) -> tuple[int, int]:
        """Events and bytes that are kept now."""
        return len(self._entries), self._bytes

    def put(self, event: Any, size: int) -> None:
        """An event arrived."""
        while self._lossy and self._entries and not self._fits(size):
            self._bytes -= self._entries.popleft().size
            if not self._dropped:
                self._dropped = True
                logger.debug(
                    "nobody iterates over the socket; its oldest events are dropped from now on"
                )
        serial = 0
        if event.event_type in self._socket.failure:
            serial = (self._last_error[0] if self._last_error else 0) + 1
            self._last_error = (serial, event_error(event))
        elif event.event_type in self._socket.terminal:
            self.settled = True
        self._entries.append(_Entry(event, size, serial))
        self._bytes += size

    def _fits(self, size: int) -> bool:
        return (
            len(self._entries) < self._options.max_events
            and self._bytes + size <= self._options.max_bytes
        )

    def fail(self, error: Exception) -> None:
        """A handler failed."""
        if len(self._failures) < _MAX_FAILURES:
            self._failures.append(error)
        else:
            logger.error("a handler failed, as many others did before it", exc_info=error)

    def failure(self) -> Exception | None:
        """The next failure of a handler that was not raised yet."""
        return self._failures.popleft() if self._failures else None

    def finish(self, end: WebSocketError, *, normal: bool) -> None:
        """Nothing more will come, because of `end`; `normal` when nothing was lost."""
        if self._end is None:
            self._end, self._end_is_normal = end, normal

    def begin_wait(self, owner: object) -> list[Any]:
        """A call of `wait_for` begins. Iterations of the same thread or task stand still meanwhile
        and do not count; gives them, for `end_wait`.
        """
        paused = [iteration for iteration in self.iterations if iteration.owner is owner]
        self.iterations.difference_update(paused)
        self.waiting += 1
        return paused

    def end_wait(self, paused: list[Any]) -> None:
        """A call of `wait_for` ended."""
        self.iterations.update(paused)
        self.waiting -= 1

    def next(self, since: int) -> Any:
        """The next event, `PENDING` or `OVER`; `since` is `surfaced` when the wait began."""
        if self._failures:
            raise self._failures.popleft()
        if self._entries:
            entry = self._remove(0)
            if entry.serial:
                raise self._surface(entry.serial, event_error(entry.event))
            return entry.event
        self._raise_new_error(since)
        if self._end is None:
            return PENDING
        if self._end_is_normal:
            return OVER
        raise self._end.with_traceback(None)

    def take(self, match: Matcher, since: int) -> Any:
        """The first event that matches, or `PENDING`; the events before it stay."""
        if self._failures:
            raise self._failures.popleft()
        for place, entry in enumerate(self._entries):
            if match(entry.event):
                return self._remove(place).event
            if entry.serial > since:
                # An iteration that is under way meets it at its place; nobody else has to see it
                # twice.
                if not self.iterations:
                    self._remove(place)
                raise self._surface(entry.serial, event_error(entry.event))
        self._raise_new_error(since)
        if self._end is None:
            return PENDING
        raise self._end.with_traceback(None)

    def _remove(self, place: int) -> _Entry:
        entry = self._entries[place]
        del self._entries[place]
        self._bytes -= entry.size
        return entry

    def _raise_new_error(self, since: int) -> None:
        """Raises an error that came during the wait and was taken by somebody else."""
        if self._last_error is not None and self._last_error[0] > since:
            serial, error = self._last_error
            raise self._surface(serial, error.with_traceback(None))

    def _surface(self, serial: int, error: WebSocketError) -> WebSocketError:
        self.surfaced = max(self.surfaced, serial)
        return error
