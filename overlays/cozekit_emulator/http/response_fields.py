"""Puts records into responses: the fields that the schema of the operation has, at their places."""

from __future__ import annotations

from typing import Any

from ..errors import ApiError
from ..openapi.description import Schema
from ..state.store import Record
from .request import ApiRequest

_ENVELOPE = ("code", "msg", "detail")


def visible_fields(request: ApiRequest, schema: Schema, record: Any) -> Any:
    """The fields of a record that a schema has; a map, and anything but a record, as it is."""
    names = request.state.description.properties(schema)
    if not isinstance(record, dict) or not names:
        return record
    return {name: record[name] for name in names if record.get(name) is not None}


def nested(path: str, value: Any) -> Record:
    """`data.items` and a value → `{"data": {"items": value}}`."""
    for name in reversed(path.split(".")):
        value = {name: value}
    return value  # type: ignore[no-any-return]


def deep_merge(*parts: Record) -> Record:
    """Several objects as one, nested objects included; the later value wins."""
    merged: Record = {}
    for part in parts:
        for name, value in part.items():
            both = isinstance(merged.get(name), dict) and isinstance(value, dict)
            merged[name] = deep_merge(merged[name], value) if both else value
    return merged


def example_response(request: ApiRequest) -> Record:
    """The example of the description."""
    example = request.state.examples.of(request.operation.response)
    return {name: value for name, value in example.items() if name not in _ENVELOPE}


def documented_response(request: ApiRequest) -> Record:
    """The example of the description, for the ids of its examples.

    Raises:
        ApiError: 4200: a path names another id, of something that nobody has made.
    """
    for parameter in request.operation.parameters:
        name = parameter["name"]
        if parameter["in"] == "path" and not request.state.is_documented_id(str(request.arg(name))):
            raise ApiError(4200, f"{name} {request.arg(name)!r}: not found")
    return example_response(request)


def record_response(request: ApiRequest, record: Record) -> Record:
    """One record: its fields at the top level of the envelope and in the objects there."""
    description = request.state.description
    fields: Record = {}
    for name, schema in description.properties(request.operation.response).items():
        if name in _ENVELOPE:
            continue
        if description.properties(schema):
            fields[name] = visible_fields(request, schema, record)
        elif record.get(name) is not None:
            fields[name] = record[name]
    return fields


def items_response(request: ApiRequest, path: str, records: list[Record]) -> Record:
    """A list of records at a path of the response."""
    description = request.state.description
    schema = description.resolve(description.at(request.operation.response, path))["items"]
    return nested(path, [visible_fields(request, schema, record) for record in records])
