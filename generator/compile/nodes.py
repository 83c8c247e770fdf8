"""Questions to the nodes of the description: what a reference stands for, which properties an
object has, where a path leads; and names of the wire as names in Python.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from .bundle import Bundle, Node, references

SCHEMAS = "#/components/schemas/"
_OF_MODELS = {"to_dict", "from_dict", "set_logid"}
"""Methods of `coze_runtime.models.Model`, whose names its fields cannot have."""


def one_line(text: Any) -> str:
    """A text of the description without its line breaks."""
    return " ".join(str(text or "").split())


# ---- references


def reference(name: str | None) -> Node:
    """A node that points to a schema."""
    return {"$ref": f"{SCHEMAS}{name}"}


def schema_name(node: Any) -> str | None:
    """The schema that a node points to, if it is a reference to one."""
    target = node.get("$ref") if isinstance(node, dict) else None
    return (
        target.removeprefix(SCHEMAS)
        if isinstance(target, str) and target.startswith(SCHEMAS)
        else None
    )


def schemas_below(node: Any) -> Iterator[str]:
    """The schemas to which a node refers, however deep inside."""
    for target in references(node):
        if target.startswith(SCHEMAS):
            yield target.removeprefix(SCHEMAS)


def reachable(bundle: Bundle, names: Iterable[str]) -> list[str]:
    """The named schemas and all that they refer to, nearest first."""
    reached = dict.fromkeys(names)
    queue = list(reached)
    for name in queue:
        fresh = [inner for inner in schemas_below(bundle.schemas[name]) if inner not in reached]
        reached |= dict.fromkeys(fresh)
        queue += dict.fromkeys(fresh)
    return queue


def module_of(bundle: Bundle, name: str) -> str:
    """The module of `models/` that holds a schema: one for each file of the description."""
    return Path(bundle.origin[name]).stem


# ---- objects


def parts(bundle: Bundle, node: Node) -> Iterator[Node]:
    """What describes a value together: the schema that is pointed to, the parts of `allOf`, the
    node itself; a later one has the last word.
    """
    name = schema_name(node)
    if name:
        yield from parts(bundle, bundle.schemas[name])
    for part in node.get("allOf") or ():
        yield from parts(bundle, part)
    yield node


def properties(bundle: Bundle, node: Node) -> dict[str, Node]:
    """Properties as written, in the order of the description."""
    merged: dict[str, Node] = {}
    for part in parts(bundle, node):
        merged |= part.get("properties") or {}
    return merged


def types_of(bundle: Bundle, node: Node) -> set[str]:
    """The types that a value may have; empty when any."""
    types: set[str] = set()
    for part in parts(bundle, node):
        own = part.get("type") or []
        types |= {own} if isinstance(own, str) else set(own)
    return types


def known_values(bundle: Bundle, node: Node) -> list[Any]:
    """The known values of a node."""
    return [value for part in parts(bundle, node) for value in part.get("x-known-values") or ()]


def node_at(bundle: Bundle, node: Node, path: str) -> Node | None:
    """Where a dotted path leads; a number or `*` steps into a list. None when it leads nowhere."""
    for step in path.split("."):
        if step.isdigit() or step == "*":
            lists = [part["items"] for part in parts(bundle, node) if part.get("items")]
            child = lists[-1] if lists else None
        else:
            child = properties(bundle, node).get(step)
        if not child:
            return None
        node = child
    return node


# ---- operations


def body_schema(node: Node) -> str | None:
    """Name of the schema of the request body."""
    for media in ((node.get("requestBody") or {}).get("content") or {}).values():
        return schema_name(media.get("schema"))
    return None


def body_fields(bundle: Bundle, node: Node) -> dict[str, Node]:
    """Properties of the request body of an operation."""
    schema = body_schema(node)
    return properties(bundle, reference(schema)) if schema else {}


def success_content(node: Node) -> Node:
    """The content of a success, by its type."""
    content: Node = ((node.get("responses") or {}).get("200") or {}).get("content") or {}
    return content


def response_schema(node: Node) -> str | None:
    """Name of the JSON schema of a success."""
    return schema_name((success_content(node).get("application/json") or {}).get("schema"))


def results(bundle: Bundle) -> frozenset[str]:
    """The schemas of the objects that methods return."""
    nodes = [node for _, _, node in bundle.operations() if "x-coze-unwrap" in node]
    found = {result_schema(bundle, node) for node in nodes}
    return frozenset(name for name in found if name)


def result_schema(bundle: Bundle, node: Node) -> str | None:
    """The schema of the object that an operation returns, if it returns one."""
    response, path = response_schema(node), str(node["x-coze-unwrap"])
    if response is None or path == "body":
        return response
    return schema_name(node_at(bundle, reference(response), path))


def event_payloads(node: Node) -> Node:
    """Events of the stream of an operation: name → payload."""
    events: Node = (node.get("x-coze-stream") or {}).get("events") or {}
    return events


def pages_of(node: Node) -> list[str]:
    """Slugs of the official pages of an operation."""
    pages = node.get("x-coze-page") or []
    return [pages] if isinstance(pages, str) else list(pages)


# ---- names in Python


def member_name(value: Any, about: Any) -> str:
    """Python name of a known value."""
    name = about.get("name") if isinstance(about, dict) else None
    return re.sub(r"\W+", "_", str(name or value)).strip("_").upper()


def field_name(name: str, *, result: bool = False) -> str:
    """Python name of a field of a model: the wire name where Python and models allow it.

    Args:
        name: The wire name.
        result: Whether calls return the model, so that its `logid` is that of the call.
    """
    taken = {*_OF_MODELS, "logid"} if result else _OF_MODELS
    if name.isidentifier() and not (keyword.iskeyword(name) or name[0] == "_" or name in taken):
        return name
    python = python_name(name.lstrip("_") or "field")
    return python if python not in (name, *taken) else f"{python}_"


def python_name(name: str) -> str:
    """Python name of a parameter: the wire name where Python allows it."""
    python = re.sub(r"\W", "_", name)
    if python[:1].isdigit():
        python = f"_{python}"
    if python[:1].isupper():
        python = python.lower()
    return f"{python}_" if keyword.iskeyword(python) or python == "self" else python
