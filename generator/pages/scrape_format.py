"""Text scrapes of pages: no `#` and no outer bars.

`---|---` is below the head of a table; rows end in two spaces, and so does the table; cells go over
several lines. A scrape loses tables, and keeps the headings above them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .blocks import Block, Code, Grid, Heading, PageError, join_lines

_SEPARATOR = re.compile(r"\s*:?-{3,}:?\s*(\|\s*:?-{3,}:?\s*)+$")
_ESCAPED = re.compile(r"\\([-+*_#.\[\]()])")
# Words without the punctuation of a sentence.
_HEADING = re.compile(r"[^\W_][\w .·（）()&/:-]{0,79}$")
_CALLOUTS = ("说明", "注意", "警告", "提示")
_SECTIONS = re.compile(
    r"(.*示例|错误码|基础信息|接口信息|返回(参数|结果)|请求参数|Header|Path|Query|Body|上一篇|下一篇|复制)$"
)


def front_matter(lines: list[str]) -> dict[str, str]:
    """`key: value` between two lines `---` at the top; empty when there is none."""
    if lines[0].strip() != "---" or "---" not in (ends := [line.strip() for line in lines[1:]]):
        return {}
    pairs = (line.partition(":") for line in ends[: ends.index("---")])
    return {key.strip(): value.strip() for key, _, value in pairs}


def is_scrape(lines: list[str]) -> bool:
    """Whether the page is a text scrape, even one that has lost all its tables."""
    if any(_is_head(lines, index) for index in range(len(lines))):
        return True
    return bool(front_matter(lines)) and not any(re.match(r"#{2,6}\s|\|", line) for line in lines)


def read_scrape(file: str, lines: list[str]) -> Iterator[Block]:
    """The blocks of a page.

    Raises:
        PageError: A row lacks cells.
    """
    index = lines.index("---", 1) + 1 if front_matter(lines) else 0
    while index < len(lines):
        line = lines[index].strip()
        if _is_head(lines, index):
            grid, index = _table(file, lines, index)
            yield grid
            continue
        if line == "复制":
            code, index = _code(lines, index)
            yield code
            continue
        if _is_heading(lines, index):
            yield Heading(index + 1, line.lstrip("# "), line.startswith("#"))
        index += 1


def _is_head(lines: list[str], index: int) -> bool:
    head = lines[index]
    return (
        "|" in head[1:]
        and not head.startswith("|")
        and index + 1 < len(lines)
        and bool(_SEPARATOR.match(lines[index + 1]))
    )


def _is_heading(lines: list[str], index: int) -> bool:
    text = lines[index].rstrip()
    is_language = lines[_next_text(lines, index)].strip() == "复制"
    return bool(_HEADING.match(text.lstrip("# "))) and not is_language and text not in _CALLOUTS


def _next_text(lines: list[str], index: int) -> int:
    """Index of the next line that is not empty; the same index when there is none."""
    return next((at for at in range(index + 1, len(lines)) if lines[at].strip()), index)


def _table(file: str, lines: list[str], start: int) -> tuple[Grid, int]:
    """The table of a scrape that begins at an index, and the index after it."""
    bars = lines[start].count("|")
    grid, row, at = Grid(), [lines[start]], start
    for index in range(start + 2, len(lines)):
        line, found = lines[index], sum(part.count("|") for part in row)
        if found >= bars:
            if _ends_table(lines, index, row[-1].endswith("  ") or index == start + 2):
                break
            if "|" in line:
                grid.rows.append((at + 1, _cells(file, at, row, bars)))
                row, at = [], index
        elif (found + line.count("|") > bars and row[-1].strip()) or _is_head(lines, index):
            break  # the row lacks cells
        row.append(line)
    else:
        index = len(lines)
    grid.rows.append((at + 1, _cells(file, at, row, bars)))
    return grid, index


def _ends_table(lines: list[str], index: int, row_has_ended: bool) -> bool:
    """Whether a table ends here: with a line of two spaces after a row that has ended, or, when
    somebody has removed the spaces at the ends of lines, with a heading or another table.
    """
    line = lines[index]
    if not line.strip():
        return row_has_ended and line.startswith("  ")
    if _is_head(lines, index):
        return True
    return not lines[index - 1].strip() and "|" not in line and _is_section(lines, index)


def _cells(file: str, at: int, row: list[str], bars: int) -> list[str]:
    cells = "\n".join(row).split("|", maxsplit=bars)  # a bar more belongs to the last cell
    if len(cells) <= bars:
        raise PageError(
            f"{file}:{at + 1}: table row has {len(cells)} cells, its head has {bars + 1}"
        )
    return [join_lines(_ESCAPED.sub(r"\1", cell), "\n") for cell in cells]


def _code(lines: list[str], start: int) -> tuple[Code, int]:
    """The code after a line `复制`: every other line is empty, and the indentation is lost."""
    end = start + 1
    while end < len(lines) and not (_is_section(lines, end) or _is_head(lines, end)):
        end += 1
    kept = (line.strip() for line in lines[start + 1 : end])
    return Code(start + 1, "\n".join(_ESCAPED.sub(r"\1", line) for line in kept if line)), end


def _is_section(lines: list[str], index: int) -> bool:
    """Whether a line is a heading that has a table, or that is known by its words."""
    if _SECTIONS.match(lines[index].strip()):
        return True
    return _is_heading(lines, index) and _is_head(lines, _next_text(lines, index))
