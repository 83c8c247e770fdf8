"""Event streams, errors, and tables of events (sockets, real-time calls, callbacks) as data for the
templates, out of the joined document alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from attrs import define

from .bundle import Bundle, Node
from .nodes import event_payloads, known_values, module_of, node_at, one_line, schema_name

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


def kind_events(bundle: Bundle, kind: str) -> list[Event]:
    """The events of all operations of a kind, in the order of the description."""
    models: dict[str, list[str | None]] = {}
    for _, _, node in bundle.operations():
        if (node.get("x-coze-stream") or {}).get("kind") == kind:
            for name, payload in event_payloads(node).items():
                models.setdefault(name, []).append(schema_name(payload))
    about = bundle.stream_kinds[kind]
    meanings = bundle.schemas[str(schema_name(about["names"]))]["x-known-values"]
    return [
        Event(
            name,
            event_class(kind, name),
            _base(about, kind, name),
            next((model for model in own if model), None),
            None in own,
            _meaning(meanings.get(name)),
        )
        for name, own in models.items()
    ]


def event_class(kind: str, name: str) -> str:
    """`conversation.message.delta` of a chat → `ChatMessageDeltaEvent`."""
    words = re.split(r"[._]", name.removeprefix("conversation."))
    camel = "".join(
        word.capitalize() if word.isupper() else word[:1].upper() + word[1:] for word in words
    )
    prefix = kind.capitalize()
    return f"{camel if camel.startswith(prefix) else prefix + camel}Event"


def union_class(kind: str) -> str:
    """The union of all events of a kind."""
    return f"{kind.capitalize()}Event"


def _base(about: Node, kind: str, name: str) -> str:
    roles = about.get("roles") or {}
    return next(
        (cls for role, cls in _BASES[kind].items() if name in (roles.get(role) or ())), _PLAIN[kind]
    )


def _meaning(about: Any) -> str:
    text = about.get("description") if isinstance(about, dict) else about
    return one_line(text) or "An event of the stream."


def stream_events_context(bundle: Bundle, kind: str) -> dict[str, Any]:
    """Everything that `stream_events.py.jinja` prints."""
    events = kind_events(bundle, kind)
    interrupt = schema_name(bundle.stream_kinds[kind].get("interrupt_model"))
    uses = {event.model for event in events if event.model}
    if interrupt and any("Interrupt" in event.base for event in events):
        uses.add(interrupt)
    return {
        "source": bundle.origin[f"streams/{kind}"],
        "kind": kind,
        "events": events,
        "interrupt": interrupt,
        "union": union_class(kind),
        "imports": schema_imports(bundle, uses, "..models."),
    }


def stream_context(bundle: Bundle, kind: str) -> dict[str, Any]:
    """Everything that the template of a kind of stream prints."""
    about = bundle.stream_kinds[kind]
    events = kind_events(bundle, kind)
    models = {
        key.removesuffix("_model"): str(schema_name(value))
        for key, value in about.items()
        if key.endswith("_model")
    }
    uses = {event.model for event in events if event.model} | set(models.values())
    roles, types = about.get("roles") or {}, about.get("message_types") or {}
    sets = {
        **{role: roles.get(role) for role in ROLES},
        **{key: about.get(key) for key in ("settled", "waiting", "pauses", "questions")},
        "running": _running(bundle, about),
        **{key: types.get(key) for key in ("answer", "follow_up")},
    }
    return {
        "source": bundle.origin[f"streams/{kind}"],
        "kind": kind,
        "events": events,
        "models": models,
        "sets": {key: values for key, values in sets.items() if values},
        "failed": about["failed"],
        "tool_failed": about.get("tool_failed", ""),
        "tool_calls": about.get("tool_calls", ""),
        "numbered": about.get("numbered", False),
        "imports": schema_imports(bundle, uses, "..models."),
    }


def _running(bundle: Bundle, about: Node) -> list[Any]:
    """The known states of a chat that are not settled."""
    model = about.get("state_model")
    node = node_at(bundle, model, "status") if model else None
    states = known_values(bundle, node) if node else []
    return [state for state in states if state not in about.get("settled", ())]


def errors_context(bundle: Bundle, docs: str) -> dict[str, Any]:
    """Everything that `errors.py.jinja` prints."""
    codes = bundle.document.get("x-coze-error-codes") or {}
    classes = {
        name: {
            "base": about.get("base", "APIError"),
            "description": one_line(about["description"]),
            "fields": [
                (field, _error_type(node), one_line(node["description"]))
                for field, node in about["properties"].items()
            ],
        }
        for name, about in bundle.error_classes.items()
    }
    raised = {about["error"] for about in codes.values()} - classes.keys()
    return {
        "codes": codes,
        "failed": [code for code, about in codes.items() if about.get("failed")],
        "classes": classes,
        "bases": sorted(raised | {"APIError"} | {about["base"] for about in classes.values()}),
        "servers": [server["url"] for server in bundle.document["servers"]],
        "docs": docs,
        "environment": bundle.document["x-coze-environment"],
        "other_servers": bundle.document.get("x-coze-servers"),
    }


def _error_type(node: Node) -> str:
    model = schema_name(node)
    return f"models.{model} | None" if model else "str | None"


def events_context(bundle: Bundle, stem: str, table: Node) -> dict[str, Any]:
    """Everything that `events.py.jinja` prints."""
    tables = [
        (constant, union, text, {event: str(schema_name(ref)) for event, ref in table[key].items()})
        for key, constant, union, text in (
            ("send", "SEND", "Sent", "the client sends"),
            ("receive", "RECEIVE", "Received", "the server sends"),
        )
        if key in table
    ]
    if "events" in table:
        models = {
            event: str(schema_name(about["schema"])) for event, about in table["events"].items()
        }
        text = "the service delivers to the address of a callback application"
        tables.append(("EVENTS", "Delivered", text, models))
    uses = {model for *_, models in tables for model in models.values()}
    return {
        "source": bundle.origin[f"events/{stem}"],
        "title": table["title"],
        "imports": schema_imports(bundle, uses, "..models."),
        "tables": tables,
        "socket": table if table["kind"] == "x-coze-socket" else None,
        "terminal": table.get("terminal") or [],
        "failure": table.get("failure") or [],
        "aliases": table.get("aliases") or {},
    }


def schema_imports(bundle: Bundle, uses: Iterable[str], prefix: str) -> list[str]:
    """Import lines for schemas, by the module that holds them."""
    by_module: dict[str, list[str]] = {}
    for name in uses:
        by_module.setdefault(module_of(bundle, name), []).append(name)
    return [
        f"from {prefix}{module} import {', '.join(sorted(names))}"
        for module, names in sorted(by_module.items())
    ]
