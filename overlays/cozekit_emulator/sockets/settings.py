"""Settings of voice sockets: their defaults, and the limits that the description sets."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..errors import invalid_parameter
from ..openapi.description import Description, Schema
from ..state.store import Record


def default_settings(description: Description, schema: Schema) -> Record:
    """The defaults of an object schema and of the objects in it.

    Args:
        description: The description.
        schema: Schema of the settings.
    """
    settings: Record = {}
    for name, part in description.properties(schema).items():
        default = part.get("default", default_settings(description, part))
        if default != {}:
            settings[name] = default
    return settings


def check_settings(
    description: Description, schema: Schema, limits: Mapping[str, Schema], settings: Record
) -> None:
    """Checks what a client has set.

    Args:
        description: The description.
        schema: Schema of the settings.
        limits: Path of a setting → the limits of this socket.
        settings: Everything that the client has set, defaults not included.

    Raises:
        ApiError: 4000: a value is beyond a limit, or two values exclude each other.
    """
    check_limits(description, schema, settings, "data")
    for path, limit in limits.items():
        value = _value_at(settings, path)
        if value is not None:
            check_limits(description, limit, value, f"data.{path}")
    noise = settings.get("voice_processing_config", {})
    if noise.get("enable_ans") and noise.get("enable_pdns"):
        raise invalid_parameter(
            "data.voice_processing_config: enable_ans and enable_pdns exclude each other"
        )


def check_limits(description: Description, schema: Schema, value: Any, path: str) -> None:
    """Checks the limits of a schema that are not part of JSON Schema. Where a client must accept
    any value, a server has a closed list: the known values.

    Args:
        description: The description.
        schema: The schema.
        value: The value, which fits the schema otherwise.
        path: Where the value is, for the error.

    Raises:
        ApiError: 4000: the value is beyond a limit.
    """
    limits = {**description.resolve(schema), **schema}
    allowed = limits.get("x-coze-allowed", "known")
    allowed = limits.get("x-known-values", ()) if allowed == "known" else allowed
    if allowed and value not in allowed and str(value) not in allowed:
        raise invalid_parameter(f"{path} must be one of {_listed(allowed)}")
    if isinstance(value, str):
        size, low, high = len(value.encode()), "x-coze-min-bytes", "x-coze-max-bytes"
        _check_size(f"{path} (bytes)", size, limits.get(low), limits.get(high))
    elif isinstance(value, list):
        _check_size(f"{path} (items)", len(value), limits.get("minItems"), limits.get("maxItems"))
        for number, item in enumerate(value):
            check_limits(description, limits.get("items", {}), item, f"{path}[{number}]")
    elif isinstance(value, dict):
        for name, part in description.properties(schema).items():
            if value.get(name) is not None:
                check_limits(description, part, value[name], f"{path}.{name}")
        for condition in limits.get("x-coze-conditions", ()):
            _check_condition(condition, value, path)


def _check_size(path: str, size: int, low: int | None, high: int | None) -> None:
    if low is not None and size < low:
        raise invalid_parameter(f"{path} must be at least {low}, not {size}")
    if high is not None and size > high:
        raise invalid_parameter(f"{path} must be at most {high}, not {size}")


def _check_condition(condition: Schema, value: Record, path: str) -> None:
    """Checks what the value of one field asks of others."""
    [(field, triggers)] = condition["when"].items()
    trigger = value.get(field)
    if trigger is None or (triggers and trigger not in triggers):
        return
    for name in condition.get("required", ()):
        if _value_at(value, name) is None:
            raise invalid_parameter(f"{path}.{field} needs {name}")
    for name, allowed in condition.get("allowed", {}).items():
        other = _value_at(value, name)
        if other is not None and other not in allowed:
            raise invalid_parameter(f"{path}.{field} needs {name} to be {_listed(allowed)}")


def _value_at(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _listed(values: Collection[Any]) -> str:
    return ", ".join(map(str, values))
