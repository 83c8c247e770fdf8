"""Arguments for a recording: what the operation requires, out of the examples of the description,
and what a file gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.contract.catalogue import (
    Op,
    Parameter,
    as_argument,
    is_file,
    merged,
    operations,
    reference,
)
from tests.contract.exchanges import JWT, UPLOAD


def read(path: Path) -> dict[str, Any]:
    """Arguments by name, for all operations (`bot_id: "…"`), or below an operationId for one alone.
    YAML or JSON.
    """
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise SystemExit(f"{path}: must be a map of argument names, or of operations to arguments")
    return found


def arguments(op: Op, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the method is called with.

    Args:
        op: The operation.
        given: As `read` returns it; arguments that the operation does not have are for other ones.
    """
    own = given.get(op.id, {})
    known = {parameter.argument for parameter in op.parameters}
    unknown = set(own) - known
    if unknown:
        raise SystemExit(
            f"{op.id} has no argument {', '.join(sorted(unknown))} (it has "
            f"{', '.join(sorted(known))})"
        )
    common = {name: value for name, value in given.items() if name not in operations()}
    found = {}
    for parameter in op.parameters:
        values = own if parameter.argument in own else common
        if parameter.argument in values:
            found[parameter.argument] = as_given(parameter, values[parameter.argument])
        elif parameter.required:
            found[parameter.argument] = as_argument(parameter.schema, example_of(op, parameter))
    return found


def as_given(parameter: Parameter, value: Any) -> Any:
    return Path(value) if is_file(parameter.schema) else as_argument(parameter.schema, value)


def example_of(op: Op, parameter: Parameter) -> Any:
    if parameter.place == "header":
        return JWT
    node = next(
        (
            p
            for p in op.node.get("parameters", [])
            if (p["name"], p["in"]) == (parameter.wire, parameter.place)
        ),
        {},
    )
    return node["example"] if "example" in node else example(parameter.schema)


def example(schema: Mapping[str, Any], seen: tuple[str, ...] = ()) -> Any:
    """The example of a schema; of an object those of its required fields, or of all when none is
    required.
    """
    name = reference(schema)
    if name is not None:
        seen = (*seen, name)
    whole = merged(schema)
    if is_file(whole):
        return UPLOAD
    for key in ("example", "default"):
        if key in whole:
            return whole[key]
    if "x-known-values" in whole:
        return next(iter(whole["x-known-values"]))
    if whole["properties"]:
        wanted = whole["required"] or list(whole["properties"])
        below = {key: whole["properties"][key] for key in whole["properties"] if key in wanted}
        return {
            key: example(schema, seen)
            for key, schema in below.items()
            if reference(schema) not in seen
        }
    kind = whole.get("type")
    if kind == "array":
        return [example(whole["items"], seen)]
    return {"object": {}, "boolean": True, "integer": 1, "number": 1}.get(str(kind), "text")
