"""Lines of the report."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """One line of the report. `ratio` is what `budget` speaks of; a row without budget is there for
    comparison.
    """

    what: str
    ours: str
    other: str
    ratio: float | None
    budget: str = ""
    met: bool | None = None


def at_most(what: str, ours: str, other: str, ratio: float, limit: float) -> Row:
    return Row(what, ours, other, ratio, f"≤ {limit:.3g}", ratio <= limit)


def at_least(what: str, ours: str, other: str, ratio: float, limit: float) -> Row:
    return Row(what, ours, other, ratio, f"≥ {limit:.3g}", ratio >= limit)
