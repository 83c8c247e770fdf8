"""Converts between JSON, plain data of any shape and models. A value that differs from the
description is kept as it came and reported.
"""

from __future__ import annotations

import enum
import logging
import types as _types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ..types import NULL, Drift

logger = logging.getLogger("cozekit")


class Convertible:
    """Base class of models, as far as this module is concerned: attrs classes whose fields have the
    wire name as `name` and the Python name as `alias`.
    """

    __slots__ = ()
    __attrs_attrs__: Any


M = TypeVar("M", bound=Convertible)

JSON_TYPES = {
    dict: "object",
    list: "array",
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
}
_NO_FIELDS = (str, bytes, int, float, list)
_layouts: dict[Any, list[ModelField]] = {}


def read_json(content: bytes | str) -> Any:
    """Decodes JSON. Takes what Python's own reader takes and msgspec does not: half of a surrogate
    pair, NaN, numbers beyond the range of a float, a byte order mark.

    Raises:
        ValueError: It is not valid JSON.
    """
    from msgspec.json import decode  # a client without calls does not load it

    try:
        return decode(content)
    except (ValueError, RecursionError):
        pass
    from json import loads

    try:
        return loads(content)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def write_json(value: Any, *, enc_hook: Callable[[Any], Any] | None = None) -> bytes:
    """Encodes plain data as JSON; UTF-8 cannot hold half of a surrogate pair, so that is escaped.

    Args:
        value: The data.
        enc_hook: Converts values that JSON does not have.
    """
    import msgspec

    try:
        return msgspec.json.encode(value, enc_hook=enc_hook)
    except UnicodeEncodeError:
        from json import dumps

        plain = msgspec.to_builtins(value, str_keys=True, enc_hook=enc_hook)
        return dumps(plain, separators=(",", ":")).encode()


def to_wire(value: Any) -> Any:
    """Converts a value that may contain models, enums and `NULL` to plain JSON data."""
    if isinstance(value, Convertible):
        return {
            attribute.name: to_wire(item)
            for attribute in value.__attrs_attrs__
            if (item := getattr(value, attribute.alias)) is not None
        }
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): to_wire(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_wire(item) for item in value]
    return None if value is NULL else value


def from_wire(cls: type[M], data: Any, report: DriftReporter | None = None) -> M:
    """Builds a model from JSON data of any shape; values that do not fit are kept as they are."""
    if not isinstance(data, Mapping):
        return empty(cls)
    return build(cls, data, "$", report or DriftReporter("", None))


class DriftReporter:
    """Reports to the log and to `on_drift` where a response differs from the description."""

    __slots__ = ("hook", "operation")

    def __init__(self, operation: str, hook: Any) -> None:
        self.operation = operation
        self.hook = hook

    def __call__(self, path: str, expected: Any, value: Any) -> None:
        """Reports one place.

        Args:
            path: JSON path of the value.
            expected: The documented type.
            value: The value that came.
        """
        drift = Drift(
            self.operation, path, _name(expected), JSON_TYPES.get(type(value), type(value).__name__)
        )
        logger.debug(
            "%s: %s is %s, documented as %s",
            drift.operation,
            drift.path,
            drift.seen,
            drift.expected,
        )
        if self.hook is not None:
            try:
                self.hook(drift)
            except Exception:
                logger.exception("the on_drift hook failed; the call continues")


class ModelField(typing.NamedTuple):
    """A field of a model."""

    name: str
    """Its wire name."""
    python: str
    annotation: Any
    required: bool


def fields_of(cls: type[Convertible]) -> list[ModelField]:
    """The fields of a model."""
    layout = _layouts.get(cls)
    if layout is None:
        hints = typing.get_type_hints(cls)
        layout = _layouts[cls] = [
            ModelField(a.name, a.alias, hints[a.alias], a.default is not None)
            for a in cls.__attrs_attrs__
        ]
    return layout


def empty(cls: type[M]) -> M:
    """A model with all fields None."""
    return cls(**{field.python: None for field in fields_of(cls)})


def is_empty(model: Convertible) -> bool:
    """Whether all fields of a model are None."""
    return all(getattr(model, field.python) is None for field in fields_of(type(model)))


def build(cls: type[M], data: Mapping[str, Any], path: str, report: DriftReporter) -> M:
    """Builds a model; values that do not fit are kept as they came and reported."""
    values: dict[str, Any] = {}
    for name, python, annotation, required in fields_of(cls):
        value = data.get(name)
        if value is None:
            if required:
                report(f"{path}.{name}", annotation, None)
            values[python] = None
        else:
            values[python] = fit(annotation, value, f"{path}.{name}", report)
    return cls(**values)


def fit(annotation: Any, value: Any, path: str, report: DriftReporter) -> Any:
    """Converts a value to the documented type, or returns it as it came."""
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, _types.UnionType):
        return _fit_union(typing.get_args(annotation), value, path, report)
    if annotation is Any or value is None:
        return value
    if origin in (list, Sequence) and isinstance(value, list):
        item_type = typing.get_args(annotation)[0]
        return [fit(item_type, item, f"{path}[{i}]", report) for i, item in enumerate(value)]
    if origin in (dict, Mapping) and isinstance(value, dict):
        item_type = typing.get_args(annotation)[1]
        return {key: fit(item_type, item, f"{path}.{key}", report) for key, item in value.items()}
    if isinstance(annotation, type) and origin is None:
        return _fit_plain(annotation, value, path, report)
    report(path, annotation, value)
    return value


def _fit_union(types: Sequence[Any], value: Any, path: str, report: DriftReporter) -> Any:
    options = [option for option in types if option is not type(None)]
    if len(options) == 1:
        return fit(options[0], value, path, report)
    if any(type(value) is option for option in options) or Any in options:
        return value
    report(path, " | ".join(_name(option) for option in options), value)
    return value


def _fit_plain(annotation: type, value: Any, path: str, report: DriftReporter) -> Any:
    if issubclass(annotation, Convertible):
        if isinstance(value, Mapping):
            return build(annotation, value, path, report)
    elif issubclass(annotation, enum.Enum):
        value_type: type = str if issubclass(annotation, str) else int
        coerced = _coerce(value_type, value)
        if coerced is not None:
            if type(value) is not value_type:
                report(path, annotation, value)
            return annotation(coerced)
    elif type(value) is annotation or (annotation is float and type(value) is int):
        return value
    report(path, annotation, value)
    coerced = _coerce(annotation, value)
    return value if coerced is None else coerced


def _coerce(annotation: type, value: Any) -> Any:
    """Converts between int and str without loss, else None: the service sends some ids as numbers
    and some times as strings.
    """
    if type(value) is annotation:
        return value
    if annotation is str and type(value) is int:
        return str(value)
    if annotation is int and type(value) is str and len(value) < 20:
        try:
            return int(value) if str(int(value)) == value else None
        except ValueError:
            return None
    return None


def _name(annotation: Any) -> str:
    return (
        annotation.__name__
        if isinstance(annotation, type) and typing.get_origin(annotation) is None
        else str(annotation)
    )


def get_path(value: Any, path: str) -> Any:
    """The value at a dotted path; `None` if a step is missing.

    A number selects an element of a list. `*` selects every element; the result is then the list of
    the values at the rest of the path.
    """
    steps = path.split(".")
    for number, step in enumerate(steps):
        if value is None:
            return None
        if step == "*":
            rest = ".".join(steps[number + 1 :])
            items = value if isinstance(value, list | tuple) else []
            return [get_path(item, rest) if rest else item for item in items]
        value = _step(value, step)
    return value


def _step(value: Any, step: str) -> Any:
    if isinstance(value, list | tuple) and step.isdecimal():
        return value[int(step)] if len(value) > int(step) else None
    if isinstance(value, Mapping):
        return value.get(step)
    # The methods of a text or a list are not fields.
    return None if isinstance(value, _NO_FIELDS) else getattr(value, step, None)
