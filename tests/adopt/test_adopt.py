"""A page of any format comes out as the draft of its operation: complete but for the texts."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.adopt import command
from generator.adopt.command import Adoption
from generator.adopt.exchanges import read_json
from generator.adopt.facts import default_of, known_values, limits_of
from generator.compile.bundle import bundle, read
from generator.compile.lint.gaps import GAP, lint_gaps
from generator.pages import drift
from generator.pages.ledger import known_pages, lint_ledger
from generator.pages.page import Row
from generator.pages.page_parser import read_pages
from tests.adopt.trial import without_operation
from tests.each import each

DRIFT = Path(__file__).parent.parent / "drift"
FOLDERS = {"february": "pages", "markdown": "pages_markdown", "scrape": "pages_scrape"}
every_format = pytest.mark.parametrize("served", FOLDERS)


@pytest.fixture
def adoption(tmp_path: Path) -> Adoption:
    """A copy of the small description without the operation that puts a book on a shelf."""
    spec, contract = tmp_path / "spec", tmp_path / "contract"
    shutil.copytree(DRIFT / "spec", spec)
    without_operation(spec, "books_create")
    ledger = spec / "coverage.yaml"
    pages = yaml.safe_load(ledger.read_text(encoding="utf-8"))["pages"]
    del pages["create_book"]
    ledger.write_text(yaml.safe_dump({"pages": pages}, sort_keys=False), encoding="utf-8")
    contract.mkdir()
    for name in ("exchanges.json", "documented.json"):
        (contract / name).write_text("{}", encoding="utf-8")
    return Adoption(spec, DRIFT / "pages", contract)


def adopted(adoption: Adoption, served: str = "february") -> Any:
    """The operation that was drafted, as it is in the description afterwards."""
    adoption.pages = DRIFT / FOLDERS[served]
    assert command.main(adoption, "create_book", "books_create") == 0
    joined = bundle(adoption.spec)
    return next(node for method, _, node in joined.operations() if method == "post")


def fill_gaps(spec: Path) -> None:
    """Writes some text in place of each gap."""
    for file in spec.rglob("*.yaml"):
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        text = yaml.safe_dump(_filled(content), sort_keys=False, allow_unicode=True)
        file.write_text(text, encoding="utf-8")


def _filled(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _filled(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled(item) for item in node]
    return "A text" if isinstance(node, str) and node.startswith(GAP) else node


@every_format
def test_what_was_adopted_differs_nowhere_from_its_page(adoption: Adoption, served: str) -> None:
    adopted(adoption, served)
    pages = read_pages(adoption.pages)
    report = drift.compare(bundle(adoption.spec), pages, known_pages(adoption.spec))
    assert [(f.page, f.where) for f in report.findings] == []


@every_format
def test_the_draft_has_path_permission_parameters_and_body(adoption: Adoption, served: str) -> None:
    node = adopted(adoption, served)
    joined = bundle(adoption.spec)
    assert node["operationId"] == "books_create"
    assert (node["tags"], node["x-coze-page"]) == (["books"], "create_book")
    assert (node["x-coze-permission"], node["x-coze-unwrap"]) == (["createBook"], "data")
    assert [
        (p["in"], p["name"], p.get("required", False), p["schema"], p.get("example"))
        for p in node["parameters"]
    ] == [
        ("header", "X-Reader", False, {"type": "string"}, "42"),
        ("path", "shelf_id", True, {"type": "string"}, "7"),
        ("query", "dry_run", False, {"type": "boolean"}, None),
    ]
    body = joined.schemas["CreateBookRequest"]
    assert (body["required"], list(body["properties"])) == (
        ["name", "format"],
        ["name", "format", "pages", "tags", "author"],
    )
    assert body["properties"]["pages"]["example"] == 120
    assert body["properties"]["tags"]["items"] == {"type": "string"}


def test_a_known_schema_is_used_again(adoption: Adoption) -> None:
    (adoption.spec / "resources" / "books.yaml").write_bytes(
        (DRIFT / "spec" / "resources" / "books.yaml").read_bytes()
    )
    books = adoption.spec / "resources" / "books.yaml"
    content = yaml.safe_load(books.read_text(encoding="utf-8"))
    del content["paths"]["/v1/shelves/{shelf_id}/books"]
    books.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    adopted(adoption)
    data = bundle(adoption.spec).schemas["CreateBookResponse2"]["allOf"][1]["properties"]["data"]
    assert data["$ref"] == "#/components/schemas/Book"


def gaps_of(spec: Path) -> list[str]:
    return [message for file in read(spec).values() for message in lint_gaps(file)]


def test_every_text_is_a_gap_that_the_lint_refuses_until_it_is_written(adoption: Adoption) -> None:
    adopted(adoption)
    messages = gaps_of(adoption.spec)
    assert any(
        re.fullmatch(
            r"spec/resources/books\.yaml:\d+: books_create\w*\.summary: a gap is left; write it in "
            f"English, in place of `{GAP} …`",
            message,
        )
        for message in messages
    )
    assert lint_ledger(bundle(adoption.spec), adoption.spec, adoption.spec) == [
        f"spec/coverage.yaml: create_book: {GAP} 添加图书 is a gap; give a name in English"
    ]
    fill_gaps(adoption.spec)
    assert gaps_of(adoption.spec) == []
    assert lint_ledger(bundle(adoption.spec), adoption.spec, adoption.spec) == []


def test_what_was_there_stays_as_it_is(adoption: Adoption) -> None:
    books = adoption.spec / "resources" / "books.yaml"
    before = books.read_text(encoding="utf-8").splitlines()
    adopted(adoption)
    kept = iter(books.read_text(encoding="utf-8").splitlines())
    assert all(line in kept for line in before)


def test_the_row_of_the_ledger_comes_after_the_other_pages_and_before_what_follows(
    adoption: Adoption,
) -> None:
    ledger = adoption.spec / "coverage.yaml"
    rest = "# A remark.\nguides: [guide]\nundocumented: {}\n"
    ledger.write_text(ledger.read_text(encoding="utf-8") + rest, encoding="utf-8")
    adopted(adoption)
    content = yaml.safe_load(ledger.read_text(encoding="utf-8"))
    assert (list(content["pages"])[-1], content["guides"]) == ("create_book", ["guide"])
    assert content["pages"]["create_book"]["operations"] == ["books_create"]


def test_the_examples_become_a_documented_exchange(adoption: Adoption) -> None:
    adopted(adoption, "scrape")
    text = (adoption.contract / "exchanges.json").read_text(encoding="utf-8")
    assert json.loads(text) == {
        "books_create": [
            {
                "source": "create_book.0",
                "request": {
                    "method": "POST",
                    "url": "https://api.coze.cn/v1/shelves/7/books",
                    "headers": {"Content-Type": "application/json"},
                },
            }
        ]
    }


def test_a_list_that_comes_in_pages_gets_its_pager(adoption: Adoption, tmp_path: Path) -> None:
    text = (DRIFT / "pages" / "create_book.md").read_text(encoding="utf-8").replace("POST", "GET")
    text = text.replace("| dry_run | Boolean |", "| page_num | Integer |")
    sizes = "| page_size | Integer | 可选 | 20 | 默认为 20，最大为 50。 |\n### Body\n"
    text = text.replace("### Body\n", sizes).replace("Object of [BookInfo]", "Array of [BookInfo]")
    file = tmp_path / "list_book.md"
    file.write_text(text, encoding="utf-8")
    assert command.main(adoption, str(file), "books_list") == 0
    _, _, node = next(
        op for op in bundle(adoption.spec).operations() if op[0] == "get" and "shelves" in op[1]
    )
    assert node["x-coze-pager"] == {
        "style": "number",
        "in": "query",
        "page": "page_num",
        "size": "page_size",
        "items": "data",
        "id": "id",
    }
    assert node["parameters"][3]["schema"] == {"type": "integer", "maximum": 50, "default": 20}


def test_a_page_whose_requests_are_all_described_is_left_alone(
    adoption: Adoption, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(adoption, "read_book") == 1
    assert capsys.readouterr().out == "read_book: every request of this page is described\n"


def test_a_page_is_given_by_its_file_too(adoption: Adoption) -> None:
    assert command.main(adoption, str(DRIFT / "pages_markdown" / "create_book.md")) == 0


def test_a_page_that_does_not_exist_is_named(
    adoption: Adoption, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(adoption, "sell_book") == 2
    assert "sell_book: neither a file nor a page of" in capsys.readouterr().out


def test_without_a_name_the_words_of_the_path_are_taken(adoption: Adoption) -> None:
    assert command.main(adoption, "create_book") == 0
    assert bundle(adoption.spec).origin["shelves_books_create"] == "resources/shelves_books.yaml"


def test_an_operation_of_a_new_resource_gets_its_file_and_its_tag(
    adoption: Adoption, tmp_path: Path
) -> None:
    page = (DRIFT / "pages" / "create_book.md").read_text(encoding="utf-8")
    file = tmp_path / "list_readers.md"
    page = page.replace("/v1/shelves/:shelf_id/books", "/v1/library/readers/:shelf_id")
    file.write_text(page.replace("| POST |", "| GET |"), encoding="utf-8")
    assert command.main(adoption, str(file)) == 0
    joined = bundle(adoption.spec)
    assert joined.origin["libraries_readers_retrieve"] == "resources/libraries_readers.yaml"
    assert "libraries.readers" in [tag["name"] for tag in joined.document["tags"]]


def row(kind: str, text: str, values: list[str] | None = None) -> Row:
    return Row("x", kind, "", None, values or [], 1, "", text)


LIMITS = {
    "默认为 20，最大为 50。": ("integer", {"maximum": 50}),
    "取值范围为 1~200。": ("integer", {"minimum": 1, "maximum": 200}),
    "范围是[0.2,3]": ("number", {"minimum": 0.2, "maximum": 3}),
    "最小值为 24": ("integer", {"minimum": 24}),
    "长度不超过 100 个字符。": ("string", {"maxLength": 100}),
    "长度为 0~ 20,000 个字符": ("string", {"maxLength": 20000}),
    "长度为 1~ 20 个字符": ("string", {"minLength": 1, "maxLength": 20}),
    "长度限制为 128 字节": ("string", {"x-coze-max-bytes": 128}),
    "每次最多移除 5 个成员": ("array", {"maxItems": 5}),
    "长度为 16 对键值对": ("object", {"maxProperties": 16}),
    "没有限制": ("string", {}),
}


@each("said, kind, limits", {said: (said, *found) for said, found in LIMITS.items()})
def test_a_limit_is_read_out_of_a_chinese_text(
    said: str, kind: str, limits: dict[str, Any]
) -> None:
    assert limits_of(kind, said) == limits


@pytest.mark.parametrize(
    ("field", "default"),
    [
        (row("Integer", "页码。默认为 1，即返回第一页数据。"), 1),
        (row("Boolean", "默认值为 `false`。"), False),
        (row("String", "排序：\n* asc：升序。\n* desc：（默认）降序。", ["asc", "desc"]), "desc"),
        (row("String", "默认值为 `all`。\n* all：全部。\n* one：一个。", ["all", "one"]), "all"),
        (row("String", "默认为空。"), None),
        (row("String", "默认指定一个头像。"), None),
    ],
)
def test_a_default_is_read_out_of_a_chinese_text(field: Row, default: Any) -> None:
    assert default_of(field) == default


def test_values_come_with_what_is_said_about_them() -> None:
    field = row("Integer", "取值包括：\n* 0：文本类型\n* `2`：图片类型", ["0", "2"])
    assert known_values(field) == {"0": "文本类型", "2": "图片类型"}


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        ('{"a": [1, {"b": 2}]}', []),
        ('{"a": [1, {"b": 2},],}', ["trailing comma"]),
        ('{"a": [1,\n{"b": 2}\n]} // end', ["comment"]),
        ('{"a": [1\n, {"b": 2}\n] // a list\n}', ["comment"]),
    ],
)
def test_what_editors_wrote_into_json_is_repaired_and_told(text: str, repaired: list[str]) -> None:
    assert read_json(text) == ({"a": [1, {"b": 2}]}, repaired)
