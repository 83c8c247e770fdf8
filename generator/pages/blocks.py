"""What a page consists of, whatever its format: headings, tables and code."""

from __future__ import annotations

import re

from attrs import define, field

# Nobody sees these characters, and editors paste them anywhere.
_UNSEEN: dict[int, str | None] = {
    **dict.fromkeys((0xAD, 0x200B, 0x200C, 0x200E, 0x200F, 0x2060, 0xFEFF)),
    **dict.fromkeys((0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), " "),
}


class PageError(Exception):
    """A page cannot be read; the text gives file, line and what is wrong."""


@define
class Heading:
    """A heading, as written."""

    line: int
    text: str
    is_title: bool


@define
class Grid:
    """A table: its head, then its rows, each with its line; cells may have several lines."""

    rows: list[tuple[int, list[str]]] = field(factory=list)

    @property
    def line(self) -> int:
        """Line of its head."""
        return self.rows[0][0]


@define
class Code:
    """A block of code."""

    line: int
    text: str


Block = Heading | Grid | Code


def read_lines(text: str) -> list[str]:
    """The lines of a page, without characters that nobody sees."""
    return re.split(r"\r\n|\r|\n", text.translate(_UNSEEN))


def join_lines(cell: str, separator: str) -> str:
    """The lines of a cell; empty ones, and the marks of callouts, say nothing."""
    kept = (piece.strip() for piece in cell.split(separator))
    return "\n".join(piece for piece in kept if piece and not piece.startswith(":::"))
