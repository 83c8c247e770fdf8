"""Markdown pages.

Of February 2026: a row is a line, and `<br>` parts the lines of a cell. Since May 2026: lines that
end in a backslash belong to one row, and each holds one line of every cell; `^^` repeats the cell
above; the head begins with an empty line, and headings carry `{#anchor}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from attrs import define, field

from .blocks import Block, Code, Grid, Heading, PageError, join_lines

_SEPARATOR = re.compile(r"\|(\s*:?-{3,}:?\s*\|)+\s*$")
_BAR = re.compile(r"(?<!\\)\|")
_HEADING = re.compile(r"(#{1,6})\s*(.*?)\s*(\{#[^}]*\})?\s*$")


def read_markdown(file: str, lines: list[str]) -> Iterator[Block]:
    """The blocks of a page.

    Raises:
        PageError: A table is broken, or a block of code is never closed.
    """
    index = 0
    while index < len(lines):
        line = lines[index]
        if line.lstrip().startswith("```"):
            end = index + 1
            while not lines[end].lstrip().startswith("```"):
                end += 1
                if end == len(lines):
                    raise PageError(f"{file}:{index + 1}: code block is never closed")
            yield Code(index + 1, "\n".join(lines[index + 1 : end]))
            index = end
        elif heading := _HEADING.match(line):
            yield Heading(index + 1, heading[2], heading[1] == "#")
        elif line.startswith("|"):
            grid, index = _table(file, lines, index)
            yield grid
            continue
        index += 1


def _table(file: str, lines: list[str], start: int) -> tuple[Grid, int]:
    """The Markdown table that begins at an index, and the index after it."""
    table = _Table(file, start, start)
    index = start
    while index < len(lines) and lines[index].startswith("|"):
        text = lines[index].rstrip()
        if not text.endswith(("|", "|\\", "| \\")):
            raise PageError(f"{file}:{index + 1}: table row does not end with `|`")
        if not _SEPARATOR.match(text):
            table.add(index, text)
        elif table.has_head:  # another table follows without an empty line between
            del table.grid.rows[-1]
            return table.grid, table.previous
        else:
            table.end_head(index)
        index += 1
    if table.part or not table.has_head:
        raise table.error("table row ends in `\\`, but nothing follows", table.begin)
    return table.grid, index


@define
class _Table:
    """A Markdown table while it is read."""

    file: str
    start: int
    begin: int
    """Index of the first line of the row that is being read."""
    previous: int = 0
    """… of the row before it."""
    grid: Grid = field(factory=Grid)
    has_head: bool = False
    part: list[list[str]] = field(factory=list)
    """The lines of the row that is being read."""

    def add(self, index: int, text: str) -> None:
        """Reads a line of a row."""
        cells = [cell.strip() for cell in _BAR.split(text.rstrip("\\ ")[1:-1])]
        first = self.grid.rows[0][1] if self.grid.rows else (self.part or [cells])[0]
        if len(cells) != len(first):
            raise self.error(f"table row has {len(cells)} cells, its head has {len(first)}", index)
        self.part.append(cells)
        if not text.endswith("\\"):
            said = next((at for at, line in enumerate(self.part) if any(line)), 0)
            self.grid.rows.append((self.begin + said + 1, self.cells()))
            self.previous, self.begin, self.part = self.begin, index + 1, []

    def cells(self) -> list[str]:
        """The cells of a row out of its lines."""
        above = self.grid.rows[-1][1] if self.grid.rows else []
        cells = []
        for column, pieces in enumerate(zip(*self.part, strict=True)):
            cell = join_lines("<br>".join(pieces), "<br>")
            cells.append(above[column] if cell == "^^" and above else cell)
        return cells

    def end_head(self, index: int) -> None:
        """Takes the first row for the head; rows between may only part its cells."""
        rows = self.grid.rows
        self.has_head = len(rows) == 1 or (bool(rows) and "" in rows[0][1])
        if not self.has_head:
            raise self.error("", index)
        del rows[1:]
        self.begin = index + 1

    def error(self, problem: str, index: int) -> PageError:
        """The problem of a line; without a head it is that of the whole table."""
        if not self.has_head:
            problem, index = "table without a `| --- |` line below its head", self.start
        return PageError(f"{self.file}:{index + 1}: {problem}")
