"""The ledger and docs/operations.md account for every page, and the rules of the ledger find each
kind of mistake.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.compile.bundle import Bundle, bundle
from generator.compile.emit import compile_bundle
from generator.compile.nodes import pages_of
from generator.pages.ledger import lint_ledger
from generator.pages.operations_page import operations_page
from generator.yaml_files import DescriptionError

ROOT = Path(__file__).parent.parent
SPEC = ROOT / "spec"


@pytest.fixture(scope="module")
def joined() -> Bundle:
    return bundle(SPEC)


@pytest.fixture
def ledger() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((SPEC / "coverage.yaml").read_text(encoding="utf-8"))
    return content


def findings(joined: Bundle, ledger: dict[str, Any], folder: Path) -> list[str]:
    """Messages for a changed ledger, in front of a folder that holds exactly the modules that it
    should.
    """
    text = yaml.safe_dump(ledger, allow_unicode=True, sort_keys=False)
    (folder / "coverage.yaml").write_text(text, encoding="utf-8")
    original = yaml.safe_load((SPEC / "coverage.yaml").read_text(encoding="utf-8"))
    for entry in [*original["pages"].values(), *original["undocumented"].values()]:
        if "module" in entry and "status" not in entry:
            module = folder.joinpath(*entry["module"].split(".")).with_suffix(".py")
            module.parent.mkdir(parents=True, exist_ok=True)
            module.touch()
    return lint_ledger(joined, folder, folder)


def test_the_ledger_agrees_with_the_description_and_the_modules(joined: Bundle) -> None:
    assert lint_ledger(joined, SPEC, ROOT / "overlays") == []


def test_every_documented_operation_is_listed_under_its_pages(
    joined: Bundle, ledger: dict[str, Any]
) -> None:
    listed = {name for entry in ledger["pages"].values() for name in entry.get("operations") or ()}
    documented = {node["operationId"] for _, _, node in joined.operations() if pages_of(node)}
    assert listed == documented


def test_a_page_given_twice_is_refused_with_its_line(tmp_path: Path, joined: Bundle) -> None:
    shutil.copy(SPEC / "coverage.yaml", tmp_path)
    file = tmp_path / "coverage.yaml"
    file.write_text(
        file.read_text(encoding="utf-8").replace("\n  create_bot:\n", "\n  changelog:\n", 1),
        encoding="utf-8",
    )
    with pytest.raises(DescriptionError, match=r":\d+: key 'changelog' is given twice"):
        lint_ledger(joined, tmp_path, ROOT / "overlays")


def test_an_operation_that_the_ledger_does_not_list_is_named(
    joined: Bundle, ledger: dict[str, Any], tmp_path: Path
) -> None:
    ledger["pages"]["oauth_pkce"]["operations"].remove("oauth_token")
    assert findings(joined, ledger, tmp_path) == [
        "spec/resources/oauth.yaml: oauth_token: the ledger does not list it under oauth_pkce; "
        "add it to spec/coverage.yaml"
    ]


def test_an_operation_on_the_wrong_page_is_named(
    joined: Bundle, ledger: dict[str, Any], tmp_path: Path
) -> None:
    ledger["pages"]["create_bot"]["operations"].append("bots_update")
    assert findings(joined, ledger, tmp_path) == [
        "spec/coverage.yaml: create_bot: lists bots_update, whose x-coze-page does not name it; "
        "fix one of them"
    ]


@pytest.mark.parametrize(
    ("page", "change", "message"),
    [
        (
            "create_bot",
            {"reason": "No."},
            "has operations and reason; give exactly one of operations, module, reason",
        ),
        (
            "changelog",
            {"reason": ""},
            "has nothing; give exactly one of operations, module, reason",
        ),
        ("changelog", {"name": ""}, "no name; give one in English"),
        ("changelog", {"section": ""}, "no section; name the group of the table of contents"),
        (
            "changelog",
            {"checked": "last week"},
            "no `checked: YYYY-MM-DD`; give the day on which the page was compared",
        ),
        (
            "coze_error_codes",
            {"module": "cozekit.nowhere"},
            "cozekit.nowhere does not exist; fix the name, or add `status: planned`",
        ),
        (
            "coze_error_codes",
            {"status": "planned"},
            "cozekit.errors exists; delete `status: planned`",
        ),
    ],
)
def test_an_entry_that_breaks_a_rule_is_named_with_the_fix(
    joined: Bundle,
    ledger: dict[str, Any],
    tmp_path: Path,
    page: str,
    change: dict[str, str],
    message: str,
) -> None:
    ledger["pages"][page] |= change
    assert findings(joined, ledger, tmp_path) == [f"spec/coverage.yaml: {page}: {message}"]


def test_an_undocumented_operation_needs_its_sources(
    joined: Bundle, ledger: dict[str, Any], tmp_path: Path
) -> None:
    del ledger["undocumented"]["users_me"]["sources"]
    assert findings(joined, ledger, tmp_path) == [
        "spec/coverage.yaml: users_me: no sources; say who uses it"
    ]


def test_every_operation_stands_in_docs_operations_with_its_pages(joined: Bundle) -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    missing = [
        node["operationId"]
        for method, path, node in joined.operations()
        if f"`{method.upper()} {path}`" not in text
        or any(f"[{page}]" not in text for page in pages_of(node))
    ]
    assert missing == []


def test_docs_operations_is_up_to_date(joined: Bundle) -> None:
    compiled = compile_bundle(joined)
    written = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert written == operations_page(joined, compiled.operations)
