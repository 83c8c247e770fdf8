"""The description of the API: its operations, schemas and sockets, out of `openapi.json`."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any

Schema = dict[str, Any]

_MIN_ID_LENGTH = 10
"""Shorter examples, such as `123`, are too likely to be meant as an unknown id."""
_ID_ENDINGS = ("id", "ids", "Id", "uuid")
_METHODS = ("get", "post", "put", "delete", "patch")


@dataclass(frozen=True, slots=True)
class Operation:
    """One documented operation."""

    id: str
    method: str
    path: str
    data: Schema
    """The operation object of the description."""

    @property
    def parameters(self) -> list[Schema]:
        """Path, query and header parameters."""
        parameters: list[Schema] = self.data.get("parameters", [])
        return parameters

    @property
    def body(self) -> tuple[str, Schema] | None:
        """Media type and schema of the request body."""
        for media_type, content in self.data.get("requestBody", {}).get("content", {}).items():
            return media_type, content["schema"]
        return None

    @property
    def body_required(self) -> bool:
        """Whether a request without a body is rejected."""
        return bool(self.data.get("requestBody", {}).get("required"))

    @property
    def anonymous(self) -> bool:
        """Whether it is called without an access token."""
        return self.data.get("security") == []

    @property
    def streams(self) -> bool:
        """Whether it can answer with an event stream."""
        return "x-coze-stream" in self.data

    @property
    def pager(self) -> Schema:
        """The paging rule; empty for anything but a list with pages."""
        rule: Schema = self.data.get("x-coze-pager", {})
        return rule

    @property
    def response(self) -> Schema:
        """Schema of the successful JSON response; empty when there is none."""
        content = self.data["responses"].get("200", {}).get("content", {})
        schema: Schema = content.get("application/json", {}).get("schema", {})
        return schema


class Description:
    """The whole description.

    Args:
        document: Content of `openapi.json`.
    """

    def __init__(self, document: Schema) -> None:
        self.document = document
        self.schemas: dict[str, Schema] = document["components"]["schemas"]
        self.operations = {
            data["operationId"]: Operation(data["operationId"], method.upper(), path, data)
            for path, item in document["paths"].items()
            for method, data in item.items()
            if method in _METHODS
        }

    @functools.cached_property
    def sockets(self) -> dict[str, Schema]:
        """Voice sockets by id: path, and the events of both directions."""
        return {
            name: table
            for name, table in self.document["x-coze-events"].items()
            if table["kind"] == "x-coze-socket"
        }

    def resolve(self, schema: Schema) -> Schema:
        """The schema behind a reference.

        Args:
            schema: A schema.
        """
        while "$ref" in schema:
            schema = self.schemas[schema["$ref"].rpartition("/")[2]]
        return schema

    def properties(self, schema: Schema) -> dict[str, Schema]:
        """All properties of an object schema, those of its `allOf` parts included.

        Args:
            schema: A schema.
        """
        schema = self.resolve(schema)
        properties: dict[str, Schema] = {}
        for part in schema.get("allOf", []):
            properties.update(self.properties(part))
        properties.update(schema.get("properties", {}))
        return properties

    def at(self, schema: Schema, path: str) -> Schema:
        """The schema of a nested field.

        Args:
            schema: Schema of the object.
            path: Names with dots in between.
        """
        for name in path.split("."):
            schema = self.properties(schema)[name]
        return schema

    @functools.cached_property
    def documented_ids(self) -> frozenset[str]:
        """The ids that are examples in the description; requests copied from an official page hold
        them.
        """
        examples = _examples_of_ids("", self.document)
        return frozenset(example for example in examples if len(example) >= _MIN_ID_LENGTH)

    def referenced(self, schema: Schema) -> dict[str, Schema]:
        """The named schemas that a schema needs, directly or not.

        Args:
            schema: A schema.
        """
        schemas: dict[str, Schema] = {}
        pending = list(_references(schema))
        while pending:
            name = pending.pop()
            if name not in schemas:
                schemas[name] = self.schemas[name]
                pending += _references(schemas[name])
        return schemas


def _examples_of_ids(name: str, node: Any) -> Iterator[str]:
    """The examples of all ids in a part of the document.

    Args:
        name: Name of the property or parameter that the part belongs to.
        node: The part.
    """
    if isinstance(node, list):
        for item in node:
            yield from _examples_of_ids(name, item)
    elif isinstance(node, dict):
        is_parameter = "in" in node and isinstance(node.get("name"), str)
        own_name = node["name"] if is_parameter else name
        for key, value in node.items():
            if key == "example":
                if own_name.endswith(_ID_ENDINGS):
                    values = value if isinstance(value, list) else [value]
                    yield from (item for item in values if isinstance(item, str))
            else:
                yield from _examples_of_ids(own_name if key == "schema" else key, value)


def _references(node: Any) -> Iterator[str]:
    """Names of the schemas that a schema refers to."""
    if isinstance(node, list):
        for item in node:
            yield from _references(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str):
                yield value.rpartition("/")[2]
            elif key not in ("example", "default", "x-known-values"):
                yield from _references(value)


@functools.cache
def load() -> Description:
    """The description that is packaged with `coze_openapi`."""
    return Description(
        json.loads(resources.files("coze_openapi").joinpath("openapi.json").read_bytes())
    )
