"""What a user can reach from `cozekit`: every parameter is shown, documented and typed, sync and
async alike, and everything prints as a part of `cozekit`.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import inspect
import pickle
import pkgutil
import pydoc
import re
import types
import typing
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

import coze_openapi.errors
import coze_openapi.events
import cozekit
from coze_openapi.events.callbacks import EVENTS
from coze_runtime.client import AsyncResource, SyncResource
from coze_runtime.operation import Socket
from cozekit import (
    AsyncChatStream,
    AsyncCoze,
    AsyncWorkflowStream,
    ChatEvent,
    ChatStream,
    Coze,
    CozeError,
    WorkflowEvent,
    WorkflowStream,
)
from cozekit.websockets import AsyncWebSockets, WebSockets
from tests import surface
from tests.surface import methods_of, parameters

ROOT = Path(__file__).parent.parent


def reachable() -> dict[str, Any]:
    """Public classes and functions, and public bases of the classes, by the name under which they
    print.
    """
    values = [value for value in surface.public().values() if surface.is_ours(value)]
    found = {
        f"{value.__module__}.{value.__qualname__}": value
        for value in values
        if isinstance(value, type) or inspect.isfunction(value)
    }
    for value in [value for value in found.values() if isinstance(value, type)]:
        for base in value.__mro__[1:]:
            if base.__module__.startswith("cozekit") and not base.__name__.startswith("_"):
                found.setdefault(f"{base.__module__}.{base.__qualname__}", base)
    return found


REACHABLE = reachable()
CLASSES = {name: value for name, value in REACHABLE.items() if isinstance(value, type)}


def functions() -> Iterator[tuple[str, Any]]:
    for name, value in REACHABLE.items():
        if isinstance(value, type):
            for method, function in methods_of(value):
                yield f"{name}.{method}", function
        else:
            yield name, value


FUNCTIONS = dict(functions())


def test_enough_can_be_reached() -> None:
    assert len(CLASSES) > 600
    assert len(FUNCTIONS) > 700
    for name in ("cozekit.resources.Chats.run", "cozekit.resources.AsyncWorkflowsRuns.wait"):
        assert name in FUNCTIONS


def test_names_and_signatures_are_those_of_the_surface_file() -> None:
    expected, actual = surface.FILE.read_text(encoding="utf-8").splitlines(), surface.lines()
    difference = difflib.unified_diff(expected, actual, "surface.txt", "cozekit", lineterm="", n=0)
    assert expected == actual, (
        "the public surface has changed; if that is intended, run `python -m tests.surface` and "
        "note it in CHANGELOG.md\n" + "\n".join(difference)
    )


def test_every_public_module_lists_its_names() -> None:
    for name, module in surface.modules().items():
        assert module.__doc__, name
        assert len(set(module.__all__)) == len(module.__all__), name
        assert not [public for public in module.__all__ if public.startswith("_")], name


@pytest.mark.parametrize("package", [cozekit, cozekit.audio, cozekit.auth, cozekit.websockets])
def test_other_modules_begin_with_an_underscore(package: Any) -> None:
    names = {
        f"{package.__name__}.{module.name}" for module in pkgutil.iter_modules(package.__path__)
    }
    assert [
        name
        for name in names - surface.modules().keys()
        if not name.rpartition(".")[2].startswith("_")
    ] == []


def statically_imported(module: Any) -> set[str]:
    """Names that type checkers see in a module that loads its names on first use."""
    tree = ast.parse(inspect.getsource(module))
    names: set[str] = set()
    for block in tree.body:
        if isinstance(block, ast.If) and isinstance(block.test, ast.Name):
            for node in block.body:
                assert isinstance(node, ast.ImportFrom)
                star = node.names[0].name == "*"
                name = f"cozekit.{node.module}" if node.level else str(node.module)
                names |= (
                    set(importlib.import_module(name).__all__)
                    if star
                    else {alias.asname or alias.name for alias in node.names}
                )
    return names


@pytest.mark.parametrize("module", [cozekit, cozekit.types, cozekit.auth, cozekit.websockets])
def test_type_checkers_and_programs_see_the_same_names(module: Any) -> None:
    submodules = {name.partition(".")[2] for name in surface.modules()} - {""}
    loaded = {*module.__all__, *(submodules if module is cozekit else ())}
    assert statically_imported(module) == loaded


def test_every_error_can_be_caught_from_the_root() -> None:
    described = {
        name
        for name, value in vars(coze_openapi.errors).items()
        if isinstance(value, type) and issubclass(value, CozeError)
    }
    assert {"ChatFailed", "WorkflowFailed"} < described <= set(cozekit.errors.__all__)
    assert set(cozekit.errors.__all__) <= set(cozekit.__all__)


def test_webhooks_have_every_callback_of_the_description() -> None:
    assert {model.__name__ for model in EVENTS.values()} <= set(cozekit.webhooks.__all__)


SOCKETS: dict[str, Socket] = {
    module.name.removeprefix("websockets_"): vars(
        importlib.import_module(f"coze_openapi.events.{module.name}")
    )["SOCKET"]
    for module in pkgutil.iter_modules(coze_openapi.events.__path__)
    if module.name.startswith("websockets_")
}


def test_every_socket_of_the_description_is_made_by_a_method() -> None:
    assert {name for name, _ in methods_of(WebSockets)} - {"__init__"} == SOCKETS.keys()


@pytest.mark.parametrize("resource", [WebSockets, AsyncWebSockets])
@pytest.mark.parametrize("name", SOCKETS)
def test_a_socket_takes_the_described_parameters_and_its_options(resource: Any, name: str) -> None:
    taken = {p.name: p.default is p.empty for p in parameters(getattr(resource, name))}
    assert taken.pop("options") is False
    assert taken == {p: p in SOCKETS[name].required for p in SOCKETS[name].parameters}


def test_every_class_in_a_signature_can_be_imported() -> None:
    importable = {id(value) for value in surface.public().values()}
    hidden = {
        f"{name}: {cls}"
        for name, function in FUNCTIONS.items()
        if name.rpartition(".")[2] not in ("__init__", "open_response")  # called by cozekit itself
        for annotation in typing.get_type_hints(function).values()
        for cls in classes_in(annotation)
        if id(cls) not in importable
    }
    assert hidden == set()


def classes_in(annotation: Any) -> Iterator[type[Any]]:
    """Classes of this project in an annotation."""
    for part in typing.get_args(annotation):
        for inner in part if isinstance(part, list) else [part]:
            yield from classes_in(inner)
    origin = typing.get_origin(annotation) or annotation
    if isinstance(origin, type) and surface.is_ours(origin):
        yield origin


def test_a_star_import_brings_the_product_and_shadows_nothing_common() -> None:
    names: dict[str, Any] = {}
    exec("from cozekit import *", names)
    assert {"Coze", "AsyncCoze", "CozeError", "messages", "documents", "models"} <= names.keys()
    assert not {"types", "errors", "resources", "audio", "auth"} & names.keys()


def test_help_begins_with_the_product() -> None:
    text = pydoc.plain(pydoc.render_doc(cozekit))
    description = text[: text.index("PACKAGE CONTENTS")]
    assert "with Coze() as coze" in description
    for name in surface.modules().keys() - {"cozekit"}:
        assert re.search(rf"\b{name.removeprefix('cozekit.')}\b", description), name


def test_no_function_hides_its_parameters() -> None:
    hidden = [
        name
        for name, function in FUNCTIONS.items()
        if any(p.kind is p.VAR_KEYWORD for p in parameters(function))
    ]
    assert hidden == []


def has_entry(parameter: str, docstring: str) -> bool:
    # Docstrings that begin with "Args:", those of errors, have their entries on the left.
    return bool(re.search(rf"^(?:    )?\*?{parameter}: \S.{{4}}", docstring, re.MULTILINE))


def test_every_parameter_has_an_entry_under_args() -> None:
    missing = {
        f"{name}({parameter.name})"
        for name, function in FUNCTIONS.items()
        if len(parameters(function)) > 1
        for parameter in parameters(function)
        if not has_entry(parameter.name, inspect.getdoc(function) or "")
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
