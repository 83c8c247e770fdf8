"""Writes a draft into the files of the description and of the contract tests. What is there stays
as it is.
"""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path
from typing import Any

import yaml

from ..compile.bundle import Node
from ..compile.lint.gaps import GAP
from .draft import Draft

_HEAD = 'openapi: 3.1.0\ninfo: {{title: {title}, version: "1"}}\npaths:\ncomponents:\n  schemas:\n'
_FLOW = ("schema", "items", "additionalProperties", "propertyNames", "default", "tags")


class _Dumper(yaml.SafeDumper):
    """Block style with indented lists, as the description is written."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        return super().increase_indent(flow, False)


class _Flow(dict[str, Any]):
    """A small mapping that is written on one line."""


_Dumper.add_representer(
    _Flow, lambda dumper, data: dumper.represent_mapping("tag:yaml.org,2002:map", data, True)
)
_Dumper.add_representer(
    list,
    lambda dumper, data: dumper.represent_sequence(
        "tag:yaml.org,2002:seq", data, all(isinstance(item, str | int) for item in data)
    ),
)


def as_yaml(node: Node, depth: int) -> str:
    """A part of a resource file, indented."""
    text = yaml.dump(
        _styled(node), Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=116 - depth
    )
    return "".join(f"{' ' * depth}{line}\n" for line in text.splitlines())


def _styled(node: Any, key: str = "") -> Any:
    if isinstance(node, list):
        return [_styled(item) for item in node]
    if not isinstance(node, dict):
        return node
    small = key in _FLOW or (set(node) <= {"$ref", "description"} and len(node) == 1)
    inner = {name: _styled(value, name) for name, value in node.items()}
    return _Flow(inner) if small and not (inner.keys() & {"properties"}) else inner


def write_operation(spec: Path, draft: Draft) -> Path:
    """Adds operation and schemas to their resource file, which is made when there is none."""
    path = spec / draft.file
    if not path.exists():
        title = draft.tag.replace(".", " ").replace("_", " ").capitalize()
        path.write_text(_HEAD.format(title=title), encoding="utf-8")
        _add_tag(spec / "openapi.yaml", draft.tag)
    paths, _, schemas = path.read_text(encoding="utf-8").partition("\ncomponents:\n")
    operation = as_yaml({draft.method: draft.node}, 4)
    # Parameters of a path are named otherwise in some files; the same path is the same text.
    head = f"\n  {draft.path}:\n"
    if head in paths:
        before, _, after = paths.partition(head)
        paths = f"{before}{head}{operation}{after}"
    else:
        paths = f"{paths}{head}{operation.rstrip()}"
    schemas = schemas or "  schemas:\n"
    added = "".join(as_yaml({name: node}, 4) for name, node in draft.schemas.items())
    path.write_text(f"{paths}\ncomponents:\n{schemas}{added}", encoding="utf-8")
    return path


def _add_tag(path: Path, tag: str) -> None:
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    start = lines.index("tags:\n")
    last = max(i for i, line in enumerate(lines) if i > start and line.startswith("  - {name:"))
    lines.insert(last + 1, f'  - {{name: {tag}, description: "{GAP} say what it is about"}}\n')
    path.write_text("".join(lines), encoding="utf-8")


def write_ledger(spec: Path, slug: str, title: str, section: str, operation: str) -> None:
    """Lists an operation under its page, which is added when the ledger does not know it."""
    path = spec / "coverage.yaml"
    text = path.read_text(encoding="utf-8")
    known = re.search(rf"^  {slug}:\n((?:    .*\n)*)", text, re.M)
    today = datetime.date.today().isoformat()
    if known:
        entry = re.sub(r"    (?:module|status|reason): .*\n", "", known[1])
        entry = re.sub(r"checked: .*", f"checked: {today}", entry)
        listed = re.search(r"operations: \[(.*)\]", entry)
        names = f"{listed[1]}, {operation}" if listed and listed[1] else operation
        entry = re.sub(r"    operations: .*\n", "", entry)
        entry = entry.replace("    checked:", f"    operations: [{names}]\n    checked:")
        text = f"{text[: known.start()]}  {slug}:\n{entry}{text[known.end() :]}"
    else:
        row = {slug: {"name": f"{GAP} {title}".strip(), "section": section}}
        entry = yaml.dump(row, allow_unicode=True, sort_keys=False)
        entry = "".join(f"  {line}\n" for line in entry.splitlines())
        entry += f"    operations: [{operation}]\n    since: {today}\n    checked: {today}\n"
        listed = re.search(r"^pages:\n(?:  .*\n)*", text, re.M)
        end = listed.end() if listed else len(text)
        text = f"{text[:end]}{entry}{text[end:]}"
    path.write_text(text, encoding="utf-8")


def write_exchanges(folder: Path, name: str, exchanges: list[Any], fields: Node) -> None:
    """Adds the documented exchanges and fields of an operation to the contract tests."""
    for file, value, text in (
        ("exchanges.json", exchanges, indented),
        ("documented.json", fields, one_field_a_line),
    ):
        path = folder / file
        content = json.loads(path.read_text(encoding="utf-8"))
        if value:
            content[name] = value
        ordered = {key: content[key] for key in sorted(content)}
        path.write_text(text(ordered), encoding="utf-8", newline="\n")


def indented(content: Any) -> str:
    """JSON as `exchanges.json` has it."""
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def one_field_a_line(content: dict[str, Any], depth: int = 0) -> str:
    """JSON with one field on each line, so that a change of a page is a change of its lines."""
    pad = " " * (depth + 1)
    if depth > 1 and all(not isinstance(value, dict) for value in content.values()):
        return json.dumps(content, ensure_ascii=False)
    lines = [
        f"{pad}{json.dumps(key)}: "
        + (
            one_field_a_line(value, depth + 1)
            if isinstance(value, dict)
            else json.dumps(value, ensure_ascii=False)
        )
        for key, value in content.items()
    ]
    return "{\n" + ",\n".join(lines) + f"\n{' ' * depth}}}" + ("\n" if depth == 0 else "")
