"""The documented operations with all their fields (`documented.json`), and what a description says
otherwise.

The file holds facts of the official pages: method, path, parameters, fields with their nesting,
required flags, types, enum values and event names. A description may know more; it must not know
less. What it says otherwise on purpose (a type, a flag, a value) is named under `fields` of an
`x-coze-deviation`: of an operation (a path as printed here, wildcards allowed), or of a schema or
parameter (a name in it, `*` for all). Nothing excuses that something is missing.
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

FILE = Path(__file__).with_name("documented.json")
PLACES = ("path", "query", "header")
MEDIA = {"json": "application/json", "sse": "text/event-stream"}


@cache
def documented() -> dict[str, dict[str, Any]]:
    """operationId → the facts about it."""
    return json.loads(FILE.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


class Difference(NamedTuple):
    operation: str
    where: str
    """For example `response.data.items[].name`; empty for the operation itself."""
    what: str

    def __str__(self) -> str:
        return f"{self.operation} {self.where}: {self.what}"


class Excuse(NamedTuple):
    owner: str
    """Pointer to the operation, parameter or schema that has it."""
    field: str


class Schema:
    """A schema with its references and all parts of `allOf` in one."""

    def __init__(self, document: dict[str, Any], node: dict[str, Any], name: str = "") -> None:
        self.types: set[str] = set()
        self.properties: dict[str, tuple[Schema, dict[str, Any]]] = {}
        self.required: set[str] = set()
        self.known: set[str] = set()
        self.binary = False
        self.below: dict[str, Any] | None = None
        self.excuses: list[tuple[str, Excuse]] = []
        self._document = document
        self._add(node, name)

    def _add(self, node: dict[str, Any], name: str) -> None:
        if "$ref" in node:
            name = str(node["$ref"]).rpartition("/")[2]
            self._add(self._document["components"]["schemas"].get(name, {}), name)
        for part in node.get("allOf", []):
            self._add(part, name)
        kinds = node.get("type", [])
        self.types |= {kinds} if isinstance(kinds, str) else set(kinds)
        self.known |= {plain(value) for value in node.get("x-known-values", ())}
        self.properties |= {key: (self, below) for key, below in node.get("properties", {}).items()}
        self.required |= set(node.get("required", ()))
        self.binary = self.binary or node.get("format") == "binary"
        below = node.get("items", node.get("additionalProperties"))
        self.below = below if isinstance(below, dict) else self.below
        self.excuses += excuses(node, f"schema {name}")

    def element(self) -> Schema:
        """What a list or a map is made of; any value when that is not said."""
        return Schema(self._document, self.below or {})

    def property(self, name: str) -> Schema | None:
        return Schema(self._document, self.properties[name][1]) if name in self.properties else None


def plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def excuses(node: dict[str, Any], owner: str) -> list[tuple[str, Excuse]]:
    """The fields that a deviation excuses."""
    fields = (node.get("x-coze-deviation") or {}).get("fields") or ()
    return [(str(field), Excuse(owner, str(field))) for field in fields]


class Comparison:
    """One operation of a description against the facts about it."""

    def __init__(self, document: dict[str, Any], name: str, facts: dict[str, Any]) -> None:
        self.document = document
        self.name = name
        self.facts = facts
        self.used: set[Excuse] = set()
        self._found: list[Difference] = []
        self._excuses: list[tuple[str, Excuse]] = []

    def run(self) -> list[Difference]:
        node = next(
            (node for _, _, node in nodes(self.document) if node.get("operationId") == self.name),
            None,
        )
        if node is None:
            self._miss("", f"{self.facts['method']} {self.facts['address']} is missing")
            return self._found
        self._excuses = excuses(node, f"operation {self.name}")
        self._address()
        self._parameters(node)
        self._body(node)
        self._answers(node)
        return self._found

    def _address(self) -> None:
        found = next(
            (method, path)
            for method, path, node in nodes(self.document)
            if node.get("operationId") == self.name
        )
        wanted = self.facts["method"], self.facts["address"]
        if (found[0], unnamed(found[1])) != (wanted[0], unnamed(wanted[1])):
            self._miss("", f"is {' '.join(found)}, documented as {' '.join(wanted)}")

    def _parameters(self, node: dict[str, Any]) -> None:
        listed = {(p["in"], p["name"].lower()): p for p in node.get("parameters", [])}
        for place in PLACES:
            for name, fact in self.facts.get(place, {}).items():
                where, found = f"{place}.{name}", listed.get((place, name.lower()))
                if found is None:
                    self._miss(where)
                    continue
                schema = Schema(self.document, found["schema"])
                local = [
                    excuse
                    for field, excuse in excuses(found, f"parameter {self.name} {name}")
                    if field in ("*", name)
                ]
                required = None if place == "header" else found.get("required", False)
                self._leaf(where, fact, schema, required, local, in_query=place == "query")

    def _body(self, node: dict[str, Any]) -> None:
        if "body" not in self.facts:
            return
        content = node.get("requestBody", {}).get("content", {})
        if self.facts["body_type"] not in content:
            self._miss("body", f"is no {self.facts['body_type']}")
        for media in list(content.values())[:1]:
            self._fields("body.", self.facts["body"], Schema(self.document, media["schema"]))

    def _answers(self, node: dict[str, Any]) -> None:
        responses = node.get("responses", {})
        content = {
            kind: media
            for code, answer in responses.items()
            if code[0] == "2"
            for kind, media in answer.get("content", {}).items()
        }
        for kind in self.facts["answers"]:
            there = {
                "redirect": any(code[0] == "3" for code in responses),
                "binary": bool(set(content) - set(MEDIA.values())),
            }
            if not there.get(kind, MEDIA.get(kind) in content):
                self._miss("response", f"has no {kind}")
        if "json" in self.facts["answers"] and MEDIA["json"] in content:
            self._fields(
                "response.",
                self.facts["response"],
                Schema(self.document, content[MEDIA["json"]]["schema"]),
            )
        self._events(node)

    def _events(self, node: dict[str, Any]) -> None:
        known = node.get("x-coze-stream", {}).get("events", {})
        compared: set[str] = set()
        for event, name in self.facts.get("events", {}).items():
            if event not in known:
                self._miss(f"sse.{event}")
            elif name is not None and name not in compared:
                compared.add(name)
                self._fields(
                    f"sse.{name}.",
                    self.facts["objects"][name],
                    Schema(self.document, known[event]),
                    (name,),
                )

    def _fields(
        self, prefix: str, facts: dict[str, Any], schema: Schema, seen: tuple[str, ...] = ()
    ) -> None:
        for name, fact in facts.items():
            where, found = f"{prefix}{name}", schema.property(name)
            if found is None:
                self._miss(where)
                continue
            local = [excuse for field, excuse in schema.excuses if fnmatch.fnmatchcase(name, field)]
            local += [excuse for field, excuse in found.excuses if field == "*"]
            self._leaf(where, fact, found, name in schema.required, local)
            below = fact.get("object")
            if below is not None and below not in seen:
                step = {"array": "[].", "map": "{}."}.get(fact["type"], ".")
                inner = found if step == "." else found.element()
                self._fields(where + step, self.facts["objects"][below], inner, (*seen, below))

    def _leaf(
        self,
        where: str,
        fact: dict[str, Any],
        schema: Schema,
        required: bool | None,
        local: list[Excuse],
        *,
        in_query: bool = False,
    ) -> None:
        if "source" in fact:
            return  # no table of the pages has it: that it is there is all that is known
        if not fits(fact, schema) and not (
            in_query and fact["type"] == "array" and "string" in schema.types
        ):
            self._differ(where, f"is {kinds(schema)}, documented as {wanted(fact)}", local)
        known = schema.known | (schema.element().known if schema.below else set())
        lacking = [plain(value) for value in fact.get("enum", []) if plain(value) not in known]
        if lacking:
            self._differ(where, f"does not know the value {', '.join(lacking)}", local)
        if required is not None and "required" in fact and fact["required"] != required:
            self._differ(
                where, f"is {'required' if required else 'optional'}, documented otherwise", local
            )

    def _miss(self, where: str, what: str = "is missing") -> None:
        self._found.append(Difference(self.name, where, what))

    def _differ(self, where: str, what: str, local: list[Excuse]) -> None:
        excusing = [
            excuse
            for field, excuse in self._excuses
            if fnmatch.fnmatchcase(where, field.replace("[]", "[[]]"))
        ] + local
        self.used.update(excusing[:1])
        if not excusing:
            self._found.append(Difference(self.name, where, what))


def fits(fact: dict[str, Any], schema: Schema) -> bool:
    """Whether one of the documented types is among those of the schema; a schema without type takes
    any value.
    """
    for kind in [fact["type"]] if isinstance(fact["type"], str) else fact["type"]:
        if kind == "any" or (kind == "binary" and schema.binary):
            return True
        if kind in ("map", "object"):
            if schema.types and "object" not in schema.types:
                continue
        elif kind not in schema.types:
            continue
        return element_fits(kind, fact.get("of"), schema)
    return False


def element_fits(kind: str, of: str | None, schema: Schema) -> bool:
    if of in (None, "any") or kind not in ("array", "map"):
        return True
    found = schema.element().types
    if of in ("map", "object") or kind == "map":
        return not found or ("object" if of in ("map", "object") else of) in found
    return of in found


def kinds(schema: Schema) -> str:
    text = " or ".join(sorted(schema.types)) or "untyped"
    return f"{text} of {kinds(schema.element())}" if schema.below else text


def wanted(fact: dict[str, Any]) -> str:
    text = fact["type"] if isinstance(fact["type"], str) else " or ".join(fact["type"])
    return f"{text} of {fact['of']}" if "of" in fact else text


def unnamed(path: str) -> str:
    """The path without the names of its parameters."""
    return re.sub(r"\{[^}]*}", "{}", path)


def nodes(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, node in item.items():
            yield method.upper(), path, node


def differences_of(document: dict[str, Any], *names: str) -> list[Difference]:
    """What the description says otherwise about these operations, or about all."""
    return [
        found
        for name in names or documented()
        for found in Comparison(document, name, documented()[name]).run()
    ]
