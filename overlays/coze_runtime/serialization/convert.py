"""Models and plain JSON data, whatever their shape: what does not fit the description is kept as it
came and reported, never turned into something else.
"""

from __future__ import annotations

import enum
import logging
import types as _types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from ..types import NULL, Drift

logger = logging.getLogger("cozekit")


class Convertible:
    """What this module knows of a model: an attrs class whose fields have the names of the wire."""

    __slots__ = ()
    __attrs_attrs__: Any


M = TypeVar("M", bound=Convertible)

JSON_KINDS = {
    dict: "object",
    list: "array",
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
}
_layouts: dict[Any, list[tuple[str, Any, bool]]] = {}


def to_wire(value: Any) -> Any:
    """Plain JSON data for a value that may hold models, open enums and `NULL`."""
    if isinstance(value, Convertible):
        names = (attribute.name for attribute in value.__attrs_attrs__)
        return {name: to_wire(item) for name in names if (item := getattr(value, name)) is not None}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): to_wire(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_wire(item) for item in value]
    return None if value is NULL else value


def from_wire(cls: type[M], data: Any, report: DriftReporter | None = None) -> M:
    """A model for plain JSON data of any shape; what does not fit is kept as it is."""
    built: M = (
        build(cls, data, "$", report or DriftReporter("", None))
        if isinstance(data, Mapping)
        else empty(cls)
    )
    return built


class DriftReporter:
    """Tells the log and the hook of the client where an answer departs from the description."""

    __slots__ = ("hook", "operation")

    def __init__(self, operation: str, hook: Any) -> None:
        self.operation = operation
        self.hook = hook

    def __call__(self, path: str, expected: Any, value: Any) -> None:
        """Reports one place."""
        drift = Drift(
            self.operation, path, _name(expected), JSON_KINDS.get(type(value), type(value).__name__)
        )
        logger.debug(
            "%s: %s is %s, described as %s", drift.operation, drift.path, drift.seen, drift.expected
        )
        if self.hook is not None:
            try:
                self.hook(drift)
            except Exception:
                logger.exception("the on_drift hook failed; the call goes on")


def fields_of(cls: type[Convertible]) -> list[tuple[str, Any, bool]]:
    """Name, type and whether it is always there, for each field of a model."""
    found = _layouts.get(cls)
    if found is None:
        hints = typing.get_type_hints(cls)
        found = _layouts[cls] = [
            (a.name, hints[a.name], a.default is not None) for a in cls.__attrs_attrs__
        ]
    return found


def empty(cls: type[M]) -> M:
    """A model without a value."""
    return cls(**{name: None for name, _, _ in fields_of(cls)})


def is_empty(model: Convertible) -> bool:
    """Whether no field of a model has a value."""
    return all(getattr(model, name) is None for name, _, _ in fields_of(type(model)))


def build(cls: type[M], data: Mapping[str, Any], path: str, report: DriftReporter) -> M:
    """A model with what fits of some data; the rest is kept as it came and reported."""
    values: dict[str, Any] = {}
    for name, kind, required in fields_of(cls):
        value = data.get(name)
        if value is None:
            if required:
                report(f"{path}.{name}", kind, None)
            values[name] = None
        else:
            values[name] = fit(kind, value, f"{path}.{name}", report)
    return cls(**values)


def fit(kind: Any, value: Any, path: str, report: DriftReporter) -> Any:
    """The value as the type wants it, or as it came."""
    origin = typing.get_origin(kind)
    if origin in (typing.Union, _types.UnionType):
        return _fit_union(typing.get_args(kind), value, path, report)
    if kind is Any or value is None:
        return value
    if origin in (list, Sequence) and isinstance(value, list):
        item_type = typing.get_args(kind)[0]
        return [fit(item_type, item, f"{path}[{i}]", report) for i, item in enumerate(value)]
    if origin in (dict, Mapping) and isinstance(value, dict):
        item_type = typing.get_args(kind)[1]
        return {key: fit(item_type, item, f"{path}.{key}", report) for key, item in value.items()}
    if isinstance(kind, type) and origin is None:
        return _fit_plain(kind, value, path, report)
    report(path, kind, value)
    return value


def _fit_union(types: Sequence[Any], value: Any, path: str, report: DriftReporter) -> Any:
    options = [option for option in types if option is not type(None)]
    if len(options) == 1:
        return fit(options[0], value, path, report)
    if any(type(value) is option for option in options) or Any in options:
        return value
    report(path, " | ".join(_name(option) for option in options), value)
    return value


def _fit_plain(kind: type, value: Any, path: str, report: DriftReporter) -> Any:
    if issubclass(kind, Convertible):
        if isinstance(value, Mapping):
            return build(kind, value, path, report)
    elif issubclass(kind, enum.Enum):
        wanted: type = str if issubclass(kind, str) else int
        plain = _coerce(wanted, value)
        if plain is not None:
            if type(value) is not wanted:
                report(path, kind, value)
            return kind(plain)
    elif type(value) is kind or (kind is float and type(value) is int):
        return value
    report(path, kind, value)
    plain = _coerce(kind, value)
    return value if plain is None else plain


def _coerce(kind: type, value: Any) -> Any:
    """The value as the wanted scalar when nothing is lost by it: the platform sends ids as numbers
    and times as text.
    """
    if type(value) is kind:
        return value
    if kind is str and type(value) is int:
        return str(value)
    if kind is int and type(value) is str and len(value) < 20:
        try:
            return int(value) if str(int(value)) == value else None
        except ValueError:
            return None
    return None


def _name(kind: Any) -> str:
    return (
        kind.__name__ if isinstance(kind, type) and typing.get_origin(kind) is None else str(kind)
    )


def get_path(value: Any, path: str) -> Any:
    """The value at a dotted path; `None` when a step is missing.

    A number picks an element of a list; `*` stands for every element and gives the list of what is
    there below each.
    """
    steps = path.split(".")
    for number, step in enumerate(steps):
        if value is None:
            return None
        if step == "*":
            rest = ".".join(steps[number + 1 :])
            items = value if isinstance(value, list | tuple) else []
            return [get_path(item, rest) if rest else item for item in items]
        if step.isdecimal():
            several = isinstance(value, Sequence) and not isinstance(value, str | bytes)
            value = value[int(step)] if several and len(value) > int(step) else None
        else:
            value = value.get(step) if isinstance(value, Mapping) else getattr(value, step, None)
    return value
