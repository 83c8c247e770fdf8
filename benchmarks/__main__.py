"""Runs the measurements and prints them: `python -m benchmarks [--write] [name …]`."""

from __future__ import annotations

import argparse
import datetime
import os
import sys
from pathlib import Path

from .measures import MEASURES, versions
from .processes import HERE, peer_python
from .rows import Row

RESULTS = HERE / "RESULTS.md"
HEADER = ("what", "ours", "beside", "ratio", "budget", "met")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure cozekit beside the official SDK, in one run.",
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
        help=f"keep the results in {RESULTS.parent.name}/{RESULTS.name}; needs a full run",
    )
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in MEASURES]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)} (choose from {', '.join(MEASURES)})")
    if options.write and options.names:
        parser.error("--write keeps a full run: name no measurements")
    peer_python()
    load = [_load()]
    rows: list[Row] = []
    for name in options.names or MEASURES:
        print(f"measuring {name} …", file=sys.stderr)
        rows += MEASURES[name]()
    load.append(_load())
    print(table(rows))
    print(f"\nload of the machine at the beginning and at the end: {' and '.join(load)}")
    missed = [row.what for row in rows if row.met is False]
    print(f"\nbudgets missed: {'; '.join(missed)}" if missed else "\nevery budget met")
    if options.write:
        write(RESULTS, rows, load)


def cells(row: Row) -> tuple[str, ...]:
    met = {None: "", True: "yes", False: "NO"}[row.met]
    return (
        row.what,
        row.ours,
        row.other,
        "" if row.ratio is None else f"{row.ratio:.2f}",
        row.budget,
        met,
    )


def table(rows: list[Row]) -> str:
    """The rows as a table of Markdown, the columns aligned."""
    lines = [HEADER, *(cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADER))]
    text = [
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([text[0], rule, *text[1:]])


def _load() -> str:
    """How many programs want a core, as an average of the last minute; ours is one of them."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def write(path: Path, rows: list[Row], load: list[str]) -> None:
    ours, peer = versions()
    named = [
        ", ".join(f"{name} {version}" for name, version in side.items()) for side in (ours, peer)
    ]
    day = datetime.datetime.now(tz=datetime.UTC).date()
    path.write_text(
        f"# Results\n\nWritten by `python -m benchmarks --write`; do not edit.\n\n"
        f"* {day}, {os.cpu_count()} cores, client and server on the same machine; load at the "
        f"beginning {load[0]}, at the end {load[1]}\n"
        f"* ours: {named[0]}\n* beside: {named[1]}\n\n"
        "Both sides take turns in one run; times are the best of all rounds, those of imports "
        "the median with the start of the\n"
        "interpreter taken off. *ratio* is ours to the other for costs (≤) and the other way "
        f"round for speeds (≥).\n\n{table(rows)}\n",
        encoding="utf-8",
    )
    print(f"written: {path.parent.name}/{path.name}", file=sys.stderr)


if __name__ == "__main__":
    main()
