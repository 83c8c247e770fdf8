"""Rules for tables of events: sockets, real-time calls, callbacks."""

from __future__ import annotations

from collections.abc import Iterator

from ..bundle import Node
from .operations import lint_parameters
from .place import Place
from .senders import lint_senders
from .values import Values


def lint_table(place: Place, table: Node, values: Values) -> Iterator[str]:
    """Messages for a table of events, and for its senders."""
    if "send" in table:
        yield from lint_parameters(place / "parameters", table, values)
        yield from _parts(place, table)
    if "senders" in table:
        yield from lint_senders(place / "senders", table, values)


def _parts(place: Place, table: Node) -> Iterator[str]:
    """Events that play a part are in the tables, and an alias is not an event itself."""
    settings = table.get("settings")
    if settings is not None and settings not in table["send"]:
        yield (place / "settings").says(f"event {settings} is not in send; fix the name")
    aliases: Node = table.get("aliases") or {}
    named = {key: table.get(key) or () for key in ("terminal", "failure")}
    for key, events in {**named, "aliases": aliases.values()}.items():
        for event in events:
            if event not in table["receive"]:
                yield (place / key).says(f"event {event} is not in receive; fix the name")
    for alias in aliases:
        if alias in table["receive"]:
            yield place.below("aliases", alias).says("an event of receive; delete the alias")
