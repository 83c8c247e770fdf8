"""From the errors of the HTTP library to ours."""

from __future__ import annotations

import ssl
from types import TracebackType

import httpx

from ..errors import APIConnectionError, APITimeoutError, CozeError
from .prepared import PreparedRequest

# Failures that come before the first byte of the request has left this machine.
_UNSENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
    httpx.LocalProtocolError,
)
HTTP_ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ssl.SSLError, OSError)
_STEPS = {
    "ConnectTimeout": "connecting",
    "ReadTimeout": "waiting for the answer",
    "WriteTimeout": "sending",
    "PoolTimeout": "waiting for a connection",
}


class translated:  # noqa: N801  # used like a function
    """Turns every error of the HTTP library into one of ours. A class, since a generator takes
    three times as long.
    """

    __slots__ = ("_prepared",)

    def __init__(self, prepared: PreparedRequest) -> None:
        self._prepared = prepared

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, CozeError):
            return
        if isinstance(error, HTTP_ERRORS):
            raise connection_error(error, self._prepared) from error
        if isinstance(error, RuntimeError) and "closed" in str(error):
            raise APIConnectionError(
                f"{self._prepared.operation.id}: the client is closed",
                request=self._prepared.info,
                sent=False,
            ) from error


def connection_error(error: Exception, prepared: PreparedRequest) -> APIConnectionError:
    """Our error for one of the HTTP library; it tells whether the request may have arrived."""
    timed_out = isinstance(error, httpx.TimeoutException)
    kind = APITimeoutError if timed_out else APIConnectionError
    text = (
        f"timed out while {_STEPS.get(type(error).__name__, 'waiting')}"
        if timed_out
        else _reason(error)
    )
    return kind(
        f"{prepared.operation.id}: {text} (at {prepared.base_url})",
        request=prepared.info,
        sent=not isinstance(error, _UNSENT),
    )


def _reason(error: BaseException) -> str:
    """What an error says; the library hands some on without a word, and then what caused them says
    it.
    """
    cause: BaseException | None = error
    while cause is not None:
        if str(cause):
            return str(cause)
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__


def closed_error(prepared: PreparedRequest) -> APIConnectionError:
    """The error for a stream that somebody closed under its reader."""
    return APIConnectionError(
        f"{prepared.operation.id}: the stream was closed while it was read", request=prepared.info
    )
