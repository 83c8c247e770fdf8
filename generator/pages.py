"""Reads the official pages: Markdown in Chinese, one request table for each endpoint, then tables
of fields.

Editors wrote these pages by hand. The reader follows headings only as far as they tell where a
table belongs, and refuses what it cannot read (a broken table, an open code block) with file and
line, rather than report half a page as removed.
"""

from __future__ import annotations

import re
from pathlib import Path

from attrs import define, field

PLACES = {
    "path": "path",
    "path 参数": "path",
    "query": "query",
    "header": "header",
    "headers": "header",
    "body": "body",
    "请求参数": "body",
    "返回参数": "response",
    "返回结果": "response",
    "返回数据": "response",
    "返回值": "response",
    "response": "response",
    "响应参数": "response",
    "非流式响应": "response",
    "流式响应": "response",
}
_NAMES = ("参数", "字段", "参数名", "字段名", "参数名称")
_SEPARATOR = re.compile(r"\|(\s*:?-{3,}:?\s*\|)+\s*$")
_FIELD = re.compile(r"[A-Za-z_][\w.$-]*$")
_VALUE = re.compile(
    r"^\s*[*-]\s+[*`'\"“]*(-?[A-Za-z0-9_][A-Za-z0-9_.:/-]*?)[*`'\"”]*\s*(?:[（(][^）)]*[）)][*`]*)?\s*(?:[*`]*\s*[：:]|$)"
)


class PageError(Exception):
    """A page cannot be read; the text gives file, line and what is wrong."""


@define
class Row:
    """One field of a table."""

    name: str
    kind: str
    """Type as written, without markup."""
    link: str
    """Name of the object table that the type points to, or empty."""
    required: bool | None
    """None when the table does not say."""
    values: list[str]
    """Values that the description lists, as text."""
    line: int


@define
class Table:
    """One table of fields."""

    title: str
    place: str
    """path · query · header · body · response · event · object"""
    side: str
    """request · response"""
    line: int
    rows: list[Row] = field(factory=list)


@define
class Request:
    """One endpoint of a page: method, addresses, permission, and the tables up to the next
    endpoint.
    """

    method: str
    paths: list[str]
    permissions: list[str] | None
    line: int
    tables: list[Table] = field(factory=list)


@define
class Page:
    """One page; no requests when it documents no endpoint of HTTP."""

    slug: str
    requests: list[Request] = field(factory=list)


def read_pages(folder: Path) -> dict[str, Page]:
    """Every `*.md` of a folder by its slug.

    Raises:
        PageError: A page is malformed, or there is none.
    """
    found = {path.stem: read_page(path) for path in sorted(folder.glob("*.md"))}
    if not found:
        raise PageError(
            f"{folder}: no *.md in this folder; give the folder that holds the official pages"
        )
    return found


def read_page(path: Path) -> Page:
    """One page.

    Raises:
        PageError: It is malformed.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise PageError(f"{path.name}: cannot be read ({error})") from error
    page = Page(path.stem)
    heading, place, opened, seen = "", "body", 0, set[str]()
    index = 0
    while index < len(lines):
        line = lines[index]
        if line.lstrip().startswith("```"):
            opened = 0 if opened else index + 1
        elif not opened and (found := re.match(r"#{1,6}\s*(.*)", line)):
            heading = _plain(found[1])
            place = PLACES.get(heading.lower(), place)
            seen.discard(heading)
        elif not opened and line.startswith("|"):
            cells, end = _table(path.name, lines, index)
            if _plain(cells[0][0]) == "请求方式":
                page.requests += (
                    [request] if (request := _request(path.name, cells, index + 1)) else []
                )
            elif page.requests and (
                table := _fields(path.name, cells, index + 1, heading, place, heading in seen)
            ):
                page.requests[-1].tables.append(table)
                seen.add(heading)
            index = end
            continue
        index += 1
    if opened:
        raise PageError(f"{path.name}:{opened}: code block is never closed")
    return page


def _plain(cell: str) -> str:
    """Text of a cell up to its first line break, without markup."""
    text = re.sub(r"<(?!br)[^>]*>", "", cell).split("<br>")[0]
    return re.sub(r"[*`\u200b]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)).strip()


def _table(name: str, lines: list[str], start: int) -> tuple[list[list[str]], int]:
    """Cells of the table that begins at an index, and the index after it."""
    end = start
    while end < len(lines) and lines[end].startswith("|"):
        end += 1
    if end - start < 2 or not _SEPARATOR.match(lines[start + 1]):
        raise PageError(f"{name}:{start + 1}: table without a `| --- |` line below its head")
    found: list[list[str]] = []
    for index in (start, *range(start + 2, end)):
        if not lines[index].rstrip().endswith("|"):
            raise PageError(f"{name}:{index + 1}: table row does not end with `|`")
        if _SEPARATOR.match(lines[index]):
            return found[:-1], index - 1  # another table follows without an empty line between
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", lines[index].strip()[1:-1])]
        if found and len(cells) != len(found[0]):
            raise PageError(
                f"{name}:{index + 1}: table row has {len(cells)} cells, its head has "
                f"{len(found[0])}"
            )
        found.append(cells)
    return found, end


def _request(name: str, cells: list[list[str]], line: int) -> Request | None:
    rows = {_plain(row[0]): row[1] for row in cells}
    method, address = _plain(rows["请求方式"]).upper(), rows.get("请求地址", "")
    if "wss://" in address:
        return None
    urls = re.findall(r"https?://[^/\s]+(/[^\s`<|]*)", address)
    if not re.fullmatch(r"GET|POST|PUT|DELETE|PATCH", method) or not urls:
        raise PageError(
            f"{name}:{line}: no request line: needs 请求方式 with a method and 请求地址 with a URL"
        )
    paths = [re.sub(r":(\w+)", r"{\1}", re.sub(r"[*$]", "", url.partition("?")[0])) for url in urls]
    # After the names comes a sentence that repeats them, not always in the same spelling.
    listed = re.split("确保|根据", rows.get("权限", ""))[0].replace("<br>", " ")
    names = re.findall(r"[A-Za-z][\w.]*", _plain(listed))
    return Request(method, paths, names if names or _plain(listed) == "无" else None, line)


def _fields(
    name: str, cells: list[list[str]], line: int, heading: str, place: str, again: bool
) -> Table | None:
    head = [_plain(cell) for cell in cells[0]]
    kinds = [index for index, cell in enumerate(head) if "类型" in cell or cell == "取值"]
    if head[0].startswith("事件") and head[0].endswith("名称"):
        events = [
            Row(_plain(row[0]), "", "", None, [], offset)
            for offset, row in enumerate(cells[1:], line + 2)
        ]
        return Table(heading, "event", "response", line, events)
    if head[0] not in _NAMES or not kinds:
        return None
    needs = [
        index
        for index, cell in enumerate(head)
        if cell in ("是否必选", "是否必填", "是否必须", "是否可选")
    ]
    # A second table below the heading of an object goes on with the fields of the answer itself.
    own = PLACES.get(heading.lower()) or (place if again else "object")
    table = Table(heading, own, "response" if place == "response" else "request", line)
    parents: list[str] = []
    for offset, row in enumerate(cells[1:], line + 2):
        field_name = _plain(row[0])
        depth = field_name.count("»")  # `» type` below `items` is items.type
        parents = [*parents[:depth], field_name.strip("» ")]
        field_name = ".".join(parents)
        if not _FIELD.match(field_name):
            raise PageError(f"{name}:{offset}: {field_name!r} is no field name")
        link = re.search(r"\[([^\]]*)\]\([^)]*\)", row[kinds[0]])
        required = (
            {"必选": True, "可选": False, "必填": True, "选填": False}.get(_plain(row[needs[0]]))
            if needs
            else None
        )
        table.rows.append(
            Row(
                field_name,
                _plain(row[kinds[0]]),
                link[1] if link else "",
                required,
                _values(row[-1]),
                offset,
            )
        )
    return table


def _values(text: str) -> list[str]:
    """Values of a list such as `* a：meaning <br> * b：meaning`."""
    found = [match[1] for part in text.split("<br>") if (match := _VALUE.match(part))]
    return list(dict.fromkeys(found))
