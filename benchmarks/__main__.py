"""Runs the benchmarks and prints the results: `python -m benchmarks [--write] [name …]`."""

from __future__ import annotations

import argparse
import datetime
import os
import sys
from pathlib import Path

from .measures import MEASURES, versions
from .processes import HERE, peer_python
from .report import Row, table

RESULTS = HERE / "RESULTS.md"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Compare cozekit with the official SDK, in one run.",
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="name",
        help=f"what to measure (default: all): {', '.join(MEASURES)}",
    )
    parser.add_argument(
        "--write",
        action="store_true",
        help=f"write the results to {RESULTS.parent.name}/{RESULTS.name}; needs a full run",
    )
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in MEASURES]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)} (choose from {', '.join(MEASURES)})")
    if options.write and options.names:
        parser.error("--write needs a full run: do not name measurements")
    peer_python()
    load = [_load()]
    rows: list[Row] = []
    for name in options.names or MEASURES:
        print(f"measuring {name} …", file=sys.stderr)
        rows += MEASURES[name]()
    load.append(_load())
    print(table(rows))
    print(f"\nsystem load at the start and at the end: {', '.join(load)}")
    missed = [row.name for row in rows if row.met is False]
    print(f"\nbudgets missed: {'; '.join(missed)}" if missed else "\nall budgets met")
    if options.write:
        write(RESULTS, rows, load)


def _load() -> str:
    """Average system load of the last minute; this program counts as one."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def write(path: Path, rows: list[Row], load: list[str]) -> None:
    ours, peer = versions()
    versions_text = [
        ", ".join(f"{name} {version}" for name, version in side.items()) for side in (ours, peer)
    ]
    day = datetime.datetime.now(tz=datetime.UTC).date()
    path.write_text(
        f"# Results\n\nWritten by `python -m benchmarks --write`. DO NOT EDIT.\n\n"
        f"* {day}, {os.cpu_count()} cores, client and server on the same machine; system load "
        f"{load[0]} at the start, {load[1]} at the end\n"
        f"* cozekit: {versions_text[0]}\n* other: {versions_text[1]}\n\n"
        "Both sides alternate within one run. Times are the best of all rounds, for imports the "
        "median without the start of the\n"
        "interpreter. *ratio* is cozekit to the other for costs (≤), and the inverse for speeds "
        f"(≥).\n\n{table(rows)}\n",
        encoding="utf-8",
    )
    print(f"written: {path.parent.name}/{path.name}", file=sys.stderr)


if __name__ == "__main__":
    main()
