"""How generation and import times scale: a description with ten times the operations, under other
tags, paths and schema names.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from generator.compile.bundle import METHODS
from generator.yaml_files import read_yaml

from .processes import ROOT, environment
from .report import Row, at_most

TIMES = 10
GENERATIONS = 2
ROUNDS = 25
IMPORT = "import cozekit"
USED = "import cozekit; cozekit.Coze('x').bots.list"
_NAMED = {"operationId", "x-coze-replaced-by", "then"}
_ONCE = ("x-coze-stream-kind", "x-coze-error-classes")
"""Keys that a description has only once, however many operations use them."""
TIMED = "import time; start = time.perf_counter(); {}; print(time.perf_counter() - start)"


def scaling() -> list[Row]:
    """Times of the generator, and of imports with its output."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        count = {
            "one": multiply(ROOT / "spec", base / "one-spec", 1),
            "ten": multiply(ROOT / "spec", base / "ten-spec", TIMES),
        }
        runs = [{name: _generate(base, name) for name in count} for _ in range(GENERATIONS)]
        wall = {name: min(run[name].wall for run in runs) for name in count}
        # Other programs on the machine delay a long run by far more than a short one, so the
        # ratio is one of processor time.
        work = {name: min(run[name].work for run in runs) for name in count}
        for name, expected in count.items():
            manifest = json.loads((base / name / "manifest.json").read_text(encoding="utf-8"))
            if len(manifest["operations"]) != expected:
                raise SystemExit(
                    f"{len(manifest['operations'])} of {expected} operations were generated"
                )
        alone, used = (_imports(base, code) for code in (IMPORT, USED))
    sizes = f"{count['one']:,} operations", f"{count['ten']:,} operations"
    return [
        at_most(
            f"generation of everything, {sizes[0]}, seconds",
            f"{wall['one']:.1f} s",
            "–",
            wall["one"],
            4,
        ),
        at_most(
            f"generation, {sizes[1]}, processor time",
            f"{work['ten']:.1f} s",
            f"{sizes[0]} {work['one']:.1f} s",
            work["ten"] / work["one"],
            12,
        ),
        Row(
            f"generation, {sizes[1]}, wall time",
            f"{wall['ten']:.1f} s",
            f"{sizes[0]} {wall['one']:.1f} s",
            wall["ten"] / wall["one"],
        ),
        at_most(
            f"`{IMPORT}`, {sizes[1]}",
            _ms(alone[1]),
            f"{sizes[0]} {_ms(alone[0])}",
            alone[1] / alone[0],
            1.1,
        ),
        Row(f"`{USED}`, {sizes[1]}", _ms(used[1]), f"{sizes[0]} {_ms(used[0])}", used[1] / used[0]),
    ]


class Duration(NamedTuple):
    """Seconds of wall time and of processor time."""

    wall: float
    work: float


def _generate(base: Path, name: str) -> Duration:
    command = [
        sys.executable,
        "-m",
        "generator",
        "--spec",
        str(base / f"{name}-spec"),
        "--out",
        str(base / name),
        "--docs",
        str(base / f"{name}-docs"),
    ]
    start, before = time.perf_counter(), os.times()
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment(ours=False)
    )
    wall, after = time.perf_counter() - start, os.times()
    work = (
        after.children_user + after.children_system - before.children_user - before.children_system
    )
    if done.returncode:
        raise SystemExit(
            f"the generator failed on {name}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    return Duration(wall, work or wall)  # not every system reports processor time


def _imports(base: Path, code: str) -> tuple[float, float]:
    """Best times of the smaller and the larger package, alternating; the first round only writes
    byte code.
    """
    seconds: dict[str, list[float]] = {"one": [], "ten": []}
    for _ in range(ROUNDS + 1):
        for name, times in seconds.items():
            paths = os.pathsep.join([str(base / name), str(ROOT / "overlays")])
            command = [sys.executable, "-c", TIMED.format(code)]
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                check=True,
                env=environment(ours=True, paths=paths),
            )
            times.append(float(done.stdout))
    return min(seconds["one"][1:]), min(seconds["ten"][1:])


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms"


def multiply(spec: Path, target: Path, times: int) -> int:
    """Writes `spec` to `target` with every resource `times` times; returns the number of
    operations.
    """
    shutil.copytree(spec, target)
    main = read_yaml(spec / "openapi.yaml").content
    files = {
        path.name: read_yaml(path).content for path in sorted((spec / "resources").glob("*.yaml"))
    }
    tags = list(main["tags"])
    for number in range(1, times):
        copy = _Copy(f"copy{number}", tags, files)
        main["tags"] += [{**tag, "name": copy.tag(tag["name"])} for tag in tags]
        for name, content in files.items():
            _write(target / "resources" / copy.file(name), copy.of(content))
    # One line per tag: the number of lines of a file is limited.
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
    """One copy, with its own names."""

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
        """The content of a file with the names of this copy."""
        renamed = self._node({key: part for key, part in content.items() if key not in _ONCE})
        names = (content.get("x-coze-stream-kind") or {}).get("names")
        if names:  # only the stream kind uses the list of events
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
            return target  # shared by all copies
        renamed = re.sub(
            r"(/components/\w+/)(\w+)", lambda match: match[1] + self._part(match[2]), pointer
        )
        return f"{self.file(file) if file else ''}#{renamed}"
