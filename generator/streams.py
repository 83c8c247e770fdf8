"""Event streams, sockets, calls and callbacks: data for the templates, out of the joined document
alone.
"""

from __future__ import annotations

import re
from typing import Any

from attrs import define

from .bundle import ERROR_CLASSES, Bundle, Node, schema_name
from .schemas import module_of

ROLES = ("delta", "message", "state", "interrupt", "failure", "end", "heartbeat")
# Which base class an event has, by the part it plays; the first role that it has decides.
_BASES = {
    "chat": {"delta": "ChatMessageEvent", "message": "ChatMessageEvent", "state": "ChatStateEvent"},
    "workflow": {"delta": "WorkflowMessageEvent", "interrupt": "WorkflowInterruptEvent"},
}
_PLAIN = {"chat": "PlainChatEvent", "workflow": "PlainWorkflowEvent"}


@define
class Event:
    """One event of a stream."""

    name: str
    cls: str
    base: str
    model: str | None
    """Schema of what it carries; None for text."""
    plain: bool
    """Whether text may come in place of the model, or alone."""
    description: str

    @property
    def data(self) -> str:
        """The type of what it carries."""
        return "Any" if self.model is None or self.plain else self.model


def stream_kinds(bundle: Bundle) -> dict[str, Node]:
    """`x-coze-stream-kind` by the name of the kind."""
    found: dict[str, Node] = bundle.document.get("x-coze-stream-kinds") or {}
    return found


def kind_events(bundle: Bundle, kind: str) -> list[Event]:
    """The events of all operations of a kind, in the order of the description."""
    payloads: dict[str, list[str | None]] = {}
    for _, _, node in bundle.operations():
        stream = node.get("x-coze-stream") or {}
        if stream.get("kind") == kind:
            for name, payload in (stream.get("events") or {}).items():
                payloads.setdefault(name, []).append(schema_name(payload))
    about = stream_kinds(bundle)[kind]
    names = bundle.schemas[str(schema_name(about["names"]))]["x-known-values"]
    return [
        Event(
            name,
            event_class(kind, name),
            _base(about, kind, name),
            next((model for model in models if model), None),
            None in models,
            _text(names.get(name, "")),
        )
        for name, models in payloads.items()
    ]


def event_class(kind: str, name: str) -> str:
    """`conversation.message.delta` of a chat → `ChatMessageDeltaEvent`."""
    words = re.split(r"[._]", name.removeprefix("conversation."))
    camel = "".join(
        word.capitalize() if word.isupper() else word[:1].upper() + word[1:] for word in words
    )
    prefix = kind.capitalize()
    return f"{camel if camel.startswith(prefix) else prefix + camel}Event"


def _base(about: Node, kind: str, name: str) -> str:
    roles = about.get("roles") or {}
    return next(
        (cls for role, cls in _BASES[kind].items() if name in (roles.get(role) or ())), _PLAIN[kind]
    )


def _text(about: Any) -> str:
    text = about.get("description") if isinstance(about, dict) else about
    return " ".join(str(text or "An event of the stream.").split())


def stream_events_context(bundle: Bundle, kind: str) -> dict[str, Any]:
    """Everything that `stream_events.py.jinja` prints."""
    events = kind_events(bundle, kind)
    about = stream_kinds(bundle)[kind]
    interrupt = schema_name(about.get("interrupt_model"))
    uses = {event.model for event in events if event.model}
    uses |= {interrupt} if interrupt and any("Interrupt" in e.base for e in events) else set()
    return {
        "source": bundle.origin[f"streams/{kind}"],
        "kind": kind,
        "events": events,
        "interrupt": interrupt,
        "union": f"{kind.capitalize()}Event",
        "imports": schema_imports(bundle, uses, "..models."),
    }


def stream_context(bundle: Bundle, kind: str) -> dict[str, Any]:
    """Everything that the template of a kind of stream prints."""
    about = stream_kinds(bundle)[kind]
    events = kind_events(bundle, kind)
    models = {
        key.removesuffix("_model"): str(schema_name(value))
        for key, value in about.items()
        if key.endswith("_model")
    }
    uses = {event.model for event in events if event.model} | set(models.values())
    roles = about.get("roles") or {}
    types = about.get("message_types") or {}
    sets = {role: roles.get(role) or [] for role in ROLES}
    sets |= {key: about.get(key) or [] for key in ("settled", "waiting", "questions")}
    sets |= {key: types.get(key) or [] for key in ("answer", "follow_up")}
    return {
        "source": bundle.origin[f"streams/{kind}"],
        "kind": kind,
        "events": events,
        "models": models,
        "sets": {key: values for key, values in sets.items() if values},
        "failed": about["failed"],
        "tool_failed": about.get("tool_failed", ""),
        "tool_calls": about.get("tool_calls", ""),
        "imports": schema_imports(bundle, uses, "..models."),
    }


def errors_context(bundle: Bundle, docs: str) -> dict[str, Any]:
    """Everything that `errors.py.jinja` prints."""
    codes = bundle.document.get("x-coze-error-codes") or {}
    classes = {
        name: {
            "base": about.get("base", "APIError"),
            "description": " ".join(str(about["description"]).split()),
            "fields": [
                (field, _error_type(node), " ".join(str(node["description"]).split()))
                for field, node in about["properties"].items()
            ],
        }
        for name, about in (bundle.document.get(ERROR_CLASSES) or {}).items()
    }
    own = set(classes)
    used = {about["error"] for about in codes.values()} - own
    return {
        "codes": codes,
        "classes": classes,
        "bases": sorted(used | {"APIError"} | {about["base"] for about in classes.values()}),
        "servers": [server["url"] for server in bundle.document["servers"]],
        "docs": docs,
        "environment": bundle.document.get("x-coze-environment") or {},
    }


def _error_type(node: Node) -> str:
    model = schema_name(node)
    return f"models.{model} | None" if model else "str | None"


def events_context(bundle: Bundle, stem: str, table: Node) -> dict[str, Any]:
    """Everything that `events.py.jinja` prints."""
    named = {
        "send": ("SEND", "Sent", "the client sends"),
        "receive": ("RECEIVE", "Received", "the server sends"),
    }
    tables = [
        (*named[key], {event: str(schema_name(ref)) for event, ref in table[key].items()})
        for key in named
        if key in table
    ]
    if "events" in table:
        delivered = {
            event: str(schema_name(about["schema"])) for event, about in table["events"].items()
        }
        about = "the service delivers to the address of a callback application"
        tables.append(("EVENTS", "Delivered", about, delivered))
    uses = {name for *_, events in tables for name in events.values()}
    socket = table if table["kind"] == "x-coze-socket" else None
    return {
        "source": bundle.origin[f"events/{stem}"],
        "title": table["title"],
        "imports": schema_imports(bundle, uses, "..models."),
        "tables": tables,
        "socket": socket,
        "terminal": table.get("terminal") or [],
        "failure": table.get("failure") or [],
        "aliases": table.get("aliases") or {},
    }


def schema_imports(bundle: Bundle, uses: set[str] | frozenset[str], prefix: str) -> list[str]:
    """Import lines for schemas, by the module that holds them."""
    by_module: dict[str, list[str]] = {}
    for name in uses:
        by_module.setdefault(module_of(bundle, name), []).append(name)
    return [
        f"from {prefix}{module} import {', '.join(sorted(names))}"
        for module, names in sorted(by_module.items())
    ]
