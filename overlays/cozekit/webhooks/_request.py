"""Checks of callback requests: headers, size, age, signature."""

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
"""Headers as frameworks pass them: a mapping, or pairs of str or bytes. Case-insensitive."""

TIMESTAMP = "x-coze-timestamp"
NONCE = "x-coze-nonce"
SIGNATURE = "x-coze-signature"
MAX_AGE = 300.0
"""Seconds. Coze documents no limit; a recorded delivery can be replayed within this time."""


def sign(body: bytes, *, timestamp: str, nonce: str, token: str) -> str:
    """Computes the signature of a delivery, in lower-case hexadecimal.

    It is the SHA-1 of timestamp, nonce, token and raw body, joined without separators. The official
    page calls it an HMAC, but its sample does not compute one.

    Args:
        body: Raw request body.
        timestamp: Text of `X-Coze-Timestamp`, Unix milliseconds.
        nonce: Text of `X-Coze-Nonce`.
        token: Verify token of the callback application.

    Source: receive_handle_callbacks
    """
    # Coze requires SHA-1; the flag allows it on systems that disable it for security.
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
    """Checks that Coze sent this request, and recently.

    Args:
        headers: Headers of the request.
        body: Raw request body. JSON that was parsed and serialized again has another signature.
        token: Verify token of the callback application, or several tokens if one URL serves several
            applications.
        max_age: Maximum difference in seconds between the timestamp of a delivery and the local
            clock. None disables the check.
        clock: Returns Unix time in seconds.

    Raises:
        WebhookError: `status` 401: not signed, wrong signature, or too old.
        ArgumentError: The token is empty, so anyone could sign; or the body is not bytes.

    Source: receive_handle_callbacks
    """
    tokens = checked_tokens(token)
    if not isinstance(body, bytes | bytearray | memoryview):
        raise ArgumentError("body must be the raw bytes of the request", argument="body")
    values = header_values(headers)
    timestamp, nonce, signature = (_single(values, name) for name in (TIMESTAMP, NONCE, SIGNATURE))
    # Try every token, so that the timing does not reveal which one matched.
    matches = [
        hmac.compare_digest(
            sign(bytes(body), timestamp=timestamp, nonce=nonce, token=candidate), signature
        )
        for candidate in tokens
    ]
    if not any(matches):
        raise WebhookError("the signature does not match the verify token and the body", status=401)
    # Only digits: int() would also accept signs, spaces and underscores. The signed parts have no
    # separators, so an attacker could move digits between timestamp and nonce; that changes the
    # time at least tenfold and fails this check.
    if max_age is not None and not (
        timestamp.isdigit() and abs(clock() - int(timestamp[:20]) / 1000) <= max_age
    ):
        raise WebhookError("the delivery is too old, or the clocks differ", status=401)


def checked_tokens(token: str | Iterable[str]) -> tuple[str, ...]:
    """Returns the tokens; raises an ArgumentError if there is none, or one is empty."""
    tokens = (token,) if isinstance(token, str) else tuple(token)
    if not tokens or not all(tokens):
        raise ArgumentError(
            "the verify token must not be empty: anyone could sign with it", argument="token"
        )
    return tokens


def header_values(headers: HeadersInput) -> dict[str, list[str]]:
    """Returns lower-case name → values, in order."""
    values: dict[str, list[str]] = {}
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    for name, value in cast("Iterable[tuple[str | bytes, str | bytes]]", pairs):
        values.setdefault(_text(name).lower(), []).append(_text(value))
    return values


def is_unsigned(headers: HeadersInput) -> bool:
    """Whether the request has no signature header at all."""
    return not {TIMESTAMP, NONCE, SIGNATURE} & header_values(headers).keys()


def check_headers(headers: HeadersInput, max_body: int) -> None:
    """Checks the headers before the body is read; raises a WebhookError if they are not valid."""
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
    """The error for a body above the limit."""
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
