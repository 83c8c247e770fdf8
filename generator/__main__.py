"""`python -m generator`: compiles spec/ into generated/.

python -m generator            lint the description, write generated/
python -m generator --check    compare instead of writing; exit 1 when anything differs
python -m generator lint       only the rules of docs/description.md
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .bundle import DescriptionError, bundle
from .emit import compare, compile_bundle, render, write
from .lint import lint

ROOT = Path(__file__).resolve().parent.parent


def main(argv: list[str] | None = None) -> int:
    """Runs one command; 0 when all is well, 1 when something departs, 2 when the description cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m generator", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", nargs="?", default="generate", choices=["generate", "lint"])
    parser.add_argument("--check", action="store_true", help="compare with what is on disk instead of writing")
    parser.add_argument("--spec", type=Path, default=ROOT / "spec", help="folder of the description")
    parser.add_argument("--out", type=Path, default=ROOT / "generated", help="folder of the generated files")
    arguments = parser.parse_args(argv)
    try:
        joined = bundle(arguments.spec)
        findings = lint(joined, arguments.spec)
        if findings or arguments.command == "lint":
            return _report(findings, f"{len(joined.files)} files of the description")
        files = render(compile_bundle(joined))
    except DescriptionError as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.check:
        return _report(compare(files, arguments.out), f"{len(files)} generated files")
    write(files, arguments.out)
    print(f"wrote {len(files)} files")
    return 0


def _report(findings: list[str], checked: str) -> int:
    for finding in findings:
        print(finding)
    print(f"{checked}: {len(findings)} findings" if findings else f"{checked}: in order")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
