"""Who sent it, and when: the signature of a callback."""

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
"""Headers as any framework has them: a mapping, or pairs of text or bytes. Case does not matter."""

TIMESTAMP = "x-coze-timestamp"
NONCE = "x-coze-nonce"
SIGNATURE = "x-coze-signature"
MAX_AGE = 300.0
"""Seconds. Coze names no limit; within this time a delivery that somebody recorded could be sent
again.
"""


def sign(body: bytes, *, timestamp: str, nonce: str, token: str) -> str:
    """The signature of a delivery, lower-case hexadecimal.

    It is the plain SHA-1 of timestamp, nonce, token and raw body, joined without separators; the
    official page calls it an HMAC, its sample does not compute one.

    Args:
        body: The request body, byte for byte.
        timestamp: Text of `X-Coze-Timestamp`, Unix milliseconds.
        nonce: Text of `X-Coze-Nonce`.
        token: Verify token of the callback application.

    Source: receive_handle_callbacks
    """
    # The algorithm is the platform's; the flag lets it run where SHA-1 is switched off for other
    # uses.
    found = hashlib.sha1(f"{timestamp}{nonce}{token}".encode(), usedforsecurity=False)
    found.update(body)
    return found.hexdigest()


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
        body: Raw body. JSON that was read and written again has another signature.
        token: Verify token of the callback application; several when one address serves several
            applications.
        max_age: Seconds that a delivery may be old, or ahead of this machine's clock. None switches
            the check off.
        clock: Unix time in seconds.

    Raises:
        WebhookError: `status` 401: not signed, signed by somebody else, changed on the way, or too
            old.
        ArgumentError: The token is empty, which would let anybody sign; or the body is not bytes.

    Source: receive_handle_callbacks
    """
    tokens = known_tokens(token)
    if not isinstance(body, bytes | bytearray | memoryview):
        raise ArgumentError("body must be the raw bytes of the request", argument="body")
    signed = signature_headers(headers)
    if signed is None:
        raise WebhookError(
            "not signed: the headers X-Coze-Timestamp, X-Coze-Nonce and X-Coze-Signature must "
            "each be there once",
            status=401,
        )
    timestamp, nonce, signature = signed
    given = signature.encode("utf-8", "surrogateescape")
    # Every token is tried, so that the time does not tell which one came close.
    good = [
        hmac.compare_digest(
            sign(bytes(body), timestamp=timestamp, nonce=nonce, token=one).encode(), given
        )
        for one in tokens
    ]
    if not any(good):
        raise WebhookError("the signature does not fit the verify token and the body", status=401)
    if max_age is not None:
        _check_age(timestamp, max_age, clock())


def known_tokens(token: str | Iterable[str]) -> tuple[str, ...]:
    """The tokens, checked.

    Raises:
        ArgumentError: There is none, or one is empty.
    """
    tokens = (token,) if isinstance(token, str) else tuple(token)
    if not tokens or not all(tokens):
        raise ArgumentError(
            "the verify token must not be empty: anybody could sign with it", argument="token"
        )
    return tokens


def header_values(headers: HeadersInput) -> dict[str, list[str]]:
    """Lower-case name → values, in the order in which they came."""
    found: dict[str, list[str]] = {}
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    for name, value in cast("Iterable[tuple[str | bytes, str | bytes]]", pairs):
        found.setdefault(_text(name).lower(), []).append(_text(value))
    return found


def signature_headers(headers: HeadersInput) -> tuple[str, str, str] | None:
    """Timestamp, nonce and signature; None unless each stands there exactly once, in plain
    ASCII.
    """
    values = header_values(headers)
    found = [values.get(name, []) for name in (TIMESTAMP, NONCE, SIGNATURE)]
    if any(len(one) != 1 or not one[0] or not one[0].isascii() for one in found):
        return None
    return found[0][0], found[1][0], found[2][0]


def is_unsigned(headers: HeadersInput) -> bool:
    """Whether there is no trace of a signature at all."""
    return not {TIMESTAMP, NONCE, SIGNATURE} & header_values(headers).keys()


def _check_age(timestamp: str, max_age: float, now: float) -> None:
    # Only plain digits: int() would also take signs, spaces and underscores. The parts are joined
    # without separators, so digits could be moved between timestamp and nonce; that changes the
    # time by a factor of ten and is refused here.
    if not timestamp.isdigit() or abs(now - int(timestamp[:20]) / 1000) > max_age:
        raise WebhookError("the delivery is too old, or the clocks differ", status=401)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
