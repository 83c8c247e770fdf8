"""What is loaded when, and that both clients offer the same with full documentation."""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import coze_openapi
import cozekit
import cozekit.types
from coze_openapi import (
    AsyncClient,
    Client,
    events,
    models,
    resources,
    resources_async,
    streams,
)
from coze_runtime.client import AsyncResource
from coze_runtime.client import SyncResource as Resource
from tests.contract.catalogue import (
    GENERATED,
    Op,
    is_file,
    operations,
    sample_argument,
    split_arguments,
)
from tests.contract.conftest import TOKEN
from tests.contract.server import LoopbackServer, Received, Reply, json_reply
from tests.contract.test_operations import reply_to

PACKAGES = {"coze_openapi", "coze_runtime"}
MOST_MODULES = 40
"""What one call may load of both packages."""
MOST_MODULES_DEEP_DOWN = 42
"""The same for an operation whose resource is below others, which are loaded on the way."""
MOST_MODULES_OF_A_STREAM = 55
"""The same for an operation that only streams: the parts that read events come on top."""
EXPORTS = {
    "coze_openapi": (coze_openapi, 5),
    "coze_openapi.events": (events, 15),
    "coze_openapi.models": (models, 500),
    "coze_openapi.resources": (resources, 50),
    "coze_openapi.resources_async": (resources_async, 50),
    "coze_openapi.streams": (streams, 7),
    "cozekit": (cozekit, 50),
    "cozekit.events": (cozekit.events, 15),
    "cozekit.models": (cozekit.models, 500),
    "cozekit.resources": (cozekit.resources, 100),
    "cozekit.types": (cozekit.types, 30),
}
"""Packages, with the number of names that they have at least."""


def loaded(code: str, *arguments: str) -> list[str]:
    """Modules that a fresh interpreter has loaded after the code."""
    script = (
        f"import sys\nsys.path.insert(0, {str(GENERATED)!r})\n{code}\nimport "
        "json\nprint(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


def ours(modules: list[str]) -> list[str]:
    return [name for name in modules if name.partition(".")[0] in PACKAGES]


def test_the_package_alone_loads_nothing() -> None:
    modules = loaded("import coze_openapi")
    assert ours(modules) == ["coze_openapi"]
    assert not {"httpx", "msgspec", "attrs", "attr", "asyncio", "ssl", "typing_extensions"} & set(
        modules
    )


@pytest.mark.parametrize("name", ["Client", "AsyncClient"])
def test_a_client_loads_no_http_library_before_its_first_call(name: str) -> None:
    modules = loaded(
        f"import coze_openapi\nclient = coze_openapi.{name}('token')\nclient.chat, client.bots"
    )
    assert not {"httpx", "httpcore", "anyio", "asyncio", "ssl"} & set(modules)
    assert not [
        module
        for module in ours(modules)
        if module.startswith(("coze_openapi.models.", "coze_openapi.api."))
    ]


def test_one_chat_call_loads_few_modules(server: LoopbackServer) -> None:
    server.answer(
        json_reply(
            {"code": 0, "msg": "", "data": {"id": "1", "conversation_id": "2", "status": "created"}}
        )
    )
    modules = loaded(
        "import coze_openapi\n"
        "client = coze_openapi.Client('token', base_url=sys.argv[1])\n"
        "chat = client.chat.create(bot_id='b', user_id='u')\n"
        "assert chat.status == 'created'",
        server.url,
    )
    assert len(ours(modules)) <= MOST_MODULES, ours(modules)


# Calls every operation in one interpreter, which forgets the package before each; httpx and the
# like are not counted.
CALL_ALL = """
import json, sys, warnings
import httpx, msgspec, attrs
warnings.simplefilter("ignore", DeprecationWarning)
url, counts, OURS = sys.argv[1], {}, {"coze_openapi", "coze_runtime"}
connections = httpx.Client()
for name, (steps, method, positional, named) in json.loads(sys.stdin.read()).items():
    for module in [module for module in sys.modules if module.partition(".")[0] in OURS]:
        del sys.modules[module]
    from coze_openapi import Client
    named = {key: value.encode() if value == "<file>" else value for key, value in named.items()}
    with Client("token", base_url=url, http_client=connections) as client:
        resource = client
        for step in steps:
            resource = getattr(resource, step)
        result = getattr(resource, method)(*positional, **named, extra_headers={"X-Operation": name})
        if hasattr(result, "close"):
            result.close()
        counts[name] = sorted(module for module in sys.modules if module.partition(".")[0] in OURS)
connections.close()
print(json.dumps(counts))
"""  # noqa: E501


def test_no_operation_needs_more_modules_than_the_budget(server: LoopbackServer) -> None:
    calls = {}
    for op in operations().values():
        required = {
            p.argument: "<file>" if is_file(p.schema) else sample_argument(p)
            for p in op.parameters
            if p.required
        }
        positional, named = split_arguments(op, required)
        name = op.stream["method"] if op.only_streams and op.stream else op.method_name
        calls[op.id] = [op.tag.split("."), name, positional, named]

    def answer(request: Received) -> Reply:
        op = operations()[request.headers["x-operation"]]
        return reply_to(op, streaming=op.only_streams)

    server.answer(answer)
    command = [
        sys.executable,
        "-c",
        f"import sys\nsys.path.insert(0, {str(GENERATED)!r})\n{CALL_ALL}",
        server.url,
    ]
    done = subprocess.run(
        command, input=json.dumps(calls), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found) == set(operations())
    counts = {name: len(names) for name, names in found.items()}
    assert {name: count for name, count in counts.items() if count > most_modules(name)} == {}


def most_modules(operation: str) -> int:
    op = operations()[operation]
    if op.only_streams:
        return MOST_MODULES_OF_A_STREAM
    return MOST_MODULES_DEEP_DOWN if "." in op.tag else MOST_MODULES


@pytest.mark.parametrize(("package", "count"), EXPORTS.values(), ids=EXPORTS.keys())
def test_every_exported_name_can_be_used(package: Any, count: int) -> None:
    names = [name for name in dir(package) if not name.startswith("_")]
    assert len(names) >= count
    for name in names:
        assert getattr(package, name) is getattr(package, name)
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = package.no_such_name


@pytest.mark.parametrize(
    "name",
    sorted(
        path.stem
        for path in (GENERATED / "coze_openapi" / "models").glob("*.py")
        if path.stem != "__init__"
    ),
)
def test_every_module_of_models_can_be_the_first_one(name: str) -> None:
    """A cycle of imports shows only where a module is loaded first."""
    assert not cycle(f"coze_openapi.models.{name}", ())


def cycle(name: str, path: tuple[str, ...]) -> tuple[str, ...]:
    """A chain of imports at the top of modules that comes back to its start."""
    if name in path:
        return (*path, name)
    tree = ast.parse(
        (GENERATED / Path(*name.split(".")).with_suffix(".py")).read_text(encoding="utf-8")
    )
    below = [
        node.module
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        and node.level == 1
        and node.module
        and before_classes(tree, node)
    ]
    return next(
        (
            found
            for other in below
            if (found := cycle(f"coze_openapi.models.{other}", (*path, name)))
        ),
        (),
    )


def before_classes(tree: ast.Module, node: ast.ImportFrom) -> bool:
    """Whether an import stands before the classes; behind them, a cycle does no harm."""
    first = min(
        (item.lineno for item in tree.body if isinstance(item, ast.ClassDef)), default=sys.maxsize
    )
    return node.lineno < first


def resource_pairs() -> list[Any]:
    names = [
        name
        for name in dir(resources)
        if not name.startswith("_") and inspect.isclass(getattr(resources, name))
    ]
    pairs = [
        (getattr(resources, name), getattr(resources_async, f"Async{name}", None)) for name in names
    ]
    return [
        pytest.param(sync, twin, id=sync.__name__)
        for sync, twin in pairs
        if issubclass(sync, Resource)
    ]


def public(cls: type) -> dict[str, Any]:
    return {name: value for name, value in vars(cls).items() if not name.startswith("_")}


def test_every_operation_is_a_method_of_both_clients() -> None:
    for op in operations().values():
        for client in (Client(TOKEN), AsyncClient(TOKEN)):
            names = (
                {op.stream["method"]}
                if op.only_streams and op.stream
                else {op.method_name, *([op.stream["method"]] if op.stream else [])}
            )
            for name in names:
                assert inspect.ismethod(getattr(op.resource(client), name)), f"{op.tag}.{name}"


def extra_methods(op: Op) -> set[str]:
    """Names of the methods that an operation has besides the plain call."""
    waiter = op.node.get("x-coze-waiter") or {}
    waits = {waiter[part]["method"] for part in ("poll", "wait") if part in waiter}
    helpers = set(op.node.get("x-coze-helpers") or ())
    return waits | helpers | ({op.stream["method"]} if op.stream else set())


def test_every_method_comes_from_an_operation() -> None:
    described = {(op.tag.replace(".", "_"), op.method_name) for op in operations().values()}
    described |= {
        (op.tag.replace(".", "_"), name)
        for op in operations().values()
        for name in extra_methods(op)
    }
    found = set()
    for pair in resource_pairs():
        cls = pair.values[0]
        module = resources._MODULES[cls.__name__]
        found |= {
            (module, name) for name, value in public(cls).items() if inspect.isfunction(value)
        }
    assert found == described


@pytest.mark.parametrize(("sync", "twin"), resource_pairs())
def test_sync_and_async_have_the_same_members_and_signatures(sync: type, twin: type | None) -> None:
    assert twin is not None
    assert issubclass(twin, AsyncResource)
    assert list(public(sync)) == list(public(twin))
    for name, member in public(sync).items():
        other = vars(twin)[name]
        if isinstance(member, property):
            assert (
                async_name(member.fget.__annotations__["return"])
                == other.fget.__annotations__["return"]
            )
            assert member.__doc__ == other.__doc__
            continue
        here, there = inspect.signature(member), inspect.signature(other)
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


@pytest.mark.parametrize(("sync", "twin"), resource_pairs())
def test_docstrings_of_the_twins_say_the_same(sync: type, twin: type) -> None:
    assert inspect.getdoc(sync) == inspect.getdoc(twin)
    for name in public(sync):
        here, there = inspect.getdoc(getattr(sync, name)), inspect.getdoc(getattr(twin, name))
        assert here == there, name


def documented_methods() -> list[Any]:
    return [
        pytest.param(
            op,
            kind,
            streaming,
            id=f"{op.id}{'.stream' if streaming and op.switch else ''}-{kind.__name__}",
        )
        for op in operations().values()
        for kind in (Client, AsyncClient)
        for streaming in ([False, True] if op.switch else [op.only_streams])
    ]


@pytest.mark.parametrize(("op", "kind", "streaming"), documented_methods())
def test_every_method_has_the_full_docstring(op: Op, kind: type[Any], streaming: bool) -> None:
    method = op.method_of(kind(TOKEN), streaming=streaming)
    text = inspect.getdoc(method) or ""
    lines = text.splitlines()
    assert re.fullmatch(r"\S.{5,90}\.", lines[0]), "summary"
    assert f"`{op.method} {op.path}`" in lines
    sections = [name for name in ("Args:", "Returns:", "Raises:") if name in lines]
    assert sections == ["Args:", "Returns:", "Raises:"]
    assert text.index("Args:") < text.index("Returns:") < text.index("Raises:")
    described = text[text.index("Args:") : text.index("Returns:")]
    for parameter in op.parameters:
        assert re.search(rf"^    {parameter.argument}: \S.{{4}}", described, re.MULTILINE), (
            parameter.argument
        )
    for option in ("extra_headers", "extra_query", "extra_body", "timeout"):
        assert re.search(rf"^    {option}: \S.{{4}}", described, re.MULTILINE), option
    for error in ("APIError", "APIConnectionError", "ResponseError"):
        assert f"    {error}: " in text[text.index("Raises:") :]
    for code in op.node.get("x-coze-errors", []):
        assert str(code) in text[text.index("Raises:") :]
    for permission in op.node.get("x-coze-permission", []):
        assert f"`{permission}`" in text
    pages = op.node.get("x-coze-page", [])
    for page in [pages] if isinstance(pages, str) else pages:
        assert (
            f"Source: https://www.coze.cn/open/docs/developer_guides/{page}" in text or page in text
        )
    if op.node.get("deprecated"):
        assert re.search(rf"(?<!\w){op.node['x-coze-replaced-by']}(?!\w)", text), (
            "the successor is not named"
        )


@pytest.mark.parametrize(
    "name", [name for name in dir(models) if inspect.isclass(getattr(models, name))]
)
def test_every_field_and_every_value_is_explained(name: str) -> None:
    """Docstrings below fields and members, which editors show."""
    cls = getattr(models, name)
    assert cls.__doc__
    tree = source_of(name)
    for node, below in zip(tree.body, [*tree.body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign | ast.Assign):
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            assert isinstance(below, ast.Expr), (
                f"{name}.{getattr(target, 'id', '?')} has no docstring"
            )
            assert isinstance(below.value, ast.Constant)
            assert str(below.value.value).strip()


def source_of(name: str) -> ast.ClassDef:
    """A class of models as it is written."""
    return next(
        node
        for node in module_of_models(models._MODULES[name]).body
        if isinstance(node, ast.ClassDef) and node.name == name
    )


@cache
def module_of_models(name: str) -> ast.Module:
    path = GENERATED / "coze_openapi" / "models" / f"{name}.py"
    return ast.parse(path.read_text(encoding="utf-8"))
