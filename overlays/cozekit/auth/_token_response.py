"""Parses the responses of the sign-in endpoints: a token, or an error in one of two formats. Pure
functions.

Some pages document errors as `{"error_code", "error_message"}`, others as `{"error",
"error_description"}`; `access_deny` in the first is `access_denied` in the RFCs. The HTTP status of
errors is not documented, so the body decides.

Sources: https://www.coze.cn/open/docs/developer_guides/oauth_code,
https://www.coze.cn/open/docs/developer_guides/oauth_device_code
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from coze_runtime import publish
from coze_runtime.operation import Request, Response, request_info

from ..errors import APIConnectionError, ArgumentError, OAuthError
from ._values import Token

_CANONICAL = {"access_deny": "access_denied", "internal_error": "server_error"}
_SECRET_FIELDS = ("code", "code_verifier", "refresh_token", "device_code")
_SECRET = re.compile(
    r"\b(?:pat|czu|czs|code|refresh)_(?=[\w.-]*\d)[\w.-]{6,}|\beyJ[\w-]+\.[\w-]+\.[\w-]*"
)
# Coze sends `expires_in` as Unix seconds; smaller numbers are durations, as RFC 6749 defines it.
_EARLIEST_TIMESTAMP = 1_000_000_000
# Seconds. Smaller differences are ignored: the `Date` header has whole seconds, and responses take
# time.
_MIN_OFFSET = 5.0
# Seconds from which an error mentions the difference.
_REPORTED_OFFSET = 120.0

_WRONG_APP = "the app has another type than this flow needs; check its type in the console"
_ADVICE = {
    "invalid_request": "check the named parameter; a code works once and expires soon: if it "
    "was used or is old, start the sign-in again",
    "invalid_client": "check client_id and the secret or key of the app, that they belong to "
    "this site, and the clock of this machine",
    "invalid_grant": "the code or refresh token was used or has expired; sign in again",
    "unsupported_grant_type": _WRONG_APP,
    "unauthorized_client": _WRONG_APP,
    "access_denied": "the user or the owner of the app refused; check that the app is enabled "
    "and ask the user again",
    "expired_token": "the device code has expired; start the sign-in again",
    "authorization_pending": "the user has not decided yet; poll again after the interval",
    "slow_down": "polled too fast; wait longer between polls",
    "server_error": "Coze had an internal error; try again later",
    "temporarily_unavailable": "Coze is busy; try again later",
    "invalid_response": "check that base_url is the address of the API and that no proxy "
    "responds in its place; if it is, try again later",
}
_REFRESH_REJECTED = (
    "the refresh token was used, revoked or has expired after 30 days; sign in again"
)


class OAuthSetupError(OAuthError, ArgumentError):
    """A setting of a sign-in is missing or malformed; nothing was sent. It is also an
    ArgumentError, and so a ValueError.
    """

    def __init__(self, message: str, *, argument: str | None = None) -> None:
        """Creates the error.

        Args:
            message: Text of the error; must not contain secrets.
            argument: Name of the setting.
        """
        OAuthError.__init__(self, message, error="invalid_setting", description=message)
        self.argument = argument


def required(name: str, value: object) -> str:
    """Returns the text without surrounding spaces.

    Raises:
        OAuthSetupError: It is missing, empty, or not text; the message never quotes it.
    """
    if not isinstance(value, str) or not value.strip():
        raise OAuthSetupError(f"{name} is missing or empty", argument=name)
    return value.strip()


def code_from_redirect(returned: str, state: str) -> str:
    """Extracts the code from the address that the browser was redirected to, or its query string.

    Raises:
        OAuthError: The user refused, the state does not match (`invalid_state`), or the code is
            missing.
    """
    query = urlsplit(returned).query if "?" in returned or "://" in returned else returned
    # If a field occurs twice, the first one counts.
    fields = dict(reversed(parse_qsl(query, keep_blank_values=True)))
    code, error, returned_state = (fields.get(name, "") for name in ("code", "error", "state"))
    if "state" in fields or "error" not in fields:
        matches = secrets.compare_digest(returned_state.encode(), state.encode())
        if not state or not matches:
            raise OAuthError(
                "the returned state does not match this sign-in; ignore the response and start the "
                "sign-in again",
                error="invalid_state",
            )
    if error:
        error = _redact(error, {code})
        description = _redact(fields.get("error_description", ""), {code})
        error = _CANONICAL.get(error, error)
        raise OAuthError(
            f"{error}: {description or 'the sign-in was declined'}; ask the user again",
            error=error,
            description=description,
        )
    if not code:
        raise OAuthError(
            "the redirect has no code; start the sign-in again",
            error="invalid_response",
        )
    return code


def read_token(
    request: Request, response: Response, now: float, previous: Token | None = None
) -> Token:
    """Parses the response of a token endpoint.

    Args:
        request: The request; its secrets never appear in an error.
        response: The response.
        now: Current time in Unix seconds, by this machine's clock.
        previous: The token being refreshed; its refresh token is kept if the response has none.

    Raises:
        OAuthError: The response is an error, or has no token.
    """
    data = read_success(request, response, now)
    access, refresh = data.get("access_token"), data.get("refresh_token")
    if not (isinstance(access, str) and access and access.isascii() and access.isprintable()):
        raise invalid_response(response, "the response has no access_token")
    if not isinstance(refresh, str | None):
        raise invalid_response(response, "the refresh_token in the response is not text")
    offset = _clock_offset(response, now)
    return Token(
        access_token=access,
        refresh_token=refresh or (previous.refresh_token if previous else None),
        expires_at=_expiry(response, data.get("expires_in"), now + offset),
        issued_at=now,
        clock_offset=offset,
        logid=response.logid,
    )


def read_success(request: Request, response: Response, now: float) -> Mapping[str, Any]:
    """Returns the JSON object of a successful response.

    Raises:
        OAuthError: The response is an error in either format, or does not come from a sign-in
            endpoint.
    """
    data = _json_object(response)
    if data is None and response.status < 300:
        raise invalid_response(response, "the response is not a JSON object")
    error = _first_text(data or {}, "error_code", "error")
    if data and (error or data.get("code") not in (None, 0, "0", "")):
        raise _error_response(request, response, data, error, now)
    if data is None or response.status >= 300:
        raise invalid_response(response, "the server returned an error without a reason")
    return data


def _json_object(response: Response) -> Mapping[str, Any] | None:
    import msgspec

    try:
        data = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _first_text(data: Mapping[str, Any], *names: str) -> str:
    texts = (value.strip() for name in names if isinstance(value := data.get(name), str))
    return next((text for text in texts if text), "")


def _error_response(
    request: Request, response: Response, data: Mapping[str, Any], error: str, now: float
) -> OAuthError:
    body = request.body or {}
    credential = request.headers.get("Authorization", "").partition(" ")[2]
    secrets_sent = {credential, *(str(body.get(name) or "") for name in _SECRET_FIELDS)}
    message = _first_text(data, "error_message", "error_description", "msg", "message")
    raw_error = _redact(error or str(data.get("code")), secrets_sent)
    description = _redact(message, secrets_sent)
    error = _CANONICAL.get(raw_error, raw_error)
    advice = _ADVICE.get(error, "")
    token_errors = ("invalid_request", "invalid_grant", "access_denied")
    if error in token_errors and body.get("grant_type") == "refresh_token":
        advice = _REFRESH_REJECTED
    offset = _clock_offset(response, now)
    if abs(offset) >= _REPORTED_OFFSET:
        direction = "behind" if offset > 0 else "ahead of"
        advice += (
            f"; the clock of this machine is {abs(offset):.0f} s {direction} that of the server, "
            "correct it"
        )
    reason = f"{raw_error}: {description}" if description else raw_error
    return _oauth_error(response, error, reason, advice, description)


def _redact(text: str, known_secrets: Collection[str]) -> str:
    """Removes secrets that the server may have echoed, and shortens the text to one line."""
    for secret in sorted(filter(None, known_secrets), key=len, reverse=True):
        text = text.replace(secret, "***")
    return " ".join(_SECRET.sub("***", text).split())[:300]


def invalid_response(response: Response, problem: str) -> OAuthError:
    """The error for a response that is neither a token nor a documented error."""
    error = "server_error" if response.status >= 500 else "invalid_response"
    size = len(response.content)
    detail = f"{response.content_type or 'no content type'}, {size} bytes" if size else "empty"
    problem += f" ({detail})"
    return _oauth_error(response, error, problem, _ADVICE[error], problem)


def _oauth_error(
    response: Response, error: str, reason: str, advice: str, description: str
) -> OAuthError:
    """The error for a response: the server, its message, and what to do next."""
    info = request_info(response.operation, response.url, response.base_url, response.service)
    logid = f", logid {response.logid}" if response.logid else ""
    text = f"{info.call}: {reason} (HTTP {response.status}{logid}, at {response.base_url})"
    return OAuthError(
        f"{text}; {advice}" if advice else text,
        error=error,
        description=description,
        http_status=response.status,
        logid=response.logid,
        request=info,
    )


def _expiry(response: Response, value: object, server_now: float) -> float | None:
    """When a token expires, in Unix seconds; None if the server does not state it. In Coze's
    responses `expires_in` is a point in time.
    """
    if value is None:
        return None
    if isinstance(value, str) and value.isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid_response(response, "the expires_in in the response is not a number")
    return float(value) if value >= _EARLIEST_TIMESTAMP else server_now + value


def _clock_offset(response: Response, now: float) -> float:
    """Seconds by which the server's clock is ahead of ours, by its `Date` header; 0 without one."""
    try:
        offset = parsedate_to_datetime(response.headers.get("date") or "").timestamp() - now
    except (TypeError, ValueError):
        return 0.0
    return offset if abs(offset) >= _MIN_OFFSET else 0.0


def is_transient(error: Exception) -> bool:
    """Whether the same request may succeed later: no response arrived, or the server failed or was
    busy.
    """
    if isinstance(error, APIConnectionError):
        return True
    return isinstance(error, OAuthError) and (
        error.http_status == 429 or error.error in ("server_error", "temporarily_unavailable")
    )


publish(globals(), "cozekit.auth", "OAuthSetupError")
