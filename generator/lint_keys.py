"""Whether a piece of data has the keys that it needs, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def check_keys(where: str, key: str, data: Any, rule: tuple[set[str], set[str]]) -> Iterator[str]:
    """Messages for keys that are missing or unknown; `rule` has those needed and those that
    may be there.
    """
    need, may = rule
    given = set(data) if isinstance(data, dict) else set()
    if need - given:
        yield f"{where}: {key} lacks {', '.join(sorted(need - given))}; see docs/description.md"
    if given - need - may:
        yield (
            f"{where}: {key} has unknown {', '.join(sorted(given - need - may))}; see "
            "docs/description.md"
        )
