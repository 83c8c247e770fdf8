"""A draft leaves marked gaps, and none of them may stay."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..bundle import Bundle

GAP = "TODO:"
"""What a text begins with that somebody has still to write."""


def lint_gaps(bundle: Bundle) -> Iterator[str]:
    """Messages for every gap of every file."""
    for name, content in bundle.files.items():
        yield from _gaps(f"spec/{name}:", content)


def _gaps(where: str, node: Any) -> Iterator[str]:
    if isinstance(node, str) and node.startswith(GAP):
        yield f"{where}: a gap is left; write it in English, in place of `{GAP} …`"
    if isinstance(node, list):
        node = dict(enumerate(node))
    for key, value in node.items() if isinstance(node, dict) else ():
        yield from _gaps(f"{where} {key}", value)
