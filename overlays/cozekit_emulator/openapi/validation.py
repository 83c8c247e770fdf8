"""Reads a request and checks it against the description: path, query, header, JSON and form bodies.

Unknown query parameters and body fields are ignored, as the service does. A JSON `null` counts as
"not sent", so that updates can clear a field. An error has code 4000 and names the field; its HTTP
status is 400, or 200 for the operations that can stream, whose status is always 200.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import jsonschema_rs
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from ..errors import ApiError, invalid_parameter
from .description import Description, Operation, Schema

_LIMITS = {
    ("body.meta_data", "maxProperties"): 4003,
    ("body.meta_data", "minLength"): 4003,
    ("body.meta_data", "maxLength"): 4003,
    ("body.additional_messages", "maxItems"): 4004,
}
"""Limits with a separate code, on the operations whose pages name it: field right below the body
and keyword → code.
"""


@dataclass(slots=True)
class Upload:
    """A file in a form."""

    name: str
    content: bytes


@dataclass(slots=True)
class Inputs:
    """Arguments of a request, checked and converted to the types of the description."""

    arguments: dict[str, Any] = field(default_factory=dict)
    """Path and query parameters."""
    body: dict[str, Any] = field(default_factory=dict)
    files: dict[str, list[Upload]] = field(default_factory=dict)


class Validator:
    """Checks requests; a schema is compiled when it is first used.

    Args:
        description: The description.
    """

    def __init__(self, description: Description) -> None:
        self._description = description
        self._compiled: dict[str, jsonschema_rs.Draft202012Validator] = {}

    async def read(self, operation: Operation, request: Request) -> Inputs:
        """The inputs of a request.

        Args:
            operation: The operation.
            request: The request.

        Raises:
            ApiError: 4000 with the name of the wrong field; 4300 or 4301 for a form without or with
                too many files.
        """
        inputs = Inputs()
        try:
            for parameter in operation.parameters:
                self._read_parameter(operation, parameter, request, inputs)
            if operation.body is not None:
                media_type, schema = operation.body
                if media_type == "multipart/form-data":
                    await self._read_form(operation, schema, request, inputs)
                else:
                    await self._read_json(operation, schema, request, inputs)
        except ApiError as error:
            error.status = 200 if operation.streams else 400
            if error.code not in (4000, 4300, 4301, *operation.data.get("x-coze-errors", ())):
                error.code = 4000
            raise
        return inputs

    def _read_parameter(
        self, operation: Operation, parameter: Schema, request: Request, inputs: Inputs
    ) -> None:
        name, place, schema = parameter["name"], parameter["in"], parameter["schema"]
        path = f"{place}.{name}"
        values = {
            "path": request.path_params,
            "query": request.query_params,
            "header": request.headers,
        }[place]
        text: str | list[str] | None = values.get(name)
        if not text:
            if parameter.get("required"):
                raise invalid_parameter(f"{path} is required")
            return
        if place == "query" and self._description.resolve(schema).get("type") == "array":
            text = ",".join(request.query_params.getlist(name)).split(",")
        value = self._converted(schema, text, path)
        self.check(f"{operation.id} {place} {name}", schema, value, path)
        if place != "header":
            inputs.arguments[name] = value

    async def _read_json(
        self, operation: Operation, schema: Schema, request: Request, inputs: Inputs
    ) -> None:
        content = await request.body()
        if not content:
            if operation.body_required:
                raise invalid_parameter("body is required")
            return
        try:
            body = json.loads(content)
        except ValueError:
            raise invalid_parameter("body is not valid JSON") from None
        self.check(operation.id, schema, _without_nulls(body), "body")
        inputs.body = body

    async def _read_form(
        self, operation: Operation, schema: Schema, request: Request, inputs: Inputs
    ) -> None:
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            raise ApiError(4300, "body is not multipart/form-data")
        properties = self._description.properties(schema)
        try:
            async with request.form() as form:
                for name, value in form.multi_items():
                    if isinstance(value, UploadFile):
                        upload = Upload(value.filename or "", await value.read())
                        inputs.files.setdefault(name, []).append(upload)
                    else:
                        field_schema = properties.get(name, {})
                        inputs.body[name] = self._converted(field_schema, value, f"body.{name}")
        except HTTPException as error:
            raise ApiError(4300, f"body: {error.detail}") from None
        self.check(operation.id, schema, {**inputs.body, **dict.fromkeys(inputs.files, "")}, "body")
        for name, files in inputs.files.items():
            if len(files) > 1:
                raise ApiError(4301, f"body.{name}: more than one file")

    def _converted(self, schema: Schema, text: str | list[str], path: str) -> Any:
        """The typed value of a text from a query or form."""
        schema = self._description.resolve(schema)
        json_type = schema.get("type")
        if isinstance(text, list):
            return [self._converted(schema.get("items", {}), item, path) for item in text]
        try:
            if json_type == "boolean":
                return {"true": True, "false": False}[text.lower()]
            if json_type in ("integer", "number"):
                return int(text) if json_type == "integer" else float(text)
            if json_type in ("object", "array"):
                return json.loads(text)
        except (ValueError, KeyError):
            raise invalid_parameter(f"{path} is not of type {json_type}") from None
        return text

    def check(self, key: str, schema: Schema, value: Any, path: str) -> None:
        """Checks one value.

        Args:
            key: Names the schema, whose compiled form is kept.
            schema: The schema.
            value: The value.
            path: Where the value is, for the error.

        Raises:
            ApiError: 4000, or the code of the limit.
        """
        validator = self._compiled.get(key)
        if validator is None:
            definitions = {"components": {"schemas": self._description.referenced(schema)}}
            validator = jsonschema_rs.Draft202012Validator({"allOf": [schema], **definitions})
            self._compiled[key] = validator
        for error in validator.iter_errors(value):
            raise _api_error(error, path)


def _api_error(error: jsonschema_rs.ValidationError, path: str) -> ApiError:
    """The error for a value that does not fit; for a missing field it names the field, not the
    object.
    """
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.instance_path)
    full_path = path + "".join(steps)
    keyword = str(error.schema_path[-1]) if error.schema_path else ""
    missing = getattr(error.kind, "property", None)
    if keyword == "required" and missing:
        return invalid_parameter(f"{full_path}.{missing} is required")
    api_error = invalid_parameter(f"{full_path} {str(error.message)[:200]}")
    field = ".".join([path, *map(str, error.instance_path[:1])])
    api_error.code = _LIMITS.get((field, keyword), 4000)
    return api_error


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
