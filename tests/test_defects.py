"""tests/defects.yaml lists every known defect once, with tests that exist or the reason why there
is none.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
TABLE = Path(__file__).with_name("defects.yaml")
NUMBERS = [f"Q{number}" for number in range(1, 86)]
TEXT = TABLE.read_text(encoding="utf-8")
ROWS: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)
every_row = pytest.mark.parametrize("number", ROWS)


@cache
def functions_of(path: str) -> frozenset[str]:
    """The functions that pytest collects from a file, read without running it."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = [
        found.name
        for found in tree.body
        if isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert len(functions) == len(set(functions)), f"{path} defines a function twice"
    return frozenset(name for name in functions if name.startswith("test_"))


def test_every_defect_is_listed_once_and_in_order() -> None:
    # From the syntax tree, because a key that is given twice is one key after loading.
    root = yaml.compose(TEXT, Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode)
    assert [key.value for key, _ in root.value] == NUMBERS


@every_row
def test_a_row_names_its_defect_and_has_either_tests_or_a_reason(number: str) -> None:
    row = ROWS[number]
    assert row.keys() in ({"defect", "tests"}, {"defect", "reason"})
    for key in row.keys() - {"tests"}:
        assert isinstance(row[key], str)
        assert row[key].strip(), key
    if "tests" in row:
        assert row["tests"]
        assert len(set(row["tests"])) == len(row["tests"])


@every_row
def test_the_tests_of_a_row_exist(number: str) -> None:
    for name in ROWS[number].get("tests", ()):
        path, mark, function = name.partition("::")
        assert mark, name
        assert Path(path).name.startswith("test_"), name
        assert (ROOT / path).is_file(), name
        assert function in functions_of(path), name


def test_no_two_rows_name_the_same_defect() -> None:
    named = [row["defect"] for row in ROWS.values()]
    assert len(set(named)) == len(named)
