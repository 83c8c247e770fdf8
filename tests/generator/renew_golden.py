"""Renews the golden output: `python -m tests.generator.renew_golden`, in the root of the
repository.

Run it after a change of a template, the generator or the tiny description, then read the difference
before committing it: it shows what the change does to every generated package.
"""

from __future__ import annotations

import sys

from generator.compile.output import compare, write
from tests.generator.golden_files import GOLDEN, golden_files


def main() -> int:
    files = golden_files()
    changes = compare(files, GOLDEN) if GOLDEN.exists() else [f"{path}: missing" for path in files]
    for change in changes:
        print(change)
    write(files, GOLDEN)
    print(f"wrote {len(files)} files, {len(changes)} of them new, changed or gone")
    return 0


if __name__ == "__main__":
    sys.exit(main())
