"""Translates errors of httpx into ours."""

from __future__ import annotations

import ssl
from types import TracebackType

import httpx

from ..errors import APIConnectionError, APITimeoutError, CozeError
from .prepared import PreparedRequest

# Failures that occur before the first byte of the request is sent.
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
    "ReadTimeout": "waiting for the response",
    "WriteTimeout": "sending",
    "PoolTimeout": "waiting for a connection",
}


class translated:  # noqa: N801  # used like a function
    """Context manager that translates errors of httpx. A class, because a generator takes three
    times as long.
    """

    __slots__ = ("_prepared",)

    def __init__(self, prepared: PreparedRequest) -> None:
        self._prepared = prepared

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
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
    """Our error for an error of httpx."""
    if isinstance(error, httpx.TimeoutException):
        error_class: type[APIConnectionError] = APITimeoutError
        reason = f"timed out while {_STEPS.get(type(error).__name__, 'waiting')}"
    else:
        error_class, reason = APIConnectionError, _reason(error)
    return error_class(
        f"{prepared.operation.id}: {reason} (at {prepared.base_url})",
        request=prepared.info,
        sent=not isinstance(error, _UNSENT),
    )


def _reason(error: BaseException) -> str:
    """The text of an error, or of its cause: httpx raises some errors without a text."""
    cause: BaseException | None = error
    while cause is not None:
        if str(cause):
            return str(cause)
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__


def closed_error(prepared: PreparedRequest) -> APIConnectionError:
    """The error of a read from a stream that has been closed."""
    return APIConnectionError(
        f"{prepared.operation.id}: the stream was closed while it was being read",
        request=prepared.info,
    )
