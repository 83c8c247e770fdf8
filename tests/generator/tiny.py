"""A description to be changed in a test, linted and compiled: the tiny one of `spec_tiny/`, or the
real one; shared by the tests of this folder.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from generator.compile.bundle import METHODS, bundle, read
from generator.compile.emit import compile_bundle, render
from generator.compile.lint import lint
from generator.yaml_files import YamlFile

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SPEC = HERE / "spec_tiny"


@cache
def _written(spec: Path) -> dict[str, YamlFile]:
    return read(spec)


class _Copies(dict[str, Any]):
    """The content of the files, copied when it is first asked for."""

    def __init__(self, originals: dict[str, YamlFile]) -> None:
        self.originals = originals
        super().__init__()

    def __missing__(self, name: str) -> Any:
        self[name] = copy.deepcopy(self.originals[name].content)
        return self[name]

    def complete(self) -> Iterator[tuple[str, YamlFile]]:
        """All files: the changed ones without lines."""
        for name, file in self.originals.items():
            yield name, YamlFile(file.name, self[name]) if name in self else file
        for name in self.keys() - self.originals.keys():
            yield name, YamlFile(f"spec/{name}", self[name])


class Description:
    """A copy of a description that a test may change."""

    def __init__(self, spec: Path = SPEC) -> None:
        self.originals = _written(spec)
        self.files = _Copies(self.originals)

    @property
    def gadgets(self) -> Any:
        return self.files["resources/gadgets.yaml"]

    @property
    def runs(self) -> Any:
        return self.files["resources/gadgets_runs.yaml"]

    def node(self, name: str) -> Any:
        """An operation by its operationId, a schema by its name, or a file by its path."""
        if name in self.originals:
            return self.files[name]
        for path, file in self.originals.items():
            for route, item in file.content["paths"].items():
                for method in METHODS:
                    if method in item and item[method].get("operationId") == name:
                        return self.files[path]["paths"][route][method]
            if name in file.content.get("components", {}).get("schemas", {}):
                return self.files[path]["components"]["schemas"][name]
        raise LookupError(name)

    def parameter(self, operation: str, name: str) -> Any:
        return next(item for item in self.node(operation)["parameters"] if item["name"] == name)

    def write(self, folder: Path) -> Path:
        spec = folder / "spec"
        for name, file in self.files.complete():
            path = spec / name
            path.parent.mkdir(parents=True, exist_ok=True)
            text = yaml.safe_dump(file.content, sort_keys=False, allow_unicode=True)
            path.write_text(text, encoding="utf-8")
        return spec

    def lint(self, *, changed: bool = False) -> list[str]:
        """The messages, without lines.

        Args:
            changed: Whether only the changed files are judged.
        """
        messages = lint(dict(self.files.complete()), only=[*self.files] if changed else None)
        return [re.sub(r"^(\S+?):\d+: ", r"\1: ", message) for message in messages]

    def compile(self, folder: Path) -> dict[str, bytes]:
        """The generated files; fails when the description departs from a rule, as the command line
        does.
        """
        spec = self.write(folder)
        assert lint(read(spec)) == []
        return render(compile_bundle(bundle(spec)))
