"""Values that fit a schema, built from the examples of its properties."""

from __future__ import annotations

import copy
from typing import Any

from .description import Description, Schema

_ABSENT: Any = object()
_SCALARS: dict[str, Any] = {
    "string": "text",
    "integer": 1,
    "number": 1.0,
    "boolean": True,
    "null": None,
}


class Examples:
    """Builds example values, always the same for a schema.

    Args:
        description: The description.
    """

    def __init__(self, description: Description) -> None:
        self._description = description

    def of(self, schema: Schema) -> Any:
        """An example with every property; a recursion stops after one level.

        Args:
            schema: The schema.
        """
        return copy.deepcopy(self._build(schema, ()))

    def fields(self, *names: str) -> dict[str, Any]:
        """The example fields of several object schemas together; the earlier schema wins.

        Args:
            names: Names of the schemas.
        """
        fields: dict[str, Any] = {}
        for name in reversed(names):
            fields.update(self.of({"$ref": f"#/components/schemas/{name}"}))
        return fields

    def _build(self, schema: Schema, above: tuple[str, ...]) -> Any:
        for key in ("example", "default"):
            if key in schema:
                return schema[key]
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            if name in above:
                return _ABSENT
            return self._build(self._description.schemas[name], (*above, name))
        if "x-known-values" in schema:
            return _first_known_value(schema)
        properties = self._description.properties(schema)
        if properties:
            built = {name: self._build(part, above) for name, part in properties.items()}
            return {name: value for name, value in built.items() if value is not _ABSENT}
        return self._container(schema, above)

    def _container(self, schema: Schema, above: tuple[str, ...]) -> Any:
        json_type = schema.get("type")
        if json_type == "array":
            item = self._build(schema.get("items", {}), above)
            return [] if item is _ABSENT else [item]
        if json_type == "object":
            values = schema.get("additionalProperties")
            value = self._build(values, above) if isinstance(values, dict) else _ABSENT
            return {} if value is _ABSENT else {"name": value}
        return _SCALARS.get(json_type[0] if isinstance(json_type, list) else json_type or "", {})


def _first_known_value(schema: Schema) -> Any:
    values = [value for value in schema["x-known-values"] if value]
    return int(values[0]) if schema.get("type") == "integer" else values[0]
