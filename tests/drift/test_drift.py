"""Each kind of change on a small page is found, in every format that the official site has served,
and nothing else is.
"""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.compile.bundle import Bundle, bundle
from generator.pages import drift
from generator.pages.blocks import PageError
from generator.pages.ledger import known_pages
from generator.pages.page_parser import read_page, read_pages
from tests.drift.formats import FORMATS
from tests.each import each

HERE = Path(__file__).parent
SPEC = HERE / "spec"
FOLDERS = {"february": "pages", "markdown": "pages_markdown", "scrape": "pages_scrape"}
every_format = pytest.mark.parametrize("served", FOLDERS)


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """A copy of the small pages, to be edited."""
    return Path(shutil.copytree(HERE / "pages", tmp_path / "pages"))


def edit(pages: Path, page: str, old: str, new: str) -> None:
    file = pages / f"{page}.md"
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} must stand exactly once in {page}"
    file.write_text(text.replace(old, new), encoding="utf-8")


@cache
def description() -> Bundle:
    return bundle(SPEC)


def compared(pages: Path) -> drift.Report:
    return drift.compare(description(), read_pages(pages), known_pages(SPEC))


def unexplained(pages: Path) -> list[tuple[str, str, str, str, str]]:
    """Findings without a reason, as (page, change, what, where, on the page)."""
    report = compared(pages)
    assert report.unreadable == []
    return [
        (f.page, f.change, f.what, f.where, f.on_page) for f in report.findings if not f.explained
    ]


@every_format
def test_pages_that_agree_with_the_description_give_no_difference(served: str) -> None:
    assert unexplained(HERE / FOLDERS[served]) == []


def test_a_deviation_in_the_description_explains_a_field_that_the_page_lacks(pages: Path) -> None:
    findings = compared(pages).findings
    assert [(f.where, f.explained) for f in findings] == [("Book.shelf", "Additional field.")]


CHANGES = yaml.safe_load((HERE / "changes.yaml").read_text(encoding="utf-8"))
MALFORMED = yaml.safe_load((HERE / "malformed.yaml").read_text(encoding="utf-8"))


@each(
    "kind, served", {f"{kind}, {served}": (kind, served) for kind in CHANGES for served in FORMATS}
)
def test_a_change_of_this_kind_on_a_page_is_reported_and_nothing_else(
    tmp_path: Path, kind: str, served: str
) -> None:
    case = CHANGES[kind]
    pages = Path(shutil.copytree(HERE / "pages", tmp_path / f"{kind} {served}"))
    edit(pages, "create_book", case["old"], case["new"])
    for file in pages.glob("*.md"):
        text = file.read_text(encoding="utf-8")
        file.write_text(FORMATS[served](file.stem, text), encoding="utf-8")
    assert unexplained(pages) == [("create_book", *case["found"])]


def test_a_required_field_of_the_answer_is_judged_like_one_of_the_request(pages: Path) -> None:
    head = (
        "### BookInfo\n| **参数** | **类型** | **示例** | **说明** |\n| --- | --- | --- | --- "
        "|\n| id | String | 1 | 编号。 |\n"
    )
    edit(
        pages,
        "create_book",
        head,
        head.replace("**示例**", "**是否必选**").replace("| 1 |", "| 必选 |"),
    )
    assert unexplained(pages) == [
        ("create_book", "changed", "required", "response.data.id", "required")
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            " <br> * end：结束。",
            " <br> * end：结束。 <br> * pause：停顿。",
            ("added", "event", "event.pause", "String"),
        ),
        (" <br> * end：结束。", "", ("removed", "event", "event.end", "not listed")),
        (
            "| text | String | 内容。 |\n",
            "",
            ("removed", "field", "BookPage.text", "not on the page"),
        ),
        (
            "| text | String |",
            "| text | Integer |",
            ("changed", "type", "page 事件.text", "Integer"),
        ),
        (
            "| **权限** | 无 |",
            "| **权限** | `readBook` |",
            ("changed", "permission", "", "readBook"),
        ),
    ],
)
def test_a_change_of_a_stream_is_reported(
    pages: Path, old: str, new: str, expected: tuple[str, str, str, str]
) -> None:
    edit(pages, "read_book", old, new)
    assert unexplained(pages) == [("read_book", *expected)]


def test_a_table_of_events_is_compared_with_the_stream(pages: Path) -> None:
    edit(pages, "read_book", "事件类型： <br> * page：一页。 <br> * end：结束。", "见下表。")
    edit(
        pages,
        "read_book",
        "## page 事件",
        "\n| **事件（event）名称** | **说明** |\n| --- | --- |\n"
        "| page | 一页。 |\n| stop | 停。 |\n## page 事件",
    )
    assert unexplained(pages) == [
        ("read_book", "removed", "event", "event.end", "not listed"),
        ("read_book", "added", "event", "event.stop", ""),
    ]


def test_a_page_with_an_endpoint_that_no_operation_names_is_new(pages: Path) -> None:
    text = (pages / "read_book.md").read_text(encoding="utf-8").replace("/read |", "/sell |")
    (pages / "sell_book.md").write_text(text, encoding="utf-8")
    assert unexplained(pages) == [
        ("sell_book", "added", "page", "", "GET /v1/books/{book_id}/sell")
    ]


def test_a_page_that_an_operation_names_and_that_is_gone_has_vanished(pages: Path) -> None:
    (pages / "read_book.md").unlink()
    assert unexplained(pages) == [("read_book", "removed", "page", "", "the page is gone")]


def test_a_page_that_is_newer_than_all_others_is_not_missed(pages: Path) -> None:
    (pages / "read_book.md").unlink()

    def explained(since: dict[str, str]) -> list[str]:
        report = drift.compare(description(), read_pages(pages), since=since)
        return [f.explained for f in report.findings if f.page == "read_book"]

    assert explained({"read_book": "2026-05-04"}) == ["first seen on 2026-05-04"]
    # The pages are as new as the one that is missing.
    assert explained({"read_book": "2026-05-04", "create_book": "2026-05-04"}) == [""]


def test_a_second_endpoint_on_a_page_is_a_new_operation(pages: Path) -> None:
    extra = (
        "| **请求方式** | DELETE |\n| --- | --- |\n| **请求地址** | "
        "https://api.coze.cn/v1/books/:book_id |\n"
    )
    file = pages / "read_book.md"
    file.write_text(file.read_text(encoding="utf-8") + "# 基础信息\n" + extra, encoding="utf-8")
    assert unexplained(pages) == [
        ("read_book", "added", "operation", "", "DELETE /v1/books/{book_id}")
    ]


@each("kind", list(MALFORMED))
def test_a_malformed_page_is_named_with_its_line_and_the_others_are_compared(
    tmp_path: Path, kind: str
) -> None:
    case: dict[str, Any] = MALFORMED[kind]
    pages = tmp_path / kind
    shutil.copytree(HERE / FOLDERS[case.get("format", "february")], pages)
    edit(pages, "create_book", case["old"], case["new"])
    (pages / "handbook.md").write_text("# 手册\n", encoding="utf-8")
    report = compared(pages)
    assert report.unreadable == [case["message"]]
    assert [(f.page, f.change) for f in report.findings] == [("handbook", "added")]


def test_a_named_page_without_a_request_line_cannot_be_compared(pages: Path) -> None:
    edit(pages, "read_book", "| **请求方式** | GET |", "| **方式** | GET |")
    assert compared(pages).unreadable == [
        "read_book.md:1: no request line, but books_stream names this page; fix the page or "
        "x-coze-page"
    ]


def test_a_page_that_is_no_text_is_named_with_the_line(pages: Path) -> None:
    (pages / "guide.md").write_bytes(b"# Guide\n\n\xff\xfe")
    (unreadable,) = compared(pages).unreadable
    assert unreadable.startswith("guide.md:3: cannot be read")


@every_format
def test_characters_that_nobody_sees_change_nothing(tmp_path: Path, served: str) -> None:
    for file in (HERE / FOLDERS[served]).glob("*.md"):
        text = file.read_text(encoding="utf-8").replace(" ", "\u00a0")
        (tmp_path / file.name).write_text("\ufeff" + "\u200b".join(text), encoding="utf-8")
    assert unexplained(tmp_path) == []


@every_format
def test_line_ends_of_another_system_change_nothing(tmp_path: Path, served: str) -> None:
    for file in (HERE / FOLDERS[served]).glob("*.md"):
        text = file.read_text(encoding="utf-8")
        (tmp_path / file.name).write_bytes(text.replace("\n", "\r\n").encode())
    assert unexplained(tmp_path) == []


def without_tables(text: str, *headings: str) -> str:
    """A scrape without the table below each heading."""
    for heading in headings:
        start = text.index(f"\n{heading}\n") + len(heading) + 2
        text = text[:start] + text[text.index("\n  \n\n", start) :]
    return text


# What is lost → what can be told: without the type that points to it, nobody knows an object.
LOST = {
    heading: [heading]
    for heading in ("基础信息", "Header", "Path", "Query", "Body", "Writer", "返回参数", "BookInfo")
} | {
    "Query, Body": ["Query", "Body"],
    "Body, Writer": ["Body"],
    "基础信息, Header, Path, Query, Body, Writer, 返回参数, BookInfo": [
        "基础信息", "Header", "Path", "Query", "Body", "返回参数"
    ],
}  # fmt: skip


@each("lost, named", {lost: (lost, named) for lost, named in LOST.items()})
def test_what_a_text_scrape_has_lost_is_named_and_never_reported_as_removed(
    tmp_path: Path, lost: str, named: list[str]
) -> None:
    pages = Path(shutil.copytree(HERE / "pages_scrape", tmp_path / lost))
    file = pages / "create_book.md"
    text = without_tables(file.read_text(encoding="utf-8"), *lost.split(", "))
    file.write_text(text, encoding="utf-8")
    assert unexplained(pages) == []
    assert [line.rpartition(" table below ")[2] for line in compared(pages).not_compared] == [
        f"{heading}; it is not compared" for heading in named
    ]


def test_a_row_that_is_missing_from_a_table_of_a_text_scrape_is_removed(tmp_path: Path) -> None:
    pages = Path(shutil.copytree(HERE / "pages_scrape", tmp_path / "pages"))
    edit(pages, "create_book", "X-Reader| 42| 读者。  \n", "")
    edit(pages, "create_book", "pages| Integer| 可选| 120| 页数。  \n", "")
    assert unexplained(pages) == [
        ("create_book", "removed", "field", "CreateBookRequest.pages", "not on the page"),
        ("create_book", "removed", "parameter", "header.X-Reader", "not on the page"),
    ]


def test_a_text_scrape_whose_line_ends_were_stripped_is_read_too(tmp_path: Path) -> None:
    for file in (HERE / "pages_scrape").glob("*.md"):
        lines = file.read_text(encoding="utf-8").split("\n")
        (tmp_path / file.name).write_text("\n".join(map(str.rstrip, lines)), encoding="utf-8")
    assert unexplained(tmp_path) == []


def test_permissions_that_a_text_scrape_has_joined_are_the_same(tmp_path: Path) -> None:
    pages = Path(shutil.copytree(HERE / "pages_scrape", tmp_path / "pages"))
    spec = Path(shutil.copytree(SPEC, tmp_path / "spec"))
    books = spec / "resources" / "books.yaml"
    text = books.read_text(encoding="utf-8").replace("[createBook]", "[Shelf.edit, createBook]")
    books.write_text(text, encoding="utf-8")
    edit(pages, "create_book", "权限| createBook确保", "权限| createBookShelf.edit确保")
    assert [f.where for f in drift.compare(bundle(spec), read_pages(pages)).findings] == [
        "Book.shelf"
    ]


def test_values_in_another_case_are_other_values(pages: Path) -> None:
    edit(
        pages, "create_book", "* `paper`：纸书。 <br> * `audio`", "* `PAPER`：纸书。 <br> * `AUDIO`"
    )
    assert [found[1:] for found in unexplained(pages)] == [
        ("removed", "value", "BookFormat", "not listed"),
        ("removed", "value", "BookFormat", "not listed"),
        ("added", "value", "body.format", "AUDIO"),
        ("added", "value", "body.format", "PAPER"),
    ]


def test_a_page_without_requests_that_the_ledger_does_not_know_is_new(pages: Path) -> None:
    (pages / "guide.md").rename(pages / "handbook.md")
    assert unexplained(pages) == [("handbook", "added", "page", "", "no request")]


def test_a_few_pages_are_compared_without_missing_the_others(pages: Path) -> None:
    (pages / "create_book.md").unlink()
    (pages / "read_book.md").unlink()
    assert unexplained(pages) == []
    assert compared(pages).not_compared == [
        "2 of 2 pages are not in this folder; the others are compared"
    ]


@pytest.mark.parametrize(
    ("name", "top"),
    [
        ("read_book", ""),
        ("developer_guides_read_book", ""),
        ("7", "---\nsource_url: https://docs.coze.cn/developer_guides/read_book\n---\n"),
        ("7", "---\nsource_url: https://docs.coze.cn/developer_guides_read_book\n---\n"),
    ],
)
def test_the_slug_of_a_page_is_the_end_of_its_address(tmp_path: Path, name: str, top: str) -> None:
    text = (HERE / "pages" / "read_book.md").read_text(encoding="utf-8")
    (tmp_path / f"{name}.md").write_text(top + text, encoding="utf-8")
    assert list(read_pages(tmp_path).by_slug) == ["read_book"]


def test_a_second_page_of_the_same_slug_is_refused(pages: Path) -> None:
    shutil.copy(pages / "guide.md", pages / "guides_guide.md")
    assert compared(pages).unreadable == [
        "guides_guide.md:1: a second page guide; keep the newer one"
    ]


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PageError, match="give the folder that holds the official pages"):
        read_pages(tmp_path)


def test_a_guide_has_no_requests() -> None:
    assert read_page(HERE / "pages" / "guide.md").requests == []


def test_nested_rows_marked_with_arrows_become_dotted_names(tmp_path: Path) -> None:
    file = tmp_path / "x.md"
    head = (
        "| **请求方式** | GET |\n| --- | --- |\n"
        "| **请求地址** | https://api.coze.cn/v1/x |\n# 返回参数\n"
    )
    rows = "| 参数 | 类型 | 说明 |\n| --- | --- | --- |\n"
    rows += (
        "| a | Object | 甲 |\n| » b | Object | 乙 |\n| »» c | String | 丙 |\n| d | String | 丁 |\n"
    )
    file.write_text(head + rows, encoding="utf-8")
    assert [row.name for row in read_page(file).requests[0].tables[0].rows] == [
        "a",
        "a.b",
        "a.b.c",
        "d",
    ]


def test_the_exit_status_is_zero_without_unexplained_differences(
    pages: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert drift.main(pages, HERE / "spec") == 0
    assert capsys.readouterr().out == "1 differences, 0 unexplained\n"


def test_the_table_names_page_line_operation_and_both_sides(
    pages: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(pages, "create_book", "| pages | Integer |", "| pages | String |")
    assert drift.main(pages, HERE / "spec") == 1
    assert capsys.readouterr().out.splitlines() == [
        "create_book:28: changed type body.pages [books_create] page: String · description: "
        "integer",
        "2 differences, 1 unexplained",
    ]


def test_the_json_report_holds_explained_differences_too(
    pages: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(pages, "create_book", "| pages | Integer |", "| pages | String |")
    assert drift.main(pages, HERE / "spec", as_json=True) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["unexplained"], report["unreadable"], report["not_compared"]) == (1, [], [])
    assert [(d["where"], d["line"], bool(d["explained"])) for d in report["differences"]] == [
        ("Book.shelf", 0, True),
        ("body.pages", 28, False),
    ]


def test_a_malformed_page_ends_the_command_with_status_two(
    pages: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(pages, "create_book", "| POST |", "| 见下文 |")
    assert drift.main(pages, HERE / "spec") == 2
    assert capsys.readouterr().out.splitlines() == [
        "create_book.md:4: no request line: needs 请求方式 with a method and 请求地址 with a URL",
        "0 differences, 0 unexplained, 1 pages cannot be read",
    ]


def test_the_description_is_never_written(pages: Path, tmp_path: Path) -> None:
    spec = Path(shutil.copytree(HERE / "spec", tmp_path / "spec"))
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in spec.rglob("*.yaml")}
    edit(pages, "create_book", "| pages | Integer |", "| pages | String |")
    drift.main(pages, spec)
    assert {
        path: (path.read_bytes(), path.stat().st_mtime_ns) for path in spec.rglob("*.yaml")
    } == before
