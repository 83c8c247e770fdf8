"""The description as the tests need it: operations, their parameters, and sample values made from
schemas.
"""

from __future__ import annotations

import json
import keyword
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import yaml

import coze_openapi
from coze_openapi import models
from coze_runtime.models import Model

GENERATED = Path(coze_openapi.__file__).parents[1]
FILE = ("sample.bin", b"\x00--+++\r\nnot a boundary", "application/octet-stream")
AWKWARD_ID = "7 4/5?6#7%ü"
"""Value of every path parameter: all of it has to arrive as one segment."""


@cache
def description() -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document: dict[str, Any] = yaml.load(
        (GENERATED / "openapi.yaml").read_text(encoding="utf-8"), Loader=loader
    )
    for node in document["components"]["schemas"].values():
        if node.get("type") == "integer" and "x-known-values" in node:  # keys are texts there
            values = node["x-known-values"].items()
            node["x-known-values"] = {int(value): about for value, about in values}
    return document


@cache
def manifest() -> dict[str, Any]:
    return json.loads((GENERATED / "manifest.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


class Parameter(NamedTuple):
    """A keyword or positional argument of the Python method."""

    wire: str
    place: str
    """path · query · header · body · form"""
    required: bool
    schema: dict[str, Any]

    @property
    def argument(self) -> str:
        name = self.wire.lower().replace("-", "_") if self.place == "header" else self.wire
        return f"{name}_" if keyword.iskeyword(name) else name


class Op(NamedTuple):
    id: str
    method: str
    path: str
    node: dict[str, Any]

    @property
    def tag(self) -> str:
        return str(self.node["tags"][0])

    @property
    def www(self) -> bool:
        return "servers" in self.node

    @property
    def anonymous(self) -> bool:
        return self.node.get("security") == []

    @property
    def pager(self) -> dict[str, Any] | None:
        return self.node.get("x-coze-pager")

    @property
    def stream(self) -> dict[str, Any] | None:
        return self.node.get("x-coze-stream")

    @property
    def switch(self) -> str | None:
        return (self.stream or {}).get("switch")

    @property
    def set_by_method(self) -> str | None:
        """The field that the methods set themselves: the switch of a stream, or that between a page
        and a task.
        """
        task = self.node.get("x-coze-waiter", {}).get("switch") if self.pager else None
        return self.switch or task

    @property
    def only_streams(self) -> bool:
        return self.stream is not None and self.switch is None

    @property
    def has_form(self) -> bool:
        return "multipart/form-data" in self.node.get("requestBody", {}).get("content", {})

    @property
    def has_body(self) -> bool:
        return "requestBody" in self.node

    @property
    def constants(self) -> dict[str, str]:
        return {
            p["name"]: p["x-coze-constant"]
            for p in self.node.get("parameters", [])
            if "x-coze-constant" in p
        }

    @property
    def parameters(self) -> list[Parameter]:
        """Arguments of the method; what it sets itself is none, and constants are none."""
        found = [
            Parameter(p["name"], p["in"], p.get("required", False), p["schema"])
            for p in self.node.get("parameters", [])
            if "x-coze-constant" not in p
        ]
        place = "form" if self.has_form else "body"
        for media in self.node.get("requestBody", {}).get("content", {}).values():
            body = merged(media["schema"])
            found += [
                Parameter(name, place, name in body["required"], schema)
                for name, schema in body["properties"].items()
                if name != self.set_by_method
            ]
        return found

    @property
    def answer_schema(self) -> dict[str, Any] | None:
        """Schema of the JSON answer; `None` for streams, bytes and redirects."""
        content = self.node["responses"].get("200", {}).get("content", {})
        return content["application/json"]["schema"] if "application/json" in content else None

    @property
    def unwrap(self) -> str:
        return str(self.node.get("x-coze-unwrap") or "")

    @property
    def result_path(self) -> list[str]:
        """Steps from the JSON answer to what the method returns, or to the items of a page."""
        path = (
            str(self.pager["items"])
            if self.pager
            else ""
            if self.unwrap in ("nothing", "body")
            else self.unwrap
        )
        return path.split(".") if path else []

    def resource(self, client: Any) -> Any:
        for step in self.tag.split("."):
            client = getattr(client, step)
        return client

    @property
    def method_name(self) -> str:
        return self.id.removeprefix(self.tag.replace(".", "_") + "_")

    @property
    def call(self) -> str:
        """How users call it."""
        return f"coze.{self.tag}.{self.method_name}"

    def method_of(self, client: Any, *, streaming: bool | None = None) -> Any:
        """The bound method; `streaming` chooses the twin of an operation that can do both."""
        streaming = self.only_streams if streaming is None else streaming
        return getattr(
            self.resource(client),
            self.stream["method"] if streaming and self.stream else self.method_name,
        )

    @property
    def module(self) -> Any:
        """The module with the pure `build` and `parse`."""
        return import_module(f"coze_openapi.api.{self.tag.replace('.', '_')}.{self.method_name}")


@cache
def operations() -> dict[str, Op]:
    return {
        node["operationId"]: Op(node["operationId"], method.upper(), path, node)
        for path, item in description()["paths"].items()
        for method, node in item.items()
    }


def schema_of(name: str) -> dict[str, Any]:
    return description()["components"]["schemas"][name]  # type: ignore[no-any-return]


def reference(schema: Mapping[str, Any]) -> str | None:
    """Name of the schema that a `$ref` points to."""
    return str(schema["$ref"]).rpartition("/")[2] if "$ref" in schema else None


def merged(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema without `$ref` and `allOf`: all properties and all required names in one."""
    result: dict[str, Any] = {"properties": {}, "required": []}
    name = reference(schema)
    for part in [schema_of(name)] if name else schema.get("allOf", []):
        below = merged(part)
        properties = {**result["properties"], **below["properties"]}
        result = {
            **result,
            **below,
            "properties": properties,
            "required": result["required"] + below["required"],
        }
    own = {
        key: value
        for key, value in schema.items()
        if key not in ("$ref", "allOf", "properties", "required")
    }
    result = {**result, **own} if not name else result
    result["properties"] = {**result["properties"], **schema.get("properties", {})}
    result["required"] = [*result["required"], *schema.get("required", [])]
    return result


def model_of(schema: Mapping[str, Any]) -> type[Model] | None:
    """The class of a schema that is a named object; bodies of requests have none, their properties
    are keyword arguments.
    """
    name = reference(schema)
    if name is None or "x-known-values" in schema_of(name) or not merged(schema)["properties"]:
        return None
    found: type[Model] | None = getattr(models, name, None)
    return found


def sample(schema: Mapping[str, Any], seen: tuple[str, ...] = ()) -> Any:
    """Plain JSON data that the schema describes, with every property set; a recursive schema ends
    at its second level.
    """
    name = reference(schema)
    if name is not None:
        seen = (*seen, name)
    whole = merged(schema)
    if "x-known-values" in whole:
        return list(whole["x-known-values"])[-1]
    if whole["properties"]:
        return {
            key: sample(below, seen)
            for key, below in whole["properties"].items()
            if seen.count(_element(below) or "") < 2
        }
    kind = whole.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    match kind:
        case "string":
            return "text ü"
        case "integer":
            return _within(whole, 17)
        case "number":
            return _within(whole, 0.5)
        case "boolean":
            return True
        case "array":
            return [sample(whole["items"], seen)]
        case "object":
            below = whole.get("additionalProperties")
            return {"key": sample(below, seen) if isinstance(below, dict) and below else "value"}
        case _:
            return {"any": [1, "two", None]}


def _element(schema: Mapping[str, Any]) -> str | None:
    """The schema at the end of arrays and maps."""
    while "items" in schema or isinstance(schema.get("additionalProperties"), dict):
        schema = schema.get("items") or schema["additionalProperties"]
    return reference(schema)


def is_file(schema: Mapping[str, Any]) -> bool:
    return schema.get("format") == "binary"


def as_argument(schema: Mapping[str, Any], value: Any) -> Any:
    """Plain JSON data as a caller would give it: models for named objects."""
    model = model_of(schema)
    if model is not None and isinstance(value, Mapping):
        return model.from_dict(value)
    whole = merged(schema)
    if whole.get("type") == "array" and isinstance(value, list):
        return [as_argument(whole["items"], item) for item in value]
    below = whole.get("additionalProperties")
    if isinstance(value, Mapping) and isinstance(below, dict):
        return {key: as_argument(below, item) for key, item in value.items()}
    return value


def _within(schema: Mapping[str, Any], value: float) -> float:
    """The value, or the limit that it is beyond."""
    low, high = schema.get("minimum", value), schema.get("maximum", value)
    return low if value < low else min(value, high)


def sample_argument(parameter: Parameter) -> Any:
    if parameter.place == "path":
        return AWKWARD_ID
    if parameter.place == "header":
        return "text"
    return FILE if is_file(parameter.schema) else sample(parameter.schema)


def sample_answer(op: Op) -> Any:
    """A successful JSON answer with everything in it that the description knows."""
    schema = op.answer_schema
    assert schema is not None
    answer = sample(schema)
    if "code" in merged(schema)["properties"]:
        answer["code"] = 0
    return answer


def split_arguments(op: Op, arguments: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Positional and keyword arguments of the method: ids of the path come by position."""
    path = [p.argument for p in op.parameters if p.place == "path"]
    return [arguments[name] for name in path if name in arguments], {
        k: v for k, v in arguments.items() if k not in path
    }
