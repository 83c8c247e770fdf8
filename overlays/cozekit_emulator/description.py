"""The description as the emulator reads it: one object per operation, schemas resolved on
demand.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from importlib import resources
from typing import Any

Schema = dict[str, Any]

_SHORTEST_ID = 10
"""Shorter examples, such as `123`, are too likely to be meant as an unknown id."""
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
        found: list[Schema] = self.data.get("parameters", [])
        return found

    @property
    def body(self) -> tuple[str, Schema] | None:
        """Media type and schema of the request body."""
        for media_type, content in self.data.get("requestBody", {}).get("content", {}).items():
            return media_type, content["schema"]
        return None

    @property
    def body_required(self) -> bool:
        """Whether a request without a body is refused."""
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
        found: Schema = self.data.get("x-coze-pager", {})
        return found

    @property
    def answer(self) -> Schema:
        """Schema of the successful JSON answer; empty when it is none."""
        found: Schema = (
            self.data["responses"]
            .get("200", {})
            .get("content", {})
            .get("application/json", {})
            .get("schema", {})
        )
        return found


class Description:
    """The whole description."""

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
        """The schema behind a reference."""
        while "$ref" in schema:
            schema = self.schemas[schema["$ref"].rpartition("/")[2]]
        return schema

    def properties(self, schema: Schema) -> dict[str, Schema]:
        """All properties of an object schema, those of its `allOf` parts included."""
        schema = self.resolve(schema)
        found: dict[str, Schema] = {}
        for part in schema.get("allOf", []):
            found.update(self.properties(part))
        found.update(schema.get("properties", {}))
        return found

    def at(self, schema: Schema, path: str) -> Schema:
        """The schema of the field at a dotted path."""
        for name in path.split("."):
            schema = self.properties(schema)[name]
        return schema

    @functools.cached_property
    def printed_ids(self) -> frozenset[str]:
        """The ids that stand as examples in the description; requests copied from an official page
        hold them.
        """
        found: set[str] = set()
        waiting: list[Any] = [("", self.document)]
        while waiting:
            name, node = waiting.pop()
            if isinstance(node, list):
                waiting += [(name, item) for item in node]
            elif isinstance(node, dict):
                own = node["name"] if isinstance(node.get("name"), str) and "in" in node else name
                if own.endswith(("id", "ids", "Id", "uuid")) and "example" in node:
                    given = node["example"]
                    found.update(
                        item
                        for item in (given if isinstance(given, list) else [given])
                        if isinstance(item, str)
                    )
                waiting += [
                    (key if key != "schema" else own, value)
                    for key, value in node.items()
                    if key != "example"
                ]
        return frozenset(item for item in found if len(item) >= _SHORTEST_ID)

    def closure(self, schema: Schema) -> dict[str, Schema]:
        """The named schemas that a schema reaches, so that a validator compiles no more than it
        needs.
        """
        found: dict[str, Schema] = {}
        waiting: list[Any] = [schema]
        while waiting:
            node = waiting.pop()
            if isinstance(node, list):
                waiting += node
            elif isinstance(node, dict):
                if isinstance(node.get("$ref"), str):
                    name = node["$ref"].rpartition("/")[2]
                    if name not in found:
                        found[name] = self.schemas[name]
                        waiting.append(found[name])
                waiting += [
                    value
                    for key, value in node.items()
                    if key not in ("example", "default", "x-known-values")
                ]
        return found


@functools.cache
def load() -> Description:
    """The description that is packaged with `coze_openapi`."""
    return Description(
        json.loads(resources.files("coze_openapi").joinpath("openapi.json").read_bytes())
    )
