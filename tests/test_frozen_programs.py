"""Tools that freeze programs, such as PyInstaller, follow import statements, also those inside of
functions and for type checkers. A module that is only imported by its name is missing there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import coze_openapi
import coze_runtime
import cozekit

PACKAGES = {
    module.__name__: Path(module.__file__ or "").parent
    for module in (coze_openapi, coze_runtime, cozekit)
}
EXTRAS = {
    "ws": "websockets",
    "jwt": "jwt",
    "keyring": "keyring",
    "fast": "aiohttp",
    "lock between processes": "filelock",
    "async": "anyio",
}


@cache
def modules() -> dict[str, Path]:
    """Every module of the client, by name."""
    found = {}
    for package, folder in PACKAGES.items():
        for path in folder.rglob("*.py"):
            steps = [package, *path.relative_to(folder).with_suffix("").parts]
            found[".".join(steps).removesuffix(".__init__")] = path
    return found


def imported_by(name: str) -> Iterator[str]:
    """What the import statements of a module name: modules, and perhaps names inside of them."""
    path = modules()[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*(above if node.level else []), *filter(None, [node.module])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


@cache
def followed() -> set[str]:
    """What a tool finds that starts at `import cozekit`."""
    found, left = set[str](), ["cozekit"]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += imported_by(name) if name in modules() else []
            left += [name.rpartition(".")[0]] if "." in name else []
    return found


def test_every_module_of_the_client_is_imported_by_a_statement() -> None:
    assert len(modules()) > 300
    assert sorted(modules().keys() - followed()) == []


@pytest.mark.parametrize("library", EXTRAS.values(), ids=EXTRAS)
def test_libraries_that_are_loaded_on_first_use_are_imported_by_statements(library: str) -> None:
    assert library in followed()
