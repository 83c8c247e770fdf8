"""Rules for values in the description: they fit the schema that they are for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
from attrs import define, field

from ...yaml_files import text_keys
from ..bundle import Bundle, Node
from ..nodes import known_values
from .place import Place

_ADDRESS = "urn:description"


@define
class Values:
    """Judges values by the schemas of a description."""

    bundle: Bundle
    registry: Any = field(init=False)

    def __attrs_post_init__(self) -> None:
        document = {"components": text_keys(self.bundle.document["components"])}
        self.registry = jsonschema_rs.Registry([(_ADDRESS, document)])

    def misfits(self, place: Place, node: Node, value: Any, *, known: bool = True) -> Iterator[str]:
        """Messages for a value that its schema does not accept.

        Args:
            place: Where the value is.
            node: The schema, or what holds it.
            value: The value.
            known: Whether it has to be a known value, where there are any.
        """
        schema = _absolute({key: node[key] for key in node.keys() - {"example", "default"}})
        validator = jsonschema_rs.Draft202012Validator(schema, registry=self.registry)
        error = next(validator.iter_errors(text_keys(value)), None)
        values = known_values(self.bundle, node) if known else []
        if error:
            yield place.says(f"does not fit the schema: {error.message}; fix one of them")
        elif values and value not in values:
            yield place.says(f"{value!r} is not among the known values; fix it, or add the value")


def _absolute(node: Any) -> Any:
    """The same with references into the registry."""
    if isinstance(node, list):
        return [_absolute(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: f"{_ADDRESS}{value}" if key == "$ref" else _absolute(value)
        for key, value in node.items()
    }
