"""When a call is retried. Pure: the policy decides, the clients send and sleep.

A request is retried only where that is safe: a read, or a write that leaves the same state when
done twice, after any temporary failure. Billed calls, chats and runs above all, are retried only
when the server cannot have received them.
"""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Generator
from typing import Any, NamedTuple, TypeAlias

from attrs import define, field
from attrs.validators import ge

from .._publish import publish
from ..errors import (
    APIConnectionError,
    APIError,
    AuthenticationError,
    CozeError,
    RateLimitError,
    ServerError,
)
from ..operation import Operation
from ..steps import Pause

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
# Gateways answer so before the request has reached the service.
_PASSING_STATUS = frozenset({408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})


class Retry(NamedTuple):
    """A repetition that is about to happen; handed to `on_retry`."""

    operation: str
    attempt: int
    """1 for the first repetition."""
    delay: float
    """Seconds until it is sent."""
    error: CozeError
    """What went wrong."""


@define(frozen=True, kw_only=True)
class RetryPolicy:
    """How often and how fast a failed call is repeated."""

    max_retries: int = field(default=2, validator=ge(0))
    first_delay: float = 0.5
    """Seconds before the first repetition; each further one waits twice as long."""
    max_delay: float = 8.0
    max_retry_after: float = 60.0
    """Seconds; a server that asks to wait longer gets its answer as an error at once."""
    on_retry: Callable[[Retry], object] | None = None
    """Called before each wait. What it raises ends the call."""
    random: Callable[[], float] | None = field(default=None, repr=False)
    """Source of the jitter, from 0 to 1; `random.random` by default."""
    sleep: Callable[[float], object] | None = field(default=None, repr=False)
    """Waits, in place of `time.sleep`, before repetitions and between the looks of methods that
    wait (`create_and_poll`, `wait`); for tests. It may return at once: a pause counts in full
    towards `poll_timeout` whatever the clock says.
    """
    sleep_async: Callable[[float], Awaitable[object]] | None = field(default=None, repr=False)
    """Waits in `AsyncCoze`, in place of the sleep of the event loop; as `sleep`."""

    def delay(self, operation: Operation, error: CozeError, attempt: int) -> float | None:
        """Seconds to wait before a retry; None when the call must not be retried.

        Args:
            operation: The operation that failed.
            error: What went wrong.
            attempt: Number of the retry, from 1.
        """
        if attempt > self.max_retries or not may_repeat(operation, error):
            return None
        wanted = getattr(error, "retry_after", None)
        if wanted is not None:
            return None if wanted > self.max_retry_after else float(wanted)
        backoff = min(self.max_delay, self.first_delay * 2.0 ** (attempt - 1))
        return backoff * (0.75 + 0.25 * (self.random or random.random)())

    def wait(self, seconds: float) -> None:
        """Waits before a retry.

        Args:
            seconds: How long, as `delay` gave it.
        """
        (self.sleep or time.sleep)(seconds)

    async def wait_async(self, seconds: float) -> None:
        """Waits before a retry, without holding up the event loop.

        Args:
            seconds: How long, as `delay` gave it.
        """
        if self.sleep_async is None:
            import anyio

            await anyio.sleep(seconds)
        else:
            await self.sleep_async(seconds)


def is_safe(operation: Operation) -> bool:
    """Whether doing it twice leaves the same state as doing it once, and costs nothing."""
    return not operation.billed and (operation.safe or operation.method in _SAFE_METHODS)


def may_repeat(operation: Operation, error: CozeError) -> bool:
    """Whether a call that failed so may be sent again."""
    if isinstance(error, APIConnectionError):
        return not error.sent or is_safe(operation)
    if isinstance(error, RateLimitError):
        return True
    if isinstance(error, APIError) and is_safe(operation):
        return isinstance(error, ServerError) or error.http_status in _PASSING_STATUS
    return False


class Send:
    """Step: send the request; the plan is told the outcome."""


class Renew:
    """Step: get a new token; the plan is told whether there is one."""


Step: TypeAlias = "Send | Renew | Pause"

SEND, RENEW = Send(), Renew()


def plan(
    operation: Operation, policy: RetryPolicy, *, renewable: bool, rewindable: bool
) -> Generator[Step, Any, None]:
    """The steps of one call. The driver sends the error after `SEND` (None ends the plan) and a
    bool after `RENEW`.

    When the plan ends after an error, the driver raises that error.
    """
    attempt, renewed = 0, False
    while True:
        error: CozeError | None = yield SEND
        if error is None or not rewindable:
            return
        if renewable and not renewed and isinstance(error, AuthenticationError):
            renewed = True
            if (yield RENEW):
                continue
            return
        attempt += 1
        delay = policy.delay(operation, error, attempt)
        if delay is None:
            return
        if policy.on_retry is not None:
            policy.on_retry(Retry(operation.id, attempt, delay, error))
        yield Pause(delay)


publish(globals(), "cozekit", "Retry", "RetryPolicy")
