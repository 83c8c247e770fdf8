"""Idle timeout and deadline of a stream, from the moment its request is sent."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..errors import ArgumentError
from ..types import Timeout

Clock = Callable[[], float]

_SHORTEST = 0.001
"""Seconds; the HTTP library takes a timeout of zero for none at all, or for an error."""


class StreamLimits:
    """Tells how long a stream may still be waited for.

    Only events reset the idle time, so that keep-alives cannot hold a dead stream open; and only
    waiting counts, so that a caller who takes long over an event does not lose the stream. The
    deadline counts everything.
    """

    def __init__(
        self, idle: float | None, deadline: float | None, clock: Clock = time.monotonic
    ) -> None:
        """Limits that begin now.

        Args:
            idle: Seconds without an event; None for no limit.
            deadline: Seconds for the whole stream; None for no limit.
            clock: Monotonic clock.

        Raises:
            ArgumentError: A limit is not above zero.
        """
        self.idle = checked_limit("idle_timeout", idle)
        self.deadline = checked_limit("deadline", deadline)
        self.patience: float | None = None
        """Idle time when none was given: the read timeout of the call. Looked at whenever bytes
        come, so a stream of nothing but keep-alives ends; silence is ended by the read timeout
        itself.
        """
        self._clock = clock
        self._last = clock()
        self._end = None if deadline is None else self._last + deadline
        self._seen = 0
        self._told = False

    @property
    def exact(self) -> bool:
        """Whether waits have to be cut short; otherwise the read timeout of the call is enough."""
        return self.idle is not None or self._end is not None

    def opened(self, read_timeout: float | None) -> None:
        """The answer has begun; what the caller does before reading it is no idle time.

        Args:
            read_timeout: Seconds, that of the request, unless it went through `capped`.
        """
        if not self._told:
            self.patience = read_timeout
        self._seen = -1

    def waits(self, events: int) -> str | None:
        """The caller has dealt with so many events and waits for more bytes; says which limit has
        passed.
        """
        now = self._clock()
        if events != self._seen:
            self._seen, self._last = events, now
        return self._problem(now)

    def problem(self) -> str | None:
        """Which limit has passed."""
        return self._problem(self._clock())

    def _problem(self, now: float) -> str | None:
        if self._end is not None and now >= self._end:
            return f"the deadline of {self.deadline:g} s passed"
        quiet = self.idle or self.patience
        if quiet is not None and now >= self._last + quiet:
            return f"no event for {quiet:g} s"
        return None

    def remaining(self) -> float | None:
        """Seconds until the first limit, negative when it has passed; None when waits need not be
        cut short.
        """
        now = self._clock()
        quiet = self.idle or (self.patience if self.exact else None)
        limits = [] if quiet is None else [self._last + quiet - now]
        limits += [] if self._end is None else [self._end - now]
        return min(limits, default=None)

    def allows(self, seconds: float) -> bool:
        """Whether a pause of so many seconds ends before the first limit."""
        left = self.remaining()
        return left is None or seconds < left

    def capped(self, timeout: Timeout) -> Timeout:
        """The timeouts of a request, none of them longer than what is left."""
        self._told, self.patience = True, timeout.read
        left = self.remaining()
        if left is None:
            return timeout
        longest = max(left, _SHORTEST)
        return type(timeout)(*(longest if part is None else min(part, longest) for part in timeout))


def checked_limit(name: str, seconds: float | None) -> float | None:
    """A number of seconds above zero, or None.

    Raises:
        ArgumentError: It is neither.
    """
    if seconds is None or (
        isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds > 0
    ):
        return seconds
    raise ArgumentError(
        f"{name} must be a number of seconds above zero, or None for no limit, not {seconds!r}",
        argument=name,
    )
