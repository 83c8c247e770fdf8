"""The report: its rows, and the table that shows them."""

from __future__ import annotations

from typing import NamedTuple

HEADER = ("what", "cozekit", "other", "ratio", "budget", "met")


class Row(NamedTuple):
    """One row of the report. `budget` limits `ratio`; rows without a budget are for comparison."""

    name: str
    ours: str
    other: str
    ratio: float | None
    budget: str = ""
    met: bool | None = None


def at_most(name: str, ours: str, other: str, ratio: float, limit: float) -> Row:
    return Row(name, ours, other, ratio, f"≤ {limit:.3g}", ratio <= limit)


def at_least(name: str, ours: str, other: str, ratio: float, limit: float) -> Row:
    return Row(name, ours, other, ratio, f"≥ {limit:.3g}", ratio >= limit)


def _cells(row: Row) -> tuple[str, ...]:
    met = {None: "", True: "yes", False: "NO"}[row.met]
    return (
        row.name,
        row.ours,
        row.other,
        "" if row.ratio is None else f"{row.ratio:.2f}",
        row.budget,
        met,
    )


def table(rows: list[Row]) -> str:
    """The rows as a Markdown table with aligned columns."""
    lines = [HEADER, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADER))]
    text = [
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([text[0], rule, *text[1:]])
