"""What is loaded when, and that every exported name can be loaded."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import coze_openapi
import cozekit
import cozekit.types
from coze_openapi import events, models, resources, resources_async, streams
from tests.contract.catalogue import (
    GENERATED,
    is_file,
    operations,
    sample_argument,
    split_arguments,
)
from tests.contract.server import LoopbackServer, Received, Reply, json_reply
from tests.contract.test_operations import reply_to
from tests.each import each
from tests.programs import run_python

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


@pytest.mark.parametrize("client", ["coze_openapi.Client", "cozekit.Coze"])
def test_one_chat_call_loads_few_modules(client: str, server: LoopbackServer) -> None:
    server.answer(
        json_reply(
            {"code": 0, "msg": "", "data": {"id": "1", "conversation_id": "2", "status": "created"}}
        )
    )
    modules = loaded(
        f"import {client.partition('.')[0]}\n"
        f"client = {client}('token', base_url=sys.argv[1])\n"
        "chat = client.chat.create(bot_id='b', user_id='u')\n"
        "assert chat.status == 'created'",
        server.url,
    )
    assert len(ours(modules)) <= MOST_MODULES, ours(modules)


# Calls every operation in one interpreter, which forgets the package before each; httpx and the
# like are not counted. What every call needs of the runtime, which the first call shows, is kept.
CALL_ALL = """
import json, sys, warnings
import httpx, msgspec, attrs
warnings.simplefilter("ignore", DeprecationWarning)
url, counts = sys.argv[1], {}
connections = httpx.Client()

def ours():
    return {name for name in sys.modules if name.partition(".")[0] in {"coze_openapi", "coze_runtime"}}

def forget(modules):
    for module in modules:
        package, _, name = module.rpartition(".")
        vars(sys.modules.get(package)).pop(name, None) if package in sys.modules else None
    for module in modules:
        del sys.modules[module]

def loaded_by(name, steps, method, positional, named):
    from coze_openapi import Client
    named = {key: value.encode() if value == "<file>" else value for key, value in named.items()}
    with Client("token", base_url=url, http_client=connections) as client:
        resource = client
        for step in steps:
            resource = getattr(resource, step)
        result = getattr(resource, method)(*positional, **named, extra_headers={"X-Operation": name})
        if hasattr(result, "close"):
            result.close()
        return ours()

calls = json.loads(sys.stdin.read())
needed = loaded_by("users_me", *calls["users_me"])
needed = {name for name in needed if name.startswith("coze_runtime")}
for name, call in calls.items():
    forget(ours() - needed)
    counts[name] = len(loaded_by(name, *call))
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
    counts = json.loads(done.stdout)
    assert set(counts) == set(operations())
    assert {name: count for name, count in counts.items() if count > most_modules(name)} == {}


def most_modules(operation: str) -> int:
    op = operations()[operation]
    if op.only_streams:
        return MOST_MODULES_OF_A_STREAM
    return MOST_MODULES_DEEP_DOWN if "." in op.tag else MOST_MODULES


@each("package, count", EXPORTS)
def test_every_exported_name_can_be_used(package: Any, count: int) -> None:
    names = [name for name in dir(package) if not name.startswith("_")]
    assert len(names) >= count
    for name in names:
        assert getattr(package, name) is getattr(package, name)
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = package.no_such_name


def test_every_module_of_models_can_be_the_first_one() -> None:
    """A cycle of imports shows only where a module is loaded first."""
    modules = [path.stem for path in (GENERATED / "coze_openapi" / "models").glob("[!_]*.py")]
    assert len(modules) > 50
    cycles = {name: cycle(f"coze_openapi.models.{name}", ()) for name in modules}
    assert {name: chain for name, chain in cycles.items() if chain} == {}


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


def test_importing_the_package_leaves_logging_alone() -> None:
    code = """
import logging
before = (list(logging.root.handlers), logging.root.level)
import cozekit, coze_openapi, coze_runtime
cozekit.Coze("t").bots
assert (list(logging.root.handlers), logging.root.level) == before
for name in ("cozekit", "coze_openapi", "coze_runtime"):
    log = logging.getLogger(name)
    assert log.propagate and log.level == logging.NOTSET, name
    assert all(isinstance(handler, logging.NullHandler) for handler in log.handlers), name
"""
    done = run_python("-W", "error", code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
