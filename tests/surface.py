"""The public names of `cozekit` with their signatures, one a line.

`python -m tests.surface` writes them to `surface.txt`, and a test compares. Models and enums are
written with the names of their fields and members, async methods without the parameters of their
sync form.
"""

from __future__ import annotations

import enum
import importlib
import inspect
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import cozekit
from cozekit.types import Model

FILE = Path(__file__).with_name("surface.txt")
OURS = ("cozekit", "coze_")
CALL_OPTIONS = ("extra_headers", "extra_query", "extra_body", "timeout")
"""Parameters that end the signature of every operation; written as `<call options>`."""


def modules() -> dict[str, ModuleType]:
    """The public modules by name."""
    names = [name for name in dir(cozekit) if isinstance(getattr(cozekit, name), ModuleType)]
    return {
        name: importlib.import_module(name)
        for name in ("cozekit", *(f"cozekit.{name}" for name in names))
    }


@cache
def public() -> dict[str, Any]:
    """Every public name → its value. One value may have several names."""
    return {
        f"{module}.{name}": getattr(value, name)
        for module, value in modules().items()
        for name in value.__all__
    }


def is_ours(value: Any) -> bool:
    """Whether a class or function is defined in this project."""
    return str(getattr(value, "__module__", "")).startswith(OURS)


def own_bases(cls: type[Any]) -> list[type[Any]]:
    """The class and its bases, as far as they are defined in this project."""
    return [base for base in cls.__mro__ if is_ours(base)]


def methods_of(cls: type[Any]) -> Iterator[tuple[str, Any]]:
    """Public methods of a class and its constructor, those of its bases included.

    Constructors that take the fields of a class are left out: fields have docstrings of their own.
    """
    seen: set[str] = set()
    for base in own_bases(cls):
        for name, value in vars(base).items():
            function = value.__func__ if isinstance(value, classmethod | staticmethod) else value
            is_method = inspect.isfunction(function) and function.__name__ != "<lambda>"
            if not is_method or name in seen or (name.startswith("_") and name != "__init__"):
                continue
            seen.add(name)
            if name != "__init__" or not takes_fields(base):
                yield name, function


def takes_fields(cls: type[Any]) -> bool:
    """Whether the constructor of a class takes its fields, or the class has none of its own."""
    return (
        hasattr(cls, "__attrs_attrs__")
        or issubclass(cls, tuple)
        or getattr(cls, "_is_protocol", False)
    )


def parameters(function: Any) -> list[inspect.Parameter]:
    """Parameters that a caller gives."""
    return [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name not in ("self", "cls") and not parameter.name.startswith("_")
    ]


def lines() -> list[str]:
    """The surface, sorted."""
    written: list[str] = []
    for name, value in public().items():
        if inspect.isfunction(value):
            written.append(name + _signature(value))
        elif not isinstance(value, type) or not is_ours(value):
            written.append(name)
        elif _home(value) != name and _home(value) in public():
            written.append(f"{name} = {_home(value)}")
        else:
            written += _class_lines(name, value)
    return sorted(set(written), key=lambda line: line.removeprefix("class "))


def _home(cls: type[Any]) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _class_lines(name: str, cls: type[Any]) -> Iterator[str]:
    if issubclass(cls, enum.Enum):
        yield f"{name}: {', '.join(cls.__members__)}"
        return
    if issubclass(cls, Model) and cls is not Model:
        yield f"{name}: {', '.join(field.name for field in cls.__attrs_attrs__)}"
        return
    bases = ", ".join(
        base.__name__
        for base in cls.__bases__
        if _home(base) in public() or issubclass(base, Exception)
    )
    yield f"class {name}({bases})"
    if takes_fields(cls) and not getattr(cls, "_is_protocol", False):
        yield f"{name}.__init__{_signature(cls)}"
    module, _, plain = name.rpartition(".")
    twin = getattr(importlib.import_module(module), plain.removeprefix("Async"), None)
    for method, function in methods_of(cls):
        sync = getattr(twin, method, None) if plain.startswith("Async") else None
        yield f"{name}.{method}{_signature(function, sync)}"
    for base in own_bases(cls):
        for attribute, value in vars(base).items():
            if isinstance(value, property) and not attribute.startswith("_"):
                yield f"{name}.{attribute}: {_annotation(value.fget.__annotations__['return'])}"


def _signature(function: Any, sync: Any = None) -> str:
    shown = _parameters(function)
    if sync is not None and shown == _parameters(sync):
        shown = "<as sync>"
    returned = _annotation(inspect.signature(function).return_annotation)
    if inspect.iscoroutinefunction(function):
        returned = f"Awaitable[{returned}]"
    return f"({shown}) -> {returned}"


def _parameters(function: Any) -> str:
    shown: list[str] = []
    given = parameters(function)
    if tuple(parameter.name for parameter in given[-len(CALL_OPTIONS) :]) == CALL_OPTIONS:
        del given[-len(CALL_OPTIONS) :]
        shown.append("<call options>")
    texts: list[str] = []
    for parameter in given:
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in texts:
            texts.append("*")
        text = f"{'*' if parameter.kind is parameter.VAR_POSITIONAL else ''}{parameter.name}"
        if parameter.annotation is not parameter.empty:
            text += f": {_annotation(parameter.annotation)}"
        if parameter.default is not parameter.empty:
            text += f" = {_default(parameter.default)}"
        texts.append(text)
    return ", ".join(texts + shown)


def _annotation(annotation: Any) -> str:
    if annotation is inspect.Signature.empty:
        return "Any"
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)


def _default(value: Any) -> str:
    if inspect.isroutine(value):
        return str(value.__name__)
    return f"{type(value).__name__}()" if " at 0x" in repr(value) else repr(value)


def write() -> None:
    """Writes the file."""
    FILE.write_text("\n".join(lines()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
