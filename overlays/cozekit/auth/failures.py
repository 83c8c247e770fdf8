"""What the sign-in endpoints answer: a token, or one of two spellings of "no". Pure: bytes in,
token or error out.

A failure is told as `{"error_code", "error_message"}` on some pages and as `{"error",
"error_description"}` on others; the word `access_deny` of the first is the `access_denied` of the
RFCs. The HTTP status of these answers is not documented, so the body decides.

Sources: https://www.coze.cn/open/docs/developer_guides/oauth_code,
https://www.coze.cn/open/docs/developer_guides/oauth_device_code
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from coze_runtime.errors import ArgumentError
from coze_runtime.operation import Request, Response
from coze_runtime.serialization.error_responses import request_info

from ..errors import OAuthError
from .model import Token

_CANONICAL = {"access_deny": "access_denied", "internal_error": "server_error"}
_SECRET_FIELDS = ("code", "code_verifier", "refresh_token", "device_code")
# Seconds since 1970 have ten digits; anything below is a duration, which RFC 6749 has in this
# place.
_EARLIEST_MOMENT = 1_000_000_000
# Seconds; the `Date` header has whole seconds and answers take time, so smaller differences mean
# nothing.
_TRUSTED_OFFSET = 5.0
_LARGE_OFFSET = 120.0

_NEXT = {
    "invalid_request": "check the named parameter; a code works once and not for long: if it "
    "was used or is old, begin the sign-in anew",
    "invalid_client": "check client_id and the secret or key of the app, that they belong to "
    "this site, and the clock of this machine",
    "invalid_grant": "the code or refresh token was used or has ended; sign in anew",
    "unsupported_grant_type": "the app is of another type than this flow; look at its type in "
    "the console",
    "unauthorized_client": "the app is of another type than this flow; look at its type in the "
    "console",
    "access_denied": "the user or the owner of the app refused; check that the app is enabled "
    "and ask the user again",
    "expired_token": "the device code has ended; begin the sign-in anew",
    "authorization_pending": "the user has not decided yet; ask again after the interval",
    "slow_down": "asked too fast; lengthen the interval and ask again",
    "server_error": "Coze failed; try again later",
    "temporarily_unavailable": "Coze is busy; try again later",
    "invalid_response": "check that base_url is the address of the API and that no proxy "
    "answers in its place; if it is, try again later",
}
_REFRESH_REFUSED = (
    "the refresh token was used, has ended after 30 days or was withdrawn; sign in anew"
)


class OAuthSetupError(OAuthError, ArgumentError):
    """A setting of a sign-in is missing or malformed; nothing was sent. It is an ArgumentError (and
    so a ValueError) too.
    """

    def __init__(self, message: str, *, argument: str | None = None) -> None:
        """Args:
        message: Text of the error.
        argument: Name of the argument.
        """
        OAuthError.__init__(self, message, error="invalid_setting", description=message)
        self.argument = argument


def needed(name: str, value: object, *, argument: str | None = None) -> str:
    """The text that was given.

    Raises:
        OAuthSetupError: It is missing, empty, or no text; the message names it and never shows it.
    """
    if not isinstance(value, str) or not value.strip():
        raise OAuthSetupError(f"{name} is missing or empty", argument=argument or name)
    return value.strip()


def secrets_of(request: Request) -> set[str]:
    """The secret values that a request carries."""
    body = request.body or {}
    found = {str(body[name]) for name in _SECRET_FIELDS if body.get(name)}
    scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
    return found | ({credential} if scheme and credential else set())


def scrubbed(text: str, secrets: Collection[str]) -> str:
    """The text of a server without the secrets it may echo, on one line and not longer than it is
    useful.
    """
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    text = re.sub(
        r"\b(?:pat|czu|czs|code|refresh)_(?=[\w.-]*\d)[\w.-]{6,}|\beyJ[\w-]+\.[\w-]+\.[\w-]*",
        "***",
        text,
    )
    return " ".join(text.split())[:300]


def json_object(response: Response) -> Mapping[str, Any] | None:
    """The JSON object in an answer; None when there is none."""
    import msgspec

    try:
        data = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def token_of(
    request: Request, response: Response, now: float, previous: Token | None = None
) -> Token:
    """The token in an answer of a token endpoint.

    Args:
        request: What was sent; its secrets never reach an error.
        response: What came.
        now: Unix seconds of this machine's clock.
        previous: The token that is renewed; its refresh token stays when no new one came.

    Raises:
        OAuthError: There is no token in it.
    """
    data = succeeded(request, response, now)
    access, refresh = data.get("access_token"), data.get("refresh_token")
    if (
        not isinstance(access, str)
        or not access
        or not access.isascii()
        or not access.isprintable()
    ):
        raise no_answer(response, "the answer holds no access_token")
    if refresh is not None and not isinstance(refresh, str):
        raise no_answer(response, "the refresh_token of the answer is no text")
    offset = _offset(response, now)
    return Token(
        access_token=access,
        refresh_token=refresh or (previous.refresh_token if previous else None),
        expires_at=_moment(response, data.get("expires_in"), now + offset),
        issued_at=now,
        clock_offset=offset,
        logid=response.logid,
    )


def succeeded(request: Request, response: Response, now: float) -> Mapping[str, Any]:
    """The JSON object of a success.

    Raises:
        OAuthError: The answer is a failure in either spelling, or no answer of a sign-in endpoint
            at all.
    """
    data = json_object(response)
    word = _word(data) if data is not None else ""
    if data is not None and (word or data.get("code") not in (None, 0, "0", "")):
        raise _refusal(request, response, data, word, now)
    if response.status >= 300 or data is None:
        raise no_answer(
            response,
            "the answer is no JSON object"
            if response.status < 300
            else "the answer says no without a reason",
        )
    return data


def _word(data: Mapping[str, Any]) -> str:
    for name in ("error_code", "error"):
        value = data.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
    return ""


def _refusal(
    request: Request, response: Response, data: Mapping[str, Any], word: str, now: float
) -> OAuthError:
    secrets = secrets_of(request)
    said = next(
        (
            str(data[name])
            for name in ("error_message", "error_description", "msg", "message")
            if data.get(name)
        ),
        "",
    )
    word = scrubbed(word or str(data.get("code")), secrets)
    kind = _CANONICAL.get(word, word)
    description = scrubbed(said, secrets)
    advice = _NEXT.get(kind, "")
    if (
        kind in ("invalid_request", "invalid_grant", "access_denied")
        and (request.body or {}).get("grant_type") == "refresh_token"
    ):
        advice = _REFRESH_REFUSED
    offset = _offset(response, now)
    if abs(offset) >= _LARGE_OFFSET:
        advice += (
            f"; the clock of this machine is {abs(offset):.0f} s "
            f"{'behind' if offset > 0 else 'ahead of'} that of the server, set it right"
        )
    return oauth_error(
        response, kind, f"{word}: {description}" if description else word, advice, description
    )


def no_answer(response: Response, problem: str) -> OAuthError:
    """The error for an answer that is neither a success nor a reason."""
    kind = "server_error" if response.status >= 500 else "invalid_response"
    size = len(response.content)
    problem += (
        f" ({response.content_type or 'no content type'}, {size} bytes)" if size else " (empty)"
    )
    return oauth_error(response, kind, problem, _NEXT[kind], problem)


def oauth_error(
    response: Response, kind: str, said: str, advice: str, description: str
) -> OAuthError:
    """The error for an answer: who spoke, what was said, and what to do next."""
    info = request_info(response.operation, response.url, response.base_url, response.service)
    facts = [
        f"HTTP {response.status}",
        f"logid {response.logid}" if response.logid else "",
        f"at {response.base_url}",
    ]
    text = f"{info.operation}: {said} ({', '.join(fact for fact in facts if fact)})"
    return OAuthError(
        f"{text}; {advice}" if advice else text,
        error=kind,
        description=description,
        http_status=response.status,
        logid=response.logid,
        request=info,
    )


def _moment(response: Response, value: object, server_now: float) -> float | None:
    """When a token ends: `expires_in` is a moment in these answers. None when the server does not
    say.
    """
    if value is None:
        return None
    if isinstance(value, str) and value.isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise no_answer(response, "the expires_in of the answer is no number")
    return float(value) if value >= _EARLIEST_MOMENT else server_now + value


def _offset(response: Response, now: float) -> float:
    """How far the server's clock is ahead of ours, by its `Date` header; 0 when there is none."""
    try:
        found = parsedate_to_datetime(response.headers.get("date") or "").timestamp() - now
    except (TypeError, ValueError):
        return 0.0
    return found if abs(found) >= _TRUSTED_OFFSET else 0.0


def is_passing(error: Exception) -> bool:
    """Whether the same question may be answered later: no answer came, or the server failed or was
    busy.
    """
    from ..errors import APIConnectionError

    if isinstance(error, APIConnectionError):
        return True
    return isinstance(error, OAuthError) and (
        error.http_status == 429 or error.error in ("server_error", "temporarily_unavailable")
    )
