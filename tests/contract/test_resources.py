"""The methods of both clients: one for every operation, the same for sync and async, with full
documentation.
"""

from __future__ import annotations

import inspect
import re
from typing import Any

from coze_openapi import AsyncClient, Client, resources, resources_async
from coze_runtime.client import AsyncResource, SyncResource
from tests.contract.catalogue import Op, operations
from tests.contract.conftest import TOKEN
from tests.each import each


def resource_pairs() -> dict[str, tuple[type, type | None]]:
    """Every sync resource by name, with its async twin."""
    classes = [getattr(resources, name) for name in dir(resources) if not name.startswith("_")]
    names = [cls.__name__ for cls in classes if inspect.isclass(cls)]
    return {
        name: (getattr(resources, name), getattr(resources_async, f"Async{name}", None))
        for name in names
        if issubclass(getattr(resources, name), SyncResource)
    }


def public(cls: type) -> dict[str, Any]:
    return {name: value for name, value in vars(cls).items() if not name.startswith("_")}


CLIENTS: tuple[type[Any], ...] = (Client, AsyncClient)
EVERY_PAIR = resource_pairs()
EVERY_METHOD = {
    f"{client.__name__} {op.id}{'.stream' if streaming and op.switch else ''}": (
        client,
        op,
        streaming,
    )
    for op in operations().values()
    for client in CLIENTS
    for streaming in ([False, True] if op.switch else [op.only_streams])
}
every_method = each("client, op, streaming", EVERY_METHOD)
every_pair = each("sync, twin", EVERY_PAIR)


@every_method
def test_every_operation_is_a_method_of_both_clients(
    client: type[Any], op: Op, streaming: bool
) -> None:
    assert inspect.ismethod(op.method_of(client(TOKEN), streaming=streaming))


def extra_methods(op: Op) -> set[str]:
    """Names of the methods that an operation has besides the plain call."""
    waiter = op.node.get("x-coze-waiter") or {}
    waits = {waiter[part]["method"] for part in ("poll", "wait") if part in waiter}
    helpers = set(op.node.get("x-coze-helpers") or ())
    return waits | helpers | ({op.stream["method"]} if op.stream else set())


def test_every_method_comes_from_an_operation() -> None:
    described = {
        (op.tag.replace(".", "_"), name)
        for op in operations().values()
        for name in {op.method_name, *extra_methods(op)}
    }
    methods = {
        (resources._MODULES[cls.__name__], name)
        for cls, _ in EVERY_PAIR.values()
        for name, value in public(cls).items()
        if inspect.isfunction(value)
    }
    assert methods == described


@every_pair
def test_sync_and_async_have_the_same_members_and_signatures(sync: type, twin: type | None) -> None:
    assert twin is not None
    assert issubclass(twin, AsyncResource)
    assert list(public(sync)) == list(public(twin))
    for name, member in public(sync).items():
        compare_members(name, member, vars(twin)[name])


def compare_members(name: str, sync: Any, twin: Any) -> None:
    if isinstance(sync, property):
        promised = async_name(sync.fget.__annotations__["return"])
        assert promised == twin.fget.__annotations__["return"], name
        assert sync.__doc__ == twin.__doc__, name
        return
    here, there = inspect.signature(sync), inspect.signature(twin)
    assert list(here.parameters.values()) == list(there.parameters.values()), name
    assert there.return_annotation in async_forms(here.return_annotation), name


def async_name(annotation: str) -> str:
    return annotation.replace("resources.", "resources_async.Async")


def async_forms(annotation: str) -> set[str]:
    """The annotation of the async twin: the same, or the async form of a stream or a list that
    comes in pages.
    """
    if annotation.startswith("Page["):
        return {f"AsyncPager[{annotation.removeprefix('Page[')}"}
    module, _, name = annotation.rpartition(".")
    if name.endswith("Stream"):
        return {f"{module}.Async{name}".lstrip(".")}
    return {annotation}


@every_pair
def test_docstrings_of_the_twins_say_the_same(sync: type, twin: type) -> None:
    assert inspect.getdoc(sync) == inspect.getdoc(twin)
    for name in public(sync):
        here, there = inspect.getdoc(getattr(sync, name)), inspect.getdoc(getattr(twin, name))
        assert here == there, name


@every_method
def test_every_method_has_the_full_docstring(client: type[Any], op: Op, streaming: bool) -> None:
    text = inspect.getdoc(op.method_of(client(TOKEN), streaming=streaming)) or ""
    lines = text.splitlines()
    assert re.fullmatch(r"\S.{5,90}\.", lines[0]), "summary"
    assert f"`{op.method} {op.path}`" in lines
    assert [name for name in lines if name in ("Args:", "Returns:", "Raises:")] == [
        "Args:",
        "Returns:",
        "Raises:",
    ]
    arguments = text[text.index("Args:") : text.index("Returns:")]
    options = ["extra_headers", "extra_query", "extra_body", "timeout"]
    for name in [*(parameter.argument for parameter in op.parameters), *options]:
        assert re.search(rf"^    {name}: \S.{{4}}", arguments, re.MULTILINE), name
    errors = text[text.index("Raises:") :]
    for error in ("APIError", "APIConnectionError", "ResponseError"):
        assert f"    {error}: " in errors, error
    for code in op.node.get("x-coze-errors", []):
        assert str(code) in errors, code
    for permission in op.node.get("x-coze-permission", []):
        assert f"`{permission}`" in text, permission
    pages = op.node.get("x-coze-page", [])
    for page in [pages] if isinstance(pages, str) else pages:
        address = f"Source: https://www.coze.cn/open/docs/developer_guides/{page}"
        assert address in text or page in text, page
    if op.node.get("deprecated"):
        successor = operations()[op.node["x-coze-replaced-by"]]
        name = re.escape(f"coze.{successor.tag}.{successor.method_name}")
        assert re.search(rf"(?<!\w){name}(?!\w)", text), f"{name} is not named"
