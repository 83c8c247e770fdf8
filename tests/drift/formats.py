"""Writes a page of February 2026 in the two other formats, as the official site serves them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_INDEX = """> ## Documentation Index
> Fetch the complete documentation index at: https://docs.coze.cn/llms.txt

"""
_FRONT = """---
source_url: https://docs.coze.cn/developer_guides/{slug}
title: '{title} - 文档 - 扣子'
site: coze_cn
---

# {title} - 文档 - 扣子

"""


def february(slug: str, page: str) -> str:
    """The page as it is."""
    return page


def markdown(slug: str, page: str) -> str:
    """Today's Markdown."""
    return _INDEX + "\n".join(_converted(page.split("\n")[1:], _markdown_line, _markdown_table))


def scrape(slug: str, page: str) -> str:
    """The text scrape."""
    title = page.partition("\n")[0].lstrip("# ")
    head = _FRONT.format(slug=slug, title=title)
    return head + "\n".join(_converted(page.split("\n")[1:], _scrape_line, _scrape_table))


FORMATS: dict[str, Callable[[str, str], str]] = {
    "february": february,
    "markdown": markdown,
    "scrape": scrape,
}


def _converted(
    lines: list[str],
    line_of: Callable[[str, bool], Iterator[str]],
    table_of: Callable[[list[list[str]]], Iterator[str]],
) -> Iterator[str]:
    rows: list[list[str]] = []
    code = False
    for number, line in enumerate([*lines, ""]):
        if line.startswith("|") and not code:
            if re.match(r"\|( *:?-+:? *\|)+ *$", line):
                last = rows.pop()
                if rows:
                    yield from table_of(rows)
                rows = [last]
            else:
                rows.append(re.split(r"(?<!\\)\|", line.strip()[1:-1]))
            continue
        if rows:
            yield from table_of(rows)
            rows = []
        if line.lstrip().startswith("```"):
            code = not code
        if number < len(lines):
            yield from line_of(line, code)


def _markdown_line(line: str, code: bool) -> Iterator[str]:
    if line.startswith("#") and not code:
        line = f"{line.rstrip()} {{#{re.sub(r'[^a-z0-9]', '', line.lower()) or '71a8f090'}}}"
    yield line


def _markdown_table(rows: list[list[str]]) -> Iterator[str]:
    width = len(rows[0])
    empty = "| " * width + "| \\"
    yield f"<!-- @cols-width: {','.join(['180'] * width)} -->"
    for number, row in enumerate(rows):
        yield empty
        cells = [cell.strip().split("<br>") for cell in row]
        height = max(len(cell) for cell in cells)
        for at in range(height):
            pieces = [cell[at].strip() if at < len(cell) else "" for cell in cells]
            line = "".join(f"|{piece} " if piece else "| " for piece in pieces) + "|"
            yield line + ("\\" if at + 1 < height else "")
        if not number:
            yield "|---" * width + "|"
    yield ""


def _plain(text: str) -> str:
    text = re.sub(r"\]\((#[\w-]*)\)", r"](<https://docs.coze.cn/developer_guides/page\1>)", text)
    return re.sub(r"(?<!^)[*`]|^[*`](?! )", "", text).replace("\\|", "|")


def _scrape_line(line: str, code: bool) -> Iterator[str]:
    if line.lstrip().startswith("```"):
        yield from ("", "JSON", "", "复制", "") if code else ("", "")
    elif line.startswith("#") and not code:
        yield from ("", _plain(line.lstrip("# ")), "")
    elif line.strip():
        yield from (re.sub(r"^--", r"\\--", line.strip()) if code else _plain(line), "")
    else:
        yield ""


def _scrape_cell(cell: str) -> str:
    cell = re.sub(r"```Plain Text\s*<br>", "Plain Text复制", cell).replace("```", "")
    pieces = [piece.strip() for piece in cell.split("<br>") if piece.strip()]
    text = ""
    for piece in pieces:
        text += (
            f"\n\n  {piece[0]} {_plain(piece[1:].strip())}"
            if piece.startswith(("* ", "- "))
            else _plain(piece)
        )
    return f"{text}\n\n" if "\n" in text else text


def _scrape_table(rows: list[list[str]]) -> Iterator[str]:
    yield from ("", "")
    for number, row in enumerate(rows):
        yield from ("| ".join(_scrape_cell(cell) for cell in row) + "  ").split("\n")
        if not number:
            yield "|".join(["---"] * len(row))
    yield from ("  ", "", "")
