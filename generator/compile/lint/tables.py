"""Rules for tables of events (sockets, real-time calls, callbacks) and for how events are sent."""

from __future__ import annotations

import keyword
from collections.abc import Iterator
from pathlib import Path

from attrs import define

from ..bundle import Bundle, Node
from ..nodes import node_at, parts, properties, schema_name, types_of
from .limits import lint_limits
from .operations import lint_parameters
from .place import Place
from .values import Values


def lint_table(place: Place, table: Node, values: Values) -> Iterator[str]:
    """Messages for a table of events, and for its senders."""
    if "send" in table:
        yield from lint_parameters(place / "parameters", table, values)
        yield from _parts(place, table)
    if "senders" in table:
        yield from _senders(place / "senders", table, values)


def _parts(place: Place, table: Node) -> Iterator[str]:
    """Events that play a part are in the tables, and an alias is not an event itself."""
    stem = Path(place.file.name).stem
    if table.get("id", stem) != stem:
        yield (place / "id").says(f"{table['id']} is not the name of the file, {stem}; fix it")
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


def _senders(place: Place, table: Node, values: Values) -> Iterator[str]:
    """Messages for the senders of one table."""
    senders: Node = table["senders"]
    for event in table["send"]:
        if event not in senders:
            yield place.says(f"no {event}, which is in send; add it")
    methods: dict[str, str] = {}
    for event, about in senders.items():
        here = place / event
        if event not in table["send"]:
            yield here.says("no such event in send; fix the name")
            continue
        name = str(about.get("name") or event.replace(".", "_"))
        other = methods.setdefault(name, event)
        if other != event:
            yield here.says(f"has the method {name} of {other}; give it another `name`")
        if not _is_name(name) or name == "send":
            yield here.says(f"{name} cannot be the name of a method; give it a `name`")
        yield from _Sender(here, values, table["send"][event], about).problems()


def _is_name(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)


@define
class _Sender:
    """One entry of `senders`."""

    place: Place
    judge: Values
    event: Node
    about: Node

    @property
    def bundle(self) -> Bundle:
        """The description."""
        return self.judge.bundle

    @property
    def arguments(self) -> dict[str, Node]:
        """Arguments by name."""
        arguments: dict[str, Node] = self.about.get("arguments") or {}
        return arguments

    @property
    def data(self) -> Node:
        """The property that holds the data of the event; empty when it has none."""
        return properties(self.bundle, self.event).get("data") or {}

    def problems(self) -> Iterator[str]:
        """Messages for this sender."""
        model = schema_name(self.event)
        if "event_type" not in properties(self.bundle, self.event):
            yield self.place.says(f"{model} has no event_type; point to the schema of an event")
            return
        if "data" in self.about and (self.arguments or self.about.get("fixed")):
            yield (self.place / "data").says("the data as a whole; delete arguments and fixed")
        yield from self.paths()
        for name, rule in self.arguments.items():
            yield from self.argument(name, rule)
        yield from self.positional()
        yield from self.values()

    def paths(self) -> Iterator[str]:
        """Every path leads to a field of the data, and none is given twice."""
        paths = [str(rule.get("field") or name) for name, rule in self.arguments.items()]
        paths += self.about.get("fixed") or ()
        owner = schema_name(self.data) or "the data, which has none"
        for path in dict.fromkeys([*paths, *(self.about.get("limits") or ())]):
            if self.field(path) is None:
                yield self.place.says(f"{path} is not a field of {owner}; fix it")
        for path in sorted({path for path in paths if paths.count(path) > 1}):
            yield self.place.says(f"field {path} is given twice; keep one")

    def field(self, path: str) -> Node | None:
        """The field at a path of the data."""
        return node_at(self.bundle, self.data, path) if self.data else None

    def argument(self, name: str, rule: Node) -> Iterator[str]:
        """The name of an argument, its encoding and its default."""
        here = self.place.below("arguments", name)
        if not _is_name(name) or name in ("self", "id"):
            yield here.says("cannot be a name in Python; rename it, with `field`")
        field = self.field(str(rule.get("field") or name))
        if field is None:
            return
        if rule.get("base64") and types_of(self.bundle, field) != {"string"}:
            yield here.says("sent as Base64, and its field is not a text; delete base64")
        if "default" in rule:
            yield from self.judge.misfits(here / "default", field, rule["default"])

    def positional(self) -> Iterator[str]:
        """What must be given comes before what may be left out."""
        optional = ""
        for name, rule in self.arguments.items():
            if not rule.get("positional"):
                continue
            if not (rule.get("required") or ("default" not in rule and self.required(name, rule))):
                optional = name
            elif optional:
                yield self.place.below("arguments", name).says(
                    f"must be given, and {optional} before it need not be; reorder them"
                )

    def required(self, name: str, rule: Node) -> bool:
        """Whether the schema requires the field of an argument."""
        head, _, last = str(rule.get("field") or name).rpartition(".")
        holder = self.field(head) if head else self.data
        return any(
            last in (part.get("required") or ()) for part in parts(self.bundle, holder or {})
        )

    def values(self) -> Iterator[str]:
        """Fixed values fit their fields, and so do limits."""
        for path, value in (self.about.get("fixed") or {}).items():
            field = self.field(path)
            if field is not None:
                yield from self.judge.misfits(self.place.below("fixed", path), field, value)
        for path, limits in (self.about.get("limits") or {}).items():
            field, here = self.field(path), self.place.below("limits", path)
            if field is not None:
                yield from lint_limits(here, limits, field, self.judge)
