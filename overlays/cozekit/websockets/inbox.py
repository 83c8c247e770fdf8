"""Events that have arrived and were not taken yet: what a waiting program gets next. Nothing here
waits or locks; the shells do.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple
from weakref import WeakSet

from coze_runtime.operation import Socket

from ..errors import WebSocketError
from .options import SocketOptions
from .wire import error_of

PENDING: Final[Any] = object()
"""There is nothing to hand out yet."""
OVER: Final[Any] = object()
"""Nothing will come any more, and that is no loss."""

# Failures of handlers that are kept until somebody asks; more would tell nothing new.
_MAX_FAILURES = 100

logger = logging.getLogger("cozekit")


class _Entry(NamedTuple):
    event: Any
    size: int
    serial: int
    """Number of an `error` event; 0 for every other."""


class Inbox:
    """A bounded queue that can be searched.

    An `error` event is an entry like others, raised at its place. It is raised as well by everybody
    who waits when it arrives.
    """

    def __init__(self, options: SocketOptions, socket: Socket) -> None:
        self._options = options
        self._terminal, self._failure = socket.terminal, socket.failure
        self._entries: deque[_Entry] = deque()
        self._bytes = 0
        self._last_error: tuple[int, WebSocketError] | None = None
        self._settled = False
        self._failures: deque[Exception] = deque()
        self._end: WebSocketError | None = None
        self._quiet = False
        self._dropped = False
        self.surfaced = 0
        """Number of the last `error` event that was raised."""
        self.waiting = 0
        """Waits for a certain event that are under way."""
        self.handled = False
        """Whether the program has handlers."""
        self.readers: WeakSet[Any] = WeakSet()
        """Iterations that are under way."""

    @property
    def has_room(self) -> bool:
        """Whether another event may be put: there is room, or it is made by dropping the oldest
        one.
        """
        full = (
            len(self._entries) >= self._options.max_events or self._bytes >= self._options.max_bytes
        )
        return not full or self._lossy

    @property
    def _lossy(self) -> bool:
        return not self.readers and (self.waiting > 0 or self.handled)

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
                    "nobody iterates over the socket; the oldest of its events are dropped from "
                    "now on"
                )
        serial = 0
        if event.event_type in self._failure:
            serial = (self._last_error[0] if self._last_error else 0) + 1
            self._last_error = (serial, error_of(event))
        elif event.event_type in self._terminal:
            self._settled = True
        self._entries.append(_Entry(event, size, serial))
        self._bytes += size

    def _fits(self, size: int) -> bool:
        return (
            len(self._entries) < self._options.max_events
            and self._bytes + size <= self._options.max_bytes
        )

    def sent(self) -> None:
        """The program sent something: the server owes an answer again."""
        self._settled = False

    def fail(self, error: Exception) -> None:
        """A handler failed."""
        if len(self._failures) < _MAX_FAILURES:
            self._failures.append(error)
        else:
            logger.error("a handler failed, as many others did before it", exc_info=error)

    def failure(self) -> Exception | None:
        """The next failure of a handler that was not told yet."""
        return self._failures.popleft() if self._failures else None

    def finish(self, end: WebSocketError, *, wanted: bool) -> None:
        """Nothing more will come. `wanted`: the program closed the socket, or the server did after
        all was said.
        """
        if self._end is None:
            self._end, self._quiet = end, wanted

    @property
    def end(self) -> WebSocketError | None:
        """Why nothing more comes."""
        return self._end

    @property
    def settled(self) -> bool:
        """Whether the server owes nothing: the last of its events was a closing one, and nothing
        was sent since.
        """
        return self._settled

    @contextmanager
    def waiter(self, who: object) -> Iterator[int]:
        """A wait for a certain event; gives what `take` wants as `since`. Iterations of the same
        thread or task stand still meanwhile, so that they do not count as readers.
        """
        own = [reader for reader in self.readers if reader.owner is who]
        self.readers.difference_update(own)
        self.waiting += 1
        try:
            yield self.surfaced
        finally:
            self.waiting -= 1
            self.readers.update(own)

    def next(self, since: int) -> Any:
        """The next event, `PENDING` or `OVER`; `since` is `surfaced` at the beginning of
        the wait.
        """
        if self._failures:
            raise self._failures.popleft()
        if self._entries:
            entry = self._entries.popleft()
            self._bytes -= entry.size
            if entry.serial:
                self.surfaced = max(self.surfaced, entry.serial)
                raise error_of(entry.event)
            return entry.event
        self._raise_error(since)
        if self._end is None:
            return PENDING
        if self._quiet:
            return OVER
        raise self._end.with_traceback(None)

    def take(self, match: Callable[[Any], bool], since: int) -> Any:
        """The first event that matches, or `PENDING`; the events before it stay."""
        if self._failures:
            raise self._failures.popleft()
        for place, entry in enumerate(self._entries):
            if match(entry.event):
                del self._entries[place]
                self._bytes -= entry.size
                return entry.event
            if entry.serial > since:
                # An iteration that is under way meets it at its place; nobody else has to see it
                # twice.
                if not self.readers:
                    del self._entries[place]
                    self._bytes -= entry.size
                self.surfaced = max(self.surfaced, entry.serial)
                raise error_of(entry.event)
        self._raise_error(since)
        if self._end is None:
            return PENDING
        raise self._end.with_traceback(None)

    def _raise_error(self, since: int) -> None:
        """An error that came during the wait and was taken by somebody else."""
        if self._last_error is not None and self._last_error[0] > since:
            self.surfaced = max(self.surfaced, self._last_error[0])
            raise self._last_error[1].with_traceback(None)
