"""Queues of outgoing and received events. They neither wait nor lock; the drivers do."""

from __future__ import annotations

import inspect
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeAlias
from weakref import WeakSet

from coze_runtime.operation import Socket
from coze_runtime.steps import reject_async

from ..errors import ArgumentError, WebSocketError
from ._handshake import SocketOptions
from ._protocol import event_error

PENDING: Final[Any] = object()
"""No event has arrived yet."""
OVER: Final[Any] = object()
"""No more events will arrive, and none was lost."""

# Errors of handlers that are stored until they are raised; further ones are only logged.
_MAX_FAILURES = 100

logger = logging.getLogger("cozekit")

Matcher: TypeAlias = Callable[[Any], bool]
Handler: TypeAlias = Callable[[Any], object]
Handlers: TypeAlias = list[tuple[Matcher, Handler]]
"""The registered handlers, in order of registration."""


def check_handler(handler: object, *, coroutines: bool) -> None:
    """Checks a handler.

    Raises:
        ArgumentError: It is not a function of one argument, or it is a coroutine function and the
            socket is sync.
    """
    if not callable(handler):
        raise ArgumentError(
            "a handler must be a function of one argument, the event", argument="handler"
        )
    if not coroutines:
        reject_async(handler, "handler", "handler")
    try:
        inspect.signature(handler).bind(None)
    except TypeError:
        raise ArgumentError(
            "a handler is called with one argument, the event", argument="handler"
        ) from None
    except ValueError:
        pass  # a builtin without a signature


class SendQueue:
    """Frames to be sent."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._frames: deque[str] = deque()
        self._settings: str | None = None
        self._must_resend_settings = False
        self._is_closed = False
        self.is_sending = False
        """Whether a frame was taken and is neither confirmed nor put back."""
        self.sent = 0
        """Number of frames sent."""

    def __len__(self) -> int:
        """Number of queued frames."""
        return len(self._frames) + self._must_resend_settings

    def put(self, frame: str, *, is_settings: bool) -> bool:
        """Appends a frame; returns False if the queue is full. The latest settings are sent first
        after a reconnection.
        """
        if len(self._frames) >= self._limit:
            return False
        self._frames.append(frame)
        if is_settings:
            self._settings = frame
        return True

    def take(self) -> str | None:
        """Removes and returns the next frame, or None. Call `confirm` or `put_back` after it."""
        frame = self._settings if self._must_resend_settings else None
        self._must_resend_settings = False
        if frame is None and self._frames:
            frame = self._frames.popleft()
        self.is_sending = frame is not None
        return frame

    def confirm(self) -> None:
        """Records that the taken frame was sent."""
        self.is_sending = False
        self.sent += 1

    def put_back(self, frame: str) -> None:
        """Returns the taken frame to the queue after the connection was lost. A closed queue drops
        it, since no other connection follows.
        """
        self.is_sending = False
        if not self._is_closed and frame is not self._settings:
            self._frames.appendleft(frame)

    def restart(self) -> None:
        """Prepares for a new connection, on which the server starts a new session."""
        self._must_resend_settings = self._settings is not None

    def close(self, *, flush: bool) -> None:
        """Closes the queue; without `flush` the queued frames are dropped."""
        self._is_closed = True
        if not flush:
            self._frames.clear()
            self._must_resend_settings = False


class _Entry(NamedTuple):
    event: Any
    size: int
    serial: int
    """Running number of an `error` event; 0 for all others."""


class EventQueue:
    """A bounded, searchable queue.

    An `error` event is queued like others and raised in order. It is also raised in all calls that
    are waiting when it arrives.
    """

    def __init__(self, options: SocketOptions, spec: Socket, handlers: Handlers) -> None:
        self._options = options
        self._socket = spec
        self._handlers = handlers
        self._entries: deque[_Entry] = deque()
        self._bytes = 0
        self._last_error: tuple[int, WebSocketError] | None = None
        self.settled = False
        """Whether the server has finished: its last event was a terminal one, and nothing was sent
        after it.
        """
        self._failures: deque[Exception] = deque()
        self._end: WebSocketError | None = None
        self._end_is_normal = False
        self._dropped = False
        self.last_raised = 0
        """Number of the last `error` event that was raised."""
        self.waiting = 0
        """Number of active calls of `wait_for`."""
        self.iterations: WeakSet[Any] = WeakSet()
        """Active iterations; abandoned ones are garbage-collected."""

    @property
    def has_room(self) -> bool:
        """Whether another event can be added, if necessary by dropping the oldest."""
        full = (
            len(self._entries) >= self._options.max_events or self._bytes >= self._options.max_bytes
        )
        return not full or self._may_drop

    @property
    def _may_drop(self) -> bool:
        return not self.iterations and (self.waiting > 0 or bool(self._handlers))

    @property
    def stored(self) -> tuple[int, int]:
        """Number of stored events and of their bytes."""
        return len(self._entries), self._bytes

    def put(self, event: Any, size: int) -> None:
        """Adds a received event."""
        while self._may_drop and self._entries and not self._fits(size):
            self._bytes -= self._entries.popleft().size
            if not self._dropped:
                self._dropped = True
                logger.debug(
                    "nothing iterates over the socket; its oldest events are dropped from now on"
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
        """Stores the error of a handler."""
        if len(self._failures) < _MAX_FAILURES:
            self._failures.append(error)
        else:
            logger.error("a handler failed again", exc_info=error)

    def failure(self) -> Exception | None:
        """Removes and returns the next error that has not been raised, or None."""
        return self._failures.popleft() if self._failures else None

    def finish(self, end: WebSocketError, *, normal: bool) -> None:
        """Ends the queue with the error `end`; `normal` if no event was lost."""
        if self._end is None:
            self._end, self._end_is_normal = end, normal

    def begin_wait(self, owner: object) -> list[Any]:
        """Starts a call of `wait_for`. Returns the iterations of the same thread or task, which are
        paused until `end_wait`.
        """
        paused = [iteration for iteration in self.iterations if iteration.owner is owner]
        self.iterations.difference_update(paused)
        self.waiting += 1
        return paused

    def end_wait(self, paused: list[Any]) -> None:
        """Ends a call of `wait_for`."""
        self.iterations.update(paused)
        self.waiting -= 1

    def next(self, since: int) -> Any:
        """Returns the next event, `PENDING` or `OVER`; `since` is `last_raised` at the start."""
        if self._failures:
            raise self._failures.popleft()
        if self._entries:
            entry = self._remove(0)
            if entry.serial:
                raise self._mark_raised(entry.serial, event_error(entry.event))
            return entry.event
        self._raise_new_error(since)
        if self._end is None:
            return PENDING
        if self._end_is_normal:
            return OVER
        raise self._end.with_traceback(None)

    def take(self, match: Matcher, since: int) -> Any:
        """Returns the first matching event or `PENDING`; earlier events stay in the queue."""
        if self._failures:
            raise self._failures.popleft()
        for index, entry in enumerate(self._entries):
            if match(entry.event):
                return self._remove(index).event
            if entry.serial > since:
                # An active iteration raises it later, in order; without one, remove it.
                if not self.iterations:
                    self._remove(index)
                raise self._mark_raised(entry.serial, event_error(entry.event))
        self._raise_new_error(since)
        if self._end is None:
            return PENDING
        raise self._end.with_traceback(None)

    def _remove(self, index: int) -> _Entry:
        entry = self._entries[index]
        del self._entries[index]
        self._bytes -= entry.size
        return entry

    def _raise_new_error(self, since: int) -> None:
        """Raises an error that arrived during the wait and was taken by another call."""
        if self._last_error is not None and self._last_error[0] > since:
            serial, error = self._last_error
            raise self._mark_raised(serial, error.with_traceback(None))

    def _mark_raised(self, serial: int, error: WebSocketError) -> WebSocketError:
        self.last_raised = max(self.last_raised, serial)
        return error
