"""Idle timeout and deadline of a stream, counted from the moment its request is sent."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..errors import ArgumentError
from ..types import Timeout

Clock = Callable[[], float]

_MIN_TIMEOUT = 0.001
"""Seconds; a timeout of zero would mean no timeout, or an error, to the HTTP library."""


class StreamLimits:
    """Computes how long a stream may still wait for data.

    Only events reset the idle time, so that keep-alives cannot keep a dead stream open. Time that
    the caller spends on an event is not idle time. The deadline includes everything.
    """

    def __init__(
        self, idle: float | None, deadline: float | None, clock: Clock = time.monotonic
    ) -> None:
        """Starts the clock.

        Args:
            idle: Seconds without an event; None for no limit.
            deadline: Seconds for the whole stream; None for no limit.
            clock: Monotonic clock.

        Raises:
            ArgumentError: A limit is not a positive number.
        """
        self.idle = _checked_limit("idle_timeout", idle)
        self.deadline = _checked_limit("deadline", deadline)
        self.default_idle: float | None = None
        """Idle time if none was given: the read timeout of the call. It is checked when bytes
        arrive, so that it ends a stream of keep-alives; silence is ended by the read timeout.
        """
        self._clock = clock
        self._last_event = clock()
        self._end = None if deadline is None else self._last_event + deadline
        self._event_count = 0
        self._is_capped = False

    @property
    def exact(self) -> bool:
        """Whether single reads must be limited; if not, the read timeout of the call is enough."""
        return self.idle is not None or self._end is not None

    def start_reading(self, read_timeout: float | None) -> None:
        """Call when the response has started: time until the first read is not idle time.

        Args:
            read_timeout: Read timeout of the request in seconds; ignored after `capped`.
        """
        if not self._is_capped:
            self.default_idle = read_timeout
        self._event_count = -1

    def exceeded_before_read(self, event_count: int) -> str | None:
        """Call before each read. Returns which limit has passed, as text; None if none has.

        Args:
            event_count: Number of events so far; a change resets the idle time.
        """
        now = self._clock()
        if event_count != self._event_count:
            self._event_count, self._last_event = event_count, now
        return self._exceeded(now)

    def exceeded(self) -> str | None:
        """Which limit has passed, as text; None if none has."""
        return self._exceeded(self._clock())

    def _exceeded(self, now: float) -> str | None:
        if self._end is not None and now >= self._end:
            return f"the deadline of {self.deadline:g} s passed"
        idle = self.idle or self.default_idle
        if idle is not None and now >= self._last_event + idle:
            return f"no event for {idle:g} s"
        return None

    def remaining(self) -> float | None:
        """Seconds until the first limit, negative after it; None if reads are not limited."""
        now = self._clock()
        idle = self.idle or (self.default_idle if self.exact else None)
        limits = [] if idle is None else [self._last_event + idle - now]
        limits += [] if self._end is None else [self._end - now]
        return min(limits, default=None)

    def before_deadline(self, seconds: float) -> float:
        """The seconds, or those until the deadline if they are fewer; 0 after it.

        Args:
            seconds: Length of what is to be done.
        """
        return seconds if self._end is None else max(min(seconds, self._end - self._clock()), 0.0)

    def allows(self, seconds: float) -> bool:
        """Whether a pause ends before the first limit.

        Args:
            seconds: Length of the pause.
        """
        seconds_left = self.remaining()
        return seconds_left is None or seconds < seconds_left

    def capped(self, timeout: Timeout) -> Timeout:
        """The timeouts of a request, capped to the remaining seconds.

        Args:
            timeout: The timeouts of the call.
        """
        self._is_capped, self.default_idle = True, timeout.read
        seconds_left = self.remaining()
        if seconds_left is None:
            return timeout
        cap = max(seconds_left, _MIN_TIMEOUT)
        return Timeout(*(cap if limit is None else min(limit, cap) for limit in timeout))


def _checked_limit(name: str, seconds: float | None) -> float | None:
    """Returns the limit if it is valid.

    Raises:
        ArgumentError: It is neither None nor a positive number.
    """
    if seconds is None or (
        isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds > 0
    ):
        return seconds
    raise ArgumentError(
        f"{name} must be a positive number of seconds, or None for no limit, not {seconds!r}",
        argument=name,
    )
