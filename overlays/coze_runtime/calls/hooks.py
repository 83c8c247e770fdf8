"""The hooks `on_request` and `on_response`, and the DEBUG log of the logger `cozekit`. They show no
tokens, bodies or query values, and neither do the logs of the HTTP libraries below.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import publish
from ..errors import ArgumentError, CozeError
from ..operation import without_secrets
from ..steps import Steps

if TYPE_CHECKING:
    from .._http import PreparedRequest

logger = logging.getLogger("cozekit")

_SECRET_WORDS = ("auth", "cookie", "token", "secret", "key", "signature", "password")


class OutgoingRequest(NamedTuple):
    """A request that is about to be sent; the argument of `on_request`, once per attempt."""

    operation: str
    """Its `operationId`, such as `chat_create`."""
    method: str
    """HTTP method."""
    url: str
    """URL without the query, which may have private values."""
    headers: dict[str, str]
    """Headers; changes are sent. `Authorization` is not included."""
    attempt: int
    """1 for the first attempt."""


class ReceivedResponse(NamedTuple):
    """The outcome of an attempt, or the start of a stream; the argument of `on_response`."""

    operation: str
    """Its `operationId`, such as `chat_create`."""
    method: str
    """HTTP method."""
    url: str
    """URL without the query."""
    attempt: int
    """1 for the first attempt."""
    seconds: float
    """Seconds from sending to the end of the response; for a stream, to its headers."""
    status: int | None
    """HTTP status; None if there was no response."""
    headers: Mapping[str, str]
    """Headers of the response."""
    logid: str | None
    """Log id of the call."""
    error: CozeError | None
    """The error of the attempt, if it failed; the call may still be retried."""


RequestHook = Callable[[OutgoingRequest], object]
"""Called before each request; in the async client it may be async. Exceptions are only logged."""
ResponseHook = Callable[[ReceivedResponse], object]
"""Called after each request; in the async client it may be async. Exceptions are only logged."""


class Attempt:
    """An attempt, as hooks and log see it."""

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
        self._start = 0.0

    def begin(self) -> None:
        """Logs the request and starts the clock."""
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
        self._start = time.monotonic()

    @property
    def prepared(self) -> PreparedRequest:
        """The request with the headers that the hook changed.

        Raises:
            ArgumentError: The hook set a header that cannot be sent.
        """
        headers = {**self.request.headers, **self._authorization}
        check_headers(headers)
        return self._prepared._replace(headers=headers)

    def end(self, outcome: Any, error: CozeError | None) -> ReceivedResponse:
        """Logs the outcome and returns it for the hook.

        Args:
            outcome: The `Response` or `OpenResponse`; None if there was no response.
            error: The error of the attempt.
        """
        seconds = time.monotonic() - self._start
        response = getattr(outcome, "http_response", outcome)
        status = (
            getattr(response, "status", None)
            or getattr(response, "status_code", None)
            or getattr(error, "http_status", None)
        )
        headers: Mapping[str, str] = getattr(response, "headers", None) or {}
        logid = getattr(outcome, "logid", None) or getattr(error, "logid", None)
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
        """Whether there is a hook or a DEBUG log."""
        return (
            self.on_request is not None
            or self.on_response is not None
            or logger.isEnabledFor(logging.DEBUG)
        )

    def begin(self, prepared: PreparedRequest, number: int) -> Steps[Attempt]:
        """Starts an attempt: calls `on_request`."""
        attempt = Attempt(prepared, number)
        yield from _call(self.on_request, attempt.request)
        attempt.begin()
        return attempt

    def end(self, attempt: Attempt, outcome: Any, error: CozeError | None) -> Steps[None]:
        """Ends an attempt: calls `on_response`."""
        yield from _call(self.on_response, attempt.end(outcome, error))


def _call(hook: Callable[[Any], object] | None, argument: object) -> Steps[None]:
    """Calls a hook; its exceptions must not fail the call."""
    if hook is None:
        return
    try:
        yield hook(argument)
    except Exception:
        logger.exception("a hook failed; the call continues")


def check_headers(headers: Mapping[str, str]) -> None:
    """Checks headers before the HTTP library does, whose error would show the value of the header,
    perhaps a token.

    Raises:
        ArgumentError: A header has characters that cannot be sent.
    """
    try:
        text = "".join([*headers, *headers.values()])
        if text.isascii() and text.isprintable():
            return
    except TypeError:
        pass
    for name, value in headers.items():
        is_text = isinstance(value, str) and (name + value).isascii()
        if not is_text or not (name + value).isprintable():
            raise ArgumentError(
                f"the header {name!r} has characters that a header cannot have", argument=name
            )


def redacted(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers for the log: values that may be secret are replaced by stars, `location` has no
    query.
    """
    shown = {
        name: "***" if any(word in name.lower() for word in _SECRET_WORDS) else value
        for name, value in headers.items()
    }
    if "location" in shown:
        shown["location"] = without_secrets(shown["location"])
    return shown


def _redact(record: logging.LogRecord) -> bool:
    """A filter for the loggers of the HTTP libraries: httpx shows queries, httpcore headers of
    responses, passwords of proxies and pieces of broken bodies, hpack every header.
    """
    if record.name.startswith("hpack."):
        return False
    if record.name == "httpx":
        record.args = tuple(
            without_secrets(str(value)) if type(value).__name__ == "URL" else value
            for value in record.args or ()
        )
    elif not str(record.msg).startswith(("connect_tcp.started", "start_tls.started")):
        record.msg = str(record.msg).partition(" ")[0]
    return True


_LOGGERS = (
    "httpx",
    "hpack.hpack",
    "hpack.table",
    *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")),
)
for _name in _LOGGERS:
    logging.getLogger(_name).addFilter(_redact)

publish(globals(), "cozekit", "OutgoingRequest", "ReceivedResponse")
