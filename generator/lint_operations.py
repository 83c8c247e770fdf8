"""The rules of docs/description.md for operations, their `x-coze-*` data and the ledger."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .bundle import Bundle, Node, schema_name
from .lint_keys import check_keys
from .lint_methods import lint_methods
from .lint_paths import find_path, properties
from .streams import stream_kinds

# Last word of a method name; a new one is added here on purpose, not by accident.
VERBS = frozenset(
    "create retrieve list update delete publish unpublish cancel clear stream resume upload "
    "clone duplicate install "
    "process call identify submit me authorize token code".split()
)
KEYS = {
    "x-coze-page",
    "x-coze-permission",
    "x-coze-unwrap",
    "x-coze-errors",
    "x-coze-billed",
    "x-coze-safe",
    "x-coze-events",
    "x-coze-socket",
    "x-coze-rtc",
    "x-coze-callbacks",
    "x-coze-pager",
    "x-coze-stream",
    "x-coze-waiter",
    "x-coze-rate-limit",
    "x-coze-replaced-by",
    "x-coze-deviation",
    "x-coze-used-by",
    "x-coze-constant",
    "x-coze-error-codes",
    "x-coze-error-classes",
    "x-coze-environment",
    "x-coze-stream-kind",
    "x-coze-stream-kinds",
    "x-coze-ended",
    "x-coze-helpers",
    "x-coze-parameters",
    "x-coze-allowed",
    "x-coze-conditions",
    "x-coze-max-bytes",
    "x-coze-min-bytes",
}
PAGER_KEYS = {
    "number": ({"style", "in", "page", "size", "items"}, {"total", "has_more"}),
    "token": ({"style", "in", "page", "size", "items", "next"}, {"total", "has_more"}),
    "cursor": (
        {"style", "in", "size", "items", "before", "after", "first_id", "last_id"},
        {"total", "has_more"},
    ),
}
STREAM_KEYS = ({"method", "kind", "events"}, {"switch"})


def lint_operations(bundle: Bundle) -> Iterator[str]:
    """Messages for every operation, and for extensions that nobody reads."""
    tags = {tag["name"] for tag in bundle.document.get("tags", ())}
    used: set[str] = set()
    for method, path, node in bundle.operations():
        operation_id = str(node.get("operationId") or f"{method.upper()} {path}")
        where = f"spec/{bundle.origin.get(operation_id, '?')}: {operation_id}"
        used.update(node.get("tags") or ())
        yield from _names(where, node, tags)
        yield from _words(where, node)
        yield from _parameters(where, path, node)
        yield from _body(where, node, bundle)
        yield from _responses(where, node)
        yield from _returns(where, node, bundle)
        yield from _pager(where, node, bundle)
        yield from _stream(where, node, bundle)
        yield from lint_methods(where, node, bundle)
    for tag in sorted(tags - used):
        yield f"spec/openapi.yaml: tag {tag} has no operation; delete it"
    yield from _unknown_keys("", bundle.document)


def _names(where: str, node: Node, tags: set[str]) -> Iterator[str]:
    operation_id, own = node.get("operationId"), node.get("tags") or []
    if len(own) != 1 or own[0] not in tags:
        yield f"{where}: needs exactly one tag, listed in spec/openapi.yaml; it has {own}"
        return
    prefix = f"{own[0].replace('.', '_')}_"
    if not operation_id or not operation_id.startswith(prefix) or len(operation_id) > 60:
        yield f"{where}: operationId is not {prefix}<method> of at most 60 characters; rename it"
    elif not VERBS & set(operation_id[len(prefix) :].split("_")):
        yield (
            f"{where}: no known verb in the method name; use one of "
            f"{', '.join(sorted(VERBS))}, or add it in generator/lint_operations.py"
        )


def _words(where: str, node: Node) -> Iterator[str]:
    summary = node.get("summary") or ""
    if not summary or len(summary) > 72 or summary.endswith("."):
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


def _parameters(where: str, path: str, node: Node) -> Iterator[str]:
    from .lint import example_rule

    in_path = re.findall(r"\{([^}]*)\}", path)
    for parameter in node.get("parameters") or ():
        here = f"{where}({parameter.get('name')})"
        if not parameter.get("description"):
            yield f"{here}: no description; give meaning, unit, range and what absence means"
        schema = parameter.get("schema") or {}
        if not schema:
            yield f"{here}: no schema; give it a type"
        yield from example_rule(here, schema, parameter)
        if parameter.get("in") == "path":
            if parameter.get("name") not in in_path or parameter.get("required") is not True:
                yield f"{here}: a path parameter must be required and stand in the path"
            else:
                in_path.remove(parameter["name"])
    if in_path:
        yield f"{where}: path fields {', '.join(in_path)} are not described; add them to parameters"


def _body(where: str, node: Node, bundle: Bundle) -> Iterator[str]:
    content = (node.get("requestBody") or {}).get("content")
    if content is None:
        return
    if len(content) != 1:
        yield f"{where}: a request body needs exactly one content type"
    for media in content.values():
        name = schema_name(media.get("schema"))
        if name is None or properties(bundle, name) is None:
            yield (
                f"{where}: the request body must point to a named object schema; its "
                "properties become keyword arguments"
            )
            continue
        clash = {p.get("name") for p in node.get("parameters") or ()} & set(
            properties(bundle, name) or ()
        )
        if clash:
            yield (
                f"{where}: {', '.join(sorted(map(str, clash)))} stands in the body and "
                "in the parameters; keep one"
            )


def _responses(where: str, node: Node) -> Iterator[str]:
    codes = [str(code) for code in node.get("responses") or {}]
    if not any(code.startswith(("2", "3")) for code in codes):
        yield f"{where}: no 2xx response; describe what a success looks like"
    if "default" not in codes:
        yield f"{where}: no default response; point it to shared.yaml#/components/responses/Error"


def _returns(where: str, node: Node, bundle: Bundle) -> Iterator[str]:
    stream, unwrap = node.get("x-coze-stream"), node.get("x-coze-unwrap")
    if node.get("x-coze-pager"):
        if unwrap:
            yield f"{where}: a pager returns its items; delete x-coze-unwrap"
    elif unwrap is None and not (stream and "switch" not in stream):
        yield (
            f"{where}: no x-coze-unwrap; say what the method returns (data, body, "
            "nothing, content, location)"
        )
    elif unwrap not in (None, "body", "nothing", "content", "location") and not find_path(
        bundle, answer_schema(node), str(unwrap)
    ):
        yield f"{where}: x-coze-unwrap {unwrap} is no path in the answer; mend the path"
    known = bundle.document.get("x-coze-error-codes")
    for code in node.get("x-coze-errors") or ():
        if known is not None and code not in known:
            yield (
                f"{where}: error code {code} is not in x-coze-error-codes; add it to "
                "spec/shared.yaml"
            )
    successor = node.get("x-coze-replaced-by")
    if successor and successor not in bundle.origin:
        yield f"{where}: x-coze-replaced-by {successor} is no operation; mend the name"


def _pager(where: str, node: Node, bundle: Bundle) -> Iterator[str]:
    pager = node.get("x-coze-pager")
    if pager is None:
        return
    style = pager.get("style")
    if style not in PAGER_KEYS:
        yield f"{where}: x-coze-pager style {style} is unknown; use {', '.join(PAGER_KEYS)}"
        return
    before = list(check_keys(where, "x-coze-pager", pager, PAGER_KEYS[style]))
    yield from before
    if before:
        return
    inputs = {p["name"] for p in node.get("parameters") or () if p.get("in") == pager["in"]}
    if pager["in"] == "body":
        inputs = set(properties(bundle, body_schema(node)) or ())
    for key in ("page", "size", "before", "after"):
        if key in pager and pager[key] not in inputs:
            yield (
                f"{where}: x-coze-pager {key} names {pager[key]}, which is no "
                f"{pager['in']} field; mend the name"
            )
    for key in ("items", "total", "has_more", "next", "first_id", "last_id"):
        if key in pager and not find_path(bundle, answer_schema(node), pager[key]):
            yield (
                f"{where}: x-coze-pager {key} {pager[key]} is no path in the answer; mend the path"
            )


def _stream(where: str, node: Node, bundle: Bundle) -> Iterator[str]:
    stream = node.get("x-coze-stream")
    media = ((node.get("responses") or {}).get("200") or {}).get("content") or {}
    if stream is None:
        if "text/event-stream" in media:
            yield f"{where}: answers with an event stream but has no x-coze-stream; name its events"
        return
    yield from check_keys(where, "x-coze-stream", stream, STREAM_KEYS)
    if "text/event-stream" not in media:
        yield f"{where}: x-coze-stream without a text/event-stream answer; add the content type"
    events = stream.get("events") or {}
    kinds = stream_kinds(bundle)
    if "kind" in stream and stream["kind"] not in kinds:
        yield (
            f"{where}: x-coze-stream kind {stream['kind']} is not described; "
            f"use {', '.join(kinds) or 'none'}, or describe it by x-coze-stream-kind"
        )
    for name, payload in events.items():
        if payload and schema_name(payload) is None:
            yield f"{where}: payload of event {name} must be a $ref or {{}}"
    switch = stream.get("switch")
    if switch and switch not in (properties(bundle, body_schema(node)) or {}):
        yield f"{where}: x-coze-stream switch {switch} is no field of the body; mend the name"


def _unknown_keys(where: str, node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _unknown_keys(where, item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if isinstance(key, str) and key.startswith("x-coze-") and key not in KEYS:
                yield f"{where}: {key} is read by nobody; see docs/description.md for the keys"
            if key == "x-coze-deviation" and not (
                isinstance(value, dict) and {"what", "why", "evidence"} <= set(value)
            ):
                yield f"{where}: x-coze-deviation needs what, why and evidence"
            if key not in ("example", "examples", "default"):
                yield from _unknown_keys(f"{where}/{key}", value)


def answer_schema(node: Node) -> str | None:
    """Name of the JSON schema of a success."""
    media = ((node.get("responses") or {}).get("200") or {}).get("content") or {}
    return schema_name((media.get("application/json") or {}).get("schema"))


def body_schema(node: Node) -> str | None:
    """Name of the schema of the request body."""
    for media in ((node.get("requestBody") or {}).get("content") or {}).values():
        return schema_name(media.get("schema"))
    return None
