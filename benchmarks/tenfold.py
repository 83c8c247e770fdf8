"""A description with the same operations several times, under other tags, paths and schema names:
how the generator grows.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import yaml

from generator.compile.bundle import METHODS, load_yaml

_NAMED = {"operationId", "x-coze-replaced-by", "then"}
_ONCE = ("x-coze-stream-kind", "x-coze-error-classes")
"""What a description has once, however many operations use it."""


def multiply(spec: Path, target: Path, times: int) -> int:
    """Writes `spec` into `target` with every resource that often; the number of operations."""
    shutil.copytree(spec, target)
    main = load_yaml(spec / "openapi.yaml")
    files = {path.name: load_yaml(path) for path in sorted((spec / "resources").glob("*.yaml"))}
    tags = list(main["tags"])
    for number in range(1, times):
        copy = _Copy(f"copy{number}", tags, files)
        main["tags"] += [{**tag, "name": copy.tag(tag["name"])} for tag in tags]
        for name, content in files.items():
            _write(target / "resources" / copy.file(name), copy.of(content))
    # One line for each tag: a file has a limit of lines.
    _write(target / "openapi.yaml", main, None)
    return times * sum(
        method in item
        for content in files.values()
        for item in content["paths"].values()
        for method in METHODS
    )


def _write(path: Path, content: Any, flow: bool | None = False) -> None:
    path.write_text(
        yaml.dump(
            content,
            Dumper=yaml.CSafeDumper,
            allow_unicode=True,
            sort_keys=False,
            width=10_000,
            default_flow_style=flow,
        ),
        encoding="utf-8",
    )


class _Copy:
    """The names of one copy."""

    def __init__(self, prefix: str, tags: list[dict[str, Any]], files: dict[str, Any]) -> None:
        self._prefix = prefix
        self._tagged = {tag["name"].replace(".", "_") + ".yaml" for tag in tags}
        nodes = [
            item[method]
            for content in files.values()
            for item in content["paths"].values()
            for method in METHODS
            if method in item
        ]
        self._operations = {
            node["operationId"]: f"{prefix}_{node['operationId']}" for node in nodes
        }

    def tag(self, name: str) -> str:
        return f"{self._prefix}_{name}"

    def file(self, name: str) -> str:
        return f"{self._prefix}_{name}"

    def of(self, content: Any) -> Any:
        """The content of a file under the names of this copy."""
        renamed = self._node({key: part for key, part in content.items() if key not in _ONCE})
        names = (content.get("x-coze-stream-kind") or {}).get("names")
        if names:  # nothing else of the file uses the list of its events
            del renamed["components"]["schemas"][names["$ref"].rpartition("/")[2]]
        renamed["paths"] = {
            f"/{self._prefix}{path}": item for path, item in renamed["paths"].items()
        }
        for kind, parts in renamed.get("components", {}).items():
            renamed["components"][kind] = {self._part(name): part for name, part in parts.items()}
        socket = renamed.get("x-coze-socket")
        if socket:
            socket["id"], socket["path"] = (
                f"{self._prefix}_{socket['id']}",
                f"/{self._prefix}{socket['path']}",
            )
        return renamed

    def _part(self, name: str) -> str:
        return f"{self._prefix.capitalize()}{name}"

    def _node(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self._node(part) for part in node]
        if not isinstance(node, dict):
            return node
        return {key: self._value(key, value) for key, value in node.items()}

    def _value(self, key: str, value: Any) -> Any:
        if key == "$ref":
            return self._reference(value)
        if key == "tags":
            return [self.tag(name) for name in value]
        if isinstance(value, str) and (key in _NAMED or key == "operation"):
            return self._operations.get(value, value)
        return self._node(value)

    def _reference(self, target: str) -> str:
        file, _, pointer = target.partition("#")
        if file.startswith("../"):
            return target  # what all copies share
        renamed = re.sub(
            r"(/components/\w+/)(\w+)", lambda found: found[1] + self._part(found[2]), pointer
        )
        return f"{self.file(file) if file else ''}#{renamed}"
