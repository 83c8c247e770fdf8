"""What the description says is written nowhere else: no name of an event, of an operation or of a
state, and no code, stands in the handwritten client.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from generator.compile.bundle import bundle
from tests.each import each

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("coze_runtime", "cozekit")
# Words of the field that the description happens to use too.
COMMON = {"error", "done"}
# Two signatures of files that are told apart by numbers with as many digits.
NUMBERS: set[int] = set()


def described() -> tuple[set[str], set[int]]:
    """Names of events and operations, and codes of errors."""
    spec = bundle(ROOT / "spec")
    names: set[str] = set()
    for _, _, node in spec.operations():
        names.add(node["operationId"])
        names |= set((node.get("x-coze-stream") or {}).get("events") or ())
    for table in spec.document["x-coze-events"].values():
        for key in ("send", "receive", "events"):
            names |= set(table.get(key) or ())
    codes = {int(code) for code in spec.document["x-coze-error-codes"]}
    return {name for name in names if "." in name or "_" in name} - COMMON, codes


def constants(tree: ast.AST) -> Iterator[tuple[int, Any]]:
    """Constants of the code with their lines, without docstrings and `__all__`, which repeats what
    is imported.
    """
    documentation: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            documentation |= {id(name) for name in ast.walk(node.value)}
        body = getattr(node, "body", None)
        for child in body if isinstance(body, list) else ():
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                documentation.add(id(child.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in documentation:
            yield node.lineno, node.value


FILES = [
    path for package in PACKAGES for path in sorted((ROOT / "overlays" / package).rglob("*.py"))
]
NAMES, CODES = described()


@each("path", {path.relative_to(ROOT).as_posix(): path for path in FILES})
def test_a_handwritten_module_repeats_nothing_of_the_description(path: Path) -> None:
    found = [
        f"{path.name}:{line}: {value!r}"
        for line, value in constants(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(value, str) and value in NAMES)
        or (type(value) is int and value in CODES - NUMBERS and value > 999)
    ]
    assert found == []


def test_the_search_finds_what_it_looks_for() -> None:
    tree = ast.parse('"""chat_create"""\nX = "conversation.message.delta"\nif code == 4104: pass')
    found = {value for _, value in constants(tree)}
    assert "conversation.message.delta" in NAMES & {v for v in found if isinstance(v, str)}
    assert 4104 in CODES & {v for v in found if isinstance(v, int)}
    assert "chat_create" in NAMES
    assert "chat_create" not in found
