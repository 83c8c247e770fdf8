"""What a user can reach from `cozekit`: every parameter is shown, documented and typed, sync and
async alike, and everything prints as a part of `cozekit`.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pickle
import re
import types
import typing
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

import cozekit
from coze_runtime.client import AsyncResource, SyncResource
from cozekit import (
    AsyncChatStream,
    AsyncCoze,
    AsyncWorkflowStream,
    ChatEvent,
    ChatStream,
    Coze,
    WorkflowEvent,
    WorkflowStream,
)

ROOT = Path(__file__).parent.parent

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


@pytest.mark.parametrize(
    ("source", "item"),
    [
        (ChatStream, ChatEvent),
        (AsyncChatStream, ChatEvent),
        (WorkflowStream, WorkflowEvent),
        (AsyncWorkflowStream, WorkflowEvent),
    ],
)
def test_a_stream_says_which_events_it_yields(source: Any, item: type) -> None:
    step = "__anext__" if hasattr(source, "__anext__") else "__iter__"
    bound = source
    while step not in vars(typing.get_origin(bound) or bound):
        bound = base_with(bound, step)
    generic = typing.get_origin(bound)
    promised = typing.get_type_hints(vars(generic)[step])["return"]
    yielded = (typing.get_args(promised) or (promised,))[0]
    assert typing.get_args(bound)[generic.__parameters__.index(yielded)] == item


def base_with(bound: Any, name: str) -> Any:
    """The base from which a class has a method, its variables replaced by what they stand for."""
    cls = typing.get_origin(bound) or bound
    found = next(
        base for base in cls.__orig_bases__ if hasattr(typing.get_origin(base) or base, name)
    )
    meant = dict(zip(getattr(cls, "__parameters__", ()), typing.get_args(bound), strict=True))
    inner = getattr(found, "__parameters__", ())
    return found[tuple(meant[variable] for variable in inner)] if inner else found


@pytest.mark.parametrize("kind", [Coze, AsyncCoze])
def test_every_method_promises_one_type(kind: type[Coze | AsyncCoze]) -> None:
    methods = list(public_methods(kind("t")))
    assert len(methods) > 100
    for name, method in methods:
        promised = method.__annotations__["return"]
        assert promised not in ("Any", "object"), name
        assert "|" not in promised.replace(" | None", ""), name


def public_methods(owner: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name in dir(type(owner)):
        member = getattr(type(owner), name)
        if name.startswith("_"):
            continue
        if isinstance(member, types.FunctionType) and prefix:
            yield f"{prefix}{name}", member
        elif not callable(member):
            inner = getattr(owner, name)
            if isinstance(inner, SyncResource | AsyncResource):
                yield from public_methods(inner, f"{prefix}{name}.")


def modules() -> list[Path]:
    return sorted(
        chain(
            (ROOT / "generated" / "coze_openapi").rglob("*.py"),
            (ROOT / "overlays" / "coze_runtime").rglob("*.py"),
            (ROOT / "overlays" / "cozekit").rglob("*.py"),
        )
    )


def test_every_function_of_the_packages_is_annotated() -> None:
    bare = []
    for path in modules():
        for found in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef):
                arguments = found.args
                every = [
                    *arguments.posonlyargs,
                    *arguments.args,
                    *arguments.kwonlyargs,
                    arguments.vararg,
                    arguments.kwarg,
                ]
                named = [one for one in every if one is not None and one.arg not in ("self", "cls")]
                if found.returns is None or any(one.annotation is None for one in named):
                    bare.append(f"{path.relative_to(ROOT)}:{found.lineno} {found.name}")
    assert bare == []
