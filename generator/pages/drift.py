"""Compares the official pages with the description: what was added, removed or changed, page by
page.

It never writes the description: a person reads the report and decides. A difference is explained by
`x-coze-deviation` on the parameter or property itself, by one beside or around it (property, list
of values, schema, operation) whose text names the field or value in backticks, or that lists it
under `fields`. One schema serves many pages, so a field counts as removed when the last page that
documented it no longer does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from attrs import asdict, define, field

from ..compile.bundle import Bundle, bundle
from ..compile.nodes import pages_of
from .absences import report_absences
from .blocks import PageError
from .judgement import Comparison, Finding, judge, reason
from .ledger import first_days, known_pages
from .matching import Matcher
from .page import Page, Pages, Request
from .page_parser import read_pages


@define
class Report:
    """What the comparison says."""

    findings: list[Finding]
    """Every difference, explained or not, sorted by page and line."""
    unreadable: list[str]
    """Why pages cannot be read, with file and line."""
    not_compared: list[str] = field(factory=list)
    """What is left out, and why."""


def compare(
    joined: Bundle,
    pages: Pages,
    ledger: Collection[str] | None = None,
    since: Mapping[str, str] | None = None,
) -> Report:
    """Compares every page that can be read.

    Args:
        joined: The description.
        pages: The official pages.
        ledger: Pages that the ledger knows; without it no page is unknown.
        since: Page → the day from which on it is known, for those that older exports lack.
    """
    operations = {
        node["operationId"]: (method.upper(), path, node)
        for method, path, node in joined.operations()
    }
    run = Comparison(joined, pages.by_slug, operations)
    named: dict[str, list[str]] = {}
    for name, (_, _, node) in operations.items():
        for slug in pages_of(node):
            named.setdefault(slug, []).append(name)
    report = Report([], list(pages.unreadable.values()), _lost_sections(pages))
    missing = named.keys() - pages.by_slug.keys() - pages.unreadable.keys()
    if len(missing) * 2 > len(named):
        report.not_compared.append(
            f"{len(missing)} of {len(named)} pages are not in this folder; the others are compared"
        )
    else:
        _add_missing(run, {slug: named[slug] for slug in missing}, since or {}, pages)
    for slug, page in pages.by_slug.items():
        if slug not in named:
            _add_unnamed(run, page, ledger is None or slug in ledger)
        elif page.requests:
            _compare_page(run, page, named[slug])
        elif not page.lost_requests:
            report.unreadable.append(
                f"{slug}.md:1: no request line, but {', '.join(named[slug])} names this page; fix "
                "the page or x-coze-page"
            )
    judge(run)
    report_absences(run)
    report.findings += sorted(
        run.findings, key=lambda f: (f.page, f.line, f.where, f.what, f.on_page)
    )
    return report


def _lost_sections(pages: Pages) -> list[str]:
    return [
        f"{slug}.md:{line}: the text scrape has no table below {heading}; it is not compared"
        for slug, page in pages.by_slug.items()
        for line, heading in page.lost
    ]


def _add_missing(
    run: Comparison, missing: dict[str, list[str]], since: Mapping[str, str], pages: Pages
) -> None:
    newest = max((since.get(slug, "") for slug in pages.by_slug), default="")
    for slug, names in missing.items():
        is_newer = since.get(slug, "") > newest
        run.add(
            "removed",
            "page",
            page=slug,
            operation=", ".join(names),
            on_page="the page is gone",
            described="x-coze-page names it",
            explained=f"first seen on {since[slug]}" if is_newer else "",
        )


def _add_unnamed(run: Comparison, page: Page, in_ledger: bool) -> None:
    """A page that no operation names: its requests are new, and so is a page that the ledger does
    not know, even without any.
    """
    described = "no operation names this page"
    if not in_ledger:
        described = "the ledger does not know this page"
        if not page.requests:
            run.add(
                "added",
                "page",
                page=page.slug,
                line=1,
                on_page="no request",
                described=described,
            )
    for request in page.requests:
        _add_new(run, page, request, "page", _shown(request), described)


def _add_new(
    run: Comparison,
    page: Page,
    request: Request,
    what: str,
    on_page: str,
    described: str = "not described",
) -> None:
    run.add("added", what, page=page.slug, line=request.line, on_page=on_page, described=described)


def _shown(request: Request) -> str:
    return f"{request.method} {request.paths[0]}"


def _route(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path).rstrip("/")


def _compare_page(run: Comparison, page: Page, names: list[str]) -> None:
    """Pairs the requests of a page with the operations that name it, then compares each pair."""
    pairs = [(request, _operations_of(run, page, request, names)) for request in page.requests]
    paired = {name for _, own in pairs for name in own}
    unpaired = [name for name in names if name not in paired]
    for request, own in pairs:
        if not own and unpaired:
            own.append(unpaired.pop(0))
            described = " ".join(run.operations[own[0]][:2])
            run.add(
                "changed",
                "operation",
                page=page.slug,
                line=request.line,
                operation=own[0],
                on_page=_shown(request),
                described=described,
            )
        if own:
            _compare_request(run, page, request, own)
        else:
            _add_new(run, page, request, "operation", _shown(request))
    for name in () if page.lost_requests else unpaired:
        run.add(
            "removed",
            "operation",
            page=page.slug,
            line=1,
            operation=name,
            on_page="no such request",
            described=" ".join(run.operations[name][:2]),
        )


def _operations_of(run: Comparison, page: Page, request: Request, names: list[str]) -> list[str]:
    """The operations that a request documents by method and path; a further path of it is new."""
    paths = {(request.method, _route(path)): path for path in request.paths}
    own = []
    for name in names:
        method, path, _ = run.operations[name]
        if paths.pop((method, _route(path)), None):
            own.append(name)
    for path in paths.values() if own else ():
        _add_new(run, page, request, "operation", f"{request.method} {path}")
    return own


def _compare_request(run: Comparison, page: Page, request: Request, names: list[str]) -> None:
    nodes = [run.operations[name][2] for name in names]
    for name, node in zip(names, nodes, strict=True):
        run.requests[name] = run.requests.get(name, 0) + 1
        described: set[str] = set(node.get("x-coze-permission") or ())
        listed = request.permissions
        if listed is not None and not _same_permissions(described, listed):
            run.add(
                "changed",
                "permission",
                page=page.slug,
                line=request.line,
                operation=name,
                on_page=", ".join(sorted(listed)) or "none",
                described=", ".join(sorted(described)) or "none",
                explained=reason([node], "permission", "permission"),
            )
    Matcher(run.joined, run.matches, page.slug, request, names, nodes).run()


def _same_permissions(described: set[str], on_page: list[str]) -> bool:
    """A text scrape loses what parts the names."""
    if set(on_page) == described:
        return True
    rest = "".join(on_page)
    for name in sorted(described, key=len, reverse=True):
        if name not in rest:
            return False
        rest = rest.replace(name, "", 1)
    return not rest


def main(pages: Path, spec: Path, as_json: bool = False) -> int:
    """Prints the report; 1 when a difference is not explained, 2 when a page cannot be read."""
    try:
        report = compare(bundle(spec), read_pages(pages), known_pages(spec), first_days(spec))
    except PageError as error:
        print(error)
        return 2
    unexplained = [finding for finding in report.findings if not finding.explained]
    if as_json:
        content: dict[str, Any] = {
            "unexplained": len(unexplained),
            "unreadable": report.unreadable,
            "not_compared": report.not_compared,
            "differences": [asdict(finding) for finding in report.findings],
        }
        print(json.dumps(content, ensure_ascii=False, indent=1))
    else:
        _print(report, unexplained)
    return 2 if report.unreadable else int(bool(unexplained))


def _print(report: Report, unexplained: list[Finding]) -> None:
    for line in (*report.not_compared, *report.unreadable):
        print(line)
    for f in unexplained:
        print(
            f"{f.page}:{f.line}: {f.change} {f.what} {f.where} [{f.operation}] page: {f.on_page} · "
            f"description: {f.described}"
        )
    unread = f", {len(report.unreadable)} pages cannot be read" if report.unreadable else ""
    print(f"{len(report.findings)} differences, {len(unexplained)} unexplained{unread}")
