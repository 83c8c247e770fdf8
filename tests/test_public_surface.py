"""What a user can reach from `cozekit`: every parameter is shown, documented and typed, sync and
async alike, and everything prints as a part of `cozekit`.
"""

from __future__ import annotations

import importlib
import inspect
import pickle
import re
import typing
from collections.abc import Iterator
from typing import Any

import pytest

import cozekit

ROOMS = (
    "audio",
    "auth",
    "documents",
    "errors",
    "events",
    "messages",
    "models",
    "resources",
    "rtc",
    "types",
    "webhooks",
    "websockets",
)


def _names(module: Any) -> list[str]:
    return [name for name in dir(module) if not name.startswith("_")]


def reachable() -> dict[str, Any]:
    """Public classes and functions by the name under which they print."""
    found: dict[str, Any] = {}
    for room in ("", *ROOMS):
        module = importlib.import_module(f"cozekit.{room}" if room else "cozekit")
        for name in _names(module):
            value = getattr(module, name)
            ours = str(getattr(value, "__module__", "")).startswith(("cozekit", "coze_"))
            if ours and (isinstance(value, type) or inspect.isfunction(value)):
                found[f"{value.__module__}.{value.__qualname__}"] = value
    for value in [found[name] for name in found if isinstance(found[name], type)]:
        for cls in value.__mro__[1:]:
            if cls.__module__.startswith("cozekit") and not cls.__name__.startswith("_"):
                found.setdefault(f"{cls.__module__}.{cls.__qualname__}", cls)
    return found


REACHABLE = reachable()
CLASSES = {name: value for name, value in REACHABLE.items() if isinstance(value, type)}


def methods_of(cls: type[Any]) -> Iterator[tuple[str, Any]]:
    """Public functions of a class and its constructor, those of its bases included unless it has
    others of the same name.
    """
    seen: set[str] = set()
    for base in cls.__mro__:
        if not base.__module__.startswith(("cozekit", "coze_")):
            continue
        for name, value in vars(base).items():
            plain = value.__func__ if isinstance(value, classmethod | staticmethod) else value
            if not inspect.isfunction(plain) or (name.startswith("_") and name != "__init__"):
                continue
            if name in seen:
                continue
            seen.add(name)
            if name == "__init__" and (
                hasattr(base, "__attrs_attrs__")
                or issubclass(base, BaseException | tuple)
                or getattr(base, "_is_protocol", False)
            ):
                continue  # its parameters are the fields, which have docstrings of their own
            yield name, plain


def functions() -> Iterator[tuple[str, Any]]:
    for name, value in REACHABLE.items():
        if isinstance(value, type):
            for method, function in methods_of(value):
                yield f"{name}.{method}", function
        else:
            yield name, value


def parameters(function: Any) -> list[inspect.Parameter]:
    found = list(inspect.signature(function).parameters.values())
    return [p for p in found if p.name not in ("self", "cls") and not p.name.startswith("_")]


FUNCTIONS = dict(functions())


def test_enough_can_be_reached() -> None:
    assert len(CLASSES) > 600
    assert len(FUNCTIONS) > 700
    for name in ("cozekit.resources.Chats.run", "cozekit.resources.AsyncWorkflowsRuns.wait"):
        assert name in FUNCTIONS


def test_no_function_hides_its_parameters() -> None:
    hidden = [
        name
        for name, function in FUNCTIONS.items()
        if any(p.kind is p.VAR_KEYWORD for p in parameters(function))
    ]
    assert hidden == []


def test_every_parameter_has_an_entry_under_args() -> None:
    missing = {
        f"{name}({parameter.name})"
        for name, function in FUNCTIONS.items()
        if len(parameters(function)) > 1
        for parameter in parameters(function)
        if not re.search(
            rf"^    \*?{parameter.name}: \S.{{4}}", inspect.getdoc(function) or "", re.MULTILINE
        )
    }
    assert missing == set()


def test_annotations_resolve_at_run_time() -> None:
    unresolved: dict[str, str] = {}
    for name, value in {**FUNCTIONS, **CLASSES}.items():
        try:
            typing.get_type_hints(value)
        except Exception as error:
            unresolved[name] = repr(error)
    assert unresolved == {}


def test_sync_and_async_show_the_same_parameters() -> None:
    differences = {}
    for name, cls in CLASSES.items():
        module, _, own = name.rpartition(".")
        twin = CLASSES.get(f"{module}.Async{own}")
        if twin is None:
            continue
        mine, other = dict(methods_of(cls)), dict(methods_of(twin))
        for method in mine.keys() & other.keys() - {"__init__"}:
            one = [(p.name, p.kind, p.default) for p in parameters(mine[method])]
            two = [(p.name, p.kind, p.default) for p in parameters(other[method])]
            if one != two:
                differences[f"{name}.{method}"] = (one, two)
    assert differences == {}


def test_public_classes_print_as_a_part_of_cozekit_that_has_them() -> None:
    wrong = {}
    for name, cls in CLASSES.items():
        if cls.__name__.startswith("_"):
            continue
        found = importlib.import_module(cls.__module__)
        for step in cls.__qualname__.split("."):
            found = getattr(found, step, None)
        if not cls.__module__.startswith("cozekit") or found is not cls:
            wrong[name] = found
    assert wrong == {}


@pytest.mark.parametrize(
    "value",
    [
        cozekit.models.Chat(id="1", conversation_id="2", status=cozekit.models.ChatStatus("new")),
        cozekit.Timeout(read=3),
        cozekit.ChatFailed("m", code=1),
        cozekit.RetryPolicy(max_retries=3),
        cozekit.UnknownEvent("x", {}),
        cozekit.NodeOutput(title="t"),
        cozekit.events.ChatDoneEvent("[DONE]", "log"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_survive_pickling_under_their_public_names(value: Any) -> None:
    copy = pickle.loads(pickle.dumps(value))
    assert type(copy) is type(value)
    assert repr(copy) == repr(value)
