"""What a plain call sends, and what its result holds."""

from __future__ import annotations

import contextvars
import gc
import types
from collections.abc import Iterator
from typing import Any

import pytest

from coze_openapi.api.bots import retrieve
from coze_runtime.operation import CallOptions
from cozekit import Coze
from tests.overlays.chunk_server import ChunkServer, Step, reply, stream
from tests.overlays.either import client as client_of
from tests.overlays.either import each_kind
from tests.overlays.wire import ASK, BOT, COMPLETED, CREATED, DONE, chat, event, message


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


@each_kind
def test_a_plain_answer_without_a_type_is_read_all_the_same(kind: str) -> None:
    with (
        ChunkServer(reply(BOT, headers={"content-type": None})) as server,
        client_of(kind, server.url) as client,
    ):
        assert client.bots.retrieve("b1").name == "Otter"


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
