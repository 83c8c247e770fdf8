"""The tiny description of `spec_tiny/`, to be changed in a test, written and compiled; shared by
the tests of this folder.
"""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from generator.compile.bundle import METHODS, bundle
from generator.compile.emit import compile_bundle, render
from generator.compile.lint import lint

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SPEC = HERE / "spec_tiny"


@cache
def _written() -> dict[str, Any]:
    return {
        path.relative_to(SPEC).as_posix(): yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in sorted(SPEC.rglob("*.yaml"))
    }


class Description:
    """A copy of the tiny description that a test may change."""

    def __init__(self) -> None:
        self.files = copy.deepcopy(_written())
        self.lines: dict[str, int] = {}
        """File → number of lines that it shall have."""

    @property
    def gadgets(self) -> Any:
        return self.files["resources/gadgets.yaml"]

    @property
    def runs(self) -> Any:
        return self.files["resources/gadgets_runs.yaml"]

    def node(self, name: str) -> Any:
        """An operation by its operationId, a schema by its name, or a file by its path."""
        for path, content in self.files.items():
            if path == name:
                return content
            for item in content["paths"].values():
                for method in METHODS:
                    if method in item and item[method].get("operationId") == name:
                        return item[method]
            found = content.get("components", {}).get("schemas", {}).get(name)
            if found is not None:
                return found
        raise LookupError(name)

    def parameter(self, operation: str, name: str) -> Any:
        return next(item for item in self.node(operation)["parameters"] if item["name"] == name)

    def write(self, folder: Path) -> Path:
        spec = folder / "spec"
        for name, content in self.files.items():
            path = spec / name
            path.parent.mkdir(parents=True, exist_ok=True)
            text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
            text += "\n" * (self.lines.get(name, 0) - text.count("\n"))
            path.write_text(text, encoding="utf-8")
        return spec

    def lint(self, folder: Path) -> list[str]:
        spec = self.write(folder)
        return lint(bundle(spec), spec)

    def compile(self, folder: Path) -> dict[str, bytes]:
        """The generated files; fails when the description departs from a rule, as the command line
        does.
        """
        spec = self.write(folder)
        joined = bundle(spec)
        assert lint(joined, spec) == []
        return render(compile_bundle(joined))
