"""Rules for limits: each is on a value of its kind, and can be kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..bundle import Node
from ..limits import ALLOWED, KNOWN
from ..nodes import known_values, types_of
from .place import Place
from .values import Values

# Key → the types that it limits, and how a message calls them.
_NUMBER, _TEXT, _LIST, _MAP = (
    ({"number", "integer"}, "a number"),
    ({"string"}, "a text"),
    ({"array"}, "a list"),
    ({"object"}, "a map"),
)
KINDS = {
    "minimum": _NUMBER,
    "maximum": _NUMBER,
    "minLength": _TEXT,
    "maxLength": _TEXT,
    "x-coze-min-bytes": _TEXT,
    "x-coze-max-bytes": _TEXT,
    "minItems": _LIST,
    "maxItems": _LIST,
    "maxProperties": _MAP,
    "propertyNames": _MAP,
}
PAIRS = (
    ("minimum", "maximum"),
    ("minLength", "maxLength"),
    ("x-coze-min-bytes", "x-coze-max-bytes"),
    ("minItems", "maxItems"),
)


def lint_limits(place: Place, node: Node, described: Node, values: Values) -> Iterator[str]:
    """Messages for the limits of one node.

    Args:
        place: Where the limits are.
        node: Holds the limits.
        described: Holds the type, which may be another node.
        values: Judges values.
    """
    types = types_of(values.bundle, described)
    for key, (limited, text) in KINDS.items():
        if key in node and types and not types & limited:
            shown = " or ".join(sorted(types))
            yield (place / key).says(f"a limit of {text}, and this is {shown}; delete it")
    for low, high in PAIRS:
        if low in node and high in node and node[low] > node[high]:
            yield (place / low).says(f"{node[low]} is above {high} {node[high]}; fix one")
    if "propertyNames" in node:
        keys: Node = {"type": "string"}
        yield from lint_limits(place / "propertyNames", node["propertyNames"], keys, values)
    yield from _allowed(place, node.get(ALLOWED) or (), described, values)


def _allowed(place: Place, allowed: Any, described: Node, values: Values) -> Iterator[str]:
    if allowed != KNOWN:
        for index, value in enumerate(allowed):
            yield from values.misfits(place.below(ALLOWED, index), described, value, known=False)
    elif not known_values(values.bundle, described):
        yield (place / ALLOWED).says("there are no known values; list the values")
