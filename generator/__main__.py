"""Compiles spec/ into generated/.

python -m generator                      lint the description, write generated/ and
                                         docs/operations.md
python -m generator --check              compare instead of writing; exit 1 on any difference
python -m generator lint                 only the rules of docs/description.md
python -m generator drift --pages DIR    official pages against the description; exit 1 on
                                         unexplained differences
python -m generator adopt PAGE           an official page (file, or slug in --pages) as the draft
                                         of its operation; --operation names it
python -m generator diff OLD NEW         release note for the difference of two bundles
"""

from __future__ import annotations

import argparse
import gc
import sys
from pathlib import Path

from .adopt import command as adopt
from .compile.bundle import Bundle, bundle, read
from .compile.emit import compile_bundle, render
from .compile.lint import lint
from .compile.lint.openapi import lint_openapi
from .compile.operations import Operation
from .compile.output import compare, write
from .pages import drift, release_note
from .pages.ledger import lint_ledger, pages_to_name
from .pages.operations_page import operations_page, with_server_table
from .yaml_files import DescriptionError

ROOT = Path(__file__).resolve().parent.parent


def main(argv: list[str] | None = None) -> int:
    """Runs one command; 0 when all is well, 1 when something differs, 2 when an input cannot be
    used.
    """
    parser = _parser()
    arguments = parser.parse_args(argv)
    try:
        if arguments.command == "drift":
            if arguments.pages is None:
                parser.error("drift needs --pages DIR")
            return drift.main(arguments.pages, arguments.spec, arguments.json)
        if arguments.command == "adopt":
            if len(arguments.files) != 1:
                parser.error("adopt needs PAGE")
            pages = arguments.pages or ROOT / "pages"
            adoption = adopt.Adoption(arguments.spec, pages, arguments.contract)
            return adopt.main(adoption, str(arguments.files[0]), arguments.operation)
        if arguments.command == "diff":
            if len(arguments.files) != 2:
                parser.error("diff needs OLD and NEW")
            return release_note.main(*arguments.files)
        return _compile(arguments)
    except DescriptionError as error:
        print(error, file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m generator",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "command",
        nargs="?",
        default="generate",
        choices=["generate", "lint", "drift", "adopt", "diff"],
    )
    parser.add_argument(
        "files", nargs="*", type=Path, help="diff: the old and the new bundle; adopt: a page"
    )
    parser.add_argument(
        "--check", action="store_true", help="compare with what is on disk instead of writing"
    )
    parser.add_argument("--pages", type=Path, help="drift, adopt: folder of official pages")
    parser.add_argument("--operation", default="", help="adopt: operationId of the draft")
    parser.add_argument(
        "--contract",
        type=Path,
        default=ROOT / "tests" / "contract",
        help="adopt: folder of the documented exchanges",
    )
    parser.add_argument("--json", action="store_true", help="drift: machine-readable report")
    parser.add_argument(
        "--spec", type=Path, default=ROOT / "spec", help="folder of the description"
    )
    parser.add_argument(
        "--out", type=Path, default=ROOT / "generated", help="folder of the generated files"
    )
    parser.add_argument(
        "--docs", type=Path, help="folder of the page of operations; by default `docs` beside --out"
    )
    return parser


def _compile(arguments: argparse.Namespace) -> int:
    files = read(arguments.spec)
    findings = lint(files, pages_to_name(arguments.spec))
    if findings:
        return _report(findings, f"{len(files)} files of the description")
    joined = bundle(arguments.spec, files)
    # The ledger is part of the rules, but not of a plain generation: a page may be entered after
    # its operation is written.
    if arguments.command == "lint" or arguments.check:
        findings = lint_ledger(joined, arguments.spec, ROOT / "overlays")
    if arguments.command == "lint":
        findings += lint_openapi(joined, arguments.spec)
    if findings or arguments.command == "lint":
        return _report(findings, f"{len(files)} files of the description")
    compiled = compile_bundle(joined)
    files_made = render(compiled)
    pages = _pages(joined, compiled.operations, arguments.docs or arguments.out.parent / "docs")
    if arguments.check:
        differences = compare(files_made, arguments.out)
        differences += [
            f"{target.name}: differs"
            for target, page in pages.items()
            if not target.exists() or target.read_bytes() != page
        ]
        return _report(differences, f"{len(files_made)} generated files")
    write(files_made, arguments.out)
    for target, page in pages.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(page)
    print(f"wrote {len(files_made)} files")
    return 0


def _pages(joined: Bundle, operations: list[Operation], folder: Path) -> dict[Path, bytes]:
    """The page of operations, and the tables in the pages of other servers."""
    pages = {folder / "operations.md": operations_page(joined, operations).encode()}
    for server in joined.document.get("x-coze-servers") or ():
        target = folder / f"{server.replace('_', '-')}.md"
        if target.exists():
            text = with_server_table(target.read_text(encoding="utf-8"), operations, server)
            pages[target] = text.encode()
    return pages


def _report(findings: list[str], checked: str) -> int:
    for finding in findings:
        print(finding)
    count = "1 finding" if len(findings) == 1 else f"{len(findings)} findings"
    print(f"{checked}: {count}" if findings else f"{checked}: in order")
    return 1 if findings else 0


if __name__ == "__main__":
    gc.disable()  # one short run over a large document: collecting costs more than it frees
    sys.exit(main())
