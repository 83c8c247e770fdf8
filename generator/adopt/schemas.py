"""Tables of fields as schemas. What the description has already is used again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from attrs import define, evolve, field

from ..compile.bundle import Bundle, Node
from ..compile.lint.gaps import GAP
from ..pages.judgement import json_type
from ..pages.page import Request, Row, Table, title_of
from ..pages.places import Place, leaf, named_schema, properties
from .facts import default_of, known_values, limits_of, plain_text, typed
from .naming import camel, free_name, singular

_ALIKE = 0.75
"""Share of common fields from which on two objects are the same."""
_ENOUGH = 3
"""Fields that an object has at least for this to say anything."""
_LONGEST = 160


def gap(text: str) -> str:
    """A text that somebody has to write, with what the page says in Chinese."""
    return f"{GAP} {text[:_LONGEST]}".strip()


@define
class SchemaDraft:
    """The schemas of one request of a page."""

    joined: Bundle
    file: str
    """The file of the description that they go into."""
    noun: str
    """What the operation is about, for names that are taken."""
    request: Request
    new: dict[str, Node] = field(factory=dict)
    """Schemas that the description lacks."""
    named: dict[str, str] = field(factory=dict)
    """Side and title of a table → its schema."""

    def reference(self, name: str) -> Node:
        """A node that points to a schema from the file of the draft."""
        origin = self.joined.origin.get(name, self.file)
        if name in self.new or origin == self.file:
            return {"$ref": f"#/components/schemas/{name}"}
        return {"$ref": f"{_relative(origin)}#/components/schemas/{name}"}

    def fields(self, rows: Iterable[Row], side: str) -> tuple[dict[str, Node], list[str]]:
        """The properties of a table, and which are required; dotted names are objects inside."""
        found, required = dict[str, Node](), list[str]()
        nested: dict[str, list[Row]] = {}
        rows = list(rows)
        for row in rows:
            head, _, rest = row.name.partition(".")
            if rest:
                nested.setdefault(head, []).append(evolve(row, name=rest))
        for row in rows:
            head, _, rest = row.name.partition(".")
            if rest and head in found:
                continue
            inner = nested.get(head)
            found[head] = self.object_of(head, inner, side) if inner else self.field(row, side)
            if row.required and not rest:
                required.append(head)
        return found, required

    def field(self, row: Row, side: str) -> Node:
        """One field: type, description, limits, default, example."""
        kind, said = json_type(row.kind), plain_text(row)
        node = self.type_of(row.kind, row.target, side)
        values = known_values(row)
        if values:
            node = self.reference(self.values(row, kind, values))
        node["description"] = gap(said)
        if not values and side == "request":
            node |= limits_of(kind, said)
        default = default_of(row) if side == "request" else None
        if default is not None:
            node["default"] = default
        if "$ref" not in node and (example := example_of(node, row)) is not None:
            node["example"] = example
        return node

    def type_of(self, kind: str, target: str, side: str) -> Node:
        """The type of a field: a scalar, or a reference to the schema of its table."""
        shown, table = json_type(kind), self.table(target, side)
        if shown == "array":
            inner = re.sub(r"(?i)^array of\s*|^array<|>$", "", kind)
            return {"type": "array", "items": self.type_of(inner, target, side)}
        if table:
            return self.reference(self.of_table(table))
        if shown == "file":
            return {"type": "string", "format": "binary"}
        if shown in ("object", "array", ""):
            of_text = re.fullmatch(r"(?i)map\W+string,\s*string\W", kind.strip())
            values = {"type": "string"} if of_text else True
            return {"type": "object", "additionalProperties": values}
        return {"type": shown}

    def table(self, target: str, side: str) -> Table | None:
        """The table that a type points to."""
        tables = (t for t in self.request.tables if t.place == "object" and t.side == side)
        return next((t for t in tables if target and title_of(t.title) == target), None)

    def of_table(self, table: Table) -> str:
        """The schema of a table of an object."""
        key = f"{table.side} {table.title}"
        if key not in self.named:
            words = re.sub(r"(?i)\bobject\b|^open(?=[A-Z])", "", table.title)
            name = self.similar(table.rows, table.side)
            self.named[key] = name or free_name(
                self.joined, set(self.new), camel(words), camel(self.noun, words)
            )
            if not name:
                self.new[self.named[key]] = {}
                self.new[self.named[key]] = self.schema(table.rows, table.side, table.title)
        return self.named[key]

    def object_of(self, name: str, rows: list[Row], side: str) -> Node:
        """An object whose fields stand in the table of its owner."""
        similar = self.similar(rows, side)
        if similar:
            return {**self.reference(similar), "description": gap(name)}
        own = free_name(self.joined, set(self.new), camel(singular(name)), camel(self.noun, name))
        self.new[own] = {}
        self.new[own] = self.schema(rows, side, name)
        return {**self.reference(own), "description": gap(name)}

    def schema(self, rows: Iterable[Row], side: str, said: str) -> Node:
        """A named object."""
        fields, required = self.fields(rows, side)
        node: Node = {"type": "object", "description": gap(said)}
        if required and side == "request":
            node["required"] = required
        return {**node, "properties": fields}

    def similar(self, rows: list[Row], side: str) -> str:
        """A schema of the description that has these fields, and hardly any other; the nearest."""
        wanted, best = {row.name.partition(".")[0] for row in rows}, ("", 0.0)
        for name in self.joined.schemas:
            own = properties(self.joined, named_schema(self.joined, name))
            if len(wanted) >= _ENOUGH and wanted <= own.keys() and self.fits(rows, side, own):
                here = 0.01 if self.joined.origin.get(name) == self.file else 0.0
                best = max(best, (name, len(wanted) / len(own) + here), key=lambda pair: pair[1])
        return best[0] if best[1] >= _ALIKE else ""

    def fits(self, rows: list[Row], side: str, own: dict[str, Place]) -> bool:
        """Whether the objects inside have the same fields too."""
        for row in rows:
            table, place = self.table(row.target, side), own.get(row.name)
            if table and place:
                inner = properties(self.joined, leaf(self.joined, place.node))
                if not {other.name.partition(".")[0] for other in table.rows} <= inner.keys():
                    return False
        return True

    def values(self, row: Row, kind: str, values: dict[str, str]) -> str:
        """The schema of a list of values."""
        own = camel(row.name.rpartition(".")[2])
        for name, node in self.joined.schemas.items():
            known = {str(value) for value in node.get("x-known-values") or ()}
            if values.keys() <= known and (name.endswith(own) or values.keys() == known):
                return name
        name = free_name(self.joined, set(self.new), own, camel(self.noun, own))
        keys = [int(value) if kind == "integer" else value for value in values]
        self.new[name] = {
            "type": kind,
            "description": gap(row.name),
            "x-known-values": {
                key: _member(key, said) for key, said in zip(keys, values.values(), strict=True)
            },
        }
        return name


def example_of(schema: Node, row: Row) -> Any:
    """The example of a field; none for objects, which have none in the description."""
    kind = str(schema.get("type"))
    inner = schema.get("items") or {}
    if kind in ("object", "boolean") or "$ref" in inner or schema.get("format") == "binary":
        return None
    if inner.get("type") == "object" or row.example.strip() in ("", "\\", "-"):
        return None
    return typed(kind, row.example.replace("\n", " "))


def _member(key: Any, said: str) -> Any:
    if isinstance(key, int):
        return {"name": f"value_{key}".replace("-", "minus_"), "description": gap(said)}
    return gap(said)


def _relative(origin: str) -> str:
    return f"../{origin}" if "/" not in origin else origin.rpartition("/")[2]
