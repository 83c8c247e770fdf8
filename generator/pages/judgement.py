"""What the rows of pages say: differences from the description, each with the reason that the
description gives for it, if it gives one.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator

from attrs import define, field

from ..compile.bundle import Bundle, Node
from .matching import Match, Matches
from .page import Page
from .places import (
    Place,
    around,
    label,
    resolve,
)

_TYPES = {
    "string": "string",
    "str": "string",
    "integer": "integer",
    "interger": "integer",
    "int": "integer",
    "long": "integer",
    "number": "number",
    "double": "number",
    "float": "number",
    "boolean": "boolean",
    "bool": "boolean",
    "file": "file",
}
_REQUIRED = {True: "required", False: "optional"}


@define(frozen=True)
class Finding:
    """One difference, as seen from the page: `change` is added, removed or changed."""

    page: str
    line: int
    change: str
    what: str
    """page · operation · permission · content type · event · parameter · field · type · required ·
    value
    """
    operation: str
    where: str
    on_page: str
    described: str
    explained: str
    """The reason that the description gives, or empty."""


@define
class Comparison:
    """The state of one run."""

    joined: Bundle
    pages: dict[str, Page]
    operations: dict[str, tuple[str, str, Node]]
    """operationId → method, path, node."""
    matches: Matches = field(factory=Matches)
    requests: dict[str, int] = field(factory=dict)
    """operationId → number of requests that document it; OAuth pages document one operation many
    times.
    """
    listed: dict[tuple[str, str], set[str]] = field(factory=dict)
    """operationId and schema → the values that its pages list."""
    findings: dict[Finding, None] = field(factory=dict)

    def add(
        self,
        change: str,
        what: str,
        *,
        page: str,
        on_page: str,
        described: str,
        line: int = 0,
        operation: str = "",
        where: str = "",
        explained: str = "",
    ) -> None:
        """Adds a finding, once."""
        finding = Finding(page, line, change, what, operation, where, on_page, described, explained)
        self.findings[finding] = None


def reason(holders: Iterable[Node], where: str, *names: str) -> str:
    """Why the holders excuse a difference at `where` in something of one of these names, or an
    empty text.
    """
    for holder in holders:
        deviation = holder.get("x-coze-deviation") or {}
        text = f"{deviation.get('what')} {deviation.get('why')}"
        if any(f"`{name}`" in text for name in names):
            return str(deviation["what"])
        for pattern in deviation.get("fields") or ():
            if pattern in names or fnmatch.fnmatchcase(where, pattern.replace("[]", "[[]]")):
                return str(deviation["why"])
    return ""


def judge(run: Comparison) -> None:
    """Rows that match nothing; types, required flags and listed values of those that do."""
    for stray in run.matches.strays:
        name = stray.row.name
        names = (stray.where.partition(".")[2], name, name.rpartition(".")[2])
        run.add(
            stray.change,
            stray.subject,
            page=stray.page,
            line=stray.row.line,
            operation=stray.operation,
            where=stray.where,
            on_page=stray.row.kind,
            described=stray.described,
            explained=reason(stray.holders, stray.where, *names),
        )
    for key, matches in run.matches.by_place.items():
        for match in matches:
            _Judgement(run, run.matches.places[key], match).judge(matches)


@define
class _Judgement:
    """One row and the place that it documents."""

    run: Comparison
    place: Place
    match: Match

    def judge(self, matches: list[Match]) -> None:
        """Compares type, required flag and values."""
        joined, match = self.run.joined, self.match
        schema = resolve(joined, self.place.node.get("schema") or self.place.node)
        inner = resolve(joined, schema.get("items") or schema)
        holders = around(self.run.operations[match.operation][2])
        for what, on_page, described in (*self.types(schema, inner), *self.required(matches)):
            name = self.place.name.rpartition(".")[2]
            why = reason([*self.place.holders, *holders], match.where, name)
            self.add("changed", what, on_page, described, why)
        known = {str(value) for value in inner.get("x-known-values") or ()}
        values = set(match.row.values)
        if {value.lower() for value in known} & {value.lower() for value in values}:
            key = match.operation, label(inner)
            self.run.listed.setdefault(key, set()).update(values)
            for value in values - known:
                why = reason([inner, *holders], match.where, value)
                self.add("added", "value", value, "not a known value", why)

    def add(self, change: str, what: str, on_page: str, described: str, why: str) -> None:
        """Adds a finding about the row."""
        self.run.add(
            change,
            what,
            page=self.match.page,
            line=self.match.row.line,
            operation=self.match.operation,
            where=self.match.where,
            on_page=on_page,
            described=described,
            explained=self.place.deviation or why,
        )

    def types(self, schema: Node, inner: Node) -> Iterator[tuple[str, str, str]]:
        """Whether the type, and that of the elements of an array, is that of the page."""
        text = self.match.row.kind
        shown, own = json_type(text), _json_types(schema)
        item = json_type(re.sub(r"(?i)^array of\s*", "", text)) if shown == "array" else ""
        items = _json_types(inner) if "items" in schema else set[str]()
        if self.place.name.startswith("header.") or not shown or not own:
            return
        if shown not in own or (item and items and item not in items):
            of_items = f" of {' or '.join(sorted(items))}" if items else ""
            yield "type", text, " or ".join(sorted(own)) + of_items

    def required(self, matches: list[Match]) -> Iterator[tuple[str, str, str]]:
        """A field is optional as soon as one of the requests that share its operation leaves it out
        or marks it so.
        """
        match, on_page = self.match, self.match.row.required
        if on_page is None or on_page == match.required or self.place.name.startswith("path."):
            return
        shared = [other for other in matches if other.operation == match.operation]
        incomplete = len(shared) < self.run.requests.get(match.operation, 1)
        if on_page and (incomplete or any(other.row.required is False for other in shared)):
            return
        yield "required", _REQUIRED[on_page], _REQUIRED[match.required]


def json_type(text: str) -> str:
    """JSON type of a type on a page, or empty when it tells none."""
    text = text.lower().strip()
    if text.startswith("array"):
        return "array"
    return "object" if "map" in text or "object" in text else _TYPES.get(text, "")


def _json_types(schema: Node) -> set[str]:
    if schema.get("format") == "binary":
        return {"file"}
    types = schema.get("type") or ("object" if "allOf" in schema else [])
    return {types} if isinstance(types, str) else set(types)
