"""What must not stand in a cassette, and where it may hide: URL-quoted, in base64, behind JSON
escapes, one inside the other.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any
from urllib.parse import unquote_plus

PATTERNS = {
    # A token of the documentation ends in asterisks, and is none. Decoded from the middle of
    # something, a token may follow any letter; then it has to look like one all the more.
    "a Coze token": re.compile(
        r"(?:(?<![A-Za-z0-9])(?:pat|sat|czs|czu|cztei)_[A-Za-z0-9]{6,}"
        r"|(?:pat|sat|czs|czu|cztei)_(?=[A-Za-z0-9]*[0-9])(?=[A-Za-z0-9]*[A-Z])[A-Za-z0-9]{16,})(?![A-Za-z0-9]*\*)"
    ),
    "a signed token": re.compile(r"eyJ[A-Za-z0-9_-]{10,}"),
    "credentials": re.compile(r"(?i)\b(?:bearer|basic)\s+[\w+/=.~-]{6,}(?![\w+/=.~-]*\*)"),
    # A placeholder such as `Bearer ${TOKEN}` is no credential.
    "an Authorization header": re.compile(
        r"(?i)\bauthorization\b[\"'\\]*\s*[:=]\s*[\"'\\]*(?!(?:bearer|basic)[\s\\]*[$*<{])(?:(?:bearer|basic)\s+)?[\w+/.~-]{6,}"
    ),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"),
    "an access key": re.compile(r"\bAKLT[\w-]{16,}"),
}
NAMES = {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"}
"""Headers that carry a credential whatever they hold."""
_DEPTH = 4
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}")
_PIECE = re.compile(r'(?m)^data:.*?"content": ?("(?:[^"\\]|\\.)*")')
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


def findings(data: Any, secrets: Collection[str] = (), ids: Collection[str] = ()) -> list[str]:
    """Everything secret in loaded YAML or JSON data: where, and what kind; never the secret itself.

    Args:
        data: The content of a cassette.
        secrets: Values that must not be there in any form, besides all that looks like a token.
        ids: The same; as part of a longer word they are something else.
    """
    patterns = {
        **PATTERNS,
        "a secret that was to be scrubbed": any_of(map(re.escape, secrets)),
        "an id that was to be scrubbed": any_of(map(whole, ids)),
    }
    found: dict[str, None] = {}
    for where, value in leaves(data):
        if where.endswith("(key)") and value.lower() in NAMES:
            found[f"{where}: a header with a credential"] = None
        for view in views(value):
            found |= {
                f"{where}: {kind}": None
                for kind, pattern in patterns.items()
                if pattern.search(view)
            }
    return list(found)


def any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(patterns) or "(?!)")


def whole(value: str) -> str:
    """Pattern for a value that is no part of a longer word or number."""
    part = r"\d" if value.isdigit() else "[A-Za-z0-9]"
    return f"(?<!{part}){re.escape(value)}(?!{part})"


def leaves(data: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Every text with its place. Keys are texts, too."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield f"{where}.(key)", str(key)
            yield from leaves(value, f"{where}.{key}" if str(key).isidentifier() else f"{where}.*")
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from leaves(value, f"{where}[{number}]")
    elif isinstance(data, bytes):
        yield where, data.decode("utf-8", "replace")
        yield where, data.decode("latin-1")
    elif data is not None:
        yield where, str(data)


def views(text: str, depth: int = _DEPTH, seen: set[str] | None = None) -> Iterator[str]:
    """The text, and all that it may be decoded to."""
    seen = set() if seen is None else seen
    if text in seen:
        return
    seen.add(text)
    yield text
    if depth:
        for other in decoded(text):
            yield from views(other, depth - 1, seen)


def decoded(text: str) -> Iterator[str]:
    """One step of decoding, by every way."""
    if "%" in text or "+" in text:
        yield unquote_plus(text)
    if "\\" in text:
        yield (
            _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
            .replace("\\/", "/")
            .replace('\\"', '"')
        )
    if "\n" in text:
        # Long base64 is broken into lines, and a stream breaks what a bot says into pieces.
        yield re.sub(r"\s+", "", text)
        yield "".join(json.loads(piece) for piece in _PIECE.findall(text))
    for run in set(_BASE64.findall(text)):
        for start in range(4):
            part = run[start:].replace("-", "+").replace("_", "/")
            try:
                content = base64.b64decode(
                    part + "=" * (-len(part) % 4) if len(part) % 4 != 1 else part[:-1]
                )
            except binascii.Error:
                continue
            readable = content.decode("latin-1")
            if any(len(piece) >= 6 for piece in re.findall(r"[ -~]+", readable)):
                yield readable
