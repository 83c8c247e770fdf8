"""Events that were seen before: Coze delivers an event again until it gets an answer in time."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Literal, NamedTuple, Protocol

from ..errors import ArgumentError


class Seen(NamedTuple):
    """What a store knows of an event."""

    state: Literal["new", "running", "done"]
    """`new`: it is claimed now, and by nobody else. `running`: somebody is at it. `done`: it was
    answered with `answer`.
    """
    answer: bytes = b""


class EventStore(Protocol):
    """Remembers events by id. For several processes put one on a database that they share; `begin`
    must be atomic.
    """

    def begin(self, event_id: str) -> Seen:
        """Claims the event if it is new. A claim that is never finished must expire, or a crash
        would block the event.

        Args:
            event_id: Id of the event; the same for each of its deliveries.
        """
        ...

    def finish(self, event_id: str, answer: bytes) -> None:
        """Notes that the event was handled; a repeated delivery gets the same answer.

        Args:
            event_id: Id of the event.
            answer: Body of the answer.
        """
        ...

    def forget(self, event_id: str) -> None:
        """Notes that the event could not be handled; a repeated delivery is new again.

        Args:
            event_id: Id of the event.
        """
        ...


class AsyncEventStore(Protocol):
    """Remembers events by id, for coroutines. For several processes put one on a database that they
    share; `begin` must be atomic.
    """

    async def begin(self, event_id: str) -> Seen:
        """Claims the event if it is new. A claim that is never finished must expire, or a crash
        would block the event.

        Args:
            event_id: Id of the event; the same for each of its deliveries.
        """
        ...

    async def finish(self, event_id: str, answer: bytes) -> None:
        """Notes that the event was handled; a repeated delivery gets the same answer.

        Args:
            event_id: Id of the event.
            answer: Body of the answer.
        """
        ...

    async def forget(self, event_id: str) -> None:
        """Notes that the event could not be handled; a repeated delivery is new again.

        Args:
            event_id: Id of the event.
        """
        ...


class MemoryEventStore:
    """A store in the memory of one process, safe for threads. The oldest events make room for new
    ones.
    """

    def __init__(
        self,
        *,
        max_events: int = 10_000,
        keep: float = 86_400.0,
        lease: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """An empty store.

        Args:
            max_events: How many events to remember; at least 1.
            keep: Seconds that a finished event is remembered; by default a day.
            lease: Seconds after which an unfinished event may be claimed again.
            clock: Returns monotonic time in seconds.

        Raises:
            ArgumentError: `max_events` is below 1.
        """
        if max_events < 1:
            raise ArgumentError("max_events must be at least 1", argument="max_events")
        self._max_events = max_events
        self._keep = keep
        self._lease = lease
        self._clock = clock
        self._lock = threading.Lock()
        self._events: OrderedDict[str, tuple[float, bytes | None]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._events)

    def begin(self, event_id: str) -> Seen:
        """Claims the event if it is new.

        Args:
            event_id: Id of the event; the same for each of its deliveries.
        """
        with self._lock:
            now = self._clock()
            known = self._events.get(event_id)
            if known is not None and known[0] > now:
                return Seen("running") if known[1] is None else Seen("done", known[1])
            self._put(event_id, now + self._lease, None)
            return Seen("new")

    def finish(self, event_id: str, answer: bytes) -> None:
        """Notes that the event was handled; a repeated delivery gets the same answer.

        Args:
            event_id: Id of the event.
            answer: Body of the answer.
        """
        with self._lock:
            self._put(event_id, self._clock() + self._keep, answer)

    def forget(self, event_id: str) -> None:
        """Notes that the event could not be handled; a repeated delivery is new again.

        Args:
            event_id: Id of the event.
        """
        with self._lock:
            self._events.pop(event_id, None)

    def _put(self, event_id: str, until: float, answer: bytes | None) -> None:
        self._events[event_id] = (until, answer)
        self._events.move_to_end(event_id)
        while len(self._events) > self._max_events:
            self._events.popitem(last=False)
