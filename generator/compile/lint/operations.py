"""Rules for operations, beyond their shape: names, parameters, body, what a method returns."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..bundle import Bundle, Node
from ..nodes import body_fields, body_schema, node_at, properties, reference, response_schema
from .methods import lint_methods
from .place import Place
from .schemas import lint_node
from .values import Values

# Last word of a method name; a new one is added here on purpose, not by accident.
VERBS = frozenset(
    "create retrieve list update delete publish unpublish cancel clear stream resume upload "
    "clone duplicate install insert query "
    "process call identify submit me authorize token code".split()
)
_NO_PATH = ("body", "nothing", "content", "location")
"""Values of `x-coze-unwrap` that are not paths."""
_REQUEST_PATHS = ("page", "size", "before", "after")
_RESPONSE_PATHS = ("items", "total", "has_more", "next", "next_before", "next_after")


def lint_operation(place: Place, path: str, node: Node, values: Values) -> Iterator[str]:
    """Messages for one operation."""
    bundle = values.bundle
    yield from _names(place, node)
    yield from lint_parameters(place / "parameters", node, values)
    yield from _path(place / "parameters", path, node)
    yield from _body(place, node, bundle)
    for code, response in node["responses"].items():
        for name, header in (response.get("headers") or {}).items():
            here = place.below("responses", code, "headers", name)
            yield from lint_node(here, {**header["schema"], "example": header["example"]}, values)
    yield from _returns(place, node, bundle)
    codes = bundle.document.get("x-coze-error-codes") or {}
    for index, code in enumerate(node.get("x-coze-errors") or ()):
        if code not in codes:
            yield place.below("x-coze-errors", index).says(
                f"{code} is not in x-coze-error-codes; add it to spec/shared.yaml"
            )
    yield from _other_servers(place, node, bundle)
    yield from lint_methods(place, node, values)


def _other_servers(place: Place, node: Node, bundle: Bundle) -> Iterator[str]:
    """Messages for what other servers want and answer."""
    for server, route in (node.get("x-coze-also-on") or {}).items():
        for index, name in enumerate(route.get("numbers") or ()):
            if name not in body_fields(bundle, node):
                yield place.below("x-coze-also-on", server, "numbers", index).says(
                    f"{name} is not a field of the body; fix the name"
                )
    for index, entry in enumerate(node.get("x-coze-tolerance") or ()):
        if not _in_response(bundle, node, entry["place"]):
            yield place.below("x-coze-tolerance", index, "place").says(
                f"{entry['place']} is not a path in the response; fix it"
            )


def _names(place: Place, node: Node) -> Iterator[str]:
    prefix = f"{node['tags'][0].replace('.', '_')}_"
    here, operation_id = place / "operationId", node["operationId"]
    if not operation_id.startswith(prefix):
        yield here.says(f"does not begin with {prefix}, as its tag; rename it")
    elif not VERBS & set(operation_id.removeprefix(prefix).split("_")):
        yield here.says(
            f"no known verb in the method name; use one of {', '.join(sorted(VERBS))}, or add it "
            "in generator/compile/lint/operations.py"
        )


def lint_parameters(place: Place, node: Node, values: Values) -> Iterator[str]:
    """Messages for the parameters of an operation or a socket."""
    for index, parameter in enumerate(node.get("parameters") or ()):
        described = {**parameter["schema"]}
        if "example" in parameter:
            described["example"] = parameter["example"]
        if "x-coze-constant" in parameter:
            described["example"] = parameter["x-coze-constant"]
        yield from lint_node(place / index / "schema", described, values)


def _path(place: Place, path: str, node: Node) -> Iterator[str]:
    """Fields of the path and path parameters are the same."""
    fields = set(re.findall(r"\{([^}]*)\}", path))
    for index, parameter in enumerate(node.get("parameters") or ()):
        if parameter["in"] == "path" and parameter["name"] not in fields:
            yield (place / index).says("not a field of the path; fix the name")
    missing = fields - {p["name"] for p in node.get("parameters") or () if p["in"] == "path"}
    for name in sorted(missing):
        yield place.says(f"field {name} of the path is not described; add it")


def _body(place: Place, node: Node, bundle: Bundle) -> Iterator[str]:
    name = body_schema(node)
    if name is None:
        return
    fields = properties(bundle, reference(name))
    if not fields and bundle.schemas[name].get("type") != "object":
        yield (place / "requestBody").says(
            f"{name} is not an object; its properties become keyword arguments"
        )
    for index, parameter in enumerate(node.get("parameters") or ()):
        if parameter["name"] in fields:
            yield place.below("parameters", index).says("is a field of the body too; keep one")


def _returns(place: Place, node: Node, bundle: Bundle) -> Iterator[str]:
    unwrap, pager = node.get("x-coze-unwrap"), node.get("x-coze-pager") or {}
    if unwrap is not None and unwrap not in _NO_PATH and not _in_response(bundle, node, unwrap):
        yield (place / "x-coze-unwrap").says(f"{unwrap} is not a path in the response; fix it")
    here, fields = place / "x-coze-pager", _request_fields(bundle, node, pager.get("in"))
    for key in _REQUEST_PATHS:
        if key in pager and pager[key] not in fields:
            yield (here / key).says(f"{pager[key]} is not a {pager['in']} field; fix the name")
    paths = {key: pager[key] for key in _RESPONSE_PATHS if key in pager}
    if "id" in pager:
        paths["id"] = f"{pager['items']}.*.{pager['id']}"
    for key, path in paths.items():
        if not _in_response(bundle, node, path):
            yield (here / key).says(f"{path} is not a path in the response; fix it")


def _in_response(bundle: Bundle, node: Node, path: str) -> bool:
    schema = response_schema(node)
    return schema is not None and node_at(bundle, reference(schema), path) is not None


def _request_fields(bundle: Bundle, node: Node, where: str | None) -> set[str]:
    if where == "body":
        return set(body_fields(bundle, node))
    return {p["name"] for p in node.get("parameters") or () if p["in"] == where}
