"""Compares the official pages with the description: what was added, removed or changed, page by
page.

It never writes the description: a person reads the report and decides. A difference is explained by
`x-coze-deviation` on the parameter or property itself, by one beside or around it (property, list
of values, schema, operation) whose text names the field or value in backticks, or by
`x-fidelity-exceptions`. One schema serves many pages, so a field counts as removed when the last
page that documented it no longer does.
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from attrs import asdict, define, field

from .bundle import Bundle, Node, bundle
from .drift_walk import (
    Notes,
    Place,
    Sight,
    Walk,
    answers,
    around,
    label,
    parameters,
    properties,
    reach,
    resolve,
)
from .ledger import pages_of
from .lint_operations import body_schema
from .pages import Page, PageError, Request, read_pages

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
    explained: str = ""
    """The reason that the description gives, or empty."""


@define
class Comparison:
    """The state of one run."""

    joined: Bundle
    pages: dict[str, Page]
    operations: dict[str, tuple[str, str, Node]]
    notes: Notes = field(factory=Notes)
    requests: dict[str, int] = field(factory=dict)
    """operationId → number of requests that document it; OAuth pages document one operation many
    times.
    """
    findings: dict[Finding, None] = field(factory=dict)

    def add(
        self,
        page: str,
        line: int,
        change: str,
        what: str,
        operation: str,
        where: str,
        on_page: str,
        described: str,
        why: str,
    ) -> None:
        """Adds a finding, once."""
        self.findings[
            Finding(page, line, change, what, operation, where, on_page, described, why)
        ] = None


def compare(joined: Bundle, pages: dict[str, Page]) -> list[Finding]:
    """Every difference, explained or not, sorted by page and line."""
    run = Comparison(
        joined,
        pages,
        {
            node["operationId"]: (method.upper(), path, node)
            for method, path, node in joined.operations()
        },
    )
    named: dict[str, list[str]] = {}
    for name, (_, _, node) in run.operations.items():
        for slug in pages_of(node):
            named.setdefault(slug, []).append(name)
    for slug in named.keys() - pages.keys():
        run.add(
            slug,
            0,
            "removed",
            "page",
            ", ".join(named[slug]),
            "",
            "the page is gone",
            "x-coze-page names it",
            "",
        )
    for slug, page in pages.items():
        if slug in named:
            _page(run, page, named[slug])
        for request in page.requests if slug not in named else ():
            run.add(
                slug,
                request.line,
                "added",
                "page",
                "",
                "",
                _shown(request),
                "no operation names this page",
                "",
            )
    _judge(run)
    _vanished(run)
    return sorted(run.findings, key=lambda f: (f.page, f.line, f.where, f.what, f.on_page))


def _shown(request: Request) -> str:
    return f"{request.method} {request.paths[0]}"


def _route(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path).rstrip("/")


def _page(run: Comparison, page: Page, names: list[str]) -> None:
    """Pairs the requests of a page with the operations that name it, then compares each pair."""
    if not page.requests:
        raise PageError(
            f"{page.slug}.md:1: no request line, but {', '.join(names)} names this page; mend "
            "the page or x-coze-page"
        )
    left, pairs = list(names), list[tuple[Request, list[str]]]()
    for request in page.requests:
        routes = {(request.method, _route(path)): path for path in request.paths}
        found = [
            name
            for name in names
            if routes.pop((run.operations[name][0], _route(run.operations[name][1])), None)
        ]
        pairs.append((request, found))
        left = [name for name in left if name not in found]
        for path in routes.values() if found else ():
            run.add(
                page.slug,
                request.line,
                "added",
                "operation",
                "",
                "",
                f"{request.method} {path}",
                "not described",
                "",
            )
    for request, found in pairs:
        if not found and left:
            found.append(left.pop(0))
            described = " ".join(run.operations[found[0]][:2])
            run.add(
                page.slug,
                request.line,
                "changed",
                "operation",
                found[0],
                "",
                _shown(request),
                described,
                "",
            )
        if not found:
            run.add(
                page.slug,
                request.line,
                "added",
                "operation",
                "",
                "",
                _shown(request),
                "not described",
                "",
            )
            continue
        nodes = [run.operations[name][2] for name in found]
        for name, node in zip(found, nodes, strict=True):
            run.requests[name] = run.requests.get(name, 0) + 1
            own = set(node.get("x-coze-permission") or ())
            if request.permissions is not None and own != set(request.permissions):
                shown, why = (
                    ", ".join(sorted(request.permissions)) or "none",
                    _reason([node], "permission", "permission"),
                )
                run.add(
                    page.slug,
                    request.line,
                    "changed",
                    "permission",
                    name,
                    "",
                    shown,
                    ", ".join(sorted(own)) or "none",
                    why,
                )
        Walk(run.joined, run.notes, page.slug, request, found, nodes).run()
    for name in left:
        run.add(
            page.slug,
            1,
            "removed",
            "operation",
            name,
            "",
            "no such request",
            " ".join(run.operations[name][:2]),
            "",
        )


def _reason(holders: Iterable[Node], where: str, *names: str) -> str:
    """Why the holders excuse a difference at `where` in something of one of these names, or an
    empty text.
    """
    for holder in holders:
        deviation = holder.get("x-coze-deviation") or {}
        text = f"{deviation.get('what')} {deviation.get('why')}"
        if any(f"`{name}`" in text for name in names):
            return str(deviation["what"])
        for exception in holder.get("x-fidelity-exceptions") or ():
            pattern = str(exception["field"])
            if pattern in names or fnmatch.fnmatchcase(where, pattern.replace("[]", "[[]]")):
                return str(exception["reason"])
    return ""


def _judge(run: Comparison) -> None:
    """Rows that meet nothing; types, required flags and listed values of those that do."""
    for s in run.notes.strays:
        why = _reason(
            s.holders, s.where, s.where.partition(".")[2], s.row.name, s.row.name.rpartition(".")[2]
        )
        run.add(
            s.page, s.row.line, s.change, s.what, s.operation, s.where, s.row.kind, s.described, why
        )
    listed: dict[tuple[str, str], set[str]] = {}
    for key, sights in run.notes.sights.items():
        place = run.notes.places[key]
        target = resolve(run.joined, place.node.get("schema") or place.node)
        inner = resolve(run.joined, target.get("items") or target)
        known = {str(value) for value in inner.get("x-known-values") or ()}
        for sight in sights:
            holders = around(run.operations[sight.operation][2])
            for what, on_page, described in [
                *_type(place, target, inner, sight),
                *_required(run, place, sight, sights),
            ]:
                why = _own(place) or _reason(
                    [*place.holders, *holders], sight.where, place.name.rpartition(".")[2]
                )
                run.add(
                    sight.page,
                    sight.row.line,
                    "changed",
                    what,
                    sight.operation,
                    sight.where,
                    on_page,
                    described,
                    why,
                )
            if known & set(sight.row.values):
                listed.setdefault((sight.operation, label(inner)), set()).update(sight.row.values)
                for value in set(sight.row.values) - known:
                    why = _own(place) or _reason([inner, *holders], sight.where, value)
                    run.add(
                        sight.page,
                        sight.row.line,
                        "added",
                        "value",
                        sight.operation,
                        sight.where,
                        value,
                        "no known value",
                        why,
                    )
    for (name, schema), values in listed.items():
        node, known_values = (
            run.operations[name][2],
            run.joined.schemas.get(schema, {}).get("x-known-values") or (),
        )
        for value in map(str, known_values):
            if value and value not in values:
                why = _reason([run.joined.schemas[schema], *around(node)], schema, value)
                run.add(
                    ", ".join(pages_of(node)),
                    0,
                    "removed",
                    "value",
                    name,
                    schema,
                    "not listed",
                    value,
                    why,
                )


def _own(place: Place) -> str:
    return str((place.node.get("x-coze-deviation") or {}).get("what") or "")


def _type(place: Place, target: Node, inner: Node, sight: Sight) -> list[tuple[str, str, str]]:
    shown, own = _kind(sight.row.kind), _kinds(target)
    item = _kind(re.sub(r"(?i)^array of\s*", "", sight.row.kind)) if shown == "array" else ""
    items = _kinds(inner) if "items" in target else set()
    if place.name.startswith("header.") or not shown or not own:
        return []
    if shown not in own or (item and items and item not in items):
        return [
            (
                "type",
                sight.row.kind,
                " or ".join(sorted(own)) + (f" of {' or '.join(sorted(items))}" if items else ""),
            )
        ]
    return []


def _kind(text: str) -> str:
    """JSON type of a type on a page, or empty when it tells none."""
    text = text.lower().strip()
    if text.startswith("array"):
        return "array"
    return "object" if "map" in text or "object" in text else _TYPES.get(text, "")


def _kinds(schema: Node) -> set[str]:
    if schema.get("format") == "binary":
        return {"file"}
    kinds = schema.get("type") or ("object" if "allOf" in schema else [])
    return {kinds} if isinstance(kinds, str) else set(kinds)


def _required(
    run: Comparison, place: Place, sight: Sight, sights: list[Sight]
) -> list[tuple[str, str, str]]:
    """A field is optional as soon as one of the requests that share its operation leaves it out or
    marks it so.
    """
    if (
        sight.row.required is None
        or sight.row.required == sight.required
        or place.name.startswith("path.")
    ):
        return []
    if sight.row.required:
        same = [other for other in sights if other.operation == sight.operation]
        if any(other.row.required is False for other in same) or len(same) < run.requests.get(
            sight.operation, 1
        ):
            return []
    words = {True: "required", False: "optional"}
    return [("required", words[sight.row.required], words[sight.required])]


def _vanished(run: Comparison) -> None:
    """Parameters and fields that the pages of an operation leave out, where they show the rest of
    the same object.
    """
    seen: dict[str, set[tuple[str, str]]] = {}
    anywhere = {owner for owner, _ in run.notes.sights}
    told: set[tuple[str, str]] = set()
    for key, sights in run.notes.sights.items():
        for sight in sights:
            seen.setdefault(sight.operation, set()).add(key)
    for name, (_, _, node) in run.operations.items():
        slugs, own = pages_of(node), seen.get(name, set())
        if not slugs or set(slugs) - run.pages.keys() or name not in run.requests:
            continue
        shown = {owner for owner, _ in own}
        places = [place for place in parameters(name, node) if "x-coze-constant" not in place.node]
        for schema in reach(
            run.joined, [root for root in (body_schema(node), *answers(run.joined, node)) if root]
        ):
            found = properties(run.joined, run.joined.schemas[schema] | {"x-name": schema}).values()
            places += [
                p
                for p in found
                if p.owner == schema and (schema in shown or schema not in anywhere)
            ]
        for place in places:
            # An object that no page shows at all is told of once, not for every operation that has
            # it.
            if (place.owner, place.name) not in own and (
                (key := (place.owner, place.name)) not in told or place.owner in shown
            ):
                told.add(key)
                what, where = (
                    ("parameter", place.name)
                    if place.owner == name
                    else ("field", f"{place.owner}.{place.name}")
                )
                why = _own(place) or _reason(
                    [*place.holders, *around(node)], where, place.name.rpartition(".")[2]
                )
                run.add(
                    ", ".join(slugs),
                    0,
                    "removed",
                    what,
                    name,
                    where,
                    "not on the page",
                    "described",
                    why,
                )


def main(pages: Path, spec: Path, as_json: bool = False) -> int:
    """Prints the report; 1 when a difference is not explained, 2 when a page cannot be read."""
    try:
        findings = compare(bundle(spec), read_pages(pages))
    except PageError as error:
        print(error)
        return 2
    left = [finding for finding in findings if not finding.explained]
    if as_json:
        content: dict[str, Any] = {
            "unexplained": len(left),
            "differences": [asdict(finding) for finding in findings],
        }
        print(json.dumps(content, ensure_ascii=False, indent=1))
    else:
        for f in left:
            print(
                f"{f.page}:{f.line}: {f.change} {f.what} {f.where} [{f.operation}] page: "
                f"{f.on_page} · description: {f.described}"
            )
        print(f"{len(findings)} differences, {len(left)} unexplained")
    return 1 if left else 0
