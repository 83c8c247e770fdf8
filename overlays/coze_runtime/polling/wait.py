"""Polls at growing intervals until the state is final, as the `Waiter` says."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from ..errors import APIConnectionError, CozeError, PollTimeout, RateLimitError, ServerError
from ..operation import Waiter
from ..serialization.convert import get_path
from ..steps import Pause, Steps

T = TypeVar("T")

MAX_INTERVAL = 5.0
"""Longest polling interval in seconds, unless the initial one is longer."""
GROWTH = 1.5
"""Factor by which the interval grows after each poll."""
MAX_FAILURES = 5
"""Failed polls in a row after which the wait gives up."""
GRACE = 5.0
"""Seconds that a single poll may take even if fewer are left."""


class Wait(Generic[T]):
    """A wait. Run `steps`; then `last` and `state` have the outcome."""

    def __init__(
        self,
        waiter: Waiter,
        *,
        timeout: float,
        interval: float | None = None,
        ids: Mapping[str, Any],
        settled: Callable[[T], bool] | None = None,
        at_once: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Starts the clock.

        Args:
            waiter: How the work shows its state.
            timeout: Seconds until `PollTimeout`.
            interval: Initial polling interval in seconds, by default that of `waiter`; grows by
                half each time, up to 5.
            ids: Ids that identify the work; errors show them.
            settled: Returns whether a response ends the wait although its state does not.
            at_once: Whether to poll before the first pause, because the work may have ended
                already.
            clock: Monotonic clock, for tests.
        """
        self.waiter = waiter
        self.ids = dict(ids)
        self.last: T | None = None
        self.state: Any = None
        self.logid: str | None = None
        self._settled = settled
        self._at_once = at_once
        self._clock = clock
        self._timeout = timeout
        self._unslept_seconds = 0.0
        self._end = clock() + timeout
        self._interval = interval if interval is not None else waiter.interval
        self._failures = 0

    @property
    def failed(self) -> bool:
        """Whether the last state is a failure."""
        return any(state in self.waiter.failure for state in _states(self.state))

    def remaining(self) -> float:
        """Seconds that a poll may take: those until the timeout, but at least `GRACE`."""
        return max(self._seconds_left(), GRACE)

    def _seconds_left(self) -> float:
        return self._end - self._clock() - self._unslept_seconds

    def steps(self, poll: Callable[[], Any], first: T | None = None) -> Steps[None]:
        """Polls and pauses until the work has ended or waits for the caller.

        Args:
            poll: Sends one poll.
            first: The first response, if it has the state of the work.

        Raises:
            PollTimeout: The work did not finish in time.
            CozeError: A poll failed, and polling again would not help.
        """
        interval = self._interval
        max_interval = max(MAX_INTERVAL, interval)
        if first is not None and self._is_done(first):
            return
        skip_pause = self._at_once
        while True:
            seconds_left = self._seconds_left()
            if seconds_left <= 0 and not skip_pause:
                raise self._timed_out()
            if not skip_pause:
                pause = min(interval, seconds_left)
                yield Pause(pause)
                # If the sleep returned early, as in tests, the whole pause still counts.
                slept = seconds_left - self._seconds_left()
                self._unslept_seconds += max(0.0, pause - slept)
            skip_pause = False
            interval = min(max_interval, interval * GROWTH)
            try:
                response = yield poll()
            except CozeError as error:
                self._note_failure(error)
                interval = max(interval, getattr(error, "retry_after", None) or 0.0)
            else:
                self._failures = 0
                if self._is_done(response):
                    return

    def _note_failure(self, error: CozeError) -> None:
        """Counts a failed poll; raises the error if polling again would not help."""
        self._failures += 1
        self.logid = error.logid or self.logid
        is_temporary = isinstance(error, APIConnectionError | ServerError | RateLimitError)
        if not is_temporary or self._failures >= MAX_FAILURES:
            error.add_note(self._context())
            raise error

    def _is_done(self, response: Any) -> bool:
        self.last = response
        self.logid = logid_of(response) or self.logid
        self.state = get_path(response, self.waiter.state)
        final = self.waiter.success | self.waiter.failure | self.waiter.pause
        states = _states(self.state)
        # Several items are done when each of them is listed and has a final state.
        item_count = max(
            (len(value) for value in self.ids.values() if isinstance(value, list)), default=1
        )
        is_final = len(states) >= max(item_count, 1) and all(state in final for state in states)
        return is_final or (self._settled is not None and self._settled(response))

    def _context(self) -> str:
        ids = ", ".join(f"{name}={joined(value)}" for name, value in self.ids.items())
        return (
            f"while waiting for {self.waiter.operation} with {ids}; last state: "
            f"{joined(self.state)}"
        )

    def _timed_out(self) -> PollTimeout:
        logid = f", logid {self.logid}" if self.logid else ""
        text = (
            f"{self.waiter.operation}: no outcome within {self._timeout:g} s "
            f"({self._context()}{logid}); the work goes on, so call it again later with these ids"
        )
        return PollTimeout(text, state=self.state, last=self.last, ids=self.ids, logid=self.logid)


def logid_of(result: Any) -> str | None:
    """The log id of a result: that of the work if it has such a field, else that of the call."""
    logid = getattr(result, "logid_", None) or getattr(result, "logid", None)
    return logid if isinstance(logid, str) else None


def arguments_of(waiter: Waiter, first: Any, call: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of the polled operation.

    Args:
        waiter: Where the arguments come from.
        first: The first response.
        call: Arguments of the first call.

    Raises:
        CozeError: The first response lacks an id, so the outcome cannot be polled.
    """
    arguments: dict[str, Any] = {}
    for name, source in waiter.arguments.items():
        is_list = isinstance(source, list)
        path = source[0] if is_list else source
        value = call.get(path[1:]) if path.startswith("$") else get_path(first, path)
        if value is None or (isinstance(value, list) and None in value):
            raise CozeError(
                f"{waiter.operation}: the response contains no {path}, so the outcome cannot be "
                "polled"
            )
        arguments[name] = [value] if is_list else value
    return arguments


def _states(state: Any) -> list[Any]:
    return state if isinstance(state, list) else [] if state is None else [state]


def joined(value: Any, comma: str = ",") -> str:
    """A value as text, or the elements of a list joined by commas."""
    return comma.join(str(item) for item in value) if isinstance(value, list) else str(value)
