"""Whether data has the keys that it needs, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

KEYS = {
    f"x-coze-{name}"
    for name in (
        "page permission unwrap errors billed safe events socket rtc callbacks pager stream waiter "
        "rate-limit replaced-by deviation used-by constant error-codes error-classes environment "
        "stream-kind stream-kinds tolerance servers also-on ended helpers parameters allowed "
        "conditions max-bytes min-bytes"
    ).split()
}
"""Every key beside those of OpenAPI."""
EXAMPLES = ("example", "examples", "default")
"""Keys whose values are values of the wire, in which no rule looks."""
Keys = tuple[set[str], set[str]]
"""Keys that are needed, and those that may be there besides."""


def check_keys(where: str, data: Any, keys: Keys) -> Iterator[str]:
    """Messages for keys that are missing or unknown; `where` names the data too."""
    needed, optional = keys
    given = set(data) if isinstance(data, dict) else set()
    if needed - given:
        missing = ", ".join(sorted(needed - given))
        yield f"{where} lacks {missing}; see docs/description.md"
    if given - needed - optional:
        unknown = ", ".join(sorted(given - needed - optional))
        yield f"{where} has unknown {unknown}; see docs/description.md"


def unknown_keys(where: str, node: Any) -> Iterator[str]:
    """Messages for keys that nobody reads, and for deviations without a reason."""
    if isinstance(node, list):
        for item in node:
            yield from unknown_keys(where, item)
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _key(where, key, value)
            if key not in EXAMPLES:
                yield from unknown_keys(f"{where}/{key}", value)


def _key(where: str, key: Any, value: Any) -> Iterator[str]:
    if isinstance(key, str) and key.startswith("x-coze-") and key not in KEYS:
        yield f"{where}: nothing reads {key}; see docs/description.md for the keys"
    if key == "x-coze-deviation" and not (
        isinstance(value, dict) and {"what", "why", "evidence"} <= set(value)
    ):
        yield f"{where}: x-coze-deviation needs what, why and evidence"
