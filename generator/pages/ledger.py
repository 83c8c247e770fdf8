"""The ledger `spec/coverage.yaml`: every official page is taken care of by operations, by a module,
or has a reason why not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..compile.bundle import Bundle
from ..compile.nodes import pages_of
from ..yaml_files import read_yaml

PAGES = 183
KINDS = ("operations", "module", "reason")
WHERE = "spec/coverage.yaml"
Entries = dict[str, dict[str, Any]]


def pages_of_ledger(spec: Path) -> frozenset[str] | None:
    """Slugs of all pages; None where there is no ledger."""
    if not (spec / "coverage.yaml").exists():
        return None
    ledger = _ledger(spec)
    return frozenset([*(ledger.get("pages") or ()), *(ledger.get("guides") or ())])


def _ledger(spec: Path) -> dict[str, Any]:
    return read_yaml(spec / "coverage.yaml", WHERE).content or {}


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


def _pages(pages: Entries, undocumented: Entries) -> Iterator[str]:
    if len(pages) != PAGES:
        yield (
            f"{WHERE}: {len(pages)} pages, the table of contents has {PAGES}; add the missing "
            "ones, or correct PAGES in ledger.py"
        )
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
