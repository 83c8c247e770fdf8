"""Rules for event streams of operations, for kinds of streams, and for errors that carry models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..bundle import Bundle, Node
from ..nodes import (
    body_fields,
    event_payloads,
    known_values,
    node_at,
    schema_name,
    success_content,
)
from ..streams import event_class, union_class
from .place import Place
from .schemas import reserved_names


def lint_stream(place: Place, node: Node, bundle: Bundle) -> Iterator[str]:
    """Messages for the stream of an operation."""
    stream, streams = node.get("x-coze-stream"), "text/event-stream" in success_content(node)
    if stream is None and streams:
        yield place.says("responds with an event stream; name its events in x-coze-stream")
    if stream is not None and not streams:
        yield (place / "x-coze-stream").says("no text/event-stream response; add the content type")
    switch = (stream or {}).get("switch")
    if switch and switch not in body_fields(bundle, node):
        yield place.below("x-coze-stream", "switch").says(
            f"{switch} is not a field of the body; fix the name"
        )
    waiters = [node["operationId"] for _, _, node in bundle.operations() if "x-coze-waiter" in node]
    recover = (stream or {}).get("recover")
    if recover and recover not in waiters:
        yield place.below("x-coze-stream", "recover").says(
            f"{recover} has no x-coze-waiter; name an operation that has one"
        )


def lint_kind(place: Place, kind: str, about: Node, bundle: Bundle) -> Iterator[str]:
    """Messages for a kind of streams."""
    yield from _roles(place / "roles", events_of(bundle, kind), about["roles"])
    yield from _events(place / "names", bundle, kind, about)
    if "state_model" in about:
        yield from _states(place, bundle, about)
        types = _values(bundle, about["message_model"], "type")
        for key, names in about["message_types"].items():
            for name in set(names) - {*types}:
                yield place.below("message_types", key).says(
                    f"messages do not have type {name}; fix the name"
                )


def events_of(bundle: Bundle, kind: str) -> list[str]:
    """The events of all operations of a kind, sorted."""
    nodes = [node for _, _, node in bundle.operations()]
    own = [node for node in nodes if (node.get("x-coze-stream") or {}).get("kind") == kind]
    return sorted({name for node in own for name in event_payloads(node)})


def _roles(place: Place, events: list[str], roles: Node) -> Iterator[str]:
    for role, names in roles.items():
        for name in names:
            if name not in events:
                yield (place / role).says(f"no operation has event {name}; fix the name")
    for name in set(roles.get("failure") or ()) & set(roles["end"]):
        yield (place / "end").says(f"{name} is a failure, which ends the stream; leave it out")


def _events(place: Place, bundle: Bundle, kind: str, about: Node) -> Iterator[str]:
    """Every event has a meaning, and a class with a unique name."""
    events, meanings = events_of(bundle, kind), known_values(bundle, about["names"])
    for event in events:
        if event not in meanings:
            yield place.says(f"event {event} is not in {schema_name(about['names'])}; add it there")
    owners: dict[str, str] = {}
    classes = [(event_class(kind, event), f"event {event}") for event in events]
    for cls, owner in [(union_class(kind), "the union of the events"), *classes]:
        other = f"schema {cls}" if cls in bundle.schemas else owners.setdefault(cls, owner)
        if other != owner:
            yield place.says(f"{owner} would be the class {cls}, as {other}; rename one")


def _values(bundle: Bundle, model: Any, field: str) -> list[Any]:
    """The known values of a field of a model."""
    node = node_at(bundle, model, field)
    return known_values(bundle, node) if node else []


def _states(place: Place, bundle: Bundle, about: Node) -> Iterator[str]:
    model = schema_name(about["state_model"])
    states = _values(bundle, about["state_model"], "status")
    for key in ("settled", "waiting"):
        for state in about[key]:
            if state not in states:
                yield (place / key).says(f"{model}.status does not have {state}; fix the name")
    calls = node_at(bundle, about["state_model"], f"{about['tool_calls']}.*")
    if calls is None:
        yield (place / "tool_calls").says(f"{about['tool_calls']} is not a path in {model}; fix it")
    types = _values(bundle, calls or {}, "type")
    for name in about.get("questions") or ():
        if types and name not in types:
            yield (place / "questions").says(f"calls do not have type {name}; fix the name")


def lint_error(place: Place, name: str, bundle: Bundle) -> Iterator[str]:
    """Messages for an error that carries models."""
    if name in bundle.schemas or name in reserved_names():
        yield place.says("another class has this name; rename the error")
