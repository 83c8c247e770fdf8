"""Rules for limits: each is on a value of its kind, and is one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..bundle import Bundle, Node
from ..limits import ALLOWED, CONDITIONS, KNOWN, NUMBERS, SIZES
from ..nodes import known_values, node_at, types_of
from .operations import place_of

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
_PYTHON: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def lint_limits(bundle: Bundle) -> Iterator[str]:
    """Messages for the limits of every schema and parameter."""
    for name, node in bundle.schemas.items():
        yield from _tree(f"spec/{bundle.origin[name]}: {name}", bundle, node)
    for method, path, node in bundle.operations():
        where = place_of(bundle, method, path, node)
        for parameter in node.get("parameters") or ():
            here = f"{where}({parameter.get('name')})"
            yield from _tree(here, bundle, parameter.get("schema") or {})


def _tree(where: str, bundle: Bundle, node: Any) -> Iterator[str]:
    if not isinstance(node, dict):
        return
    yield from limit_rules(where, bundle, node)
    for condition in node.get(CONDITIONS) or ():
        yield from _condition(f"{where}: {CONDITIONS}", bundle, node, condition)
    for part in node.get("allOf") or ():
        yield from _tree(where, bundle, part)
    for name, child in (node.get("properties") or {}).items():
        yield from _tree(f"{where}.{name}", bundle, child)
    yield from _tree(f"{where}[]", bundle, node.get("items"))
    yield from _tree(f"{where}{{}}", bundle, node.get("additionalProperties"))


def limit_rules(
    where: str, bundle: Bundle, node: Node, described: Node | None = None
) -> Iterator[str]:
    """Messages for the limits of one node.

    Args:
        where: What the messages begin with.
        bundle: The description.
        node: Holds the limits.
        described: Holds the type, when that is another node.
    """
    types = types_of(bundle, described or node)
    for key, (limited, text) in KINDS.items():
        if key in node and types and not types & limited:
            shown = " or ".join(sorted(types))
            yield f"{where}: {key} is for {text}, and this is {shown}; delete it"
    yield from _values(where, node)
    if "propertyNames" in node:
        keys: Node = {**(node["propertyNames"] or {}), "type": "string"}
        yield from limit_rules(f"{where}{{key}}", bundle, keys)
    if ALLOWED in node:
        yield from _allowed(where, bundle, node[ALLOWED], described or node)


def _values(where: str, node: Node) -> Iterator[str]:
    for key in (*NUMBERS, *SIZES):
        if key in node and not (_is_size(node[key]) if key in SIZES else _is_number(node[key])):
            yield f"{where}: {key} {node[key]!r} is not a number that can be a limit; fix it"
    for low, high in PAIRS:
        if _is_number(node.get(low)) and _is_number(node.get(high)) and node[low] > node[high]:
            yield f"{where}: {low} {node[low]} is above {high} {node[high]}; fix one"


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _allowed(where: str, bundle: Bundle, values: Any, described: Node) -> Iterator[str]:
    if values == KNOWN:
        if not known_values(bundle, described):
            yield f"{where}: {ALLOWED} is `known`, but there are no known values; list the values"
    elif not isinstance(values, list) or not values:
        yield f"{where}: {ALLOWED} must be a list of values, or `known`"
    else:
        for value in values:
            if not fits(bundle, described, value):
                yield f"{where}: {ALLOWED} has {value!r}, not of the type of the field; fix it"


def fits(bundle: Bundle, node: Node, value: Any) -> bool:
    """Whether a value is of a type that a node may have."""
    types = types_of(bundle, node)
    if isinstance(value, bool) and types:
        return "boolean" in types
    allowed = tuple(python for name in types for python in _PYTHON.get(name, ()))
    return not types or isinstance(value, allowed)


def _condition(where: str, bundle: Bundle, node: Node, condition: Any) -> Iterator[str]:
    if not _is_condition(condition):
        yield (
            f"{where} needs `when` with one field, and `required` or `allowed`; see "
            "docs/description.md"
        )
        return
    for field, values in condition["when"].items():
        if not isinstance(values, list):
            yield f"{where} needs a list of values for {field}; [] is any"
    named = (condition["when"], condition.get("required", ()), condition.get("allowed", {}))
    for path in (path for paths in named for path in paths):
        if not _is_path(bundle, node, str(path)):
            yield f"{where} names {path}, which is not a path; fix it"


def _is_condition(condition: Any) -> bool:
    return (
        isinstance(condition, dict)
        and not set(condition) - {"when", "required", "allowed"}
        and isinstance(condition.get("when"), dict)
        and len(condition["when"]) == 1
        and bool(condition.get("required") or condition.get("allowed"))
    )


def _is_path(bundle: Bundle, node: Node, path: str) -> bool:
    """Whether a path begins at a property of the node itself."""
    head = path.partition(".")[0]
    return head in (node.get("properties") or {}) and node_at(bundle, node, path) is not None
