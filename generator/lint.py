"""The rules of docs/description.md for files and schemas, executable; the rules for operations are
in lint_operations.

Each rule is a function that yields messages of the form `where: what is wrong; the mend`.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .bundle import ERROR_CLASSES, Bundle, Node, references, schema_name
from .identifiers import member_name, python_name
from .lint_limits import lint_limits
from .lint_operations import lint_operations
from .lint_sockets import lint_sockets
from .lint_streams import lint_streams

MAX_LINES = 1000
SCALARS = {"string", "integer", "number", "boolean"}
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_SCHEMA_NAME = re.compile(r"[A-Z][A-Za-z0-9]*$")
_FORBIDDEN = {
    "title": "the parser makes class and file names of it; delete it, the schema's key is its name",
    "enum": "a closed list breaks on the next new value; use x-known-values",
    "const": "a closed value breaks on the next new value; use x-known-values",
    "nullable": "an absent field and null read the same; delete it",
    "oneOf": "unions are of scalars only; use `type: [string, integer]`, or describe one schema "
    "with all properties",
    "anyOf": "unions are of scalars only; use `type: [string, integer]`, or describe one schema "
    "with all properties",
}


def lint(bundle: Bundle, spec: Path) -> list[str]:
    """Every departure from the rules, sorted; empty when the description is sound."""
    found: list[str] = []
    for name, content in bundle.files.items():
        found += _file_rules(name, content, spec / name)
        for schema, node in ((content.get("components") or {}).get("schemas") or {}).items():
            found += _schema_rules(f"spec/{name}: {schema}", schema, node)
    found += _reachable(bundle)
    found += _circles(bundle)
    found += _text_rules(bundle)
    found += lint_operations(bundle)
    found += lint_streams(bundle)
    found += lint_limits(bundle)
    found += lint_sockets(bundle)
    return sorted(set(found))


def _file_rules(name: str, content: Node, path: Path) -> Iterator[str]:
    lines = path.read_text(encoding="utf-8").count("\n")
    if lines > MAX_LINES:
        yield f"spec/{name}: {lines} lines, {MAX_LINES} allowed; cut it by sub-resource"
    if not str(content.get("openapi", "")).startswith("3.1"):
        yield f"spec/{name}: not valid alone; begin it with `openapi: 3.1.0` and `info`"
    stem = Path(name).stem
    for route, item in content["paths"].items():
        for method, node in item.items():
            tags = node.get("tags") if isinstance(node, dict) else None
            if tags and str(tags[0]).replace(".", "_") != stem:
                yield (
                    f"spec/{name}: {method.upper()} {route} has tag {tags[0]}; move it "
                    f"to resources/{str(tags[0]).replace('.', '_')}.yaml"
                )


def _schema_rules(where: str, name: str, node: Node) -> Iterator[str]:
    if not _SCHEMA_NAME.match(name):
        yield f"{where}: schema names are CapitalizedWords; rename it"
    if not node.get("description"):
        yield f"{where}: no description; say what it is"
    if "x-known-values" in node:
        yield from _known_values(where, node)
    yield from _shape(where, node, named=True)


def _shape(where: str, node: Any, named: bool) -> Iterator[str]:
    """Rules for a schema node; `named` tells whether it stands under a name of its own."""
    if not isinstance(node, dict) or "$ref" in node:
        return
    for word, mend in _FORBIDDEN.items():
        if word in node:
            yield f"{where}: `{word}` is forbidden: {mend}"
    kinds = node.get("type")
    if isinstance(kinds, list) and not set(kinds) <= SCALARS:
        yield f"{where}: unions are of scalars only; give the object or array a schema of its own"
    if not named and node.get("properties"):
        yield f"{where}: object in place; give it a name under components/schemas and point to it"
    if not named and "x-known-values" in node:
        yield (
            f"{where}: list of values in place; give it a name under components/schemas "
            "and point to it"
        )
    if not named and "allOf" in node:
        yield f"{where}: `allOf` in place; give it a name under components/schemas and point to it"
    for part in node.get("allOf") or ():
        yield from _shape(where, part, named=True)
    yield from _properties(where, node)
    for inner in (node.get("items"), node.get("additionalProperties")):
        yield from _shape(f"{where}[]", inner, named=False)


def _properties(where: str, node: Node) -> Iterator[str]:
    seen: dict[str, str] = {}
    for name, child in (node.get("properties") or {}).items():
        here = f"{where}.{name}"
        other = seen.setdefault(python_name(name), name)
        if other != name:
            yield f"{here}: has the Python name of {other}; they cannot both be fields"
        if not child.get("description"):
            yield f"{here}: no description; give meaning, unit, range and what absence means"
        yield from example_rule(here, child)
        yield from _shape(here, child, named=False)
    for name in node.get("required") or ():
        if name not in (node.get("properties") or {}) and "allOf" not in node:
            yield f"{where}: required names {name}, which is no property; mend the name"


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
    members: dict[str, Any] = {}
    if node.get("type") not in ("string", "integer"):
        yield f"{where}: x-known-values needs `type: string` or `type: integer`"
    for value, about in (node["x-known-values"] or {}).items():
        text = about.get("description") if isinstance(about, dict) else about
        if not text:
            yield f"{where}: value {value!r} has no meaning; add one"
        member = member_name(value, about)
        if not member.isidentifier() or keyword.iskeyword(member):
            yield (
                f"{where}: value {value!r} has no Python name; write it as {{name: …, "
                f"description: …}}"
            )
        elif members.setdefault(member, value) != value:
            yield (
                f"{where}: values {members[member]!r} and {value!r} are both {member}; "
                f"give one {{name: …, description: …}}"
            )
        if isinstance(value, bool) or not isinstance(
            value, str if node.get("type") == "string" else int
        ):
            yield (
                f"{where}: value {value!r} is not of the type of the list; mend the "
                "value (quote numbers in text lists)"
            )


def _reachable(bundle: Bundle) -> Iterator[str]:
    """Schemas that nothing uses are dead text, unless they say which handwritten module
    uses them.
    """
    todo = list(references(bundle.document["paths"])) + list(
        references(bundle.document["components"].get("responses"))
    )
    for key in ("x-coze-events", "x-coze-stream-kinds", ERROR_CLASSES):
        todo += list(references(bundle.document.get(key)))
    todo += [
        f"#/components/schemas/{name}"
        for name, node in bundle.schemas.items()
        if node.get("x-coze-used-by")
    ]
    seen: set[str] = set()
    while todo:
        name = schema_name({"$ref": todo.pop()})
        if name and name not in seen:
            seen.add(name)
            todo += references(bundle.schemas.get(name))
    for name in bundle.schemas:
        if name not in seen:
            yield (
                f"spec/{bundle.origin[name]}: {name}: nothing uses it; delete it, or say "
                "`x-coze-used-by`"
            )


def _circles(bundle: Bundle) -> Iterator[str]:
    """Each file becomes a module of models; modules that import each other in a circle cannot be
    loaded.
    """
    needs: dict[str, set[str]] = {}
    for name, node in bundle.schemas.items():
        own = bundle.origin[name]
        uses = (schema_name({"$ref": target}) for target in references(node))
        needs.setdefault(own, set()).update(
            bundle.origin[use] for use in uses if use and bundle.origin[use] != own
        )
    for file, others in needs.items():
        todo, seen = list(others), set[str]()
        while todo:
            other = todo.pop()
            if other not in seen:
                seen.add(other)
                todo += needs.get(other, ())
        if file in seen:
            yield (
                f"spec/{file}: its schemas and those of another file need each other; "
                "move what both need to spec/shared.yaml"
            )


def _text_rules(bundle: Bundle) -> Iterator[str]:
    """Descriptions and summaries are English; examples may be in any language."""

    def walk(where: str, node: Any) -> Iterator[str]:
        if isinstance(node, list):
            for item in node:
                yield from walk(where, item)
        elif isinstance(node, dict):
            for key, value in node.items():
                if (
                    key in ("description", "summary")
                    and isinstance(value, str)
                    and _CHINESE.search(value.replace("扣子", ""))
                ):
                    yield f"{where}: Chinese text in a {key}; say it in English"
                elif key not in ("example", "examples", "default"):
                    yield from walk(where, value)

    for name, content in bundle.files.items():
        for route, item in content["paths"].items():
            yield from walk(f"spec/{name}: {route}", item)
        for schema, node in ((content.get("components") or {}).get("schemas") or {}).items():
            yield from walk(f"spec/{name}: {schema}", node)
