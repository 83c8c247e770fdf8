"""Which row of a page documents which place: the tables of one request are walked along the schemas
of its operations. `judgement` says what the matches mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import define, field

from ..compile.bundle import Bundle, Node
from ..compile.nodes import body_schema, event_payloads, reachable
from .page import SENT_BY_ITSELF, Request, Row, Table, title_of
from .places import (
    Place,
    around,
    label,
    leaf,
    named_schema,
    parameters,
    properties,
    received_schemas,
)


@define
class Match:
    """A row of a page that documents a place."""

    page: str
    operation: str
    where: str
    row: Row
    required: bool
    """Whether the description requires the place there."""


@define
class Stray:
    """A difference that concerns no place: something new, a missing event; `holders` are what it
    could belong to.
    """

    page: str
    operation: str
    change: str
    subject: str
    where: str
    row: Row
    described: str
    holders: list[Node]


@define
class Matches:
    """What was matched on all pages."""

    places: dict[tuple[str, str], Place] = field(factory=dict)
    by_place: dict[tuple[str, str], list[Match]] = field(factory=dict)
    strays: list[Stray] = field(factory=list)
    lost: dict[str, set[str]] = field(factory=dict)
    """operationId → places of parameters, and schemas, whose tables a text scrape has lost."""

    def by_operation(self) -> dict[str, set[tuple[str, str]]]:
        """The places that the pages of each operation document."""
        places: dict[str, set[tuple[str, str]]] = {}
        for key, matches in self.by_place.items():
            for match in matches:
                places.setdefault(match.operation, set()).add(key)
        return places

    def add(self, place: Place, match: Match) -> None:
        """Notes that a row documents a place."""
        self.places.setdefault(place.key, place)
        self.by_place.setdefault(place.key, []).append(match)


@define
class Matcher:
    """The tables of one request, from the roots down to the tables that their types link to."""

    joined: Bundle
    matches: Matches
    page: str
    request: Request
    names: list[str]
    nodes: list[Node]
    visited: dict[int, set[str]] = field(factory=dict)
    """Line of a table → schemas that it was compared with."""

    def run(self) -> None:
        """All tables: parameters, bodies and responses, then the objects that nothing links to."""
        self.lose_roots()
        for table in self.request.tables:
            if table.place in ("path", "query", "header"):
                for row in table.rows:
                    self.parameter(f"{table.place}.{row.name}", row)
            elif table.place == "event":
                self.events({row.name: row for row in table.rows}, table.line)
            elif table.place != "object":
                self.fields(table, self.roots(table.side), table.place)
        for table in self.request.tables:
            if table.place == "object" and table.line not in self.visited:
                self.unlinked(table)

    def lose(self, names: Iterable[str]) -> None:
        """Notes that a text scrape has lost the tables of places or schemas."""
        names = set(names)
        for operation in self.names:
            self.matches.lost.setdefault(operation, set()).update(names)

    def lose_roots(self) -> None:
        """Notes the places of which a text scrape has lost the tables, and their schemas."""
        self.lose(self.request.lost)
        for side, place in (("request", "body"), ("response", "response")):
            if place in self.request.lost:
                self.lose(label(root) for root in self.roots(side))

    def roots(self, side: str) -> list[Node]:
        """Schemas that the tables of a side describe."""
        if side == "request":
            names = [name for node in self.nodes if (name := body_schema(node))]
        else:
            names = [name for node in self.nodes for name in received_schemas(self.joined, node)]
        return [named_schema(self.joined, name) for name in dict.fromkeys(names)]

    def parameter(self, where: str, row: Row) -> None:
        """A row of a table of path, query or header parameters."""
        places = [
            place
            for name, node in zip(self.names, self.nodes, strict=True)
            for place in parameters(name, node)
            if place.name.lower() == where.lower()
        ]
        for place in places:
            self.matches.add(place, Match(self.page, place.owner, where, row, place.required))
        content = (self.nodes[0].get("requestBody") or {}).get("content") or ()
        media = next(iter(content), row.kind)
        if row.name.lower() == "content-type" and row.kind != media:
            self.stray("content type", where, row, media, [], "changed")
        elif not places and row.name.lower() not in SENT_BY_ITSELF:
            self.stray("parameter", where, row, "not described", [])

    def stray(
        self,
        subject: str,
        where: str,
        row: Row,
        described: str,
        holders: list[Node],
        change: str = "added",
    ) -> None:
        """Notes a row that matches nothing."""
        holders = [*holders, *(part for node in self.nodes for part in around(node))]
        self.matches.strays.append(
            Stray(self.page, self.names[0], change, subject, where, row, described, holders)
        )

    def streamed(self) -> Node:
        """Events of the streams: name → payload."""
        return {
            name: payload for node in self.nodes for name, payload in event_payloads(node).items()
        }

    def events(self, listed: dict[str, Row], line: int) -> None:
        """The events that a page lists against those of the stream."""
        known = self.streamed()
        for name in listed.keys() - known:
            self.stray("event", f"event.{name}", listed[name], "not described", [])
        for name in known.keys() - listed:
            row = Row(name, "not listed", "", None, [], line)
            self.stray("event", f"event.{name}", row, "described", [], "removed")

    def fields(self, table: Table, schemas: list[Node], prefix: str) -> None:
        """A table of fields against the schemas that may hold them, then the tables that its types
        link to.
        """
        compared = self.visited.setdefault(table.line, set())
        fresh = {label(schema) for schema in schemas} - compared
        if not fresh:
            return
        compared |= fresh
        for row in table.rows:
            where = f"{prefix}.{row.name}"
            inner = self.field(table, row, schemas, where)
            if row.target in self.request.lost:
                self.lose(label(leaf(self.joined, node)) for node in inner)
            for target in self.request.tables:
                if target.place == "object" and target.side == table.side and _links(row, target):
                    mark = "[]" if row.kind.lower().startswith("array") else ""
                    self.fields(target, [leaf(self.joined, node) for node in inner], where + mark)

    def field(self, table: Table, row: Row, schemas: list[Node], where: str) -> list[Node]:
        """One row; gives the nodes that it documents."""
        places = list(self.find(schemas, row, where))
        nodes = [place.node for place in places]
        # Tables of streams list the parts of a server-sent event as if they were fields.
        if table.place == "response" and row.name in ("id", "event", "data") and self.streamed():
            if row.name == "event" and row.values:
                self.events(dict.fromkeys(row.values, row), row.line)
            if row.name == "data":
                nodes += [payload for payload in self.streamed().values() if payload]
        elif not places:
            siblings = [
                place.node
                for schema in schemas
                for place in properties(self.joined, leaf(self.joined, schema)).values()
            ]
            self.stray("field", where, row, "not described", [*schemas, *siblings])
        return nodes

    def find(self, schemas: list[Node], row: Row, where: str) -> Iterator[Place]:
        """Where a dotted name leads, in each schema that has it; the objects on the way are matched
        too.
        """
        steps = row.name.split(".")
        places: list[Place] = []
        for index, step in enumerate(steps):
            objects = [properties(self.joined, leaf(self.joined, schema)) for schema in schemas]
            places = [own[step] for own in objects if step in own]
            required = any(place.required for place in places)
            last = index == len(steps) - 1
            part = row if last else Row(step, "", "", None, [], row.line)
            for place in places:
                self.matches.add(place, Match(self.page, self.names[0], where, part, required))
            schemas = [place.node for place in places]
        yield from places

    def unlinked(self, table: Table) -> None:
        """A table that no type links to belongs to the schemas that resemble it most."""
        names = reachable(self.joined, [root["x-name"] for root in self.roots(table.side)])
        names += [
            name
            for name, node in self.joined.schemas.items()
            if node.get("x-coze-used-by") and name not in names
        ]
        schemas = [named_schema(self.joined, name) for name in names]
        heads = {row.name.partition(".")[0] for row in table.rows}
        scores = [len(heads & properties(self.joined, schema).keys()) for schema in schemas]
        best = max(scores, default=0)
        if best:
            alike = [s for s, score in zip(schemas, scores, strict=True) if score == best]
            named = [s for s in alike if title_of(label(s)) == title_of(table.title)]
            self.fields(table, named or alike, table.title)
        else:
            problem = "no schema has any field of this table"
            self.stray("field", table.title, table.rows[0], problem, [])


def _links(row: Row, table: Table) -> bool:
    """Whether the type of a row points to a table."""
    return title_of(table.title) in {title_of(row.link), title_of(row.kind)} - {""}
