"""A draft leaves marked gaps, and none of them may stay."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...yaml_files import YamlFile
from ..bundle import parts_of
from .place import Place

GAP = "TODO:"
"""What a text begins with that somebody has still to write."""


def lint_gaps(file: YamlFile) -> Iterator[str]:
    """Messages for every gap of a file."""
    yield from _gaps(Place(file), file.content)


def _gaps(place: Place, node: Any) -> Iterator[str]:
    if isinstance(node, str) and node.startswith(GAP):
        yield place.says(f"a gap is left; write it in English, in place of `{GAP} …`")
    for step, part in parts_of(node):
        yield from _gaps(place / step, part)
