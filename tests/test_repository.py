"""What the repository says about itself: the table of known defects and the settings of the type
checker.
"""

from __future__ import annotations

import ast
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.each import each

ROOT = Path(__file__).parent.parent
TEXT = Path(__file__).with_name("defects.yaml").read_text(encoding="utf-8")
ROWS: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)


@cache
def functions_of(path: str) -> frozenset[str]:
    """The functions that pytest collects from a file, read without running it."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    names = [
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert len(names) == len(set(names)), f"{path} defines a function twice"
    return frozenset(name for name in names if name.startswith("test_"))


def test_every_defect_is_listed_once_and_in_order() -> None:
    # From the syntax tree, because a key that is given twice is one key after loading.
    root = yaml.compose(TEXT, Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode)
    assert [key.value for key, _ in root.value] == [f"Q{number}" for number in range(1, 86)]
    named = [row["defect"] for row in ROWS.values()]
    assert len(set(named)) == len(named)


@each("row", ROWS)
def test_a_defect_has_either_tests_that_exist_or_a_reason(row: dict[str, Any]) -> None:
    assert row.keys() in ({"defect", "tests"}, {"defect", "reason"})
    for key in row.keys() - {"tests"}:
        assert isinstance(row[key], str)
        assert row[key].strip(), key
    if "tests" not in row:
        return
    assert row["tests"]
    assert len(set(row["tests"])) == len(row["tests"])
    for name in row["tests"]:
        path, mark, function = name.partition("::")
        assert mark, name
        assert Path(path).name.startswith("test_"), name
        assert function in functions_of(path), name


def test_the_packages_are_checked_strictly_and_say_that_they_are_typed() -> None:
    packages = ("generated/coze_openapi", "overlays/coze_runtime", "overlays/cozekit")
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
    assert settings["strict"] is True
    assert set(packages) <= set(settings["files"])
    for package in packages:
        assert (ROOT / package / "py.typed").is_file()
