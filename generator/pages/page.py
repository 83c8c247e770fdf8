"""What an official page documents: requests, and tables of fields."""

from __future__ import annotations

import re

from attrs import define, field

BASE = ("基础信息", "接口信息")
"""Headings of the table that names method and address."""
SENT_BY_ITSELF = ("authorization", "content-type")
"""Headers that every page lists and no operation has as a parameter."""


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
    example: str = ""
    text: str = ""
    """The description, as written."""

    @property
    def target(self) -> str:
        """Title of the object table that the type may point to."""
        return title_of(self.link) or title_of(self.kind)


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
class Example:
    """A block of code, and the heading that it is below."""

    title: str
    text: str
    line: int


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
    examples: list[Example] = field(factory=list)
    text: str = ""
    """What the endpoint does, as written."""
    lost: set[str] = field(factory=set)
    """Places, and titles of objects, whose tables a text scrape has lost."""

    @property
    def content_type(self) -> str:
        """What the request body is sent as."""
        rows = (row for table in self.tables if table.place == "header" for row in table.rows)
        kinds = [row.kind for row in rows if row.name.lower() == "content-type"]
        return re.split(r"[;\s]", (kinds or ["application/json"])[0])[0]


@define
class Page:
    """One page; without requests when it documents no HTTP endpoint."""

    slug: str
    requests: list[Request] = field(factory=list)
    title: str = ""
    lost: list[tuple[int, str]] = field(factory=list)
    """Line and heading of each section that a text scrape has lost."""

    @property
    def lost_requests(self) -> bool:
        """Whether a text scrape has lost a table that names method and address."""
        return any(heading in BASE for _, heading in self.lost)


@define
class Pages:
    """The pages of a folder by their slugs, and why others cannot be read."""

    by_slug: dict[str, Page] = field(factory=dict)
    unreadable: dict[str, str] = field(factory=dict)


def title_of(text: str) -> str:
    """The same text for a type and for the title of the table that it points to."""
    return re.sub(r"[^a-z0-9_]", "", re.sub(r"\b(array of|object of|object)\b", "", text.lower()))
