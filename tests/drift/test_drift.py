"""Each kind of change on a small page is found, and nothing else is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from generator.compile.bundle import bundle
from generator.pages import drift
from generator.pages.page_parser import PageError, read_page, read_pages

HERE = Path(__file__).parent


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """A copy of the small pages, to be edited."""
    return Path(shutil.copytree(HERE / "pages", tmp_path / "pages"))


def edit(pages: Path, page: str, old: str, new: str) -> None:
    file = pages / f"{page}.md"
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} must stand exactly once in {page}"
    file.write_text(text.replace(old, new), encoding="utf-8")


def unexplained(pages: Path) -> list[tuple[str, str, str, str, str]]:
    """Findings without a reason, as (page, change, what, where, on the page)."""
    found = drift.compare(bundle(HERE / "spec"), read_pages(pages))
    return [(f.page, f.change, f.what, f.where, f.on_page) for f in found if not f.explained]


def test_pages_that_agree_with_the_description_give_no_difference(pages: Path) -> None:
    assert unexplained(pages) == []


def test_a_deviation_in_the_description_explains_a_field_that_the_page_lacks(pages: Path) -> None:
    found = drift.compare(bundle(HERE / "spec"), read_pages(pages))
    assert [(f.where, f.explained) for f in found] == [("Book.shelf", "Additional field.")]


CHANGES = yaml.safe_load((HERE / "changes.yaml").read_text(encoding="utf-8"))
MALFORMED = yaml.safe_load((HERE / "malformed.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", CHANGES)
def test_a_change_of_this_kind_on_a_page_is_reported_and_nothing_else(
    pages: Path, kind: str
) -> None:
    case = CHANGES[kind]
    edit(pages, "create_book", case["old"], case["new"])
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
        found = drift.compare(bundle(HERE / "spec"), read_pages(pages), since)
        return [f.explained for f in found if f.page == "read_book"]

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


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_malformed_page_is_refused_with_file_and_line(pages: Path, kind: str) -> None:
    edit(pages, "create_book", MALFORMED[kind]["old"], MALFORMED[kind]["new"])
    with pytest.raises(PageError) as caught:
        read_pages(pages)
    assert str(caught.value) == MALFORMED[kind]["message"]


def test_a_named_page_without_a_request_line_is_refused(pages: Path) -> None:
    edit(pages, "read_book", "| **请求方式** | GET |", "| **方式** | GET |")
    with pytest.raises(
        PageError, match=r"^read_book\.md:1: no request line, but books_stream names this page"
    ):
        unexplained(pages)


def test_a_page_that_is_no_text_is_refused(pages: Path) -> None:
    (pages / "guide.md").write_bytes(b"\xff\xfe")
    with pytest.raises(PageError, match=r"^guide\.md: cannot be read"):
        read_pages(pages)


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
    assert report["unexplained"] == 1
    assert [(d["where"], d["line"], bool(d["explained"])) for d in report["differences"]] == [
        ("Book.shelf", 0, True),
        ("body.pages", 28, False),
    ]


def test_a_malformed_page_ends_the_command_with_status_two(
    pages: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(pages, "create_book", "| POST |", "| 见下文 |")
    assert drift.main(pages, HERE / "spec") == 2
    assert capsys.readouterr().out.startswith("create_book.md:4: no request line")


def test_the_description_is_never_written(pages: Path, tmp_path: Path) -> None:
    spec = Path(shutil.copytree(HERE / "spec", tmp_path / "spec"))
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in spec.rglob("*.yaml")}
    edit(pages, "create_book", "| pages | Integer |", "| pages | String |")
    drift.main(pages, spec)
    assert {
        path: (path.read_bytes(), path.stat().st_mtime_ns) for path in spec.rglob("*.yaml")
    } == before
