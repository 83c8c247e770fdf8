"""Waiting for an outcome: asks again, ever more slowly, until the state is final. Pure core, two thin shells.

What is polled, which states end the wait, and how it goes on comes from the description (`Waiter`); nothing here knows a
chat from a workflow run.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from coze_openapi import codec

from .errors import APIConnectionError, CozeError, PollTimeout, RateLimitError, ServerError

if TYPE_CHECKING:
    from coze_openapi.types import Waiter

T = TypeVar("T")

MAX_INTERVAL = 5.0
GROWTH = 1.5
MAX_FAILURES = 5
"""Polls in a row that may fail in passing before the wait gives up."""


class Ask(NamedTuple):
    """Step: poll once; the wait is told the answer, or the error."""


class Pause(NamedTuple):
    """Step: wait so many seconds."""

    seconds: float


class Wait(Generic[T]):
    """One wait. `steps` drives it; afterwards `last` and `state` hold the outcome."""

    def __init__(
        self,
        waiter: Waiter,
        *,
        timeout: float,
        interval: float | None = None,
        ids: dict[str, str],
        settled: Callable[[T], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """A wait.

        Args:
            waiter: What the description says of it.
            timeout: Seconds until `PollTimeout`.
            interval: Seconds before the second poll, by default those of the description; they grow by half each time, up to 5.
            ids: What an error tells, so that the work can be found again.
            settled: Further reason to stop, besides the states of the description.
            clock: Monotonic clock, for tests.
        """
        self.waiter = waiter
        self.ids = ids
        self.last: T | None = None
        self.state: Any = None
        self._settled = settled
        self._clock = clock
        self._timeout = timeout
        self._end = clock() + timeout
        self._interval = interval if interval is not None else waiter.interval
        self._failures = 0

    def steps(self, first: T | None = None) -> Generator[Ask | Pause, Any, None]:
        """The steps; the driver sends what `Ask` brought: an answer or a CozeError.

        Raises:
            PollTimeout: The outcome did not come in time.
            CozeError: Polling failed for good.
        """
        interval = self._interval
        if first is not None and self._take(first):
            return
        while True:
            left = self._end - self._clock()
            if left <= 0:
                raise self._timed_out()
            yield Pause(min(interval, left))
            outcome = yield Ask()
            if self._survives(outcome):
                interval = min(MAX_INTERVAL, interval * GROWTH)
                continue
            if self._take(outcome):
                return
            interval = min(max(MAX_INTERVAL, self._interval), interval * GROWTH)

    def _survives(self, outcome: object) -> bool:
        """Whether a failed poll is worth another one: the work goes on at the server."""
        if not isinstance(outcome, CozeError):
            self._failures = 0
            return False
        self._failures += 1
        if isinstance(outcome, APIConnectionError | ServerError | RateLimitError) and self._failures < MAX_FAILURES:
            return True
        outcome.add_note(self._where())
        raise outcome

    def _take(self, outcome: Any) -> bool:
        self.last = outcome
        self.state = codec.dig(outcome, self.waiter.state)
        final = self.waiter.success | self.waiter.failure | self.waiter.pause
        return self.state in final or (self._settled is not None and self._settled(outcome))

    def _where(self) -> str:
        known = ", ".join(f"{name}={value}" for name, value in self.ids.items())
        return f"while waiting for {self.waiter.operation} with {known}; last state: {self.state}"

    def _timed_out(self) -> PollTimeout:
        text = f"{self.waiter.operation}: no outcome within {self._timeout:g} s ({self._where()})"
        return PollTimeout(text, state=self.state, last=self.last, ids=self.ids)


def run(wait: Wait[T], ask: Callable[[], T], first: T | None = None, sleep: Callable[[float], object] = time.sleep) -> T:
    """Waits for the outcome; `ask` polls once.

    Raises:
        PollTimeout: It did not come in time.
        CozeError: Polling failed for good.
    """
    steps = wait.steps(first)
    answer: Any = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration:
            assert wait.last is not None
            return wait.last
        answer = None
        if isinstance(step, Pause):
            sleep(step.seconds)
        else:
            try:
                answer = ask()
            except CozeError as error:
                answer = error


async def run_async(
    wait: Wait[T], ask: Callable[[], Awaitable[T]], first: T | None = None, sleep: Callable[[float], Awaitable[object]] | None = None
) -> T:
    """The async form of `run`."""
    import anyio

    steps = wait.steps(first)
    answer: Any = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration:
            assert wait.last is not None
            return wait.last
        answer = None
        if isinstance(step, Pause):
            await (sleep or anyio.sleep)(step.seconds)
        else:
            try:
                answer = await ask()
            except CozeError as error:
                answer = error
