"""Compares the official pages with the description: what was added, removed or changed, page by
page.

It never writes the description: a person reads the report and decides. A difference is explained by
`x-coze-deviation` on the parameter or property itself, by one beside or around it (property, list
of values, schema, operation) whose text names the field or value in backticks, or by
`x-fidelity-exceptions`. One schema serves many pages, so a field counts as removed when the last
page that documented it no longer does.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from attrs import asdict

from ..compile.bundle import Bundle, bundle
from ..compile.nodes import pages_of
from .judgement import Comparison, Finding, judge, reason
from .ledger import first_days
from .matching import Matcher
from .page_parser import Page, PageError, Request, read_pages


def compare(
    joined: Bundle, pages: dict[str, Page], since: dict[str, str] | None = None
) -> list[Finding]:
    """Every difference, explained or not, sorted by page and line.

    Args:
        joined: The description.
        pages: The official pages.
        since: Page → the day from which on it is known, for those that older exports lack.
    """
    operations = {
        node["operationId"]: (method.upper(), path, node)
        for method, path, node in joined.operations()
    }
    run = Comparison(joined, pages, operations)
    named: dict[str, list[str]] = {}
    for name, (_, _, node) in operations.items():
        for slug in pages_of(node):
            named.setdefault(slug, []).append(name)
    first_seen = since or {}
    newest = max((first_seen.get(slug, "") for slug in pages), default="")
    for slug in named.keys() - pages.keys():
        is_newer = first_seen.get(slug, "") > newest
        run.add(
            "removed",
            "page",
            page=slug,
            operation=", ".join(named[slug]),
            on_page="the page is gone",
            described="x-coze-page names it",
            explained=f"first seen on {first_seen[slug]}" if is_newer else "",
        )
    for slug, page in pages.items():
        if slug in named:
            _compare_page(run, page, named[slug])
            continue
        for request in page.requests:
            _add_new(run, page, request, "page", _shown(request), "no operation names this page")
    judge(run)
    return sorted(run.findings, key=lambda f: (f.page, f.line, f.where, f.what, f.on_page))


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
    if not page.requests:
        raise PageError(
            f"{page.slug}.md:1: no request line, but {', '.join(names)} names this page; fix the "
            "page or x-coze-page"
        )
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
    for name in unpaired:
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
        described = set(node.get("x-coze-permission") or ())
        if request.permissions is not None and described != set(request.permissions):
            run.add(
                "changed",
                "permission",
                page=page.slug,
                line=request.line,
                operation=name,
                on_page=", ".join(sorted(request.permissions)) or "none",
                described=", ".join(sorted(described)) or "none",
                explained=reason([node], "permission", "permission"),
            )
    Matcher(run.joined, run.matches, page.slug, request, names, nodes).run()


def main(pages: Path, spec: Path, as_json: bool = False) -> int:
    """Prints the report; 1 when a difference is not explained, 2 when a page cannot be read."""
    try:
        findings = compare(bundle(spec), read_pages(pages), first_days(spec))
    except PageError as error:
        print(error)
        return 2
    unexplained = [finding for finding in findings if not finding.explained]
    if as_json:
        report: dict[str, Any] = {
            "unexplained": len(unexplained),
            "differences": [asdict(finding) for finding in findings],
        }
        print(json.dumps(report, ensure_ascii=False, indent=1))
    else:
        for f in unexplained:
            print(
                f"{f.page}:{f.line}: {f.change} {f.what} {f.where} [{f.operation}] page: "
                f"{f.on_page} · description: {f.described}"
            )
        print(f"{len(findings)} differences, {len(unexplained)} unexplained")
    return 1 if unexplained else 0
