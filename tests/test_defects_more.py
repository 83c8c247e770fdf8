"""What is known to go wrong in other clients and has no test elsewhere; tests/defects.yaml lists
all of it with its tests.
"""

from __future__ import annotations

import ast
import contextvars
import gc
import inspect
import subprocess
import sys
import tomllib
import types
import typing
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import anyio
import pytest

from coze_openapi.api.bots import retrieve
from coze_openapi.models.websockets_payloads import InputAudio
from coze_runtime.client import AsyncResource, SyncResource
from coze_runtime.operation import CallOptions
from cozekit import (
    AsyncChatStream,
    AsyncCoze,
    AsyncWorkflowStream,
    ChatEvent,
    ChatStream,
    Coze,
    CozeError,
    NotFoundError,
    ResponseError,
    WorkflowEvent,
    WorkflowStream,
    messages,
)
from cozekit.auth import Clock, DeviceOAuth
from tests.overlays.chunk_server import (
    LENGTH,
    LOGID,
    ChunkServer,
    Close,
    Head,
    Request,
    Send,
    Step,
    reply,
    stream,
)
from tests.overlays.either import client as client_of
from tests.overlays.either import each_kind
from tests.overlays.wire import (
    ASK,
    BOT,
    COMPLETED,
    CREATED,
    DONE,
    RUN,
    chat,
    coze,
    event,
    message,
    names,
    node,
)

ROOT = Path(__file__).parent.parent
FLOW: dict[str, Any] = {
    "workflow_id": "w1",
    "app_id": "a1",
    "additional_messages": [],
    "parameters": {},
}
JSON = {"content-type": "application/json"}


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    paths = f"import sys; sys.path[:0] = {[str(ROOT / 'generated'), str(ROOT / 'overlays')]!r}\n"
    *flags, code = arguments
    return subprocess.run(
        [sys.executable, *flags, "-c", paths + code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# ---- what is asked for


@each_kind
@pytest.mark.parametrize(
    ("call", "method", "path"),
    [
        (lambda c: c.bots.retrieve("b1"), "GET", "/v1/bots/b1"),
        (lambda c: c.bots.list(workspace_id="w1").items, "GET", "/v1/bots"),
        (lambda c: c.chat.retrieve(conversation_id="1", chat_id="2"), "GET", "/v3/chat/retrieve"),
    ],
    ids=["bots.retrieve", "bots.list", "chat.retrieve"],
)
def test_the_usual_call_goes_to_the_newest_documented_endpoint(
    kind: str, call: Any, method: str, path: str
) -> None:
    answer = reply({"code": 0, "msg": "", "data": {"items": [], "total": 0}})
    with ChunkServer(answer) as server, client_of(kind, server.url) as client:
        call(client)
    assert [(request.method, request.target.partition("?")[0]) for request in server.requests] == [
        (method, path)
    ]


@each_kind
def test_a_question_is_sent_without_the_fields_that_it_does_not_have(kind: str) -> None:
    with (
        ChunkServer(reply({"code": 0, "msg": "", "data": chat("created")})) as server,
        client_of(kind, server.url) as client,
    ):
        client.chat.create(**ASK, additional_messages=[messages.user_text("Hi")])
    question = {"role": "user", "type": "question", "content": "Hi", "content_type": "text"}
    assert server.requests[0].json == {**ASK, "stream": False, "additional_messages": [question]}


@each_kind
def test_the_headers_of_a_call_stay_as_the_caller_made_them(kind: str) -> None:
    mine = {"X-Mine": "1", "Authorization": "Bearer another"}
    with ChunkServer(reply(BOT)) as server, client_of(kind, server.url) as client:
        client.bots.retrieve("b1", extra_headers=mine)
        client.bots.retrieve("b1")
    assert mine == {"X-Mine": "1", "Authorization": "Bearer another"}
    assert [request.headers["authorization"] for request in server.requests] == [
        "Bearer another",
        "Bearer pat_test",
    ]


def test_a_header_in_another_spelling_replaces_the_one_of_the_client() -> None:
    """A server that keeps one of two equal names would hide the other, so this looks at what is
    about to be sent.
    """
    mine = {"authorization": "Bearer another", "user-agent": "mine"}
    prepared = Coze("pat_test").settings.prepare(
        retrieve.build(bot_id="b1"), CallOptions(extra_headers=mine), "pat_test"
    )
    assert {name: value for name, value in prepared.headers.items() if name.lower() in mine} == mine


def test_settings_of_a_socket_need_no_other_settings() -> None:
    assert InputAudio(codec="opus").to_dict() == {"codec": "opus"}


# ---- what comes back


@each_kind
@pytest.mark.parametrize("way", ["plain", "stream"])
def test_a_failure_whose_body_is_cut_is_a_typed_error(kind: str, way: str) -> None:
    script: list[Step] = [Head(500, JSON, LENGTH, 1000), Send(b'{"code": 5000, "msg": "'), Close()]
    with (
        ChunkServer(script) as server,
        client_of(kind, server.url, max_retries=0) as client,
        pytest.raises(CozeError) as caught,
    ):
        if way == "plain":
            client.bots.retrieve("b1")
        else:
            list(client.chat.stream(**ASK))
    assert server.url in str(caught.value)


@each_kind
@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b'{"code":0,"msg":""}', b"event:done\ndata:{}\n\n", b"<html>"],
    ids=range(5),
)
@pytest.mark.parametrize("content_type", [None, ""], ids=["absent", "empty"])
def test_an_answer_without_a_type_in_place_of_a_stream_is_a_typed_error(
    kind: str, content_type: str | None, body: bytes
) -> None:
    script: list[Step] = [Head(200, {"content-type": content_type}, LENGTH, len(body)), Send(body)]
    for ask in (
        lambda c: list(c.chat.stream(**ASK)),
        lambda c: list(c.workflows.runs.stream(**RUN)),
    ):
        problem = pytest.raises(ResponseError, match="expected an event stream")
        with (
            ChunkServer(script) as server,
            client_of(kind, server.url) as client,
            problem as caught,
        ):
            ask(client)
        assert (caught.value.http_status, caught.value.logid) == (200, LOGID)


@each_kind
@pytest.mark.parametrize("content_type", [None, ""], ids=["absent", "empty"])
def test_an_error_without_a_type_in_place_of_a_stream_is_that_error(
    kind: str, content_type: str | None
) -> None:
    script = reply({"code": 4015, "msg": "not published"}, headers={"content-type": content_type})
    problem = pytest.raises(NotFoundError, match="not published")
    with ChunkServer(script) as server, client_of(kind, server.url) as client, problem as caught:
        list(client.chat.stream(**ASK))
    assert caught.value.code == 4015


@each_kind
def test_a_plain_answer_without_a_type_is_read_all_the_same(kind: str) -> None:
    with (
        ChunkServer(reply(BOT, headers={"content-type": None})) as server,
        client_of(kind, server.url) as client,
    ):
        assert client.bots.retrieve("b1").name == "Otter"


@each_kind
def test_messages_without_the_usual_fields_do_not_end_a_stream(kind: str) -> None:
    delta = "conversation.message.delta"
    bare = [event(delta, {"id": "m1"}), event(delta, {**message(""), "content": None})]
    untitled = {name: value for name, value in node("a", 0).items() if name != "node_title"}
    run = [event("Message", untitled, 0), event("Done", {}, 1)]
    with (
        ChunkServer(stream(CREATED, *bare, COMPLETED, DONE), stream(*run)) as server,
        client_of(kind, server.url) as client,
    ):
        seen = list(client.chat.stream(**ASK))
        steps = list(client.workflows.runs.stream(**RUN))
    assert names(seen)[1:3] == [delta, delta]
    assert [item.message.content for item in seen[1:3]] == [None, None]
    assert (steps[0].message.content, steps[0].message.node_title) == ("a", None)


@each_kind
def test_the_last_event_of_a_chatflow_tells_the_address_of_its_run(kind: str) -> None:
    last = event("done", {"debug_url": "https://www.coze.cn/work_flow?execute_id=1"})
    with (
        ChunkServer(stream(CREATED, COMPLETED, last)) as server,
        client_of(kind, server.url) as client,
    ):
        assert (
            list(client.workflows.chat.stream(**FLOW))[-1].debug_url
            == "https://www.coze.cn/work_flow?execute_id=1"
        )


@each_kind
def test_a_list_without_total_and_without_an_end_mark_is_walked_to_its_empty_page(
    kind: str,
) -> None:
    def page(request: Request) -> list[Step]:
        number = int(
            dict(part.split("=") for part in request.target.partition("?")[2].split("&")).get(
                "page_num", 1
            )
        )
        items = [{"id": f"b{number}.{place}"} for place in range(2)] if number < 4 else []
        return list(reply({"code": 0, "msg": "", "data": {"items": items}}))

    with ChunkServer(page) as server, client_of(kind, server.url) as client:
        found = [bot.id for bot in client.bots.list(workspace_id="w1", page_size=2)]
    assert found == [f"b{number}.{place}" for number in (1, 2, 3) for place in range(2)]
    assert len(server.requests) == 4


def test_the_items_of_a_page_are_a_list_that_may_be_changed() -> None:
    body = {"code": 0, "msg": "", "data": {"items": [{"id": "b1"}, {"id": "b2"}], "total": 2}}
    with ChunkServer(reply(body)) as server, coze(server) as client:
        items = client.bots.list(workspace_id="w1").items
    items[0] = items[1]
    assert [bot.id for bot in items] == ["b2", "b2"]


SHARED = (
    type,
    types.ModuleType,
    types.FunctionType,
    types.BuiltinFunctionType,
    contextvars.Context,
)


def held_by(root: object) -> Iterator[object]:
    """Everything that an object keeps alive for itself alone."""
    seen, waiting = {id(root)}, [root]
    while waiting:
        found = waiting.pop()
        yield found
        for inner in gc.get_referents(found):
            if id(inner) not in seen and not isinstance(inner, SHARED):
                seen.add(id(inner))
                waiting.append(inner)


LISTED = {"code": 0, "msg": "", "data": {"items": [{"id": "b1", "name": "Otter"}], "total": 1}}
MEMBERS = {"code": 0, "msg": "", "data": [message("Otter")]}
UPLOADED = {"code": 0, "msg": "", "data": {"id": "f1", "file_name": "Otter"}}
DRIFTED = {
    "code": 0,
    "msg": "",
    "data": {"bot_id": 7, "name": "Otter", "version": {"not": "a text"}},
}
RESULTS: dict[str, tuple[list[Step], Any]] = {
    "model": (reply(BOT), lambda c: c.bots.retrieve("b1")),
    "model of another shape": (reply(DRIFTED), lambda c: c.bots.retrieve("b1")),
    "item of a page": (reply(LISTED), lambda c: c.bots.list(workspace_id="w1").items[0]),
    "items of a page": (reply(LISTED), lambda c: c.bots.list(workspace_id="w1").items),
    "list": (reply(MEMBERS), lambda c: c.chat.messages.list(conversation_id="1", chat_id="2")),
    "file": (reply(UPLOADED), lambda c: c.files.upload(file=b"content of the file")),
    "chat": (
        reply({"code": 0, "msg": "", "data": chat("created", meta_data={"name": "Otter"})}),
        lambda c: c.chat.create(**ASK),
    ),
    "message of a stream": (
        stream(
            CREATED, *[event("conversation.message.completed", message("Otter"))], COMPLETED, DONE
        ),
        lambda c: c.chat.stream(**ASK).until_done().messages[0],
    ),
    "final chat of a stream": (
        stream(
            CREATED,
            event("conversation.chat.completed", chat("completed", meta_data={"name": "Otter"})),
            DONE,
        ),
        lambda c: c.chat.stream(**ASK).until_done().chat,
    ),
}


@each_kind
@pytest.mark.parametrize("name", RESULTS)
def test_a_model_keeps_neither_the_answer_nor_its_body_alive(kind: str, name: str) -> None:
    script, ask = RESULTS[name]
    with ChunkServer(script) as server, client_of(kind, server.url) as client:
        held = list(held_by(ask(client)))
    assert "Otter" in held
    assert [found for found in held if isinstance(found, bytes | bytearray | memoryview)] == []
    assert [
        type(found)
        for found in held
        if type(found).__name__ in ("Response", "Opened", "Coze", "AsyncCoze", "Page")
    ] == []


# What takes its time is started by one method and awaited by another; every start has a method that
# does both.
WAITING = [
    ("chat", "create_and_poll"),
    ("chat", "submit_tool_outputs_and_poll"),
    ("chat", "wait"),
    ("workflows.runs", "create_and_poll"),
    ("workflows.runs", "resume_and_poll"),
]


@pytest.mark.parametrize(("resource", "method"), WAITING)
def test_both_clients_wait_with_the_same_arguments(resource: str, method: str) -> None:
    forms = []
    for client in (Coze("t"), AsyncCoze("t")):
        found: Any = client
        for step in resource.split("."):
            found = getattr(found, step)
        forms.append(getattr(found, method))
    sync, parallel = forms
    assert inspect.iscoroutinefunction(parallel) and not inspect.iscoroutinefunction(sync)
    assert list(inspect.signature(sync).parameters) == list(inspect.signature(parallel).parameters)
    assert {"poll_timeout", "poll_interval"} <= set(inspect.signature(parallel).parameters)


# ---- signing in


class OnlyAsyncWaits(Clock):
    """A clock whose wait ends when another task of the same event loop says so."""

    def __init__(self) -> None:
        self.waiting, self.go_on = anyio.Event(), anyio.Event()
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        raise AssertionError("this wait holds up the event loop")

    async def sleep_async(self, seconds: float) -> None:
        self.waiting.set()
        await self.go_on.wait()
        self.now += seconds


async def test_waiting_for_the_user_of_a_device_leaves_the_event_loop_free() -> None:
    begun = {
        "device_code": "d",
        "user_code": "u",
        "verification_uri": "https://x/device",
        "interval": 5,
        "expires_in": 300,
    }
    found = {
        "access_token": "czu_1",
        "refresh_token": "r",
        "expires_in": 1800000900,
        "token_type": "Bearer",
    }
    clock, tokens = OnlyAsyncWaits(), []
    with ChunkServer(reply(begun), reply(found)) as server:
        device = DeviceOAuth("app", base_url=server.url, clock=clock)
        login = await device.start_async()

        async def wait() -> None:
            tokens.append(await device.wait_async(login))

        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(wait)
                await clock.waiting.wait()
                clock.go_on.set()
    assert [token.access_token for token in tokens] == ["czu_1"]


# ---- the program around it


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


def test_arguments_are_checked_without_assertions_too() -> None:
    code = """
from cozekit import ArgumentError, Coze
from cozekit.auth import JWTOAuth
for make in (lambda: JWTOAuth(None, None, None), lambda: JWTOAuth("1", None, "k"), lambda: Coze("")):
    try:
        make()
    except ArgumentError as error:
        print(error.argument)
"""  # noqa: E501
    done = run_python("-O", code)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["client_id", "private_key", "token"]


# ---- types


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


def test_the_packages_are_checked_strictly_and_say_that_they_are_typed() -> None:
    packages = ("generated/coze_openapi", "overlays/coze_runtime", "overlays/cozekit")
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
    assert settings["strict"] is True
    assert set(packages) <= set(settings["files"])
    for package in packages:
        assert (ROOT / package / "py.typed").is_file()
