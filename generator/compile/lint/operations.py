"""Rules for operations: names, texts, parameters, bodies, responses, what a method returns."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..bundle import Bundle, Node
from ..nodes import body_fields, node_at, properties, reference, response_schema, schema_name
from .keys import Keys, check_keys
from .methods import lint_methods
from .schemas import example_rule

# Last word of a method name; a new one is added here on purpose, not by accident.
VERBS = frozenset(
    "create retrieve list update delete publish unpublish cancel clear stream resume upload "
    "clone duplicate install insert query "
    "process call identify submit me authorize token code".split()
)
PAGER_KEYS: dict[str, Keys] = {
    "number": ({"style", "in", "page", "size", "items"}, {"total", "has_more", "id"}),
    "token": ({"style", "in", "page", "size", "items", "next"}, {"total", "has_more", "id"}),
    "cursor": (
        {"style", "in", "size", "items", "before", "after", "next_before", "next_after"},
        {"total", "has_more", "id"},
    ),
}
_PAGER_PATHS = ("items", "total", "has_more", "next", "next_before", "next_after")
_NO_PATH = (None, "body", "nothing", "content", "location")
"""Values of `x-coze-unwrap` that are not paths."""


def place_of(bundle: Bundle, method: str, path: str, node: Node) -> str:
    """File and name of an operation, for messages."""
    operation_id = str(node.get("operationId") or f"{method.upper()} {path}")
    return f"spec/{bundle.origin.get(operation_id, '?')}: {operation_id}"


def lint_operations(bundle: Bundle) -> Iterator[str]:
    """Messages for every operation."""
    tags = {tag["name"] for tag in bundle.document.get("tags", ())}
    for method, path, node in bundle.operations():
        where = place_of(bundle, method, path, node)
        yield from _names(where, node, tags)
        yield from _texts(where, node)
        yield from _parameters(where, node)
        yield from _path(where, path, node)
        yield from _body(where, node, bundle)
        yield from _responses(where, node)
        yield from _returns(where, node, bundle)
        yield from _references(where, node, bundle)
        if "x-coze-pager" in node:
            yield from _pager(where, node, bundle)
        yield from lint_methods(where, node, bundle)


def _names(where: str, node: Node, tags: set[str]) -> Iterator[str]:
    operation_id, own = str(node.get("operationId") or ""), node.get("tags") or []
    if len(own) != 1 or own[0] not in tags:
        yield f"{where}: needs exactly one tag, listed in spec/openapi.yaml; it has {own}"
        return
    prefix = f"{own[0].replace('.', '_')}_"
    if not operation_id.startswith(prefix) or len(operation_id) > 60:
        yield f"{where}: operationId is not {prefix}<method> of at most 60 characters; rename it"
    elif not VERBS & set(operation_id.removeprefix(prefix).split("_")):
        yield (
            f"{where}: no known verb in the method name; use one of {', '.join(sorted(VERBS))}, or "
            "add it in generator/compile/lint/operations.py"
        )


def _texts(where: str, node: Node) -> Iterator[str]:
    summary = node.get("summary") or ""
    if not 1 <= len(summary) <= 72 or summary.endswith("."):
        yield (
            f"{where}: summary must have 1 to 72 characters and no full stop; it has {len(summary)}"
        )
    if not node.get("description"):
        yield f"{where}: no description; say what it does and does not do, limits, who may call it"
    if not node.get("x-coze-page") and not node.get("x-coze-deviation"):
        yield (
            f"{where}: no x-coze-page; name the official page, or explain by "
            "x-coze-deviation that there is none"
        )
    if not isinstance(node.get("x-coze-permission"), list):
        yield f"{where}: no x-coze-permission; list the token permissions, [] for none"
    if node.get("deprecated") and not node.get("x-coze-replaced-by"):
        yield f"{where}: deprecated without x-coze-replaced-by; name the operation to use instead"


def _parameters(where: str, node: Node) -> Iterator[str]:
    for parameter in node.get("parameters") or ():
        here = f"{where}({parameter.get('name')})"
        schema = parameter.get("schema") or {}
        if not parameter.get("description"):
            yield f"{here}: no description; give meaning, unit, range and what absence means"
        if not schema:
            yield f"{here}: no schema; give it a type"
        yield from example_rule(here, schema, parameter)


def _path(where: str, path: str, node: Node) -> Iterator[str]:
    """Fields of the path and path parameters are the same."""
    fields = set(re.findall(r"\{([^}]*)\}", path))
    described: set[str] = set()
    for parameter in node.get("parameters") or ():
        name = str(parameter.get("name"))
        if parameter.get("in") == "path":
            if name in fields and parameter.get("required") is True:
                described.add(name)
            else:
                yield f"{where}({name}): a path parameter must be required, and a field of the path"
    missing = ", ".join(sorted(fields - described))
    if missing:
        yield f"{where}: path fields {missing} are not described; add them to parameters"


def _body(where: str, node: Node, bundle: Bundle) -> Iterator[str]:
    content = (node.get("requestBody") or {}).get("content")
    if content is None:
        return
    if len(content) != 1:
        yield f"{where}: a request body needs exactly one content type"
    for media in content.values():
        schema = media.get("schema") or {}
        fields = properties(bundle, schema)
        name = schema_name(schema)
        if name is None or not (fields or bundle.schemas[name].get("type") == "object"):
            yield (
                f"{where}: the request body must point to a named object schema; its "
                "properties become keyword arguments"
            )
            continue
        both = fields.keys() & {p.get("name") for p in node.get("parameters") or ()}
        if both:
            names = ", ".join(sorted(map(str, both)))
            yield f"{where}: {names} is both in the body and in the parameters; keep one"


def _responses(where: str, node: Node) -> Iterator[str]:
    codes = [str(code) for code in node.get("responses") or {}]
    if not any(code.startswith(("2", "3")) for code in codes):
        yield f"{where}: no 2xx response; describe what a success looks like"
    if "default" not in codes:
        yield f"{where}: no default response; point it to shared.yaml#/components/responses/Error"


def _returns(where: str, node: Node, bundle: Bundle) -> Iterator[str]:
    stream, unwrap = node.get("x-coze-stream"), node.get("x-coze-unwrap")
    streams_only = stream is not None and "switch" not in stream
    if node.get("x-coze-pager"):
        if unwrap:
            yield f"{where}: a pager returns its items; delete x-coze-unwrap"
    elif unwrap is None and not streams_only:
        yield (
            f"{where}: no x-coze-unwrap; say what the method returns (data, body, "
            "nothing, content, location)"
        )
    elif unwrap not in _NO_PATH and not _in_response(bundle, node, unwrap):
        yield f"{where}: x-coze-unwrap {unwrap} is not a path in the response; fix the path"


def _references(where: str, node: Node, bundle: Bundle) -> Iterator[str]:
    """Error codes and operations that an operation names exist."""
    known = bundle.document.get("x-coze-error-codes")
    for code in node.get("x-coze-errors") or ():
        if known is not None and code not in known:
            yield (
                f"{where}: error code {code} is not in x-coze-error-codes; add it to "
                "spec/shared.yaml"
            )
    successor = node.get("x-coze-replaced-by")
    if successor and successor not in bundle.calls:
        yield f"{where}: x-coze-replaced-by {successor} is not an operation; fix the name"


def _in_response(bundle: Bundle, node: Node, path: str) -> bool:
    schema = response_schema(node)
    return schema is not None and node_at(bundle, reference(schema), str(path)) is not None


def _pager(where: str, node: Node, bundle: Bundle) -> Iterator[str]:
    pager = node["x-coze-pager"]
    style = pager.get("style")
    if style not in PAGER_KEYS:
        yield f"{where}: x-coze-pager style {style} is unknown; use {', '.join(PAGER_KEYS)}"
        return
    problems = list(check_keys(f"{where}: x-coze-pager", pager, PAGER_KEYS[style]))
    yield from problems
    if problems:
        return
    fields = _request_fields(bundle, node, pager["in"])
    for key in ("page", "size", "before", "after"):
        if key in pager and pager[key] not in fields:
            yield (
                f"{where}: x-coze-pager {key} names {pager[key]}, which is not a "
                f"{pager['in']} field; fix the name"
            )
    paths = {key: pager[key] for key in _PAGER_PATHS if key in pager}
    if "id" in pager:
        paths["id"] = f"{pager['items']}.*.{pager['id']}"
    for key, path in paths.items():
        if not _in_response(bundle, node, path):
            yield f"{where}: x-coze-pager {key} {path} is not a path in the response; fix the path"


def _request_fields(bundle: Bundle, node: Node, place: str) -> set[str]:
    if place == "body":
        return set(body_fields(bundle, node))
    return {p["name"] for p in node.get("parameters") or () if p.get("in") == place}
