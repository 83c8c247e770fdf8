"""Reads a request and checks it against the description: path, query, header, JSON and form bodies.

Unknown query parameters and unknown body fields are tolerated, as the service does. A JSON `null`
counts as "not sent" for the check, so that updates can clear a field. A failure is code 4000 and
names the field; HTTP status 400, or 200 for the operations that can stream, which always answer
with 200.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import jsonschema_rs
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from .answers import Refusal
from .description import Description, Operation, Schema

_LIMITS = {
    ("body.meta_data", "maxProperties"): 4003,
    ("body.meta_data", "minLength"): 4003,
    ("body.meta_data", "maxLength"): 4003,
    ("body.additional_messages", "maxItems"): 4004,
}
"""Limits with a code of their own, on the operations whose pages name it, by the first field below
the body and the keyword.
"""


@dataclass(slots=True)
class Upload:
    """A file that came in a form."""

    name: str
    content: bytes


@dataclass(slots=True)
class Inputs:
    """What a request says, checked and converted to the types of the description."""

    arguments: dict[str, Any] = field(default_factory=dict)
    """Path and query parameters."""
    body: dict[str, Any] = field(default_factory=dict)
    files: dict[str, list[Upload]] = field(default_factory=dict)


class Validator:
    """Checks requests; the validator of a body is compiled when its operation is first called."""

    def __init__(self, description: Description) -> None:
        self._description = description
        self._compiled: dict[str, jsonschema_rs.Draft202012Validator] = {}

    async def read(self, operation: Operation, request: Request) -> Inputs:
        """The inputs of a request.

        Raises:
            Refusal: 4000 with the name of the field at fault; 4300 or 4301 for a form without or
                with too many files.
        """
        inputs = Inputs()
        try:
            self._parameters(operation, request, inputs)
            if operation.body is not None:
                media_type, schema = operation.body
                if media_type == "multipart/form-data":
                    await self._read_form(operation, schema, request, inputs)
                else:
                    await self._read_json(operation, schema, request, inputs)
        except Refusal as refusal:
            refusal.status = 200 if operation.streams else 400
            if refusal.code not in (4000, 4300, 4301, *operation.data.get("x-coze-errors", ())):
                refusal.code = 4000
            raise
        return inputs

    def _parameters(self, operation: Operation, request: Request, inputs: Inputs) -> None:
        for parameter in operation.parameters:
            name, place = parameter["name"], parameter["in"]
            source = {
                "path": request.path_params,
                "query": request.query_params,
                "header": request.headers,
            }[place]
            raw = source.get(name)
            if raw is None or raw == "":
                if parameter.get("required"):
                    raise _invalid(f"{place}.{name}", "is required")
                continue
            text: str | list[str] = raw
            schema = self._description.resolve(parameter["schema"])
            if place == "query" and schema.get("type") == "array":
                text = [
                    item
                    for value in request.query_params.getlist(name)
                    for item in value.split(",")
                ]
            value = self._converted(parameter["schema"], text, f"{place}.{name}")
            self.check(
                f"{operation.id} {place} {name}", parameter["schema"], value, f"{place}.{name}"
            )
            if place != "header":
                inputs.arguments[name] = value

    async def _read_json(
        self, operation: Operation, schema: Schema, request: Request, inputs: Inputs
    ) -> None:
        raw = await request.body()
        if not raw:
            if operation.body_required:
                raise _invalid("body", "is required")
            return
        try:
            body = json.loads(raw)
        except ValueError:
            raise _invalid("body", "is not JSON") from None
        self.check(operation.id, schema, _without_nulls(body), "body")
        inputs.body = body

    async def _read_form(
        self, operation: Operation, schema: Schema, request: Request, inputs: Inputs
    ) -> None:
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            raise Refusal(4300, "body is not multipart/form-data")
        properties = self._description.properties(schema)
        try:
            async with request.form() as form:
                for name, value in form.multi_items():
                    if isinstance(value, UploadFile):
                        inputs.files.setdefault(name, []).append(
                            Upload(value.filename or "", await value.read())
                        )
                    else:
                        inputs.body[name] = self._converted(
                            properties.get(name, {}), value, f"body.{name}"
                        )
        except HTTPException as error:
            raise Refusal(4300, f"body: {error.detail}") from None
        self.check(operation.id, schema, {**inputs.body, **dict.fromkeys(inputs.files, "")}, "body")
        for name, files in inputs.files.items():
            if len(files) > 1:
                raise Refusal(4301, f"body.{name}: more than one file")

    def _converted(self, schema: Schema, text: str | list[str], where: str) -> Any:
        """The typed value of a text from a query or form."""
        schema = self._description.resolve(schema)
        kind = schema.get("type")
        if isinstance(text, list):
            return [self._converted(schema.get("items", {}), item, where) for item in text]
        try:
            if kind == "boolean":
                return {"true": True, "false": False}[text.lower()]
            if kind in ("integer", "number"):
                return int(text) if kind == "integer" else float(text)
            if kind in ("object", "array"):
                return json.loads(text)
        except (ValueError, KeyError):
            raise _invalid(where, f"is not of type {kind}") from None
        return text

    def check(self, key: str, schema: Schema, value: Any, where: str) -> None:
        """Checks one value.

        Args:
            key: Names the schema; under it the compiled validator is kept.
            schema: What the value must be.
            value: The value.
            where: What it is called in the refusal.

        Raises:
            Refusal: 4000, or the code of the limit.
        """
        validator = self._compiled.get(key)
        if validator is None:
            definitions = {"components": {"schemas": self._description.closure(schema)}}
            validator = jsonschema_rs.Draft202012Validator({"allOf": [schema], **definitions})
            self._compiled[key] = validator
        for error in validator.iter_errors(value):
            raise _problem(error, where)


def _problem(error: jsonschema_rs.ValidationError, where: str) -> Refusal:
    """The refusal for one finding; of a missing field it names the field, not the object."""
    path = where + "".join(
        f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.instance_path
    )
    missing = getattr(error.kind, "property", None)
    if error.schema_path and error.schema_path[-1] == "required" and missing:
        return _invalid(f"{path}.{missing}", "is required")
    refusal = _invalid(path, str(error.message)[:200])
    field = ".".join([where, *map(str, error.instance_path[:1])])
    refusal.code = _LIMITS.get((field, str(error.schema_path[-1])), 4000)
    return refusal


def _invalid(where: str, why: str) -> Refusal:
    return Refusal(4000, f"Request parameter error: {where} {why}")


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
