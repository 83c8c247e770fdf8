"""Whether a file says only what it may say: `shape.yaml`, and messages for what departs from it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml
from attrs import define, field

from ...yaml_files import YamlFile, text_keys
from .place import Place

_SHAPE = Path(__file__).with_name("shape.yaml")
_KINDS = {"openapi.yaml": "main", "shared.yaml": "shared"}
_DOWN = {"properties", "items", "additionalProperties", "propertyNames"}
"""Keywords whose subschemas are for a part of the value, not for the value itself."""
Known = Mapping[str, Callable[[str], bool]]
"""Whether a text is one of those that a `format` stands for."""


@cache
def _shape() -> Any:
    return yaml.load(_SHAPE.read_text(encoding="utf-8"), yaml.CSafeLoader)


@define
class Shape:
    """What files may say.

    Args:
        known: What the formats stand for; without it they are not checked.
    """

    known: Known | None = None
    validators: dict[str, jsonschema_rs.Draft202012Validator] = field(factory=dict, init=False)

    def problems(self, name: str, file: YamlFile) -> Iterator[str]:
        """Messages for everything that the shape does not allow.

        Args:
            name: Path of the file, relative to the description.
            file: The file.
        """
        kind = _KINDS.get(name, "resource")
        validator = self.validators.get(kind) or self.validators.setdefault(kind, self._made(kind))
        for error in validator.iter_errors(text_keys(file.content)):
            yield from _messages(Place(file, tuple(error.instance_path)), error, kind)

    def _made(self, kind: str) -> jsonschema_rs.Draft202012Validator:
        return jsonschema_rs.Draft202012Validator(
            {"$defs": _shape()["$defs"], "$ref": f"#/$defs/{kind}"},
            formats=dict(self.known or {}),
            validate_formats=self.known is not None,
        )


def _messages(place: Place, error: jsonschema_rs.ValidationError, kind: str) -> Iterator[str]:
    word, about = error.kind.name, error.kind.as_dict()
    if word == "propertyNames":  # the path of its error is that of the rule for the name alone
        advice = _advice([_at(_shape(), list(error.schema_path)[:-1])])
        yield (place / about["error"].instance).says(f"not a name that can be here; {advice}")
        return
    schemas = _schemas(kind, list(error.evaluation_path))
    if word == "additionalProperties":
        for key in about["unexpected"]:
            yield place.says(f"unknown key {key}; {_instead(schemas[-1], key)}", key)
    elif word == "required":
        key = about["property"]
        yield place.says(f"no {key}; {_advice_for(schemas, key)}")
    elif word == "falseSchema":
        yield place.says("not here; delete it")
    elif word in ("anyOf", "oneOf"):
        yield place.says(f"incomplete; {_advice(schemas[-1:])}")
    else:
        what = f"is not a known {about['format']}" if word == "format" else "cannot be here"
        yield place.says(f"{_shown(error.instance)} {what}; {_advice(schemas)}")


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "a map" if isinstance(value, dict) else "this list"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 50 else f"{text[:40]}…"


def _schemas(kind: str, path: list[str | int]) -> list[Any]:
    """The schemas on the way to a keyword that judge the same value, the first one first."""
    node: Any = {"$ref": f"#/$defs/{kind}"}
    schemas, named = [node], False
    for step in path[:-1]:
        followed = step == "$ref" and not named
        node = _pointed(node) if followed else _at(node, [step])
        if named or step in _DOWN - {"properties"}:
            schemas = []
        named = step == "properties" and not named
        if isinstance(node, dict) and not named:
            schemas.append(node)
    return schemas


def _pointed(node: Any) -> Any:
    return _at(_shape(), node["$ref"].strip("#/").split("/"))


def _at(node: Any, path: list[Any]) -> Any:
    for step in path:
        node = node[step if isinstance(node, list) else str(step)]
    return node


def _advice(schemas: list[Any]) -> str:
    """The first description: what is nearest to the value knows best what it is for."""
    for schema in schemas:
        if isinstance(schema, dict) and "description" in schema:
            return str(schema["description"])
        if isinstance(schema, dict) and "$ref" in schema:
            return _advice([_pointed(schema)])
    return "see docs/description.md"


def _advice_for(schemas: list[Any], key: str) -> str:
    """What to write for a key that is missing."""
    own = [schema.get("properties", {}).get(key) for schema in reversed(schemas)]
    return _advice([schema for schema in own if isinstance(schema, dict)])


def _instead(schema: Any, key: str) -> str:
    """What to do about an unknown key."""
    if key in schema.get("x-forbidden", ()):
        return str(schema["x-forbidden"][key])
    known = [name for name, about in schema.get("properties", {}).items() if about is not False]
    near = get_close_matches(key, known, 1, 0.75)
    if near:
        return f"did you mean {near[0]}?"
    return f"use {', '.join(known)}" if 0 < len(known) < 10 else "see docs/description.md"
