"""Limits of the description as data for the one check of the runtime.

A tree is a plain dictionary: names of `coze_runtime.limits.Limit` → values; `fields` by name, and
`each` and `keys`, hold further trees. A tree without an entry limits nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .bundle import Bundle, Node
from .nodes import known_values, parts, schema_name

Tree = dict[str, Any]

# Key of the description → field of the runtime, in the order in which they are printed.
NUMBERS = {"minimum": "minimum", "maximum": "maximum"}
SIZES = {
    "minLength": "min_length",
    "maxLength": "max_length",
    "x-coze-min-bytes": "min_bytes",
    "x-coze-max-bytes": "max_bytes",
    "minItems": "min_items",
    "maxItems": "max_items",
    "maxProperties": "max_pairs",
}
BELOW = {"items": "each", "additionalProperties": "each", "propertyNames": "keys"}
ALLOWED, CONDITIONS = "x-coze-allowed", "x-coze-conditions"
KNOWN = "known"
"""Value of `x-coze-allowed`: the known values of the schema, and no others."""


def limit_tree(bundle: Bundle, node: Node, inside: tuple[str, ...] = ()) -> Tree:
    """Everything that a schema limits, the schemas that it points to included.

    A schema that holds itself is followed once.
    """
    name = schema_name(node)
    if name in inside:
        return {}
    inside = (*inside, name) if name else inside
    tree: Tree = {}
    fields: dict[str, Tree] = {}
    conditions: list[Tree] = []
    for part in parts(bundle, node):
        tree |= _own(bundle, node, part)
        for key, below in BELOW.items():
            if isinstance(part.get(key), dict):
                tree |= _if_any(below, limit_tree(bundle, part[key], inside))
        for field, child in (part.get("properties") or {}).items():
            fields |= _if_any(field, limit_tree(bundle, child, inside))
        conditions += _conditions(part)
    return tree | _if_any("fields", fields) | _if_any("conditions", conditions)


def _own(bundle: Bundle, node: Node, part: Node) -> Tree:
    limits = {python: part[key] for key, python in {**NUMBERS, **SIZES}.items() if key in part}
    allowed = part.get(ALLOWED)
    if allowed == KNOWN:
        allowed = known_values(bundle, node)
    return limits | _if_any("allowed", list(allowed or ()))


def _if_any(key: str, value: Any) -> Tree:
    return {key: value} if value else {}


def _conditions(part: Node) -> Iterator[Tree]:
    for about in part.get(CONDITIONS) or ():
        ((field, values),) = about["when"].items()
        yield {
            "field": field,
            **_if_any("values", list(values)),
            **_if_any("required", list(about.get("required") or ())),
            **_if_any("allowed", dict(about.get("allowed") or {})),
        }


def narrowed(bundle: Bundle, tree: Tree, path: str, node: Node) -> Tree:
    """The tree with other limits at a path: what the node says replaces what was there."""
    head, _, rest = path.partition(".")
    fields = tree.get("fields") or {}
    inner = fields.get(head) or {}
    changed = narrowed(bundle, inner, rest, node) if rest else inner | limit_tree(bundle, node)
    conditions = [c for c in tree.get("conditions") or () if _can_hold(c, head, changed)]
    others = {key: value for key, value in tree.items() if key != "conditions"}
    return {
        **others,
        "fields": {**fields, head: changed},
        **_if_any("conditions", conditions),
    }


def _can_hold(condition: Tree, field: str, limit: Tree) -> bool:
    """Whether a condition is still possible, now that a field has these limits."""
    allowed, values = limit.get("allowed"), condition.get("values")
    return condition["field"] != field or not (allowed and values) or bool({*allowed} & {*values})


def subtree(tree: Tree, path: str) -> Tree:
    """What a tree says of the field at a path."""
    for step in path.split("."):
        tree = (tree.get("fields") or {}).get(step) or {}
    return tree


def limit_code(tree: Tree) -> str:
    """The tree in Python."""
    pairs = ", ".join(f"{name}={_code(name, value)}" for name, value in tree.items())
    return f"Limit({pairs})"


def _code(name: str, value: Any) -> str:
    if name in ("each", "keys"):
        return limit_code(value)
    if name == "fields":
        return _dict_code({key: limit_code(tree) for key, tree in value.items()})
    if name == "conditions":
        return _tuple_code(_condition_code(condition) for condition in value)
    return _tuple_code(map(repr, value)) if name == "allowed" else repr(value)


def _condition_code(condition: Tree) -> str:
    pairs = [f"field={condition['field']!r}"]
    for name in ("values", "required"):
        if condition.get(name):
            pairs.append(f"{name}={_tuple_code(map(repr, condition[name]))}")
    if condition.get("allowed"):
        allowed = condition["allowed"].items()
        values_by_path = {path: _tuple_code(map(repr, values)) for path, values in allowed}
        pairs.append(f"allowed={_dict_code(values_by_path)}")
    return f"Condition({', '.join(pairs)})"


def _dict_code(items: dict[Any, str]) -> str:
    return f"{{{', '.join(f'{key!r}: {code}' for key, code in items.items())}}}"


def _tuple_code(items: Iterable[str]) -> str:
    codes = list(items)
    return f"({', '.join(codes)}{',' if len(codes) == 1 else ''})"
