"""The request of a callback before anything in it is trusted: headers, size, age, signature."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias, cast

from ..errors import ArgumentError, WebhookError

HeadersInput: TypeAlias = (
    Mapping[str, str] | Iterable[tuple[str, str]] | Iterable[tuple[bytes, bytes]]
)
"""Headers as frameworks have them: a mapping, or pairs of text or bytes. Case does not matter."""

TIMESTAMP = "x-coze-timestamp"
NONCE = "x-coze-nonce"
SIGNATURE = "x-coze-signature"
MAX_AGE = 300.0
"""Seconds. Coze names no limit; within this time somebody who recorded a delivery can repeat it."""


def sign(body: bytes, *, timestamp: str, nonce: str, token: str) -> str:
    """The signature of a delivery, lower-case hexadecimal.

    It is the plain SHA-1 of timestamp, nonce, token and raw body, joined without separators. The
    official page calls it an HMAC, but its sample does not compute one.

    Args:
        body: The request body, byte for byte.
        timestamp: Text of `X-Coze-Timestamp`, Unix milliseconds.
        nonce: Text of `X-Coze-Nonce`.
        token: Verify token of the callback application.

    Source: receive_handle_callbacks
    """
    # Coze chose the algorithm; the flag lets it run where SHA-1 is disabled for security.
    digest = hashlib.sha1(f"{timestamp}{nonce}{token}".encode(), usedforsecurity=False)
    digest.update(body)
    return digest.hexdigest()


def verify(
    headers: HeadersInput,
    body: bytes,
    token: str | Iterable[str],
    *,
    max_age: float | None = MAX_AGE,
    clock: Callable[[], float] = time.time,
) -> None:
    """Makes sure that Coze sent this request, a short while ago.

    Args:
        headers: Headers of the request.
        body: Raw body. JSON that was parsed and written again has another signature.
        token: Verify token of the callback application; several when one address serves several
            applications.
        max_age: Maximum age of a delivery in seconds; it may be as far ahead of the local clock.
            None switches the check off.
        clock: Unix time in seconds.

    Raises:
        WebhookError: `status` 401: not signed, signed by somebody else, changed on the way, or too
            old.
        ArgumentError: The token is empty, which would let anybody sign; or the body is not bytes.

    Source: receive_handle_callbacks
    """
    tokens = checked_tokens(token)
    if not isinstance(body, bytes | bytearray | memoryview):
        raise ArgumentError("body must be the raw bytes of the request", argument="body")
    values = header_values(headers)
    timestamp, nonce, signature = (_single(values, name) for name in (TIMESTAMP, NONCE, SIGNATURE))
    # Every token is tried, so that the time does not tell which one came close.
    matches = [
        hmac.compare_digest(
            sign(bytes(body), timestamp=timestamp, nonce=nonce, token=candidate), signature
        )
        for candidate in tokens
    ]
    if not any(matches):
        raise WebhookError("the signature does not match the verify token and the body", status=401)
    # Only plain digits: int() would also take signs, spaces and underscores. The parts are joined
    # without separators, so digits could be moved between timestamp and nonce; that changes the
    # time by a factor of ten and is refused here.
    if max_age is not None and not (
        timestamp.isdigit() and abs(clock() - int(timestamp[:20]) / 1000) <= max_age
    ):
        raise WebhookError("the delivery is too old, or the clocks differ", status=401)


def checked_tokens(token: str | Iterable[str]) -> tuple[str, ...]:
    """The tokens; an ArgumentError when there is none, or one is empty."""
    tokens = (token,) if isinstance(token, str) else tuple(token)
    if not tokens or not all(tokens):
        raise ArgumentError(
            "the verify token must not be empty: anybody could sign with it", argument="token"
        )
    return tokens


def header_values(headers: HeadersInput) -> dict[str, list[str]]:
    """Lower-case name → values, in their order."""
    values: dict[str, list[str]] = {}
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    for name, value in cast("Iterable[tuple[str | bytes, str | bytes]]", pairs):
        values.setdefault(_text(name).lower(), []).append(_text(value))
    return values


def is_unsigned(headers: HeadersInput) -> bool:
    """Whether no header of a signature is there at all."""
    return not {TIMESTAMP, NONCE, SIGNATURE} & header_values(headers).keys()


def check_headers(headers: HeadersInput, max_body: int) -> None:
    """What can be checked before the body is read; a WebhookError says what is wrong."""
    values = header_values(headers)
    if not _is_json(*values.get("content-type", [])[:1]):
        raise WebhookError("the content type is not JSON in UTF-8", status=415)
    encodings = {value.strip().lower() for value in values.get("content-encoding", ())}
    if encodings - {"", "identity"}:
        raise WebhookError("the body is compressed", status=415)
    for length in values.get("content-length", ()):
        if not (length.isascii() and length.isdigit()):
            raise WebhookError("the content length is not a number", status=400)
        if len(length) > 18 or int(length) > max_body:
            raise too_large(max_body)


def _is_json(content_type: str = "") -> bool:
    media_type, *parameters = (part.strip() for part in content_type.lower().split(";"))
    charsets = {
        parameter.partition("=")[2].strip(' "')
        for parameter in parameters
        if parameter.startswith("charset=")
    }
    return charsets <= {"utf-8", "utf8"} and (
        media_type in ("", "application/json") or media_type.endswith("+json")
    )


def too_large(max_body: int) -> WebhookError:
    """The error for a body beyond the limit."""
    return WebhookError(f"the body is larger than {max_body} bytes", status=413)


def _single(values: Mapping[str, list[str]], name: str) -> str:
    match values.get(name):
        case [value] if value and value.isascii():
            return value
    raise WebhookError(
        "not signed: the headers X-Coze-Timestamp, X-Coze-Nonce and X-Coze-Signature must each "
        "occur once",
        status=401,
    )


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
