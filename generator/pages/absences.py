"""What the description has and the pages leave out, where they show the rest of the same thing."""

from __future__ import annotations

from collections.abc import Iterator

from ..compile.bundle import Bundle, Node
from ..compile.nodes import body_schema, pages_of, reachable
from .judgement import Comparison, reason
from .places import Place, around, named_schema, parameters, properties, received_schemas


def report_absences(run: Comparison) -> None:
    """Adds what is described and on no page."""
    _unlisted_values(run)
    _vanished(run)


def _unlisted_values(run: Comparison) -> None:
    """Known values that the pages of an operation leave out, where they list others."""
    for (operation, schema), values in run.listed.items():
        node, enum = run.operations[operation][2], run.joined.schemas.get(schema) or {}
        for value in map(str, enum.get("x-known-values") or ()):
            if value and value not in values:
                run.add(
                    "removed",
                    "value",
                    page=", ".join(pages_of(node)),
                    operation=operation,
                    where=schema,
                    on_page="not listed",
                    described=value,
                    explained=reason([enum, *around(node)], schema, value),
                )


def _vanished(run: Comparison) -> None:
    """Parameters and fields that the pages of an operation leave out, where they show the rest of
    the same object.
    """
    matched = run.matches.by_operation()
    elsewhere = {owner for owner, _ in run.matches.by_place} | _not_compared(run)
    reported: set[tuple[str, str]] = set()
    for name, (_, _, node) in run.operations.items():
        slugs, own = pages_of(node), matched.get(name, set())
        if not slugs or set(slugs) - run.pages.keys() or name not in run.requests:
            continue
        shown = {owner for owner, _ in own}
        for place in _expected(run, name, node, shown, elsewhere):
            # An object that no page shows is reported once, not for every operation that has it.
            repeated = place.key in reported and place.owner not in shown
            if place.key not in own and not repeated:
                reported.add(place.key)
                _report_vanished(run, name, node, place)


def _not_compared(run: Comparison) -> set[str]:
    """Schemas that a page may show that was not read, or a table that a text scrape has lost."""
    unread = [
        schema
        for name, (_, _, node) in run.operations.items()
        if pages_of(node) and name not in run.requests
        for schema in _roots(run.joined, node)
    ]
    lost = (name for names in run.matches.lost.values() for name in names)
    return set(reachable(run.joined, [*unread, *(n for n in lost if n in run.joined.schemas)]))


def _roots(joined: Bundle, node: Node) -> list[str]:
    return [root for root in (body_schema(node), *received_schemas(joined, node)) if root]


def _expected(
    run: Comparison, name: str, node: Node, shown: set[str], elsewhere: set[str]
) -> Iterator[Place]:
    """The places that the pages of an operation should document: those of the objects that they
    show, and of objects that can be on no other page.
    """
    lost = run.matches.lost.get(name, ())
    for place in parameters(name, node):
        if "x-coze-constant" not in place.node and place.name.partition(".")[0] not in lost:
            yield place
    for schema in reachable(run.joined, _roots(run.joined, node)):
        if schema in shown or schema not in elsewhere:
            for place in properties(run.joined, named_schema(run.joined, schema)).values():
                if place.owner == schema:
                    yield place


def _report_vanished(run: Comparison, name: str, node: Node, place: Place) -> None:
    is_parameter = place.owner == name
    where = place.name if is_parameter else f"{place.owner}.{place.name}"
    holders = [*place.holders, *around(node)]
    run.add(
        "removed",
        "parameter" if is_parameter else "field",
        page=", ".join(pages_of(node)),
        operation=name,
        where=where,
        on_page="not on the page",
        described="described",
        explained=place.deviation or reason(holders, where, place.name.rpartition(".")[2]),
    )
