"""Reads the official pages: Markdown in Chinese, one request table for each endpoint, then tables
of fields.

Editors wrote these pages by hand. The reader follows headings only as far as they tell where a
table belongs, and refuses what it cannot read (a broken table, an open code block) with file and
line, rather than report half a page as removed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
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
_REQUIRED = ("是否必选", "是否必填", "是否必须", "是否可选")
_ANSWERS = {"必选": True, "可选": False, "必填": True, "选填": False}
_SEPARATOR = re.compile(r"\|(\s*:?-{3,}:?\s*\|)+\s*$")
_FIELD = re.compile(r"[A-Za-z_][\w.$-]*$")
_VALUE = re.compile(
    r"^\s*[*-]\s+[*`'\"“]*(-?[A-Za-z0-9_][A-Za-z0-9_.:/-]*?)[*`'\"”]*\s*"
    r"(?:[（(][^）)]*[）)][*`]*)?\s*(?:[*`]*\s*[：:]|$)"
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
    """One page; without requests when it documents no HTTP endpoint."""

    slug: str
    requests: list[Request] = field(factory=list)


def read_pages(folder: Path) -> dict[str, Page]:
    """Every `*.md` of a folder by its slug.

    Raises:
        PageError: A page is malformed, or there is none.
    """
    pages = {path.stem: read_page(path) for path in sorted(folder.glob("*.md"))}
    if not pages:
        raise PageError(
            f"{folder}: no *.md in this folder; give the folder that holds the official pages"
        )
    return pages


def read_page(path: Path) -> Page:
    """One page.

    Raises:
        PageError: It is malformed.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise PageError(f"{path.name}: cannot be read ({error})") from error
    reader = _Reader(path.name, Page(path.stem))
    index = opened = 0
    while index < len(lines):
        line = lines[index]
        if line.lstrip().startswith("```"):
            opened = 0 if opened else index + 1
        elif not opened and (heading := re.match(r"#{1,6}\s*(.*)", line)):
            reader.heading_line(_plain(heading[1]))
        elif not opened and line.startswith("|"):
            cells, end = _cells(path.name, lines, index)
            reader.table_at(index + 1, cells)
            index = end
            continue
        index += 1
    if opened:
        raise PageError(f"{path.name}:{opened}: code block is never closed")
    return reader.page


@define
class _Reader:
    """Where in a page the reading is: the heading that a table is below, and where it belongs."""

    file: str
    page: Page
    heading: str = ""
    place: str = "body"
    seen: set[str] = field(factory=set)
    """Headings below which a table was read."""

    def heading_line(self, heading: str) -> None:
        """Goes on below a heading."""
        self.heading = heading
        self.place = PLACES.get(heading.lower(), self.place)
        self.seen.discard(heading)

    def table_at(self, line: int, cells: list[list[str]]) -> None:
        """Reads a table: a request, or fields of the request before it."""
        if _plain(cells[0][0]) == "请求方式":
            request = _request(self.file, cells, line)
            self.page.requests += [request] if request else []
        elif self.page.requests:
            table = self.fields(cells, line)
            if table:
                self.page.requests[-1].tables.append(table)
                self.seen.add(self.heading)

    def fields(self, cells: list[list[str]], line: int) -> Table | None:
        """A table of fields or events; None when it is another one."""
        head = [_plain(cell) for cell in cells[0]]
        if head[0].startswith("事件") and head[0].endswith("名称"):
            return Table(self.heading, "event", "response", line, _events(cells[1:], line + 2))
        types = [index for index, cell in enumerate(head) if "类型" in cell or cell == "取值"]
        if head[0] not in _NAMES or not types:
            return None
        required = next((index for index, cell in enumerate(head) if cell in _REQUIRED), None)
        # A second table below the heading of an object goes on with the fields of the response.
        again = self.place if self.heading in self.seen else "object"
        side = "response" if self.place == "response" else "request"
        place = PLACES.get(self.heading.lower()) or again
        rows = list(self.rows(cells[1:], line + 2, types[0], required))
        return Table(self.heading, place, side, line, rows)

    def rows(
        self, cells: list[list[str]], line: int, type_column: int, required_column: int | None
    ) -> Iterator[Row]:
        """The fields of a table, nested ones with dotted names."""
        parents: list[str] = []
        for at, row in enumerate(cells, line):
            name = _plain(row[0])
            # `» type` below `items` is items.type
            parents = [*parents[: name.count("»")], name.strip("» ")]
            name = ".".join(parents)
            if not _FIELD.match(name):
                raise PageError(f"{self.file}:{at}: {name!r} is not a field name")
            link = re.search(r"\[([^\]]*)\]\([^)]*\)", row[type_column])
            required = (
                None if required_column is None else _ANSWERS.get(_plain(row[required_column]))
            )
            values = _values(row[-1])
            text = _plain(row[type_column])
            yield Row(name, text, link[1] if link else "", required, values, at)


def _plain(cell: str) -> str:
    """Text of a cell up to its first line break, without markup."""
    text = re.sub(r"<(?!br)[^>]*>", "", cell).split("<br>")[0]
    return re.sub(r"[*`\u200b]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)).strip()


def _events(cells: list[list[str]], line: int) -> list[Row]:
    return [Row(_plain(row[0]), "", "", None, [], at) for at, row in enumerate(cells, line)]


def _cells(name: str, lines: list[str], start: int) -> tuple[list[list[str]], int]:
    """Cells of the table that begins at an index, and the index after it."""
    end = start
    while end < len(lines) and lines[end].startswith("|"):
        end += 1
    if end - start < 2 or not _SEPARATOR.match(lines[start + 1]):
        raise PageError(f"{name}:{start + 1}: table without a `| --- |` line below its head")
    rows: list[list[str]] = []
    for index in (start, *range(start + 2, end)):
        if not lines[index].rstrip().endswith("|"):
            raise PageError(f"{name}:{index + 1}: table row does not end with `|`")
        if _SEPARATOR.match(lines[index]):
            return rows[:-1], index - 1  # another table follows without an empty line between
        rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", lines[index].strip()[1:-1])])
        if len(rows[-1]) != len(rows[0]):
            raise PageError(
                f"{name}:{index + 1}: table row has {len(rows[-1])} cells, its head has "
                f"{len(rows[0])}"
            )
    return rows, end


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


def _values(text: str) -> list[str]:
    """Values of a list such as `* a：meaning <br> * b：meaning`."""
    values = [match[1] for part in text.split("<br>") if (match := _VALUE.match(part))]
    return list(dict.fromkeys(values))
