"""Reads the responses of the sign-in endpoints: a token, or an error in one of two spellings. Pure:
bytes in, token or error out.

An error is `{"error_code", "error_message"}` on some pages and `{"error", "error_description"}` on
others; the word `access_deny` of the first is the `access_denied` of the RFCs. The HTTP status of
these responses is not documented, so the body decides.

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

from coze_runtime._publish import publish
from coze_runtime.operation import Request, Response
from coze_runtime.serialization.error_responses import request_info

from ..errors import APIConnectionError, ArgumentError, OAuthError
from ._values import Token

_CANONICAL = {"access_deny": "access_denied", "internal_error": "server_error"}
_SECRET_FIELDS = ("code", "code_verifier", "refresh_token", "device_code")
_SECRET = re.compile(
    r"\b(?:pat|czu|czs|code|refresh)_(?=[\w.-]*\d)[\w.-]{6,}|\beyJ[\w-]+\.[\w-]+\.[\w-]*"
)
# Seconds since 1970 have ten digits; anything below is a duration, which RFC 6749 has in this
# place.
_EARLIEST_MOMENT = 1_000_000_000
# Seconds; the `Date` header has whole seconds and responses take time, so smaller differences mean
# nothing.
_TRUSTED_OFFSET = 5.0
_LARGE_OFFSET = 120.0

_WRONG_APP = "the app is of another type than this flow; look at its type in the console"
_ADVICE = {
    "invalid_request": "check the named parameter; a code works once and not for long: if it "
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
    "slow_down": "polled too fast; lengthen the interval and poll again",
    "server_error": "Coze failed; try again later",
    "temporarily_unavailable": "Coze is busy; try again later",
    "invalid_response": "check that base_url is the address of the API and that no proxy "
    "responds in its place; if it is, try again later",
}
_SPENT = "the refresh token was used, has expired after 30 days or was revoked; sign in again"


class OAuthSetupError(OAuthError, ArgumentError):
    """A setting of a sign-in is missing or malformed; nothing was sent. It is an ArgumentError (and
    so a ValueError) too.
    """

    def __init__(self, message: str, *, argument: str | None = None) -> None:
        """Says what is wrong with a setting.

        Args:
            message: The text of the error; shows no secret.
            argument: Name of the setting.
        """
        OAuthError.__init__(self, message, error="invalid_setting", description=message)
        self.argument = argument


def required(name: str, value: object) -> str:
    """The text that was given.

    Raises:
        OAuthSetupError: It is missing, empty, or not text; the message names it and never shows it.
    """
    if not isinstance(value, str) or not value.strip():
        raise OAuthSetupError(f"{name} is missing or empty", argument=name)
    return value.strip()


def code_from_redirect(returned: str, state: str) -> str:
    """The code in the address to which the browser came back, or in its query string.

    Raises:
        OAuthError: The user refused, the state is another one (`invalid_state`), or there is no
            code.
    """
    query = urlsplit(returned).query if "?" in returned or "://" in returned else returned
    # Of a field that is there twice, the first counts.
    fields = dict(reversed(parse_qsl(query, keep_blank_values=True)))
    code, error, returned_state = (fields.get(name, "") for name in ("code", "error", "state"))
    if "state" in fields or "error" not in fields:
        same = secrets.compare_digest(returned_state.encode(), state.encode())
        if not state or not same:
            raise OAuthError(
                "the state that came back is not the one of this sign-in; reject the response and "
                "start the sign-in again",
                error="invalid_state",
            )
    if error:
        word = _redacted(error, {code})
        description = _redacted(fields.get("error_description", ""), {code})
        word = _CANONICAL.get(word, word)
        raise OAuthError(
            f"{word}: {description or 'the consent page refused'}; ask the user again",
            error=word,
            description=description,
        )
    if not code:
        raise OAuthError(
            "the browser came back without a code; start the sign-in again",
            error="invalid_response",
        )
    return code


def read_token(
    request: Request, response: Response, now: float, previous: Token | None = None
) -> Token:
    """The token in a response of a token endpoint.

    Args:
        request: What was sent; its secrets never reach an error.
        response: What came.
        now: Unix seconds of this machine's clock.
        previous: The token that is refreshed; its refresh token stays when no new one came.

    Raises:
        OAuthError: There is no token in it.
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
    """The JSON object of a success.

    Raises:
        OAuthError: The response is an error in either spelling, or not that of a sign-in endpoint
            at all.
    """
    data = _json_object(response)
    if data is None and response.status < 300:
        raise invalid_response(response, "the response is not a JSON object")
    word = _first_text(data or {}, "error_code", "error")
    if data and (word or data.get("code") not in (None, 0, "0", "")):
        raise _refusal(request, response, data, word, now)
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


def _refusal(
    request: Request, response: Response, data: Mapping[str, Any], word: str, now: float
) -> OAuthError:
    sent = request.body or {}
    credential = request.headers.get("Authorization", "").partition(" ")[2]
    hidden = {credential, *(str(sent.get(name) or "") for name in _SECRET_FIELDS)}
    message = _first_text(data, "error_message", "error_description", "msg", "message")
    word, description = _redacted(word or str(data.get("code")), hidden), _redacted(message, hidden)
    error = _CANONICAL.get(word, word)
    advice = _ADVICE.get(error, "")
    spent = ("invalid_request", "invalid_grant", "access_denied")
    if error in spent and sent.get("grant_type") == "refresh_token":
        advice = _SPENT
    offset = _clock_offset(response, now)
    if abs(offset) >= _LARGE_OFFSET:
        direction = "behind" if offset > 0 else "ahead of"
        advice += (
            f"; the clock of this machine is {abs(offset):.0f} s {direction} that of the server, "
            "set it right"
        )
    reason = f"{word}: {description}" if description else word
    return _response_error(response, error, reason, advice, description)


def _redacted(text: str, hidden: Collection[str]) -> str:
    """The text of a server without the secrets it may echo, on one line and not longer than it is
    useful.
    """
    for secret in sorted(filter(None, hidden), key=len, reverse=True):
        text = text.replace(secret, "***")
    return " ".join(_SECRET.sub("***", text).split())[:300]


def invalid_response(response: Response, problem: str) -> OAuthError:
    """The error for a response that is neither a success nor a reason."""
    error = "server_error" if response.status >= 500 else "invalid_response"
    size = len(response.content)
    detail = f"{response.content_type or 'no content type'}, {size} bytes" if size else "empty"
    problem += f" ({detail})"
    return _response_error(response, error, problem, _ADVICE[error], problem)


def _response_error(
    response: Response, error: str, reason: str, advice: str, description: str
) -> OAuthError:
    """The error for a response: which server, what it said, and what to do next."""
    info = request_info(response.operation, response.url, response.base_url, response.service)
    logid = f", logid {response.logid}" if response.logid else ""
    text = f"{info.operation}: {reason} (HTTP {response.status}{logid}, at {response.base_url})"
    return OAuthError(
        f"{text}; {advice}" if advice else text,
        error=error,
        description=description,
        http_status=response.status,
        logid=response.logid,
        request=info,
    )


def _expiry(response: Response, value: object, server_now: float) -> float | None:
    """When a token expires: `expires_in` is a moment in these responses. None when the server does
    not say.
    """
    if value is None:
        return None
    if isinstance(value, str) and value.isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid_response(response, "the expires_in in the response is not a number")
    return float(value) if value >= _EARLIEST_MOMENT else server_now + value


def _clock_offset(response: Response, now: float) -> float:
    """How far the server's clock is ahead of ours, by its `Date` header; 0 when there is none."""
    try:
        offset = parsedate_to_datetime(response.headers.get("date") or "").timestamp() - now
    except (TypeError, ValueError):
        return 0.0
    return offset if abs(offset) >= _TRUSTED_OFFSET else 0.0


def is_transient(error: Exception) -> bool:
    """Whether the same request may succeed later: no response came, or the server failed or was
    busy.
    """
    if isinstance(error, APIConnectionError):
        return True
    return isinstance(error, OAuthError) and (
        error.http_status == 429 or error.error in ("server_error", "temporarily_unavailable")
    )


publish(globals(), "cozekit.auth", "OAuthSetupError")
