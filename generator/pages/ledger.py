"""The ledger `spec/coverage.yaml`: every official page is taken care of by operations, by a module,
or has a reason why not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..compile.bundle import Bundle
from ..compile.lint.gaps import GAP
from ..compile.nodes import pages_of
from ..yaml_files import read_yaml

KINDS = ("operations", "module", "reason")
WHERE = "spec/coverage.yaml"
Entries = dict[str, dict[str, Any]]


def known_pages(spec: Path) -> Entries | None:
    """The pages of the ledger by their slugs; None when there is no ledger."""
    return (_ledger(spec).get("pages") or {}) if (spec / "coverage.yaml").exists() else None


def pages_to_name(spec: Path) -> frozenset[str] | None:
    """Slugs that the description may name; None when there is no ledger."""
    pages = known_pages(spec)
    return None if pages is None else frozenset([*pages, *(_ledger(spec).get("guides") or ())])


def _ledger(spec: Path) -> dict[str, Any]:
    file = spec / "coverage.yaml"
    return (read_yaml(file, WHERE).content if file.exists() else None) or {}


def lint_ledger(bundle: Bundle, spec: Path, overlays: Path) -> list[str]:
    """Every departure of the ledger from the description, with its fix; empty when there is
    none.
    """
    if not (spec / "coverage.yaml").exists():
        return []
    ledger = _ledger(spec)
    pages: Entries = ledger.get("pages") or {}
    undocumented: Entries = ledger.get("undocumented") or {}
    return sorted(
        [
            *_pages(pages, undocumented),
            *_undocumented(undocumented),
            *(m for name, entry in pages.items() for m in _entry(name, entry, overlays)),
            *(m for name, entry in undocumented.items() for m in _entry(name, entry, overlays)),
            *_operations(bundle, pages, undocumented),
        ]
    )


def first_days(spec: Path) -> dict[str, str]:
    """Page → `since`: the day from which on it is known, where the first export lacks it."""
    pages = known_pages(spec) or {}
    return {name: str(entry["since"]) for name, entry in pages.items() if "since" in entry}


def _pages(pages: Entries, undocumented: Entries) -> Iterator[str]:
    for name, entry in pages.items():
        if name in undocumented:
            yield f"{WHERE}: {name}: is a page and undocumented too; keep one"
        if not entry.get("section"):
            yield f"{WHERE}: {name}: no section; name the group of the table of contents"


def _undocumented(undocumented: Entries) -> Iterator[str]:
    for name, entry in undocumented.items():
        if not entry.get("sources"):
            yield f"{WHERE}: {name}: no sources; say who uses it"


def _entry(name: str, entry: dict[str, Any], overlays: Path) -> Iterator[str]:
    where, kinds = f"{WHERE}: {name}", [kind for kind in KINDS if entry.get(kind)]
    if len(kinds) != 1:
        given = " and ".join(kinds) or "nothing"
        yield f"{where}: has {given}; give exactly one of {', '.join(KINDS)}"
    if not entry.get("name"):
        yield f"{where}: no name; give one in English"
    for text in (entry.get("name"), entry.get("section")):
        if str(text).startswith(GAP):
            yield f"{where}: {text} is a gap; give a name in English"
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", str(entry.get("checked"))):
        yield f"{where}: no `checked: YYYY-MM-DD`; give the day on which the page was compared"
    if "module" in kinds:
        yield from _module(f"{where}: {entry['module']}", entry, overlays)


def _module(where: str, entry: dict[str, Any], overlays: Path) -> Iterator[str]:
    target = overlays.joinpath(*str(entry["module"]).split("."))
    exists = target.joinpath("__init__.py").is_file() or target.with_suffix(".py").is_file()
    if exists and entry.get("status"):
        yield f"{where} exists; delete `status: {entry['status']}`"
    if not exists and entry.get("status") != "planned":
        yield f"{where} does not exist; fix the name, or add `status: planned`"


def _operations(bundle: Bundle, pages: Entries, undocumented: Entries) -> Iterator[str]:
    """Pages of the ledger and pages of the operations are the same."""
    # An operation that no page documents belongs under `undocumented`, whatever its key there.
    entries = [*pages.items(), *(("undocumented", entry) for entry in undocumented.values())]
    listed = {
        (page, operation) for page, entry in entries for operation in entry.get("operations") or ()
    }
    documented = {
        (page, node["operationId"])
        for _, _, node in bundle.operations()
        for page in pages_of(node) or ["undocumented"]
    }
    for page, operation in sorted(documented - listed):
        yield (
            f"spec/{bundle.origin[operation]}: {operation}: the ledger does not list it under "
            f"{page}; add it to {WHERE}"
        )
    for page, operation in sorted(listed - documented):
        yield (
            f"{WHERE}: {page}: lists {operation}, whose x-coze-page does not name it; fix one of "
            "them"
        )
