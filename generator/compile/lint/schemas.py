"""Rules for schemas and lists of known values."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from ..bundle import Bundle, Node
from ..nodes import member_name, python_name

SCALARS = {"string", "integer", "number", "boolean"}
TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
FORBIDDEN = {
    "title": "the parser makes class and file names of it; delete it, the schema's key is its name",
    "enum": "a closed list breaks on the next new value; use x-known-values",
    "const": "a closed value breaks on the next new value; use x-known-values",
    "nullable": "an absent field and null read the same; delete it",
    "oneOf": "unions are of scalars only; use `type: [string, integer]`, or describe one schema "
    "with all properties",
    "anyOf": "unions are of scalars only; use `type: [string, integer]`, or describe one schema "
    "with all properties",
}
NEEDS_NAME = {
    "properties": "object in place",
    "x-known-values": "list of values in place",
    "allOf": "`allOf` in place",
}
_SCHEMA_NAME = re.compile(r"[A-Z][A-Za-z0-9]*$")
_CLASS_NAME = re.compile(r"\b[A-Z]\w*[a-z]\w*\b")
_OF_MODELS = {"to_dict", "from_dict"}


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


def lint_schemas(bundle: Bundle) -> Iterator[str]:
    """Messages for every schema."""
    for name, node in bundle.schemas.items():
        where = f"spec/{bundle.origin[name]}: {name}"
        if not _SCHEMA_NAME.match(name):
            yield f"{where}: schema names are CapitalizedWords; rename it"
        if name in reserved_names():
            yield f"{where}: the generated package has a class of this name; rename the schema"
        if not node.get("description"):
            yield f"{where}: no description; say what it is"
        if "x-known-values" in node:
            yield from _known_values(where, node)
        yield from _shape(where, node, named=True)


def _shape(where: str, node: Any, named: bool) -> Iterator[str]:
    """Rules for a schema node; `named` tells whether it is under a name."""
    if not isinstance(node, dict) or "$ref" in node:
        return
    yield from _words(where, node)
    if not named:
        for key, problem in NEEDS_NAME.items():
            if key in node:
                yield (
                    f"{where}: {problem}; give it a name under components/schemas and point to it"
                )
    for part in node.get("allOf") or ():
        yield from _shape(where, part, named=True)
    yield from _properties(where, node)
    for inner in (node.get("items"), node.get("additionalProperties")):
        yield from _shape(f"{where}[]", inner, named=False)


def _words(where: str, node: Node) -> Iterator[str]:
    for word, advice in FORBIDDEN.items():
        if word in node:
            yield f"{where}: `{word}` is forbidden: {advice}"
    types = node.get("type")
    if isinstance(types, list) and not set(types) <= SCALARS:
        yield f"{where}: unions are of scalars only; give the object or array a named schema"


def _properties(where: str, node: Node) -> Iterator[str]:
    names: dict[str, str] = {}
    for name, child in (node.get("properties") or {}).items():
        here = f"{where}.{name}"
        other = names.setdefault(python_name(name), name)
        if other != name:
            yield f"{here}: has the Python name of {other}; they cannot both be fields"
        if name in _OF_MODELS or name.startswith("_"):
            yield f"{here}: models use this name themselves; a field cannot have it"
        if not child.get("description"):
            yield f"{here}: no description; give meaning, unit, range and what absence means"
        yield from example_rule(here, child)
        yield from _shape(here, child, named=False)
    for name in node.get("required") or ():
        if name not in (node.get("properties") or {}) and "allOf" not in node:
            yield f"{where}: required names {name}, which is not a property; fix the name"


def example_rule(where: str, schema: Node, holder: Node | None = None) -> Iterator[str]:
    """A scalar, or an array or a map of scalars, needs an example."""
    inner = schema.get("items") or schema.get("additionalProperties") or schema
    if not isinstance(inner, dict) or "$ref" in schema or "$ref" in inner:
        return
    if inner.get("type") in (None, "boolean", "object") or inner.get("format") == "binary":
        return
    if "example" not in schema and "example" not in (holder or {}):
        yield f"{where}: no example; take one from the official page"


def _known_values(where: str, node: Node) -> Iterator[str]:
    if node.get("type") not in ("string", "integer"):
        yield f"{where}: x-known-values needs `type: string` or `type: integer`"
    python_type = str if node.get("type") == "string" else int
    members: dict[str, Any] = {}
    for value, about in (node["x-known-values"] or {}).items():
        if not (about.get("description") if isinstance(about, dict) else about):
            yield f"{where}: value {value!r} has no meaning; add one"
        yield from _member(where, members, value, about)
        if isinstance(value, bool) or not isinstance(value, python_type):
            yield (
                f"{where}: value {value!r} is not of the type of the list; fix the value (quote "
                "numbers in text lists)"
            )


def _member(where: str, members: dict[str, Any], value: Any, about: Any) -> Iterator[str]:
    """A known value needs a Python name, and one that no other value has."""
    member = member_name(value, about)
    if not member.isidentifier() or keyword.iskeyword(member):
        yield (
            f"{where}: value {value!r} has no Python name; write it as {{name: …, description: …}}"
        )
    elif members.setdefault(member, value) != value:
        yield (
            f"{where}: values {members[member]!r} and {value!r} are both {member}; give one "
            "{name: …, description: …}"
        )
