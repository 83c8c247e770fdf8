"""The rules of docs/description.md for kinds of streams, and for errors that carry models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .bundle import ERROR_CLASSES, STREAM_KIND, Bundle, Node, schema_name
from .lint_paths import find_path, properties
from .streams import ROLES, event_class, stream_kinds

SHARED = {"kind", "names", "message_model", "usage_model", "failed", "roles"}
KIND_KEYS = {
    "chat": SHARED
    | {"state_model", "tool_call_model", "tool_calls", "settled", "waiting", "message_types"},
    "workflow": SHARED | {"interrupt_model", "interrupt_type_model", "parameter_model"},
}
OPTIONAL = {"questions", "tool_failed"}
MESSAGE_TYPES = ("answer", "follow_up")


def lint_streams(bundle: Bundle) -> Iterator[str]:
    """Messages for every kind of stream and every class of error."""
    for kind, about in stream_kinds(bundle).items():
        where = f"spec/{bundle.origin[f'streams/{kind}']}: {STREAM_KIND} {kind}"
        if kind not in KIND_KEYS:
            yield f"{where}: no such kind; use {' or '.join(KIND_KEYS)}"
            continue
        yield from _keys(where, kind, about)
        yield from _roles(where, bundle, kind, about)
        yield from _states(where, bundle, about)
        classes = bundle.document.get(ERROR_CLASSES) or {}
        for key in ("failed", "tool_failed"):
            if key in about and about[key] not in classes:
                yield f"{where}: {key} names {about[key]}, which is not in {ERROR_CLASSES}"
    yield from _errors(bundle)


def _keys(where: str, kind: str, about: Node) -> Iterator[str]:
    missing, unknown = KIND_KEYS[kind] - about.keys(), about.keys() - KIND_KEYS[kind] - OPTIONAL
    if missing:
        yield f"{where}: lacks {', '.join(sorted(missing))}; see docs/description.md"
    if unknown:
        yield f"{where}: has unknown {', '.join(sorted(unknown))}; see docs/description.md"
    for key, value in about.items():
        if (key.endswith("_model") or key == "names") and schema_name(value) is None:
            yield f"{where}: {key} must be a $ref to a schema"


def events_of(bundle: Bundle, kind: str) -> set[str]:
    """The events of all operations of a kind."""
    streams = [node.get("x-coze-stream") or {} for _, _, node in bundle.operations()]
    return {
        name
        for stream in streams
        if stream.get("kind") == kind
        for name in stream.get("events") or ()
    }


def _roles(where: str, bundle: Bundle, kind: str, about: Node) -> Iterator[str]:
    events = events_of(bundle, kind)
    for role, names in (about.get("roles") or {}).items():
        if role not in ROLES:
            yield f"{where}: role {role} is unknown; use {', '.join(ROLES)}"
        for name in names if isinstance(names, list) else ():
            if name not in events:
                yield f"{where}: role {role} names event {name}, which no operation has"
    roles = about.get("roles") or {}
    for name in set(roles.get("failure") or ()) & set(roles.get("end") or ()):
        yield f"{where}: event {name} is a failure, which ends the stream; leave it out of end"
    if not roles.get("end"):
        yield f"{where}: no event has the role end; name those after which nothing follows"
    described = _known(bundle, schema_name(about.get("names")))
    for name in sorted(events - set(described)):
        yield f"{where}: event {name} is not in {schema_name(about.get('names'))}; add it there"
    classes: dict[str, str] = {}
    for name in sorted(events):
        cls = event_class(kind, name)
        if cls in bundle.schemas or cls in classes:
            other = classes.get(cls, f"schema {cls}")
            yield f"{where}: event {name} would be the class {cls}, as {other}; rename one"
        classes[cls] = f"event {name}"


def _known(bundle: Bundle, name: str | None) -> Any:
    return bundle.schemas.get(name or "", {}).get("x-known-values") or {}


def _values(bundle: Bundle, model: str | None, field: str) -> Any:
    """The known values of a field of a model."""
    found = (properties(bundle, model) or {}).get(field)
    return _known(bundle, schema_name(found))


def _states(where: str, bundle: Bundle, about: Node) -> Iterator[str]:
    if "state_model" not in about:
        return
    model = schema_name(about["state_model"])
    states = _values(bundle, model, "status")
    for key in ("settled", "waiting"):
        for state in about.get(key) or ():
            if state not in states:
                yield f"{where}: {key} names state {state}, which {model}.status does not have"
    types = _values(bundle, schema_name(about.get("message_model")), "type")
    for key, names in (about.get("message_types") or {}).items():
        if key not in MESSAGE_TYPES:
            yield f"{where}: message_types has unknown {key}; use {', '.join(MESSAGE_TYPES)}"
        for name in names:
            if name not in types:
                yield f"{where}: message_types names type {name}, which messages do not have"
    if not find_path(bundle, model, str(about.get("tool_calls"))):
        yield f"{where}: tool_calls {about.get('tool_calls')} is not a path in {model}"


def _errors(bundle: Bundle) -> Iterator[str]:
    for name, about in (bundle.document.get(ERROR_CLASSES) or {}).items():
        where = f"spec/{bundle.origin[name]}: {ERROR_CLASSES} {name}"
        keys = set(about) if isinstance(about, dict) else set()
        if keys - {"base"} != {"description", "properties"}:
            yield f"{where}: give description and properties, perhaps base, and nothing else"
            continue
        for field, node in about["properties"].items():
            text = node.get("type") == "string" or schema_name(node) is not None
            if not text or not node.get("description"):
                yield f"{where}: {field} needs a description, and `type: string` or a $ref"
