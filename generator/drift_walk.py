"""Walks the tables of one page along the schemas of its operations and notes what meets what;
`drift` judges the notes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from attrs import define, field

from .bundle import Bundle, Node, references, schema_name
from .lint_operations import answer_schema, body_schema
from .pages import Request, Row, Table


@define
class Place:
    """A parameter or property of the description."""

    owner: str
    """operationId or schema"""
    name: str
    node: Node
    required: bool
    holders: list[Node]
    """Schemas and operations around it; a deviation there must name it."""


@define
class Sight:
    """A row of a page that documents a place."""

    page: str
    operation: str
    where: str
    row: Row
    required: bool
    """Whether the description requires it there."""


@define
class Stray:
    """A difference that concerns no place: something new, a missing event; `holders` are what it
    could belong to.
    """

    page: str
    operation: str
    change: str
    what: str
    where: str
    row: Row
    described: str
    holders: list[Node]


@define
class Notes:
    """What was seen on all pages."""

    places: dict[tuple[str, str], Place] = field(factory=dict)
    sights: dict[tuple[str, str], list[Sight]] = field(factory=dict)
    strays: list[Stray] = field(factory=list)

    def see(self, place: Place, sight: Sight) -> None:
        """Notes that a row documents a place."""
        key = (place.owner, place.name)
        self.places.setdefault(key, place)
        self.sights.setdefault(key, []).append(sight)


@define
class Walk:
    """The tables of one request, from the roots down to the tables that their types link to."""

    joined: Bundle
    notes: Notes
    page: str
    request: Request
    names: list[str]
    nodes: list[Node]
    visited: dict[int, set[str]] = field(factory=dict)

    def run(self) -> None:
        """All tables: parameters, bodies and answers, then the objects that nothing links to."""
        for table in self.request.tables:
            if table.place in ("path", "query", "header"):
                self.parameters(table)
            elif table.place == "event":
                self.events({row.name: row for row in table.rows}, table.line)
            elif table.place != "object":
                self.fields(table, self.roots(table.side), table.place)
        for table in self.request.tables:
            if table.place == "object" and table.line not in self.visited:
                self.unlinked(table)

    def roots(self, side: str) -> list[Node]:
        """Schemas that the tables of a side describe."""
        if side == "request":
            names = [body_schema(node) for node in self.nodes]
        else:
            names = [name for node in self.nodes for name in answers(self.joined, node)]
        return [
            self.joined.schemas[name] | {"x-name": name} for name in dict.fromkeys(names) if name
        ]

    def parameters(self, table: Table) -> None:
        """A table of path, query or header parameters."""
        pairs = list(zip(self.names, self.nodes, strict=True))
        for row in table.rows:
            where = f"{table.place}.{row.name}"
            found = [
                p
                for name, node in pairs
                for p in parameters(name, node)
                if p.name.lower() == where.lower()
            ]
            for place in found:
                self.notes.see(place, Sight(self.page, place.owner, where, row, place.required))
            media = next(
                iter((self.nodes[0].get("requestBody") or {}).get("content") or ()), row.kind
            )
            if row.name.lower() == "content-type" and row.kind != media:
                self.stray("content type", where, row, media, [], "changed")
            elif not found and row.name.lower() not in ("authorization", "content-type"):
                self.stray("parameter", where, row, "not described", [])

    def stray(
        self,
        what: str,
        where: str,
        row: Row,
        described: str,
        holders: list[Node],
        change: str = "added",
    ) -> None:
        """Notes a row that meets nothing."""
        holders = [*holders, *(part for node in self.nodes for part in around(node))]
        self.notes.strays.append(
            Stray(self.page, self.names[0], change, what, where, row, described, holders)
        )

    def streamed(self) -> Node:
        """Events of the streams: name → payload."""
        return {
            name: event
            for node in self.nodes
            for name, event in ((node.get("x-coze-stream") or {}).get("events") or {}).items()
        }

    def events(self, shown: dict[str, Row], line: int) -> None:
        """The events that a page lists against those of the stream."""
        known = self.streamed()
        for name in shown.keys() - known:
            self.stray("event", f"event.{name}", shown[name], "not described", [])
        for name in known.keys() - shown:
            self.stray(
                "event",
                f"event.{name}",
                Row(name, "not listed", "", None, [], line),
                "described",
                [],
                "removed",
            )

    def fields(self, table: Table, schemas: list[Node], prefix: str) -> None:
        """A table of fields against the schemas that may hold them, then the tables that its types
        link to.
        """
        done = self.visited.setdefault(table.line, set())
        fresh = {label(schema) for schema in schemas} - done
        if not fresh:
            return
        done |= fresh
        events = [event for event in self.streamed().values() if event]
        for row in table.rows:
            where = f"{prefix}.{row.name}"
            found = list(self.find(schemas, row, where))
            inner = [place.node for place in found]
            # Tables of streams list the parts of a server-sent event as if they were fields.
            framed = (
                table.place == "response"
                and bool(self.streamed())
                and row.name in ("id", "event", "data")
            )
            inner += events if framed and row.name == "data" else []
            if framed and row.name == "event" and row.values:
                self.events(dict.fromkeys(row.values, row), row.line)
            if not found and not framed:
                beside = [
                    place.node
                    for schema in schemas
                    for place in properties(self.joined, leaf(self.joined, schema)).values()
                ]
                self.stray("field", where, row, "not described", [*schemas, *beside])
            for target in self.request.tables:
                if (
                    target.place == "object"
                    and target.side == table.side
                    and _title(target.title) in _links(row)
                ):
                    mark = "[]" if row.kind.lower().startswith("array") else ""
                    self.fields(target, [leaf(self.joined, node) for node in inner], where + mark)

    def find(self, schemas: list[Node], row: Row, where: str) -> Iterator[Place]:
        """Where a dotted name leads, in each schema that has it; the objects on the way are seen
        too.
        """
        steps = row.name.split(".")
        for index, step in enumerate(steps):
            found = [
                place
                for s in schemas
                if (place := properties(self.joined, leaf(self.joined, s)).get(step))
            ]
            needed = any(place.required for place in found)
            part = row if index == len(steps) - 1 else Row(step, "", "", None, [], row.line)
            for place in found:
                self.notes.see(place, Sight(self.page, self.names[0], where, part, needed))
            schemas = [place.node for place in found]
        yield from found

    def unlinked(self, table: Table) -> None:
        """A table that no type links to belongs to the schemas that resemble it most."""
        names = reach(self.joined, [root["x-name"] for root in self.roots(table.side)])
        names += [
            name
            for name, node in self.joined.schemas.items()
            if node.get("x-coze-used-by") and name not in names
        ]
        known = {name: self.joined.schemas[name] | {"x-name": name} for name in names}
        heads = {row.name.partition(".")[0] for row in table.rows}
        score = {
            name: len(heads & properties(self.joined, node).keys()) for name, node in known.items()
        }
        best = max(score.values(), default=0)
        if best:
            self.fields(table, [known[name] for name in known if score[name] == best], table.title)
        else:
            self.stray(
                "field", table.title, table.rows[0], "no schema has any field of this table", []
            )


def label(schema: Node) -> str:
    """Name of a schema, or something unique for one in place."""
    return str(schema.get("x-name") or id(schema))


def _title(text: str) -> str:
    return re.sub(r"[^a-z0-9_]", "", re.sub(r"\b(array of|object of|object)\b", "", text.lower()))


def _links(row: Row) -> set[str]:
    return {_title(row.link), _title(row.kind)} - {""}


def resolve(joined: Bundle, node: Node) -> Node:
    """The schema behind a reference, with its name."""
    name = schema_name(node)
    return resolve(joined, joined.schemas[name] | {"x-name": name}) if name else node


def leaf(joined: Bundle, node: Node) -> Node:
    """The object behind references, arrays and maps."""
    node = resolve(joined, node)
    inner = node.get("items") or (
        None if node.get("properties") else node.get("additionalProperties")
    )
    return leaf(joined, inner) if isinstance(inner, dict) else node


def properties(joined: Bundle, node: Node) -> dict[str, Place]:
    """Properties of an object, each with the schema that defines it."""
    owner, found = label(node), dict[str, Place]()
    needed = node.get("required") or ()
    for part in node.get("allOf") or ():
        inner = resolve(joined, part) if "$ref" in part else part | {"x-name": owner}
        for name, place in properties(joined, inner).items():
            found[name] = Place(
                place.owner,
                name,
                place.node,
                place.required or name in needed,
                [node, *place.holders],
            )
    own = {
        name: Place(owner, name, child, name in needed, [node])
        for name, child in (node.get("properties") or {}).items()
    }
    return found | own


def parameters(operation: str, node: Node) -> list[Place]:
    """Parameters of an operation."""
    return [
        Place(operation, f"{p['in']}.{p['name']}", p, bool(p.get("required")), [node])
        for p in node.get("parameters") or ()
    ]


def around(node: Node) -> list[Node]:
    """An operation and its request body and answers, which may carry deviations of their own."""
    return [node, node.get("requestBody") or {}, *(node.get("responses") or {}).values()]


def answers(joined: Bundle, node: Node) -> list[str]:
    """Schemas of the answer, of the events, and of the error envelope."""
    events = ((node.get("x-coze-stream") or {}).get("events") or {}).values()
    failure = (
        ((node.get("responses") or {}).get("default") or {}).get("$ref", "").rpartition("/")[2]
    )
    content = (
        joined.document["components"]
        .get("responses", {})
        .get(failure, {})
        .get("content", {})
        .get("application/json", {})
    )
    names = [
        answer_schema(node),
        *(schema_name(event) for event in events),
        schema_name(content.get("schema")),
    ]
    return [name for name in names if name]


def reach(joined: Bundle, names: Iterable[str]) -> list[str]:
    """Schemas below the named ones, themselves included."""
    found, todo = dict[str, None](), list(names)
    while todo:
        name = todo.pop(0)
        if name not in found:
            found[name] = None
            todo += [
                inner
                for target in references(joined.schemas[name])
                if (inner := schema_name({"$ref": target}))
            ]
    return list(found)
