"""Reads what official pages document: requests, each with its tables of fields.

Editors wrote these pages by hand, in Chinese. The reader follows headings only as far as they tell
where a table belongs. A malformed page is refused with file and line, so that no half of it counts
as removed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from attrs import define, field

from .blocks import Code, Grid, Heading, PageError, read_lines
from .markdown_format import read_markdown
from .page import BASE, Example, Page, Pages, Request, Row, Table, title_of
from .scrape_format import front_matter, is_scrape, read_scrape

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
_PARENTS = {"请求参数": {"path", "query", "header", "body"}} | {
    heading: {"response"} for heading in ("返回参数", "返回结果", "返回数据", "返回值", "响应参数")
}
_NAMES = ("参数", "字段", "参数名", "字段名", "参数名称")
_REQUIRED = ("是否必选", "是否必填", "是否必须", "是否可选")
_ANSWERS = {"必选": True, "可选": False, "必填": True, "选填": False}
_FIELD = re.compile(r"[A-Za-z_][\w.$-]*$")
VALUE = re.compile(
    r"^\s*[*-]\s+[*`'\"“]*(-?[A-Za-z0-9_][A-Za-z0-9_.:/-]*?)[*`'\"”]*\s*"
    r"(?:[（(][^）)]*[）)][*`]*)?\s*(?:[*`]*\s*[：:]|$)"
)
_SLUG = re.compile(r"(?:developer_guides|dev_how_to_guides|guides)_(?=.)")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


def read_pages(folder: Path) -> Pages:
    """Every `*.md` of a folder.

    Raises:
        PageError: There is none.
    """
    pages = Pages()
    for path in sorted(folder.glob("*.md")):
        try:
            page = read_page(path)
            if page.slug in pages.by_slug:
                raise PageError(f"{path.name}:1: a second page {page.slug}; keep the newer one")
            pages.by_slug[page.slug] = page
        except PageError as error:
            pages.unreadable[_SLUG.sub("", path.stem, count=1)] = str(error)
    if not pages.by_slug and not pages.unreadable:
        raise PageError(
            f"{folder}: no *.md in this folder; give the folder that holds the official pages"
        )
    return pages


def read_page(path: Path) -> Page:
    """One page, of any format.

    Raises:
        PageError: It is malformed.
    """
    try:
        lines = read_lines(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise PageError(f"{path.name}:{line}: cannot be read ({error})") from error
    except OSError as error:
        raise PageError(f"{path.name}:1: cannot be read ({error})") from error
    address = front_matter(lines).get("source_url", "").rstrip("/").rpartition("/")[2]
    reader = _Reader(path.name, Page(_SLUG.sub("", address or path.stem, count=1)))
    scraped = is_scrape(lines)
    for block in (read_scrape if scraped else read_markdown)(path.name, lines):
        reader.read(block)
    if scraped:
        _find_lost(reader)
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
    trail: list[tuple[Request | None, int, str]] = field(factory=list)
    """Request, line and text of every heading; no text for a table."""

    def read(self, block: Heading | Grid | Code) -> None:
        """Reads the next block."""
        request = self.page.requests[-1] if self.page.requests else None
        if isinstance(block, Grid):
            self.table(block)
            self.trail.append((request, block.line, ""))
        elif isinstance(block, Code):
            if request:
                request.examples.append(Example(self.heading, block.text, block.line))
        else:
            self.heading = plain(block.text)
            if block.is_title and not self.page.title:
                self.page.title = self.heading.partition(" - ")[0]
            self.place = PLACES.get(self.heading.lower(), self.place)
            self.seen.discard(self.heading)
            self.trail.append((request, block.line, self.heading))

    def table(self, grid: Grid) -> None:
        """Reads a table: a request, or fields of the request before it."""
        if plain(grid.rows[0][1][0]) == "请求方式":
            request = _request(self.file, grid)
            self.page.requests += [request] if request else []
        elif self.page.requests:
            table = self.fields(grid)
            if table:
                self.page.requests[-1].tables.append(table)
                self.seen.add(self.heading)

    def fields(self, grid: Grid) -> Table | None:
        """A table of fields or events; None when it is another one."""
        head = [plain(cell) for cell in grid.rows[0][1]]
        if head[0].startswith("事件") and head[0].endswith("名称"):
            rows = [Row(plain(cells[0]), "", "", None, [], at) for at, cells in grid.rows[1:]]
            return Table(self.heading, "event", "response", grid.line, rows)
        types = [index for index, cell in enumerate(head) if "类型" in cell or cell == "取值"]
        if head[0] not in _NAMES or not types:
            return None
        # A second table below the heading of an object goes on with the fields of the response.
        again = self.place if self.heading in self.seen else "object"
        side = "response" if self.place == "response" else "request"
        place = PLACES.get(self.heading.lower()) or again
        return Table(self.heading, place, side, grid.line, list(self.rows(grid, head, types[0])))

    def rows(self, grid: Grid, head: list[str], type_column: int) -> Iterator[Row]:
        """The fields of a table, nested ones with dotted names."""
        required_column = next((i for i, cell in enumerate(head) if cell in _REQUIRED), None)
        example_column = next((i for i, cell in enumerate(head) if cell == "示例"), None)
        parents: list[str] = []
        for at, cells in grid.rows[1:]:
            name = plain(cells[0])
            # `» type` below `items` is items.type
            parents = [*parents[: name.count("»")], name.strip("» ")]
            name = ".".join(parents)
            if not _FIELD.match(name):
                raise PageError(f"{self.file}:{at}: {name!r} is not a field name")
            link = _LINK.search(cells[type_column])
            required = (
                None if required_column is None else _ANSWERS.get(plain(cells[required_column]))
            )
            yield Row(
                name,
                plain(cells[type_column]),
                link[1] if link else "",
                required,
                _values(cells[-1]),
                at,
                "" if example_column is None else cells[example_column],
                cells[-1],
            )


def plain(cell: str) -> str:
    """Text of a cell up to its first line break, without markup."""
    text = re.sub(r"<[^>]*>", "", cell.partition("\n")[0])
    return re.sub(r"[*`]", "", _LINK.sub(r"\1", text)).strip()


def _request(file: str, grid: Grid) -> Request | None:
    rows = {plain(cells[0]): cells[1] for _, cells in grid.rows}
    method, address = plain(rows["请求方式"]).upper(), rows.get("请求地址", "")
    if "wss://" in address:
        return None
    urls = re.findall(r"https?://[^/\s]+(/[^\s`<|]*)", address)
    if not re.fullmatch(r"GET|POST|PUT|DELETE|PATCH", method) or not urls:
        raise PageError(
            f"{file}:{grid.line}: no request line: needs 请求方式 with a method and 请求地址 with "
            "a URL"
        )
    paths = [re.sub(r":(\w+)", r"{\1}", re.sub(r"[*$]", "", url.partition("?")[0])) for url in urls]
    # After the names comes a sentence that repeats them, not always in the same spelling.
    listed = re.split("确保|根据", rows.get("权限", ""))[0].replace("\n", " ")
    names = re.findall(r"[A-Za-z][\w.]*", plain(listed))
    permissions = names if names or plain(listed) == "无" else None
    return Request(method, paths, permissions, grid.line, text=rows.get("接口说明", ""))


def _values(text: str) -> list[str]:
    """Values of a list such as `* a：meaning`, one a line."""
    values = [match[1] for part in text.split("\n") if (match := VALUE.match(part))]
    return list(dict.fromkeys(values))


def _find_lost(reader: _Reader) -> None:
    """Notes the sections of a text scrape without a table: the scrape lost it, not the page."""
    page = reader.page
    rows = (row for request in page.requests for table in request.tables for row in table.rows)
    targets = {row.target for row in rows} - {""}
    for (request, line, heading), (*_, following) in pairwise([*reader.trail, (None, 0, "示例")]):
        known = heading.lower() in PLACES or heading in BASE or title_of(heading) in targets
        is_parent = PLACES.get(following.lower()) in _PARENTS.get(heading, ())
        if heading and known and following and not is_parent:
            _lose(page, request, line, heading)


def _lose(page: Page, request: Request | None, line: int, heading: str) -> None:
    page.lost.append((line, heading))
    if request:
        place = PLACES.get(heading.lower())
        request.lost |= _PARENTS.get(heading) or {place or title_of(heading)}
