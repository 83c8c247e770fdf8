"""docs/from-official-sdks.md has a row for every name of the official packages, and every
counterpart that it names exists.
"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from cozekit import AsyncCoze, Coze

TEXT = (Path(__file__).parent.parent / "docs" / "from-official-sdks.md").read_text(encoding="utf-8")
SECTIONS = {
    name: body for name, _, body in (part.partition("\n") for part in TEXT.split("\n## ")[1:])
}
ROWS = {
    name: [line for line in body.splitlines() if line.startswith("| `")]
    for name, body in SECTIONS.items()
}
COUNTS = {
    "Functions": 46,
    "Constants": 100,
    "Structures": 148,
    "Interfaces": 11,
    "Type aliases": 30,
}


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip("|").split(" | ")]


def names(row: str) -> list[str]:
    """Counterparts in the column before the last."""
    return re.findall(r"`(?:except )?((?:cozekit|coze)\.[\w.]+)`", cells(row)[-2])


def exists(name: str) -> bool:
    """Whether a dotted name leads somewhere; `coze.…` starts at a client."""
    head, *steps = name.split(".")
    if head == "coze":
        clients: list[object] = [Coze("token"), AsyncCoze("token")]
        for step in steps:
            if not all(hasattr(client, step) for client in clients):
                return False
            clients = [getattr(client, step) for client in clients]
        return True
    found: object = import_module(head)
    for index, step in enumerate(steps, 1):
        if not hasattr(found, step):
            try:
                found = import_module(".".join([head, *steps[:index]]))
            except ModuleNotFoundError:
                return False
        else:
            found = getattr(found, step)
    return True


@pytest.mark.parametrize("section", COUNTS)
def test_every_name_of_the_go_package_has_one_row(section: str) -> None:
    own = [cells(row)[0] for row in ROWS[section]]
    assert (len(own), len(set(own))) == (COUNTS[section], COUNTS[section])


@pytest.mark.parametrize("section", ROWS)
def test_every_counterpart_exists(section: str) -> None:
    missing = [
        f"{cells(row)[0]} → {name}"
        for row in ROWS[section]
        if cells(row)[-1] != "to come"
        for name in names(row)
        if not exists(name)
    ]
    assert missing == [], "fix the name in docs/from-official-sdks.md"


@pytest.mark.parametrize("section", ROWS)
def test_every_row_names_a_counterpart_or_says_why_there_is_none(section: str) -> None:
    words = ("not here", "not needed", "read by", "`extra_headers`", "`Coze(", "the bytes that")
    assert [
        row
        for row in ROWS[section]
        if not names(row) and not any(word in cells(row)[-2] for word in words)
    ] == []
