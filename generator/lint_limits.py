"""The rules of docs/description.md for limits: each stands on a value of its kind, and is one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .bundle import Bundle, Node, schema_name
from .limits import ALLOWED, CONDITIONS, KNOWN, NUMBERS, SIZES, known_values, parts
from .lint_paths import find_path, properties

# Key → the types that it speaks of, and how a message calls them.
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
    for _, _, node in bundle.operations():
        where = f"spec/{bundle.origin.get(str(node.get('operationId')), '?')}: "
        for parameter in node.get("parameters") or ():
            here = f"{where}{node.get('operationId')}({parameter.get('name')})"
            yield from _tree(here, bundle, parameter.get("schema") or {})


def _tree(where: str, bundle: Bundle, node: Any) -> Iterator[str]:
    if not isinstance(node, dict):
        return
    yield from limit_rules(where, bundle, node)
    yield from _conditions(where, bundle, node)
    for part in node.get("allOf") or ():
        yield from _tree(where, bundle, part)
    for name, child in (node.get("properties") or {}).items():
        yield from _tree(f"{where}.{name}", bundle, child)
    yield from _tree(f"{where}[]", bundle, node.get("items"))
    yield from _tree(f"{where}{{}}", bundle, node.get("additionalProperties"))


def types_of(bundle: Bundle, node: Node) -> set[str]:
    """The types that a value of a schema may have; empty when any."""
    found: Any = set[str]()
    for part in parts(bundle, node):
        kinds = part.get("type") or []
        found |= {kinds} if isinstance(kinds, str) else set(kinds)
    return set(found)


def limit_rules(
    where: str, bundle: Bundle, node: Node, described: Node | None = None
) -> Iterator[str]:
    """Messages for the limits of one node, its elements included when it is no schema by itself.

    Args:
        where: What the messages begin with.
        bundle: The description.
        node: Holds the limits.
        described: Holds the type, when that is another node.
    """
    kinds = types_of(bundle, described or node)
    yield from _kinds(where, node, kinds)
    yield from _values(where, node)
    if "propertyNames" in node:
        keys: Node = {**(node["propertyNames"] or {}), "type": "string"}
        yield from limit_rules(f"{where}{{key}}", bundle, keys)
    yield from _allowed(where, bundle, node, kinds, described or node)


def _kinds(where: str, node: Node, kinds: set[str]) -> Iterator[str]:
    for key, (wanted, text) in KINDS.items():
        if key in node and kinds and not kinds & wanted:
            found = " or ".join(sorted(kinds))
            yield f"{where}: {key} is for {text}, and this is {found}; delete it"


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


def _allowed(
    where: str, bundle: Bundle, node: Node, kinds: set[str], described: Node
) -> Iterator[str]:
    if ALLOWED not in node:
        return
    values = node[ALLOWED]
    if values == KNOWN:
        if not known_values(bundle, described):
            yield f"{where}: {ALLOWED} is `known`, but there are no known values; list the values"
        return
    if not isinstance(values, list) or not values:
        yield f"{where}: {ALLOWED} must be a list of values, or `known`"
        return
    types = tuple(kind for name in kinds for kind in _PYTHON.get(name, ()))
    for value in values:
        if types and not isinstance(value, types):
            yield f"{where}: {ALLOWED} has {value!r}, not of the type of the field; fix it"


def _conditions(where: str, bundle: Bundle, node: Node) -> Iterator[str]:
    for about in node.get(CONDITIONS) or ():
        if (
            not isinstance(about, dict)
            or set(about) - {"when", "required", "allowed"}
            or not isinstance(about.get("when"), dict)
            or len(about["when"]) != 1
            or not (about.get("required") or about.get("allowed"))
        ):
            yield (
                f"{where}: {CONDITIONS} needs `when` with one field, and `required` or `allowed`; "
                "see docs/description.md"
            )
            continue
        for field, values in about["when"].items():
            if not isinstance(values, list):
                yield f"{where}: {CONDITIONS} needs a list of values for {field}; [] is any"
        for path in (*about["when"], *about.get("required", ()), *about.get("allowed", {})):
            if not _is_path(bundle, node, path):
                yield f"{where}: {CONDITIONS} names {path}, which is no path; fix it"


def _is_path(bundle: Bundle, node: Node, path: str) -> bool:
    head, _, rest = str(path).partition(".")
    child = (node.get("properties") or {}).get(head)
    if child is None or not rest:
        return child is not None
    return properties(bundle, schema_name(child)) is not None and find_path(
        bundle, schema_name(child), rest
    )
