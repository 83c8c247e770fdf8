"""Rules for event streams of operations, for kinds of streams, and for errors that carry models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..bundle import ERROR_CLASSES, STREAM_KIND, Bundle, Node
from ..nodes import (
    body_fields,
    event_payloads,
    known_values,
    node_at,
    schema_name,
    success_content,
)
from ..streams import ROLES, event_class, union_class
from .keys import Keys, check_keys
from .operations import place_of
from .schemas import reserved_names

STREAM_KEYS: Keys = ({"method", "kind", "events"}, {"switch", "recover"})
_ALL_KINDS = {"kind", "names", "message_model", "usage_model", "failed", "roles"}
_CHAT = {"state_model", "tool_call_model", "tool_calls", "settled", "waiting", "message_types"}
_WORKFLOW = {"interrupt_model", "interrupt_type_model", "parameter_model"}
KIND_KEYS: dict[str, Keys] = {
    "chat": (_ALL_KINDS | _CHAT, {"pauses", "questions", "tool_failed"}),
    "workflow": (_ALL_KINDS | _WORKFLOW, {"questions", "tool_failed", "numbered"}),
}
MESSAGE_TYPES = ("answer", "follow_up")


def lint_streams(bundle: Bundle) -> Iterator[str]:
    """Messages for every stream, every kind of streams and every class of errors."""
    for method, path, node in bundle.operations():
        yield from _stream(place_of(bundle, method, path, node), node, bundle)
    for kind, about in bundle.stream_kinds.items():
        where = f"spec/{bundle.origin[f'streams/{kind}']}: {STREAM_KIND} {kind}"
        if kind not in KIND_KEYS:
            yield f"{where}: no such kind; use {' or '.join(KIND_KEYS)}"
            continue
        yield from _kind_keys(where, bundle, kind, about)
        yield from _roles(where, events_of(bundle, kind), about)
        yield from _events(where, bundle, kind, about)
        if "state_model" in about:
            yield from _states(where, bundle, about)
            yield from _message_types(where, bundle, about)
    for name, about in bundle.error_classes.items():
        yield from _error(bundle, name, about)


def _stream(where: str, node: Node, bundle: Bundle) -> Iterator[str]:
    stream, streams = node.get("x-coze-stream"), "text/event-stream" in success_content(node)
    if stream is None:
        if streams:
            yield (
                f"{where}: responds with an event stream but has no x-coze-stream; name its events"
            )
        return
    yield from check_keys(f"{where}: x-coze-stream", stream, STREAM_KEYS)
    if not streams:
        yield f"{where}: x-coze-stream without a text/event-stream response; add the content type"
    kinds = bundle.stream_kinds
    if "kind" in stream and stream["kind"] not in kinds:
        yield (
            f"{where}: x-coze-stream kind {stream['kind']} is not described; use "
            f"{', '.join(kinds) or 'none'}, or describe it by {STREAM_KIND}"
        )
    for name, payload in event_payloads(node).items():
        if payload and schema_name(payload) is None:
            yield f"{where}: payload of event {name} must be a $ref or {{}}"
    yield from _recover(where, stream.get("recover"), bundle)
    switch = stream.get("switch")
    if switch and switch not in body_fields(bundle, node):
        yield f"{where}: x-coze-stream switch {switch} is not a field of the body; fix the name"


def _recover(where: str, recover: object, bundle: Bundle) -> Iterator[str]:
    """The operation that finds the outcome of a broken stream can wait for it."""
    waiters = [node["operationId"] for _, _, node in bundle.operations() if "x-coze-waiter" in node]
    if recover is not None and recover not in waiters:
        yield f"{where}: x-coze-stream recover {recover} is not an operation with an x-coze-waiter"


def _kind_keys(where: str, bundle: Bundle, kind: str, about: Node) -> Iterator[str]:
    yield from check_keys(f"{where}:", about, KIND_KEYS[kind])
    for key, value in about.items():
        if (key.endswith("_model") or key == "names") and schema_name(value) is None:
            yield f"{where}: {key} must be a $ref to a schema"
    for key in ("failed", "tool_failed"):
        if key in about and about[key] not in bundle.error_classes:
            yield f"{where}: {key} names {about[key]}, which is not in {ERROR_CLASSES}"


def events_of(bundle: Bundle, kind: str) -> list[str]:
    """The events of all operations of a kind, sorted."""
    nodes = [node for _, _, node in bundle.operations()]
    own = [node for node in nodes if (node.get("x-coze-stream") or {}).get("kind") == kind]
    return sorted({name for node in own for name in event_payloads(node)})


def _roles(where: str, events: list[str], about: Node) -> Iterator[str]:
    roles = about.get("roles") or {}
    for role, names in roles.items():
        if role not in ROLES:
            yield f"{where}: role {role} is unknown; use {', '.join(ROLES)}"
        for name in names if isinstance(names, list) else ():
            if name not in events:
                yield f"{where}: role {role} names event {name}, which no operation has"
    for name in set(roles.get("failure") or ()) & set(roles.get("end") or ()):
        yield f"{where}: event {name} is a failure, which ends the stream; leave it out of end"
    if not roles.get("end"):
        yield f"{where}: no event has the role end; name those after which nothing follows"


def _events(where: str, bundle: Bundle, kind: str, about: Node) -> Iterator[str]:
    """Every event has a meaning, and a class with a unique name."""
    events, names = events_of(bundle, kind), schema_name(about.get("names"))
    meanings = known_values(bundle, about["names"]) if names else []
    for event in events:
        if event not in meanings:
            yield f"{where}: event {event} is not in {names}; add it there"
    owners: dict[str, str] = {}
    classes = [(event_class(kind, event), f"event {event}") for event in events]
    for cls, owner in [(union_class(kind), "the union of the events"), *classes]:
        other = f"schema {cls}" if cls in bundle.schemas else owners.setdefault(cls, owner)
        if other != owner:
            yield f"{where}: {owner} would be the class {cls}, as {other}; rename one"


def _values(bundle: Bundle, model: Any, field: str) -> list[Any]:
    """The known values of a field of a model."""
    node = node_at(bundle, model, field) if model else None
    return known_values(bundle, node) if node else []


def _states(where: str, bundle: Bundle, about: Node) -> Iterator[str]:
    state_model = about["state_model"]
    model, states = schema_name(state_model), _values(bundle, state_model, "status")
    for key in ("settled", "waiting"):
        for state in about.get(key) or ():
            if state not in states:
                yield f"{where}: {key} names state {state}, which {model}.status does not have"
    tool_calls = about.get("tool_calls")
    if model is None or node_at(bundle, state_model, str(tool_calls)) is None:
        yield f"{where}: tool_calls {tool_calls} is not a path in {model}"


def _message_types(where: str, bundle: Bundle, about: Node) -> Iterator[str]:
    types = _values(bundle, about.get("message_model"), "type")
    for key, names in (about.get("message_types") or {}).items():
        if key not in MESSAGE_TYPES:
            yield f"{where}: message_types has unknown {key}; use {', '.join(MESSAGE_TYPES)}"
        for name in names:
            if name not in types:
                yield f"{where}: message_types names type {name}, which messages do not have"


def _error(bundle: Bundle, name: str, about: Any) -> Iterator[str]:
    where = f"spec/{bundle.origin[name]}: {ERROR_CLASSES} {name}"
    if name in bundle.schemas or name in reserved_names():
        yield f"{where}: another class has this name; rename the error"
    keys = set(about) if isinstance(about, dict) else set()
    if keys - {"base"} != {"description", "properties"}:
        yield f"{where}: give description and properties, perhaps base, and nothing else"
        return
    for field, node in about["properties"].items():
        fits = node.get("type") == "string" or schema_name(node) is not None
        if not fits or not node.get("description"):
            yield f"{where}: {field} needs a description, and `type: string` or a $ref"
