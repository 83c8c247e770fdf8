"""Rules for senders: how a client sends each event of a table."""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import define

from ..bundle import Bundle, Node
from ..nodes import known_values, node_at, parts, properties, schema_name, types_of
from .limits import fits, limit_rules

ARGUMENT_KEYS: dict[str, type] = {
    "field": str,
    "positional": bool,
    "required": bool,
    "default": object,
    "base64": bool,
    "description": str,
}
SENDER_KEYS = {"name": str, "data": str, "arguments": dict, "fixed": dict, "limits": dict}


def lint_senders(where: str, bundle: Bundle, table: Node) -> Iterator[str]:
    """Messages for the senders of one table."""
    senders: Node = table["senders"]
    for event in table["send"]:
        if event not in senders:
            yield f"{where}: event {event} is in send but has no sender; add it to senders"
    methods: dict[str, str] = {}
    for event, about in senders.items():
        here = f"{where}: sender {event}"
        if event not in table["send"]:
            yield f"{here}: no such event in send; fix the name"
            continue
        name = str((about or {}).get("name") or event.replace(".", "_"))
        other = methods.setdefault(name, event)
        if other != event:
            yield f"{here}: has the method {name} of {other}; give it another `name`"
        if not _is_name(name) or name == "send":
            yield f"{here}: {name} cannot be the name of a method; give it a `name`"
        yield from _Sender(here, bundle, table["send"][event], about or {}).problems()


def _is_name(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)


def _of_type(where: str, data: Any, keys: Mapping[str, type]) -> Iterator[str]:
    """Unknown keys, and values of the wrong type."""
    if not isinstance(data, dict):
        yield f"{where} must be a map; see docs/description.md"
        return
    for key, value in data.items():
        if key not in keys:
            yield f"{where} has unknown {key}; use {', '.join(keys)}"
        elif not isinstance(value, keys[key]):
            yield f"{where} has {key} {value!r}, which must be of type {keys[key].__name__}"


@define
class _Sender:
    """One entry of `senders`."""

    where: str
    bundle: Bundle
    event: Node
    about: Node

    @property
    def arguments(self) -> dict[str, Node]:
        """Arguments by name."""
        return {name: rule or {} for name, rule in (self.about.get("arguments") or {}).items()}

    @property
    def data(self) -> Node:
        """The property that holds the data of the event; empty when it has none."""
        return properties(self.bundle, self.event).get("data") or {}

    def problems(self) -> Iterator[str]:
        """Messages for this sender."""
        model = schema_name(self.event)
        if "event_type" not in properties(self.bundle, self.event):
            yield f"{self.where}: {model} has no event_type; point to the schema of an event"
            return
        wrong_types = [*self.types()]
        yield from wrong_types
        if wrong_types:
            return
        if "data" in self.about and (self.arguments or self.about.get("fixed")):
            yield f"{self.where}: `data` is the data as a whole; delete arguments and fixed"
        yield from self.paths()
        for name, rule in self.arguments.items():
            yield from self.argument(name, rule)
        yield from self.positional()
        yield from self.values()

    def types(self) -> Iterator[str]:
        """Every key is known and has a value of its type."""
        problems = [*_of_type(f"{self.where}: it", self.about, SENDER_KEYS)]
        yield from problems
        if not problems:
            for name, rule in self.arguments.items():
                yield from _of_type(f"{self.where}: argument {name}", rule, ARGUMENT_KEYS)

    def paths(self) -> Iterator[str]:
        """Every path leads to a field of the data, and none is given twice."""
        paths = [str(rule.get("field") or name) for name, rule in self.arguments.items()]
        paths += self.about.get("fixed") or ()
        owner = schema_name(self.data) or "the data, which has none"
        for path in dict.fromkeys([*paths, *(self.about.get("limits") or ())]):
            if self.field(path) is None:
                yield f"{self.where}: {path} is not a field of {owner}; fix it"
        for path in sorted({path for path in paths if paths.count(path) > 1}):
            yield f"{self.where}: field {path} is given twice; keep one"

    def field(self, path: str) -> Node | None:
        """The field at a path of the data."""
        return node_at(self.bundle, self.data, path) if self.data else None

    def argument(self, name: str, rule: Node) -> Iterator[str]:
        """The name of an argument, its encoding and its default."""
        if not _is_name(name) or name in ("self", "id"):
            yield (
                f"{self.where}: argument {name} cannot be a name in Python; rename it, with `field`"
            )
        field = self.field(str(rule.get("field") or name))
        if field is None:
            return
        if rule.get("base64") and types_of(self.bundle, field) != {"string"}:
            yield f"{self.where}: argument {name} is sent as Base64, and its field is not a text"
        if "default" in rule:
            yield from self.value(f"default of {name}", field, rule["default"])

    def positional(self) -> Iterator[str]:
        """What must be given comes before what may be left out."""
        optional = ""
        for name, rule in self.arguments.items():
            if not rule.get("positional"):
                continue
            if not (rule.get("required") or ("default" not in rule and self.required(name, rule))):
                optional = name
            elif optional:
                yield (
                    f"{self.where}: argument {name} must be given, and {optional} before it need "
                    "not be"
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
                yield from self.value(f"fixed {path}", field, value)
        for path, limits in (self.about.get("limits") or {}).items():
            field = self.field(path)
            if field is not None:
                yield from limit_rules(
                    f"{self.where}: limits of {path}", self.bundle, limits, field
                )

    def value(self, place: str, field: Node, value: Any) -> Iterator[str]:
        """A value is of the type of its field, and known where the field has known values."""
        if not fits(self.bundle, field, value):
            types = " or ".join(sorted(types_of(self.bundle, field)))
            yield f"{self.where}: {place} is {value!r}, and the field is {types}; fix it"
            return
        known = known_values(self.bundle, field)
        if known and value not in known:
            yield (
                f"{self.where}: {place} is {value!r}, which is not among the known values of the "
                "field; fix it"
            )
