"""Decides when a call is retried. Does no I/O: the clients send and sleep.

After a temporary failure, a call is retried only if that is safe: it only reads, or repeating it
leaves the same state. Billed calls, such as chats and runs, are retried only when the server cannot
have received them.
"""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Generator
from typing import Any, NamedTuple, TypeAlias

from attrs import define, field

from .. import publish
from ..errors import (
    APIConnectionError,
    APIError,
    ArgumentError,
    AuthenticationError,
    CozeError,
    RateLimitError,
    ServerError,
)
from ..operation import Operation
from ..steps import Pause

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
# Sent by gateways before the request reaches the service.
_TEMPORARY_STATUS = frozenset({408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})


class Retry(NamedTuple):
    """A retry that is about to happen; the argument of `on_retry`."""

    operation: str
    """Its `operationId`, such as `bots_list`."""
    attempt: int
    """1 for the first retry."""
    delay: float
    """Seconds until it is sent."""
    error: CozeError
    """The error that is retried."""


@define(frozen=True, kw_only=True)
class RetryPolicy:
    """How often, and after which delays, a failed call is retried.

    ```python
    Coze(max_retries=RetryPolicy(max_retries=5, first_delay=1.0))
    ```
    """

    max_retries: int = 2
    """Most retries of one call; 0 for none."""
    first_delay: float = 0.5
    """Seconds before the first retry; doubles each time, minus a random part of up to a quarter."""
    max_delay: float = 8.0
    """Longest delay in seconds, unless the server sends `Retry-After`."""
    max_retry_after: float = 60.0
    """Longest `Retry-After` to follow, in seconds; a longer one raises the error at once."""
    on_retry: Callable[[Retry], object] | None = None
    """Called before each delay. An exception that it raises ends the call."""
    random: Callable[[], float] | None = field(default=None, repr=False)
    """Source of the jitter, from 0 to 1; `random.random` by default."""
    sleep: Callable[[float], object] | None = field(default=None, repr=False)
    """Replaces `time.sleep` before retries and between polls (`create_and_poll`, `wait`); for
    tests. It may return at once: the whole pause still counts towards `poll_timeout`.
    """
    sleep_async: Callable[[float], Awaitable[object]] | None = field(default=None, repr=False)
    """As `sleep`, but for `AsyncCoze`: replaces the sleep of the event loop."""

    def __attrs_post_init__(self) -> None:
        for name in ("max_retries", "first_delay", "max_delay", "max_retry_after"):
            number = getattr(self, name)
            if isinstance(number, bool) or not isinstance(number, int | float) or not number >= 0:
                raise ArgumentError(f"{name} must be 0 or more, not {number!r}", argument=name)

    def delay(self, operation: Operation, error: CozeError, attempt: int) -> float | None:
        """Seconds to wait before a retry; None if the call must not be retried.

        Args:
            operation: The operation that failed.
            error: Its error.
            attempt: Number of the retry, from 1.
        """
        if attempt > self.max_retries or not may_repeat(operation, error):
            return None
        retry_after = getattr(error, "retry_after", None)
        if retry_after is not None:
            return None if retry_after > self.max_retry_after else float(retry_after)
        backoff = min(self.max_delay, self.first_delay * 2.0 ** (attempt - 1))
        return backoff * (0.75 + 0.25 * (self.random or random.random)())

    def wait(self, seconds: float) -> None:
        """Sleeps before a retry.

        Args:
            seconds: The delay.
        """
        (self.sleep or time.sleep)(seconds)

    async def wait_async(self, seconds: float) -> None:
        """Sleeps before a retry, without blocking the event loop.

        Args:
            seconds: The delay.
        """
        if self.sleep_async is None:
            import anyio

            await anyio.sleep(seconds)
        else:
            await self.sleep_async(seconds)


def is_safe(operation: Operation) -> bool:
    """Whether repeating the operation leaves the same state and costs nothing."""
    return not operation.billed and (operation.safe or operation.method in _SAFE_METHODS)


def may_repeat(operation: Operation, error: CozeError) -> bool:
    """Whether a call that failed with this error may be sent again."""
    if isinstance(error, APIConnectionError):
        return error.retryable and (not error.sent or is_safe(operation))
    if isinstance(error, RateLimitError):
        return True
    if isinstance(error, APIError) and is_safe(operation):
        return isinstance(error, ServerError) or error.http_status in _TEMPORARY_STATUS
    return False


class Send:
    """Step: send the request. The driver sends back the error, or None."""


class Renew:
    """Step: renew the token. The driver sends back whether there is a new one."""


Step: TypeAlias = "Send | Renew | Pause"

SEND, RENEW = Send(), Renew()


def plan(
    operation: Operation,
    policy: RetryPolicy,
    *,
    renewable: bool,
    can_restart: Callable[[], bool],
) -> Generator[Step, Any, None]:
    """The steps of one call. If the plan ends after an error, the driver raises the error.

    Args:
        operation: The operation.
        policy: Decides on retries.
        renewable: Whether the token can be renewed.
        can_restart: Tells whether the files of the request can be sent from their start.
    """
    attempt, renewed = 0, False
    while True:
        error: CozeError | None = yield SEND
        if error is None or not can_restart():
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
