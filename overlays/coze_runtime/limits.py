"""Checks arguments against the documented limits before anything is sent.

It does not check types: that is for type checkers, and the server has the last word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .errors import ArgumentError
from .serialization.convert import Convertible, get_path
from .types import NULL

Scalar = str | int | float


class Condition(NamedTuple):
    """What one field of an object requires of its other fields."""

    field: str
    """Path of the field that triggers the condition."""
    values: Sequence[Scalar] = ()
    """Values that trigger it; empty if any value does."""
    required: Sequence[str] = ()
    """Paths that must be set."""
    allowed: Mapping[str, Sequence[Scalar]] = {}
    """Path → allowed values."""


class Limit(NamedTuple):
    """Limits of one value; `None` where there is no limit."""

    minimum: float | None = None
    maximum: float | None = None
    min_length: int | None = None
    """Characters of a string."""
    max_length: int | None = None
    min_bytes: int | None = None
    """UTF-8 bytes of a string."""
    max_bytes: int | None = None
    min_items: int | None = None
    """Elements of a list."""
    max_items: int | None = None
    max_pairs: int | None = None
    """Entries of a mapping."""
    allowed: Sequence[Scalar] = ()
    """The only allowed values; empty if there is no closed list."""
    keys: Limit | None = None
    """Limit of every key of a mapping."""
    each: Limit | None = None
    """Limit of every element of a list or value of a mapping."""
    fields: Mapping[str, Limit] = {}
    """Limits of the fields of an object."""
    conditions: Sequence[Condition] = ()
    """Conditions between the fields of an object."""


Limits = Mapping[str, Limit]
"""Limits by name of the argument."""


def check(arguments: Mapping[str, Any], limits: Limits) -> None:
    """Checks arguments against their limits.

    Args:
        arguments: Values by name; missing ones, `None` and `NULL` are not checked.
        limits: Limits by name.

    Raises:
        ArgumentError: A value is outside its limit. The text names the field, the limit and the
            value; `argument` is the name of the argument that contains the field.
    """
    for name, limit in limits.items():
        value = arguments.get(name)
        if value is not None and value is not NULL:
            problem = _problem(value, limit, name)
            if problem:
                raise ArgumentError(problem, argument=name)


def _problem(value: Any, limit: Limit, path: str) -> str:
    """What is wrong with a value; empty if nothing is."""
    if limit.allowed and value not in limit.allowed:
        return f"{path} must be {_one_of(limit.allowed)}, not {_shown(value)}"
    if isinstance(value, Convertible):
        return _object_problem(value, limit, path)
    if isinstance(value, str):
        return _text_problem(value, limit, path)
    if isinstance(value, int | float):
        if _outside(value, limit.minimum, limit.maximum):
            return f"{path} must be {_range(limit.minimum, limit.maximum)}, not {_shown(value)}"
        return ""
    if isinstance(value, Sequence):
        return _list_problem(value, limit, path)
    problem = _map_problem(value, limit, path) if isinstance(value, Mapping) else ""
    return problem or _object_problem(value, limit, path)


def _text_problem(value: str, limit: Limit, path: str) -> str:
    if _outside(len(value), limit.min_length, limit.max_length):
        return _size_problem(path, "characters", len(value), limit.min_length, limit.max_length)
    if limit.min_bytes is not None or limit.max_bytes is not None:
        size = len(value.encode("utf-8", "surrogatepass"))
        if _outside(size, limit.min_bytes, limit.max_bytes):
            return _size_problem(path, "bytes of UTF-8", size, limit.min_bytes, limit.max_bytes)
    return ""


def _list_problem(value: Sequence[Any], limit: Limit, path: str) -> str:
    if _outside(len(value), limit.min_items, limit.max_items):
        return _size_problem(path, "elements", len(value), limit.min_items, limit.max_items)
    if limit.each is not None:
        for index, item in enumerate(value):
            if item is not None and (problem := _problem(item, limit.each, f"{path}[{index}]")):
                return problem
    return ""


def _map_problem(value: Mapping[str, Any], limit: Limit, path: str) -> str:
    if _outside(len(value), None, limit.max_pairs):
        return _size_problem(path, "pairs", len(value), None, limit.max_pairs)
    if limit.keys is not None:
        for key in value:
            if problem := _problem(key, limit.keys, f"a key of {path}"):
                return problem
    if limit.each is not None:
        for key, item in value.items():
            if item is not None and (problem := _problem(item, limit.each, f"{path}.{key}")):
                return problem
    return ""


def _object_problem(value: Any, limit: Limit, path: str) -> str:
    for name, field_limit in limit.fields.items():
        item = value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
        if item is not None and item is not NULL:
            problem = _problem(item, field_limit, f"{path}.{name}")
            if problem:
                return problem
    for condition in limit.conditions:
        if problem := _condition_problem(value, condition, path):
            return problem
    return ""


def _condition_problem(value: Any, condition: Condition, path: str) -> str:
    field = _field_value(value, condition.field)
    if field is None or (condition.values and field not in condition.values):
        return ""
    trigger = f"{condition.field} {_shown(field)}" if condition.values else condition.field
    for name in (*condition.required, *condition.allowed):
        field_value = _field_value(value, name)
        allowed = condition.allowed.get(name, ())
        requirement = f"{path}: {trigger} needs {name}" + (
            f" to be {_one_of(allowed)}" if allowed else ""
        )
        if field_value is None and name in condition.required:
            return requirement
        if field_value is not None and allowed and field_value not in allowed:
            return f"{requirement}, not {_shown(field_value)}"
    return ""


def _field_value(value: Any, path: str) -> Any:
    """The value at a path; None for an explicit null too."""
    field_value = get_path(value, path)
    return None if field_value is NULL else field_value


def _outside(value: float, low: float | None, high: float | None) -> bool:
    # `not >=` instead of `<`, so that NaN is outside.
    return (low is not None and not value >= low) or (high is not None and not value <= high)


def _size_problem(path: str, unit: str, size: int, low: int | None, high: int | None) -> str:
    return f"{path} must have {_range(low, high)} {unit}, not {size:,}"


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {high:,}"
    if high is None:
        return f"at least {low:,}"
    return f"exactly {low:,}" if low == high else f"{low:,} to {high:,}"


def _one_of(values: Sequence[Scalar]) -> str:
    return ("one of " if len(values) > 1 else "") + ", ".join(map(str, values))


def _shown(value: object) -> str:
    """A value for an error text, shortened to 50 characters."""
    text = str(value)
    return text if len(text) <= 50 else f"{text[:47]}…"
