"""What a program sees of its requests: hooks and the DEBUG log of the logger `cozekit`. No token,
no body and no query value shows.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from .._publish import publish
from ..errors import CozeError
from ..steps import Steps

if TYPE_CHECKING:
    from .._http import PreparedRequest

logger = logging.getLogger("cozekit")

_SECRET_WORDS = ("auth", "cookie", "token", "secret", "key", "signature", "password")


class OutgoingRequest(NamedTuple):
    """A request that is about to be sent; handed to `on_request`, once for each attempt."""

    operation: str
    """Its `operationId`, such as `chat_create`."""
    method: str
    url: str
    """Without its query, which may hold private values."""
    headers: dict[str, str]
    """What is added or changed here is sent. `Authorization` is not among them."""
    attempt: int
    """1 for the first sending."""


class ReceivedResponse(NamedTuple):
    """How an attempt ended; handed to `on_response`. For a stream: that it began."""

    operation: str
    method: str
    url: str
    attempt: int
    seconds: float
    """From sending to the end of the answer; for a stream to its head."""
    status: int | None
    """HTTP status; None when no answer came."""
    headers: Mapping[str, str]
    logid: str | None
    error: CozeError | None
    """What went wrong, with the answer or without one; the call may be repeated after it."""


RequestHook = Callable[[OutgoingRequest], object]
ResponseHook = Callable[[ReceivedResponse], object]


class Attempt:
    """One sending, as hooks and log see it."""

    def __init__(self, prepared: PreparedRequest, number: int) -> None:
        operation = prepared.operation
        headers = dict(prepared.headers)
        self._authorization = {
            name: headers.pop(name) for name in list(headers) if name.lower() == "authorization"
        }
        self.request = OutgoingRequest(
            operation.id, operation.method, prepared.url.partition("?")[0], headers, number
        )
        self._prepared = prepared
        self._begun = 0.0

    def begin(self) -> None:
        """The request goes out now."""
        request = self.request
        if logger.isEnabledFor(logging.DEBUG):
            size = len(self._prepared.content or b"")
            text = "%s: %s %s, attempt %d, %d bytes, headers %s"
            logger.debug(
                text,
                request.operation,
                request.method,
                request.url,
                request.attempt,
                size,
                redacted(request.headers),
            )
        self._begun = time.monotonic()

    @property
    def prepared(self) -> PreparedRequest:
        """The request with what the hook has made of its headers."""
        return self._prepared._replace(headers={**self.request.headers, **self._authorization})

    def end(self, outcome: Any, error: CozeError | None) -> ReceivedResponse:
        """The attempt is over; `outcome` is the answer that came, if one did."""
        seconds = time.monotonic() - self._begun
        answer = getattr(outcome, "http_response", outcome)
        status = (
            getattr(answer, "status", None)
            or getattr(answer, "status_code", None)
            or getattr(error, "http_status", None)
        )
        headers: Mapping[str, str] = getattr(answer, "headers", None) or {}
        logid = headers.get("x-tt-logid") or getattr(error, "logid", None)
        request = self.request
        if logger.isEnabledFor(logging.DEBUG):
            result = type(error).__name__ if error is not None else "ok"
            code = getattr(error, "code", None)
            text = "%s: attempt %d: HTTP %s, %s%s, logid %s, %.3f s, headers %s"
            logger.debug(
                text,
                request.operation,
                request.attempt,
                status,
                result,
                "" if code is None else f" code {code}",
                logid,
                seconds,
                redacted(headers),
            )
        return ReceivedResponse(
            request.operation,
            request.method,
            request.url,
            request.attempt,
            seconds,
            status,
            headers,
            logid,
            error,
        )


class Observer(NamedTuple):
    """The hooks of a client."""

    on_request: RequestHook | None = None
    on_response: ResponseHook | None = None

    @property
    def active(self) -> bool:
        """Whether anybody looks."""
        return (
            self.on_request is not None
            or self.on_response is not None
            or logger.isEnabledFor(logging.DEBUG)
        )

    def begin(self, prepared: PreparedRequest, number: int) -> Steps[Attempt]:
        """Before an attempt; calls the hook."""
        attempt = Attempt(prepared, number)
        yield from _call(self.on_request, attempt.request)
        attempt.begin()
        return attempt

    def end(self, attempt: Attempt, outcome: Any, error: CozeError | None) -> Steps[None]:
        """After an attempt; calls the hook."""
        yield from _call(self.on_response, attempt.end(outcome, error))


def _call(hook: Callable[[Any], object] | None, fact: object) -> Steps[None]:
    """A hook watches; its mistakes must not cost the call."""
    if hook is None:
        return
    try:
        yield hook(fact)
    except Exception:
        logger.exception("a hook failed; the call goes on")


def redacted(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers fit for a log: what may be a secret is replaced by stars."""
    return {
        name: "***" if any(word in name.lower() for word in _SECRET_WORDS) else value
        for name, value in headers.items()
    }


publish(globals(), "cozekit", "OutgoingRequest", "ReceivedResponse")
