"""What the description says is written nowhere else: no name of an event or of an operation, no
state of a waiter or of a stream, no code of an error, no site and no limit stands in the
handwritten client.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from generator.compile.bundle import bundle
from generator.compile.limits import NUMBERS, SIZES
from tests.each import each

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("coze_runtime", "cozekit")
SPEC = bundle(ROOT / "spec")
FILES = [
    path for package in PACKAGES for path in sorted((ROOT / "overlays" / package).rglob("*.py"))
]
# Words of the field that the description happens to use too.
COMMON = {
    "answer",  # an argument of the loops
    "completed",  # a step of a spoken dialogue
    "done",  # a callback event that was handled
    "error",  # a key of JSON bodies
}
# Limits below this are numbers of every program.
SMALLEST_LIMIT = 16
# Numbers that only happen to be limits of the description too.
OTHER_LIMITS = {
    ("_event_queue.py", 100): "failures of handlers that are kept",
    ("_handshake.py", 30): "keeps a power of 2 finite",
    ("_handshake.py", 1024): "events that a socket keeps",
    ("_request.py", 300): "seconds for which a callback is new; Coze names no limit",
    ("_formats.py", 16): "bytes of a chunk of a WAV file",
    ("convert.py", 20): "digits of a 64-bit number",
    ("limits.py", 50): "characters of a value in the text of an error",
}


def described_texts() -> set[str]:
    """Names of events and operations, states of waiters and streams, sites."""
    texts: set[str] = set()
    for _, _, node in SPEC.operations():
        texts.add(node["operationId"])
        texts |= set((node.get("x-coze-stream") or {}).get("events") or ())
        waiter = node.get("x-coze-waiter") or {}
        for owner, key in ((waiter, "success"), (waiter, "failure"), (waiter, "pause")):
            texts |= _texts(owner.get(key))
        for key in ("cancel", "waits"):
            texts |= _texts((waiter.get(key) or {}).get("states"))
    for table in SPEC.event_tables.values():
        for key in ("send", "receive", "events"):
            texts |= set(table.get(key) or ())
    for kind in SPEC.stream_kinds.values():
        for key in ("roles", "settled", "waiting", "questions", "message_types"):
            texts |= _texts(kind.get(key))
    for server in SPEC.document["servers"]:
        host = urlsplit(server["url"]).hostname or ""
        texts |= {server["url"], host, host.partition(".")[2], f".{host.partition('.')[2]}"}
    return texts - COMMON


def _texts(node: Any) -> set[str]:
    """Texts in lists and values of mappings; some waiters have numbers for states."""
    if isinstance(node, dict | list):
        inner = node.values() if isinstance(node, dict) else node
        return set().union(*map(_texts, inner))
    return {node} if isinstance(node, str) else set()


def described_limits(node: Any) -> Iterator[int]:
    """Every number that limits a value."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in {**NUMBERS, **SIZES} and type(value) is int and value >= SMALLEST_LIMIT:
                yield value
            yield from described_limits(value)
    elif isinstance(node, list):
        for item in node:
            yield from described_limits(item)


TEXTS = described_texts()
CODES = {int(code) for code in SPEC.document["x-coze-error-codes"]}
LIMITS = set(described_limits(SPEC.document))
# 86399 and its like are found wherever they stand; 1024 has many meanings.
DISTINCTIVE = {limit for limit in LIMITS if len(str(limit).rstrip("0")) > 2 and limit & (limit - 1)}


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


def limits(tree: ast.AST) -> Iterator[tuple[int, Any]]:
    """Numbers with their lines that limit something: in a comparison of sizes, in `range`, `min`,
    `max` and `Limit`, and under a name that says so.
    """
    for node in ast.walk(tree):
        for value in _limiting(node):
            if isinstance(value, ast.Constant):
                yield value.lineno, value.value


def _limiting(node: ast.AST) -> Iterator[ast.expr | None]:
    if isinstance(node, ast.Compare):
        operands = [node.left, *node.comparators]
        orders = any(isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for op in node.ops)
        if orders and not any(
            ast.unparse(operand).endswith(("status", "status_code")) for operand in operands
        ):
            yield from operands
    elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("range", "min", "max", "Limit"):
        yield from (*node.args, *(keyword.value for keyword in node.keywords))
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if _names_a_limit(ast.unparse(target)):
            yield node.value
    elif isinstance(node, ast.arguments):
        positional = [*node.posonlyargs, *node.args]
        defaults = [
            *zip(positional[len(positional) - len(node.defaults) :], node.defaults, strict=True),
            *zip(node.kwonlyargs, node.kw_defaults, strict=True),
        ]
        yield from (default for parameter, default in defaults if _names_a_limit(parameter.arg))


def _names_a_limit(name: str) -> bool:
    return bool(re.search(r"(?i)(?:^|_)(?:max|min|limits?|maximum|minimum)(?:_|$)", name))


def repeated(tree: ast.AST, file_name: str = "") -> list[tuple[int, Any]]:
    """What code repeats of the description, with lines."""
    found = {
        (line, value)
        for line, value in constants(tree)
        if (isinstance(value, str) and value in TEXTS)
        or (type(value) is int and (value in DISTINCTIVE or (value in CODES and value > 999)))
    }
    found |= {
        (line, value)
        for line, value in limits(tree)
        if value in LIMITS and (file_name, value) not in OTHER_LIMITS
    }
    return sorted(found, key=str)


@each("path", {path.relative_to(ROOT).as_posix(): path for path in FILES})
def test_a_handwritten_module_repeats_nothing_of_the_description(path: Path) -> None:
    assert repeated(ast.parse(path.read_text(encoding="utf-8")), path.name) == []


def test_every_exception_is_still_needed() -> None:
    needed = {
        (path.name, value)
        for path in FILES
        for _, value in limits(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert OTHER_LIMITS.keys() <= needed
    words = {value for path in FILES for _, value in constants(ast.parse(path.read_text("utf-8")))}
    assert words >= COMMON


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ('X = "conversation.message.delta"', "conversation.message.delta"),
        ('X = "chat_create"', "chat_create"),
        ('if status == "requires_action": pass', "requires_action"),
        ('STATES = {"new", "canceled"}', "canceled"),
        ('if state in ("Running",): pass', "Running"),
        ('host.endswith(".coze.cn")', ".coze.cn"),
        ("if code == 4104: pass", 4104),
        ("if not 100 <= max_tokens: pass", 100),
        ("for _ in range(200): pass", 200),
        ("size = min(size, 2000)", 2000),
        ("MAX_TOKENS = 2000", 2000),
        ("max_tokens: int = 2000", 2000),
        ("def chunks(max_tokens=2000): pass", 2000),
        ("def chunks(*, max_tokens=2000): pass", 2000),
        ("Limit(maximum=2000)", 2000),
        ("longest = 86_399", 86399),
    ],
)
def test_the_search_finds_what_it_looks_for(code: str, value: str | int) -> None:
    assert repeated(ast.parse(code)) == [(1, value)]


@pytest.mark.parametrize(
    "code",
    [
        '"""chat_create"""',
        '__all__ = ["chat_create"]',
        "if response.status >= 300: pass",
        "if code == 1000: pass",
        "size = 16 * 1024",
    ],
)
def test_the_search_leaves_other_things_alone(code: str) -> None:
    assert repeated(ast.parse(code)) == []


def test_the_description_has_much_to_repeat() -> None:
    assert len({text for text in TEXTS if re.search("[._]", text)}) > 150
    assert len(CODES) > 40
    assert len(LIMITS) > 20
