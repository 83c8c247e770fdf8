"""Data for the templates: imports, expressions, docstrings. The templates themselves only loop."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from attrs import define, evolve

from .bundle import Bundle, Node, schema_name
from .docstrings import docstring, method_text, returned
from .operations import Operation, Parameter
from .schemas import Enum, Model, module_of

if TYPE_CHECKING:
    from .emit import Compiled


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


RESULTS = ("ResultBytes", "ResultDict", "ResultList", "ResultText")
"""What carries the log id of a call where the result is no model."""


def tags(bundle: Bundle, operations: list[Operation]) -> list[Tag]:
    """Every tag, and the tags in between that have no operation of their own (`workflows.runs` of `workflows.runs.x`)."""
    described = {tag["name"]: tag["description"] for tag in bundle.document["tags"]}
    used = {operation.tag for operation in operations}
    names = {".".join(name.split(".")[:depth]) for name in used for depth in range(1, name.count(".") + 2)}
    found = []
    for name in sorted(names):
        module = name.replace(".", "_")
        parent = name.rpartition(".")[0] or None
        text = described.get(name) or f"Resources below `{name}`."
        source = f"resources/{module}.yaml" if name in used else "openapi.yaml"
        found.append(Tag(name, module, _class_name(name, bundle), name.rpartition(".")[2], text, parent, source))
    return found


def _class_name(tag: str, bundle: Bundle) -> str:
    """`workflows.runs` → `WorkflowsRuns`; `chat`, whose name a model has, → `Chats`."""
    name = "".join(word.capitalize() for word in tag.replace(".", "_").split("_"))
    return f"{name}s" if name in bundle.schemas else name


def model_imports(bundle: Bundle, models: list[Model], enums: list[Enum]) -> list[str]:
    """Import lines of a module of models. They are real imports: msgspec resolves the annotations."""
    annotations = " ".join(field.annotation for model in models for field in model.fields)
    lines = []
    for module, names in (("collections.abc", ("Mapping", "Sequence")), ("typing", ("Any",))):
        wanted = [name for name in names if name in annotations.replace("[", " ").replace("]", " ").replace(",", " ").split()]
        lines += [f"from {module} import {', '.join(wanted)}"] if wanted else []
    if models:
        secret = any(field.secret for model in models for field in model.fields)
        lines += ["", f"from attrs import define{', field' if secret else ''}"]
    runtime = sorted({enum.base for enum in enums} | ({"Model"} if models else set()))
    lines += ["", f"from ..types import {', '.join(runtime)}"]
    own = {model.name for model in models} | {enum.name for enum in enums}
    uses = {name for model in models for field in model.fields for name in field.uses} - own
    return lines + _schema_imports(bundle, uses, ".")


def _schema_imports(bundle: Bundle, uses: set[str] | frozenset[str], prefix: str) -> list[str]:
    by_module: dict[str, list[str]] = {}
    for name in uses:
        by_module.setdefault(module_of(bundle, name), []).append(name)
    return [f"from {prefix}{module} import {', '.join(sorted(names))}" for module, names in sorted(by_module.items())]


def operation_context(bundle: Bundle, op: Operation) -> dict[str, Any]:
    """Everything that `operation.py.jinja` prints."""
    events = {name: (schema_name(payload) if payload else None) for name, payload in (op.stream or {}).get("events", {}).items()}
    returns = f"PageData[{op.returns}]" if op.pager else op.returns
    context = {
        "op": op,
        "source": bundle.origin[op.id],
        "flags": _flags(op),
        "events": events,
        "returns": returns,
        "kind": _kind(op),
        "path": _path(op),
        "query": _query(op),
        "headers": _headers(op),
        "body": _given([p for p in op.parameters if p.place == "body"]) if op.media else None,
        "files": _files(op),
        "takes_arguments": _takes_arguments(op),
    }
    return context | {"imports": _operation_imports(bundle, op, {name for name in events.values() if name}, context)}


def events_context(bundle: Bundle, stem: str, table: Node) -> dict[str, Any]:
    """Everything that `events.py.jinja` prints."""
    named = {"send": ("SEND", "Events that the client sends."), "receive": ("RECEIVE", "Events that the server sends.")}
    tables = [(*named[key], {event: str(schema_name(ref)) for event, ref in table[key].items()}) for key in named if key in table]
    if "events" in table:
        delivered = {event: str(schema_name(about["schema"])) for event, about in table["events"].items()}
        tables.append(("EVENTS", "Events that the service delivers to the address of a callback application.", delivered))
    uses = {name for _, _, events in tables for name in events.values()}
    socket = table if table["kind"] == "x-coze-socket" else None
    imports = [*_schema_imports(bundle, uses, "..models."), f"from ..types import Model{', Socket' if socket else ''}"]
    source = bundle.origin[f"events/{stem}"]
    return {"source": source, "title": table["title"], "imports": imports, "tables": tables, "socket": socket}


def _takes_arguments(op: Operation) -> bool:
    """Whether handwritten methods stand on this operation: those that follow a stream or wait for an outcome."""
    return op.stream is not None or op.waiter is not None


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
    }
    return [name for name, value in flags.items() if value]


def _path(op: Operation) -> str:
    text = op.path
    for parameter in op.positional:
        text = text.replace(f"{{{parameter.wire}}}", f"{{segment('{parameter.python}', {parameter.python})}}")
    return f'f"{text}"' if op.positional else f'"{text}"'


def _query(op: Operation) -> str:
    return _given([p for p in op.parameters if p.place == "query"])


def _headers(op: Operation) -> str:
    fixed = "".join(f'"{name}": "{value}", ' for name, value in op.constants.items())
    own = _given([p for p in op.parameters if p.place == "header"])
    return f"{{{fixed}**{own}}}" if fixed and own != "{}" else f"{{{fixed}}}" if fixed else own


def _given(parameters: list[Parameter]) -> str:
    """A dictionary of the arguments by wire name, those that are None left out."""
    if not parameters:
        return "{}"
    pairs = (f'"{p.wire}": ' + (f"joined({p.python})" if p.joined else p.python) for p in parameters)
    text = f"{{{', '.join(pairs)}}}"
    return text if all(p.required and not p.joined for p in parameters) else f"given({text})"


def _files(op: Operation) -> str | None:
    if op.media != "multipart/form-data":
        return None
    files = [p for p in op.parameters if p.place == "file"]
    pairs = ", ".join(
        f'"{p.wire}": part("{p.python}", {p.python})' + ("" if p.required else f" if {p.python} is not None else None") for p in files
    )
    return f"{{{pairs}}}" if all(p.required for p in files) else f"given({{{pairs}}})"


def _operation_imports(bundle: Bundle, op: Operation, events: set[str], context: dict[str, Any]) -> list[str]:
    """Import lines: what runs is imported, what only annotates is for the type checker."""
    text = " ".join([context["path"], context["query"], context["headers"], context["body"] or "", context["files"] or ""])
    types = ["Operation", "Request"]
    types += [name for name in ("given", "joined", "segment") if f"{name}(" in text]
    types += [
        name
        for name, used in (("Pager", op.pager), ("Stream", op.stream), ("Waiter", op.waiter), ("Empty", op.unwrap == "nothing"))
        if used
    ]
    codec = [] if op.streams_only else _codec_names(op)
    runtime = set(events) | ({op.answer} if op.answer and not op.streams_only and op.unwrap not in ("content", "location") else set())
    annotations = " ".join(p.annotation for p in op.parameters) + " " + context["returns"]
    checking = {name for p in op.parameters for name in p.uses} | (set(op.uses) if not op.streams_only else set())
    lines: list[str] = []
    typed = [name for name in ("PageData", "FileInput", *RESULTS) if name in annotations]
    typed += [] if op.streams_only else ["Response"]
    abstract = [name for name in ("Mapping", "Sequence") if f"{name}[" in annotations]
    words = ["Any"] if "Any" in annotations else []
    if _takes_arguments(op):
        abstract, words = sorted({*abstract, "Mapping"}), ["Any", "Required", "TypedDict"]
        typed.append("TimeoutInput")
    standard = [("collections.abc", abstract), ("typing", words)]
    later = _schema_imports(bundle, checking - runtime, "...models.")
    lines += ["from typing import TYPE_CHECKING", ""]
    lines += [f"from ...codec import {', '.join(codec)}"] if codec else []
    lines += _schema_imports(bundle, runtime, "...models.")
    lines += [f"from ...types import {', '.join(sorted(types))}"]
    lines += ["from ...uploads import part"] if "part(" in text else []
    block = [f"    from {module} import {', '.join(names)}" for module, names in standard if names]
    block += [""] if block and (later or typed) else []
    block += [f"    {line}" for line in later]
    block += [f"    from ...types import {', '.join(sorted(typed))}"] if typed else []
    return [*lines, "", "if TYPE_CHECKING:", *block] if block else lines[2:]


def _codec_names(op: Operation) -> list[str]:
    if op.pager:
        return ["decode", "page"]
    if op.unwrap in ("content", "location"):
        return [op.unwrap]
    return ["decode", *(["dig"] if "." in op.unwrap else []), f"result{_kind(op)}"]


def _kind(op: Operation) -> str:
    """Which function of the codec puts the log id on what the method returns."""
    return next((f"_{name.removeprefix('Result').lower()}" for name in RESULTS if op.returns.startswith(f"{name}[")), "")


def resource_context(compiled: Compiled, tag: Tag, *, is_async: bool) -> dict[str, Any]:
    """Everything that `resource.py.jinja` prints, for the sync or the async class."""
    own = [operation for operation in compiled.operations if operation.tag == tag.name]
    children = [child for child in compiled.tags if child.parent == tag.name]
    # A method named `list` hides the builtin from the annotations of its class.
    shadows = any(op.method == "list" for op in own)
    if shadows:
        own = [_with_builtins(op) for op in own]
    imports = _resource_imports(compiled.bundle, own, children, is_async)
    if any("builtins." in text for text in [*(p.annotation for op in own for p in op.arguments), *(op.returns for op in own)]):
        imports.insert(0, "import builtins")
    about = {"cls": tag.cls, "description": tag.description, "source": tag.source, "is_async": is_async}
    return about | {"operations": own, "children": children, "imports": imports}


def _with_builtins(op: Operation) -> Operation:
    parameters = [evolve(p, annotation=re.sub(r"\blist\[", "builtins.list[", p.annotation)) for p in op.parameters]
    return evolve(op, parameters=parameters, returns=re.sub(r"\blist\[", "builtins.list[", op.returns))


def _resource_imports(bundle: Bundle, own: list[Operation], children: list[Tag], is_async: bool) -> list[str]:
    prefix = "Async" if is_async else ""
    annotations = " ".join([*(p.annotation for op in own for p in op.arguments), *(op.returns for op in own)])
    uses = {name for op in own for p in op.arguments for name in p.uses} | {name for op in own if not op.streams_only for name in op.uses}
    pagers, streams = any(op.pager for op in own), any(op.stream for op in own)
    block = (
        ["    from collections.abc import Mapping" + (", Sequence" if "Sequence[" in annotations else ""), "    from typing import Any", ""]
        if own
        else []
    )
    block += [f"    from .._http import {prefix}ByteStream"] if streams else []
    block += [f"    {line}" for line in _schema_imports(bundle, uses, "..models.")]
    extra = [name for name in ("Empty", "FileInput", *RESULTS) if name in annotations] + (["PageData"] if pagers else [])
    block += [f"    from ..types import {', '.join(sorted([*extra, 'TimeoutInput']))}"] if own else []
    block += [f"    from .{child.module} import {prefix}{child.cls}" for child in children]
    lines = [
        "from typing import TYPE_CHECKING",
        *(["from warnings import warn"] if any(op.node.get("deprecated") for op in own) else []),
        "",
    ]
    lines += ["from ..async_client import AsyncResource" if is_async else "from ..client import Resource"]
    lines += [f"from ..paging import {'AsyncPager' if is_async else 'Page'}"] if pagers else []
    lines += ["from ..types import DEFAULT, CallOptions"] if own else []
    return [*lines, "", "if TYPE_CHECKING:", *block]


def _set_literal(values: list[Any]) -> str:
    return "{" + ", ".join(json.dumps(value, ensure_ascii=False) for value in values) + "}" if values else "()"


FILTERS = {
    "docstring": docstring,
    "literal": lambda value: json.dumps(value, ensure_ascii=False),
    "set_literal": _set_literal,
    "returned": returned,
    "method_text": method_text,
}
