"""Waiting for an outcome: polls ever more slowly until the state is final.

Which states end the wait comes from the description (`Waiter`); nothing here knows a chat from a
workflow run. `poll` polls the operation that the description names.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from ..errors import APIConnectionError, CozeError, PollTimeout, RateLimitError, ServerError
from ..models import Model
from ..operation import Waiter
from ..serialization.convert import get_path
from ..steps import Pause, Steps

T = TypeVar("T")

POLL_TIMEOUT = 600.0
"""Seconds that a method waits by default."""
MAX_INTERVAL = 5.0
GROWTH = 1.5
MAX_FAILURES = 5
"""Polls in a row that may fail in passing before the wait gives up."""
GRACE = 5.0
"""Seconds that a single poll may take although the wait is nearly over."""


class Wait(Generic[T]):
    """One wait: its steps; afterwards `last` and `state` hold the outcome."""

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
        """A wait.

        Args:
            waiter: What the description says of it.
            timeout: Seconds until `PollTimeout`.
            interval: Seconds before a poll, by default those of the description; they grow by half
                each time, up to 5.
            ids: What an error tells, so that the work can be found again.
            settled: Further reason to stop, besides the states of the description.
            at_once: Whether the first poll comes without a pause: the work may be over already.
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
        self._ahead = 0.0
        self._end = clock() + timeout
        self._interval = interval if interval is not None else waiter.interval
        self._failures = 0

    @property
    def failed(self) -> bool:
        """Whether the last answer shows a state that the description calls a failure."""
        return any(state in self.waiter.failure for state in _states(self.state))

    def remaining(self) -> float:
        """Seconds that a poll may take: those until the deadline, and never less than a short
        grace.
        """
        return max(self._left(), GRACE)

    def _left(self) -> float:
        return self._end - self._clock() - self._ahead

    def steps(self, poll: Callable[[], Any], first: T | None = None) -> Steps[None]:
        """Polls and pauses until the outcome is there.

        Args:
            poll: Polls once.
            first: What the call that started the work returned, where that is a state.

        Raises:
            PollTimeout: The outcome did not come in time.
            CozeError: Polling failed for good.
        """
        interval = self._interval
        longest = max(MAX_INTERVAL, interval)
        if first is not None and self._take(first):
            return
        polls_now = self._at_once
        while True:
            left = self._left()
            if left <= 0 and not polls_now:
                raise self._timed_out()
            if not polls_now:
                pause = min(interval, left)
                yield Pause(pause)
                # A pause counts in full even if the sleep was not: with one that returns at once,
                # the deadline still comes.
                self._ahead += max(0.0, pause - (left - self._left()))
            polls_now = False
            try:
                outcome = yield poll()
            except CozeError as error:
                outcome = error
            interval = min(longest, interval * GROWTH)
            if self._survives(outcome):
                # The server may ask for more patience than the wait would have.
                interval = max(interval, getattr(outcome, "retry_after", None) or 0.0)
            elif self._take(outcome):
                return

    def _survives(self, outcome: object) -> bool:
        """Whether a failed poll is worth another one: the work goes on at the server."""
        if not isinstance(outcome, CozeError):
            self._failures = 0
            return False
        self._failures += 1
        self.logid = outcome.logid or self.logid
        if (
            isinstance(outcome, APIConnectionError | ServerError | RateLimitError)
            and self._failures < MAX_FAILURES
        ):
            return True
        outcome.add_note(self._where())
        raise outcome

    def _take(self, outcome: Any) -> bool:
        self.last = outcome
        self.logid = logid_of(outcome) or self.logid
        self.state = get_path(outcome, self.waiter.state)
        final = self.waiter.success | self.waiter.failure | self.waiter.pause
        states = _states(self.state)
        # Work on several things is over when every one of them has been reported and is over.
        wanted = max(
            (len(value) for value in self.ids.values() if isinstance(value, list)), default=1
        )
        over = len(states) >= max(wanted, 1) and all(state in final for state in states)
        return over or (self._settled is not None and self._settled(outcome))

    def _where(self) -> str:
        known = ", ".join(f"{name}={shown(value)}" for name, value in self.ids.items())
        return (
            f"while waiting for {self.waiter.operation} with {known}; last state: "
            f"{shown(self.state)}"
        )

    def _timed_out(self) -> PollTimeout:
        logid = f", logid {self.logid}" if self.logid else ""
        text = (
            f"{self.waiter.operation}: no outcome within {self._timeout:g} s "
            f"({self._where()}{logid})"
        )
        return PollTimeout(text, state=self.state, last=self.last, ids=self.ids, logid=self.logid)


def logid_of(answer: Any) -> str | None:
    """The log id of an answer: that of the work, where the answer names one, else that of
    the call.
    """
    logid = getattr(answer, "logid", None)
    if logid is None and isinstance(answer, Model):
        logid = vars(Model)["logid"].fget(answer)  # a field of that name hides it
    return logid if isinstance(logid, str) else None


def arguments_of(waiter: Waiter, first: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of the polled operation: out of the first answer, or of the first call.

    Raises:
        CozeError: The first answer lacks an id, so nobody can ask how the work goes on.
    """
    found: dict[str, Any] = {}
    for name, source in waiter.arguments.items():
        several = isinstance(source, list)
        path = source[0] if several else source
        value = given.get(path[1:]) if path.startswith("$") else get_path(first, path)
        missing = value is None or (isinstance(value, list) and None in value)
        if missing:
            raise CozeError(
                f"{waiter.operation}: the answer holds no {path}, so its outcome cannot be "
                "looked up"
            )
        found[name] = [value] if several else value
    return found


def _states(state: Any) -> list[Any]:
    return state if isinstance(state, list) else [] if state is None else [state]


def shown(value: Any, comma: str = ",") -> str:
    """A value, or several with commas between them."""
    return comma.join(str(item) for item in value) if isinstance(value, list) else str(value)
