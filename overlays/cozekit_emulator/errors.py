"""The two errors with which the emulator answers a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ApiError(Exception):
    """The request is answered with a business error.

    Args:
        code: A code of the description (`x-coze-error-codes`).
        msg: Text of the error.
        status: HTTP status; business errors mostly have 200, as those of the real service do.
        fields: Further fields at the top level of the envelope, such as `debug_url`.
    """

    def __init__(
        self, code: int, msg: str, *, status: int = 200, fields: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(msg)
        self.code = code
        self.msg = msg
        self.status = status
        self.fields = dict(fields or {})


def invalid_parameter(problem: str, *, status: int = 200) -> ApiError:
    """The error 4000 of a parameter that is missing or wrong.

    Args:
        problem: Path of the parameter and what is wrong with it.
        status: HTTP status.
    """
    return ApiError(4000, f"Request parameter error: {problem}", status=status)


class OAuthError(Exception):
    """The authorization server answers with an error.

    Args:
        code: The `error_code`, or `error` for a device that polls.
        message: The `error_message`.
        status: HTTP status.
        polling: Whether it tells a polling device to wait or to stop.
    """

    def __init__(
        self, code: str, message: str, status: int = 400, *, polling: bool = False
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.polling = polling


def invalid_oauth_parameter(name: str) -> OAuthError:
    """The OAuth error of a parameter that is missing or wrong.

    Args:
        name: Name of the parameter.
    """
    return OAuthError("invalid_request", f"invalid request: {name}")
