"""Rules for tables of events: sockets, real-time calls, callbacks."""

from __future__ import annotations

from collections.abc import Iterator

from ..bundle import Bundle, Node
from ..nodes import schema_name
from .keys import Keys, check_keys
from .senders import lint_senders

_SHARED = {"send_page", "send", "receive", "senders", "x-coze-deviation"}
TABLE_KEYS: dict[str, Keys] = {
    "x-coze-socket": (
        {"id", "path", "permission", "parameters", "send", "receive"},
        _SHARED | {"page", "terminal", "failure", "settings"},
    ),
    "x-coze-rtc": ({"pages", "send", "receive"}, _SHARED | {"aliases"}),
    "x-coze-callbacks": ({"events"}, {"page", "x-coze-deviation"}),
}


def lint_tables(bundle: Bundle) -> Iterator[str]:
    """Messages for every table of events, and for its senders."""
    for stem, table in bundle.event_tables.items():
        key = table["kind"]
        where = f"spec/{bundle.origin[f'events/{stem}']}: {key}"
        content = {name: value for name, value in table.items() if name not in ("kind", "title")}
        problems = [*check_keys(f"{where}:", content, TABLE_KEYS[key])]
        problems = problems or [*_events(where, table)]
        yield from problems
        if problems or key == "x-coze-callbacks":
            continue
        yield from _parts(where, table)
        if "senders" in table:
            yield from lint_senders(where, bundle, table)


def _events(where: str, table: Node) -> Iterator[str]:
    """Every event has a schema."""
    for key in ("send", "receive"):
        for event, model in (table.get(key) or {}).items():
            if schema_name(model) is None:
                yield f"{where}: event {event} of {key} must be a $ref to a schema"
    for event, about in (table.get("events") or {}).items():
        if schema_name((about or {}).get("schema")) is None:
            yield f"{where}: event {event} needs a `schema` that is a $ref"


def _parts(where: str, table: Node) -> Iterator[str]:
    """Events that play a part are in the tables, and an alias is not an event itself."""
    settings = table.get("settings")
    if settings is not None and settings not in table["send"]:
        yield f"{where}: settings names event {settings}, which is not in send; fix the name"
    aliases: Node = table.get("aliases") or {}
    named = {key: table.get(key) or () for key in ("terminal", "failure")}
    for key, events in {**named, "aliases": aliases.values()}.items():
        for event in events:
            if event not in table["receive"]:
                yield f"{where}: {key} names event {event}, which is not in receive; fix the name"
    for alias in aliases:
        if alias in table["receive"]:
            yield f"{where}: aliases has {alias}, which is an event of receive; delete it"
