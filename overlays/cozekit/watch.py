"""Idle timeout and deadline of a stream."""

from __future__ import annotations

import time
from collections.abc import Callable

from .errors import ArgumentError

Clock = Callable[[], float]


class Watch:
    """Tells how long a stream may still be waited for.

    Only events reset the idle time, so that keep-alives cannot hold a dead stream open; and only waiting counts, so that a
    caller who takes long over an event does not lose the stream. The deadline counts everything.
    """

    def __init__(self, idle: float | None, deadline: float | None, clock: Clock = time.monotonic) -> None:
        """A watch that starts now.

        Args:
            idle: Seconds without an event; None for no limit.
            deadline: Seconds for the whole stream; None for no limit.
            clock: Monotonic clock.

        Raises:
            ArgumentError: A limit is not above zero.
        """
        self.idle = checked_limit("idle_timeout", idle)
        self.deadline = checked_limit("deadline", deadline)
        self._clock = clock
        self._end = None if deadline is None else clock() + deadline
        self._last = clock()

    @property
    def exact(self) -> bool:
        """Whether waits have to be cut short; otherwise the read timeout of the call is enough."""
        return self.idle is not None or self._end is not None

    def waits(self) -> None:
        """The caller has dealt with an event and waits for the next one."""
        self._last = self._clock()

    def remaining(self) -> float | None:
        """Seconds until the first limit, negative when it has passed; None when there is none."""
        now = self._clock()
        limits = [] if self.idle is None else [self._last + self.idle - now]
        limits += [] if self._end is None else [self._end - now]
        return min(limits, default=None)

    def problem(self) -> str | None:
        """Which limit has passed."""
        now = self._clock()
        if self._end is not None and now >= self._end:
            return f"the deadline of {self.deadline:g} s passed"
        if self.idle is not None and now >= self._last + self.idle:
            return f"no event for {self.idle:g} s"
        return None


def checked_limit(name: str, seconds: float | None) -> float | None:
    """A number of seconds above zero, or None.

    Raises:
        ArgumentError: It is neither.
    """
    if seconds is None or (isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds > 0):
        return seconds
    raise ArgumentError(f"{name} must be a number of seconds above zero, or None for no limit, not {seconds!r}", argument=name)
