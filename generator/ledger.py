"""The ledger `spec/coverage.yaml`: every official page is taken care of by operations, by a module,
or has a reason why not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .bundle import Bundle, Node, load_yaml

PAGES = 183
KINDS = ("operations", "module", "reason")


def lint_ledger(bundle: Bundle, spec: Path, overlays: Path) -> list[str]:
    """Every departure of the ledger from the description, with the mend; empty when the books
    balance.
    """
    ledger = load_yaml(spec / "coverage.yaml", "spec/coverage.yaml") or {}
    pages, extra = ledger.get("pages") or {}, ledger.get("undocumented") or {}
    where = "spec/coverage.yaml"
    found = [
        message
        for name, entry in (pages | extra).items()
        for message in _entry(f"{where}: {name}", entry, overlays)
    ]
    if len(pages) != PAGES:
        found.append(
            f"{where}: {len(pages)} pages, the table of contents has {PAGES}; add the missing "
            "ones, or correct PAGES in ledger.py"
        )
    found += [
        f"{where}: {name}: is a page and undocumented too; keep one"
        for name in pages
        if name in extra
    ]
    found += [
        f"{where}: {name}: no section; name the group of the table of contents"
        for name, e in pages.items()
        if not e.get("section")
    ]
    found += [
        f"{where}: {name}: no sources; say who uses it"
        for name, entry in extra.items()
        if not entry.get("sources")
    ]
    # An operation that no page documents belongs under `undocumented`, whatever its key there.
    claimed = {
        (name, operation)
        for name, entry in pages.items()
        for operation in entry.get("operations") or ()
    }
    claimed |= {
        ("undocumented", operation)
        for entry in extra.values()
        for operation in entry.get("operations") or ()
    }
    documented = {
        (page, node["operationId"])
        for _, _, node in bundle.operations()
        for page in pages_of(node) or ["undocumented"]
    }
    for page, operation in sorted(documented - claimed):
        file = bundle.origin[operation]
        found.append(
            f"spec/{file}: {operation}: the ledger does not list it under {page}; add it to {where}"
        )
    for page, operation in sorted(claimed - documented):
        found.append(
            f"{where}: {page}: lists {operation}, whose x-coze-page does not name it; mend one "
            "of them"
        )
    return sorted(found)


def pages_of(node: Node) -> list[str]:
    """Slugs of the official pages of an operation."""
    pages = node.get("x-coze-page") or []
    return [pages] if isinstance(pages, str) else list(pages)


def _entry(where: str, entry: Any, overlays: Path) -> Iterator[str]:
    kinds = [kind for kind in KINDS if entry.get(kind)]
    if len(kinds) != 1:
        yield (
            f"{where}: has {' and '.join(kinds) or 'nothing'}; give exactly one of "
            f"{', '.join(KINDS)}"
        )
    if not entry.get("name"):
        yield f"{where}: no name; give one in English"
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", str(entry.get("checked"))):
        yield f"{where}: no `checked: YYYY-MM-DD`; give the day on which the page was compared"
    if "module" in kinds:
        target = overlays.joinpath(*str(entry["module"]).split("."))
        exists = target.joinpath("__init__.py").is_file() or target.with_suffix(".py").is_file()
        if exists and entry.get("status"):
            yield f"{where}: {entry['module']} exists; delete `status: {entry['status']}`"
        if not exists and entry.get("status") != "planned":
            yield (
                f"{where}: {entry['module']} does not exist; mend the name, or say "
                "`status: planned`"
            )
