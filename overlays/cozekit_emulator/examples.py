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
    """Builds example values; one value per schema, always the same."""

    def __init__(self, description: Description) -> None:
        self._description = description

    def of(self, schema: Schema) -> Any:
        """An example of the schema; every property that the description knows is filled, a
        recursion stops after one level.
        """
        return copy.deepcopy(self._build(schema, ()))

    def fields(self, *names: str) -> dict[str, Any]:
        """The example fields of several named object schemas together; the earlier name wins."""
        found: dict[str, Any] = {}
        for name in reversed(names):
            found.update(self.of({"$ref": f"#/components/schemas/{name}"}))
        return found

    def _build(self, schema: Schema, above: tuple[str, ...]) -> Any:
        for key in ("example", "default"):
            if key in schema:
                return schema[key]
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return (
                _ABSENT
                if name in above
                else self._build(self._description.schemas[name], (*above, name))
            )
        if "x-known-values" in schema:
            return _known(schema)
        properties = self._description.properties(schema)
        if properties:
            built = {name: self._build(part, above) for name, part in properties.items()}
            return {name: value for name, value in built.items() if value is not _ABSENT}
        return self._container(schema, above)

    def _container(self, schema: Schema, above: tuple[str, ...]) -> Any:
        kind = schema.get("type")
        if kind == "array":
            item = self._build(schema.get("items", {}), above)
            return [] if item is _ABSENT else [item]
        if kind == "object":
            values = schema.get("additionalProperties")
            value = self._build(values, above) if isinstance(values, dict) else _ABSENT
            return {} if value is _ABSENT else {"name": value}
        return _SCALARS.get(kind[0] if isinstance(kind, list) else kind or "", {})


def _known(schema: Schema) -> Any:
    """The first known value that is not empty."""
    values = [value for value in schema["x-known-values"] if value]
    return int(values[0]) if schema.get("type") == "integer" else values[0]
