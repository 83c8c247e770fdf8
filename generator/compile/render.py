"""Data for the templates: resources, imports, expressions. The templates themselves only loop."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from attrs import define

from .bundle import Bundle, Node, call_of
from .docstrings import docstring, method_text, returned
from .limits import limit_code
from .methods import methods_of, with_types
from .nodes import one_line
from .operations import Operation, Parameter
from .schemas import Enum, Model
from .streams import schema_imports

RESULTS = ("ResultBytes", "ResultDict", "ResultList", "ResultText")
"""What carries the log id of a call where the result is not a model."""


@define
class Tag:
    """One resource class."""

    name: str
    module: str
    cls: str
    attribute: str
    description: str
    parent: str | None
    source: str


def tags_of(bundle: Bundle, operations: list[Operation]) -> list[Tag]:
    """Every tag, and the tags in between that have no operation of their own (`workflows.runs` of
    `workflows.runs.x`).
    """
    described = {tag["name"]: one_line(tag["description"]) for tag in bundle.document["tags"]}
    used = {operation.tag for operation in operations}
    names = {
        ".".join(name.split(".")[:depth])
        for name in used
        for depth in range(1, name.count(".") + 2)
    }
    return [
        Tag(
            name,
            module := name.replace(".", "_"),
            _class_name(name, bundle),
            name.rpartition(".")[2],
            described.get(name) or f"Resources below `{name}`.",
            name.rpartition(".")[0] or None,
            f"resources/{module}.yaml" if name in used else "openapi.yaml",
        )
        for name in sorted(names)
    ]


def _class_name(tag: str, bundle: Bundle) -> str:
    """`workflows.runs` → `WorkflowsRuns`; `chat`, whose name a model has, → `Chats`."""
    name = "".join(word.capitalize() for word in tag.replace(".", "_").split("_"))
    return f"{name}s" if name in bundle.schemas else name


def model_imports(bundle: Bundle, models: list[Model], enums: list[Enum]) -> list[str]:
    """Imports of the schemas that a module of models takes from others; msgspec resolves them."""
    own = {model.name for model in models} | {enum.name for enum in enums}
    uses = {name for model in models for field in model.fields for name in field.uses} - own
    return schema_imports(bundle, uses, ".")


def operation_context(bundle: Bundle, op: Operation) -> dict[str, Any]:
    """Everything that `operation.py.jinja` prints."""
    returns = f"PageData[{op.returns}]" if op.pager else op.returns
    context = {
        "op": op,
        "source": bundle.origin[op.id],
        "failed": _failed(bundle, op),
        "flags": _flags(op),
        "returns": returns,
        "kind": _kind(op),
        "path": _path(op),
        "query": _query(op),
        "headers": _headers(op),
        "body": _given([p for p in op.parameters if p.place == "body"]) if op.media else None,
        "files": _files(op),
        "error_classes": sorted(bundle.error_classes),
    }
    names = _followed(op)
    nodes = bundle.operations() if names else ()
    followed = {node["operationId"]: node for _, _, node in nodes if node["operationId"] in names}
    context["modules"] = {name: _module_of(node) for name, node in followed.items()}
    context["calls"] = {name: call_of(node) for name, node in followed.items()}
    return context | _operation_imports(bundle, op)


def _failed(bundle: Bundle, op: Operation) -> str | None:
    """The error class for a chat or run that the operation started and that failed."""
    if op.stream:
        return str(bundle.stream_kinds[op.stream["kind"]]["failed"])
    failures: dict[str, Any] = (op.waiter or {}).get("failures") or {}
    return next((str(about["error"]) for about in failures.values()), None)


def _followed(op: Operation) -> list[str]:
    """Operations that a waiter, or a call that came too late, goes on with."""
    waiter, ended = op.waiter or {}, op.node.get("x-coze-ended") or {}
    cancel = waiter.get("cancel") or {}
    names = (waiter.get("operation"), waiter.get("then"))
    return [name for name in (*names, cancel.get("operation"), ended.get("operation")) if name]


def _module_of(node: Node) -> str:
    """Where the module of an operation is, below `api`."""
    package = node["tags"][0].replace(".", "_")
    return f"{package}.{node['operationId'].removeprefix(f'{package}_')}"


def _flags(op: Operation) -> list[str]:
    www = any("://www." in server["url"] for server in op.node.get("servers") or ())
    billed = bool(op.node.get("x-coze-billed"))
    safe = op.pager is not None or bool(op.node.get("x-coze-safe"))
    flags = {
        "billed": billed,
        "safe": safe,
        # A token comes at once, though it must not be asked for twice.
        "slow": op.stream is not None or (billed and op.node.get("security") != []),
        "www": www,
        "anonymous": op.node.get("security") == [],
        "binary": op.returns == "ResultBytes",
    }
    return [name for name, value in flags.items() if value]


def _path(op: Operation) -> str:
    text = op.path
    for parameter in op.positional:
        text = text.replace(
            f"{{{parameter.wire}}}", f"{{path_segment('{parameter.python}', {parameter.python})}}"
        )
    return f'f"{text}"' if op.positional else f'"{text}"'


def _query(op: Operation) -> str:
    return _given([p for p in op.parameters if p.place == "query"])


def _headers(op: Operation) -> str:
    constants = "".join(f'"{name}": "{value}", ' for name, value in op.constants.items())
    own = _given([p for p in op.parameters if p.place == "header"])
    if not constants:
        return own
    return f"{{{constants}}}" if own == "{}" else f"{{{constants}**{own}}}"


def _given(parameters: list[Parameter]) -> str:
    """A dictionary of the arguments by wire name, those that are None left out."""
    if not parameters:
        return "{}"
    pairs = ", ".join(
        f'"{p.wire}": {f"comma_separated({p.python})" if p.joined else p.python}'
        for p in parameters
    )
    complete = all(p.required and not p.joined for p in parameters)
    return f"{{{pairs}}}" if complete else f"omit_none({{{pairs}}})"


def _files(op: Operation) -> str | None:
    if op.media != "multipart/form-data":
        return None
    files = [p for p in op.parameters if p.place == "file"]
    pairs = ", ".join(
        f'"{p.wire}": part("{p.python}", {p.python})'
        + ("" if p.required else f" if {p.python} is not None else None")
        for p in files
    )
    return f"{{{pairs}}}" if all(p.required for p in files) else f"omit_none({{{pairs}}})"


def _operation_imports(bundle: Bundle, op: Operation) -> dict[str, list[str]]:
    """Import lines of schemas: what runs, and what only annotates. Ruff prunes the others."""
    decoded = not op.streams_only and op.unwrap not in ("content", "location")
    runtime = {op.response} if op.response and decoded else set()
    checking = {name for p in op.parameters for name in p.uses}
    checking |= set() if op.streams_only else set(op.uses)
    return {
        "imports": schema_imports(bundle, runtime, "...models."),
        "typed_imports": schema_imports(bundle, checking - runtime, "...models."),
    }


def _kind(op: Operation) -> str:
    """Which function of the codec puts the log id on what the method returns."""
    name = next((name for name in RESULTS if op.returns.startswith(f"{name}[")), "Result")
    return f"_{name.removeprefix('Result').lower()}" if name != "Result" else ""


def resource_context(
    bundle: Bundle, operations: dict[str, Operation], tags: list[Tag], tag: Tag, *, is_async: bool
) -> dict[str, Any]:
    """Everything that `resource.py.jinja` prints, for the sync or the async class."""
    own = [op for op in operations.values() if op.tag == tag.name]
    methods = [method for op in own for method in methods_of(bundle, op, operations)]
    change = _type_changer(bundle, any(method.name == "list" for method in methods))
    return {
        "cls": tag.cls,
        "description": tag.description,
        "source": tag.source,
        "is_async": is_async,
        "methods": [with_types(method, change) for method in methods],
        "children": [child for child in tags if child.parent == tag.name],
    }


def _type_changer(bundle: Bundle, shadows: bool) -> Callable[[str], str]:
    """Types as `models.Chat`: found at run time, and loaded no earlier. A method named `list` hides
    the builtin from the annotations of its class.
    """
    names = re.compile(r"(?<![\w.])([A-Z]\w*)")

    def with_module(match: re.Match[str]) -> str:
        return f"models.{match[1]}" if match[1] in bundle.schemas else match[1]

    def change(text: str) -> str:
        changed = names.sub(with_module, text)
        return re.sub(r"(?<![\w.])list\[", "builtins.list[", changed) if shadows else changed

    return change


def _literal(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _set_literal(values: list[Any]) -> str:
    return f"{{{', '.join(map(_literal, values))}}}" if values else "()"


FILTERS = {
    "docstring": docstring,
    "literal": _literal,
    "set_literal": _set_literal,
    "returned": returned,
    "method_text": method_text,
    "limit_code": limit_code,
}
