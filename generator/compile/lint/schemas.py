"""Rules for schemas and lists of known values, beyond their shape."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from ..bundle import Node
from ..limits import CONDITIONS
from ..nodes import field_name, member_name, node_at, properties, python_name
from .limits import lint_limits
from .place import Place
from .values import Values

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
_CLASS_NAME = re.compile(r"\b[A-Z]\w*[a-z]\w*\b")


@cache
def reserved_names() -> frozenset[str]:
    """Classes that the templates import or define: a schema of such a name would replace them, or
    be replaced.
    """
    lines = [
        line.partition(" import ")[2] or line.partition("(")[0]
        for template in TEMPLATES.iterdir()
        for line in template.read_text(encoding="utf-8").splitlines()
        if re.match(r"\s*(from .* import|class) ", line)
    ]
    return frozenset(_CLASS_NAME.findall("\n".join(lines)))


def lint_schema(place: Place, name: str, node: Node, values: Values) -> Iterator[str]:
    """Messages for a schema."""
    if name in reserved_names():
        yield place.says("the generated package has a class of this name; rename the schema")
    if "x-known-values" in node:
        yield from _known_values(place / "x-known-values", node)
    for index, entry in enumerate(node.get("x-coze-tolerance") or ()):
        if entry["place"] not in node["x-known-values"]:
            yield place.below("x-coze-tolerance", index, "place").says(
                f"{entry['place']!r} is not among the known values; fix it"
            )
    yield from lint_node(place, node, values)
    fields = properties(values.bundle, node)
    for index, required in enumerate(node.get("required") or ()):
        if required not in fields:
            yield place.below("required", index).says(f"{required} is not a property; fix the name")


def lint_node(place: Place, node: Any, values: Values) -> Iterator[str]:
    """Messages for a schema or a part of one, and for everything below it."""
    if not isinstance(node, dict):
        return
    yield from lint_limits(place, node, node, values)
    for key in ("example", "default"):
        if key in node:
            yield from values.misfits(place / key, node, node[key])
    for index, part in enumerate(node.get("allOf") or ()):
        yield from lint_schema(place.below("allOf", index), "", part, values)
    yield from _properties(place / "properties", node.get("properties") or {}, values)
    for index, condition in enumerate(node.get(CONDITIONS) or ()):
        yield from _condition(place.below(CONDITIONS, index), condition, node, values)
    for key in ("items", "additionalProperties"):
        yield from lint_node(place / key, node.get(key), values)


def _properties(place: Place, fields: Node, values: Values) -> Iterator[str]:
    names: dict[str, str] = {}
    for name, child in fields.items():
        other = names.setdefault(python_name(field_name(name)), name)
        if other != name:
            yield (place / name).says(f"has the Python name of {other}; they cannot both be fields")
        yield from lint_node(place / name, child, values)


def _condition(place: Place, condition: Node, node: Node, values: Values) -> Iterator[str]:
    """The paths of a condition lead to properties, and its values fit them."""
    for key in ("when", "allowed"):
        for path, accepted in (condition.get(key) or {}).items():
            part = node_at(values.bundle, node, path)
            for value in accepted if part else ():
                yield from values.misfits(place.below(key, path), part or {}, value)
    paths = [*condition["when"], *condition.get("required", ()), *condition.get("allowed", ())]
    for path in paths:
        if node_at(values.bundle, node, path) is None:
            yield place.says(f"{path} is not a path in the schema; fix it")


def _known_values(place: Place, node: Node) -> Iterator[str]:
    python_type = str if node["type"] == "string" else int
    members: dict[str, Any] = {}
    for value, about in node["x-known-values"].items():
        here, member = place / value, member_name(value, about)
        if not isinstance(value, python_type):
            yield here.says(f"{value!r} is not of the type of the list; quote it, or do not")
        if not member.isidentifier() or keyword.iskeyword(member):
            yield here.says(f"no name in Python; write {value!r} as {{name: …, description: …}}")
        elif members.setdefault(member, value) != value:
            yield here.says(
                f"{members[member]!r} and {value!r} are both {member}; give one {{name: …, "
                "description: …}"
            )
