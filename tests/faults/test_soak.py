"""Thousands of mixed calls on one client: descriptors and memory stay where they are."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cozekit import APIError, CozeError, StreamInterrupted
from tests.faults.exchange import FULL
from tests.overlays.chunk_server import (
    ChunkServer,
    Close,
    Head,
    KeepOpen,
    Request,
    Send,
    Step,
    reply,
    stream,
)
from tests.overlays.wire import (
    ASK,
    BOT,
    CHAT,
    CHAT_ID,
    CONVERSATION_ID,
    CREATED,
    DONE,
    FLOW,
    HELLO,
    RUN,
    async_coze,
    chat,
    coze,
    descriptors,
    event,
    message,
    names,
)

CALLS = 20_000 if FULL else 1_000
WARM_UP = CALLS // 10
MEGABYTE = 1 << 20
# What may stay behind of each call, in the mean; a leak of 3 objects or 50 kB for each is found in
# the short form too.
OBJECTS, BYTES = 1.5, 25_000

SOUND = bytes(range(256)) * 100
IDS: dict[str, Any] = {"conversation_id": CONVERSATION_ID, "chat_id": CHAT_ID}
ACTION = {
    "type": "submit_tool_outputs",
    "submit_tool_outputs": {
        "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "now", "arguments": "{}"}},
        ]
    },
}
ASKS = event("conversation.chat.requires_action", chat("requires_action", required_action=ACTION))
CHATFLOW: dict[str, Any] = {
    "workflow_id": "w1",
    "app_id": "a1",
    "additional_messages": [],
    "parameters": {},
}
RESUME: dict[str, Any] = {
    "workflow_id": "w1",
    "event_id": "e1",
    "interrupt_type": 2,
    "resume_data": "Hangzhou",
}
OUTPUTS = [{"tool_call_id": "call_1", "output": "noon"}]

# Each kind of call: a value, or something to iterate over; what is awaited or iterated with `async
# for` in the async client.
CALL: dict[str, Callable[[Any, dict[str, Any]], Any]] = {
    "plain": lambda client, ask: client.bots.retrieve("b1"),
    "error": lambda client, ask: client.bots.retrieve("gone"),
    "hung up": lambda client, ask: client.bots.retrieve("closed"),
    "page": lambda client, ask: client.bots.list(workspace_id="w1"),
    "upload": lambda client, ask: client.files.upload(file=("a.png", b"x" * 3000)),
    "speech": lambda client, ask: client.audio.speech.create(input="hello", voice_id="v"),
    "chat": lambda client, ask: client.chat.stream(**ask).until_done(),
    "abandoned": lambda client, ask: client.chat.stream(**ask),
    "cut": lambda client, ask: client.chat.stream(**ask).until_done(),
    "poll": lambda client, ask: client.chat.create_and_poll(**ask, poll_interval=0),
    "tool outputs": lambda client, ask: client.chat.submit_tool_outputs_stream(
        **IDS, tool_outputs=OUTPUTS
    ).until_done(),
    "tools": lambda client, ask: client.chat.run(**ask, tools={"now": lambda: "noon"}),
    "workflow": lambda client, ask: client.workflows.runs.stream(**RUN),
    "resume": lambda client, ask: client.workflows.runs.stream_resume(**RESUME),
    "chatflow": lambda client, ask: client.workflows.chat.stream(**CHATFLOW).until_done(),
}
# What comes of it; the other kinds fail.
COMES: dict[str, Callable[[Any], bool]] = {
    "plain": lambda bot: bot.name == "Otter",
    "page": lambda bots: [bot.id for bot in bots] == ["b1"],  # each item once
    "upload": lambda file: file.id == "f1",
    "speech": lambda sound: sound == SOUND,
    "abandoned": lambda events: names(events) == ["conversation.chat.created"],
    "workflow": lambda events: len(events) == len(FLOW),
    "resume": lambda events: len(events) == len(FLOW),
    **{
        kind: lambda result: result.answer == "Hello"
        for kind in ("chat", "poll", "tool outputs", "tools", "chatflow")
    },
}
ITERATED = ("page", "workflow", "resume", "abandoned")
KINDS = list(CALL)


def answer(request: Request) -> list[Step]:
    path = request.target.partition("?")[0]
    completed = chat("completed", usage={"token_count": 3})
    plain: dict[str, list[Step]] = {
        "/v1/bots/b1": reply(BOT),
        "/v1/bots/gone": reply({"code": 4200, "msg": "gone"}),
        "/v1/bots/closed": [Close()],
        "/v1/bots": reply(
            {"code": 0, "data": {"items": [{"id": "b1", "name": "Otter"}] * 20, "total": 20}}
        ),
        "/v1/files/upload": reply({"code": 0, "data": {"id": "f1"}}),
        "/v1/audio/speech": reply(SOUND, headers={"content-type": "audio/mpeg"}),
        "/v3/chat/retrieve": reply({"code": 0, "data": completed}),
        "/v3/chat/message/list": reply({"code": 0, "data": [message("Hello")]}),
        "/v3/chat/submit_tool_outputs": stream(*CHAT),
        "/v1/workflows/chat": stream(*CHAT),
        "/v1/workflow/stream_run": stream(*FLOW),
        "/v1/workflow/stream_resume": stream(*FLOW),
    }
    if path in plain:
        return plain[path]
    chats: dict[str, list[Step]] = {
        "chat": stream(*CHAT),
        "abandoned": [Head(), Send(CREATED), Send(HELLO), KeepOpen()],
        "cut": [Head(), Send(CREATED), Close()],
        "tools": stream(CREATED, ASKS, DONE),
        "poll": reply({"code": 0, "data": chat("in_progress")}),
    }
    return chats[request.json["bot_id"]]


def check(kind: str, result: Any) -> None:
    assert kind in COMES, f"{kind} has not failed"
    assert COMES[kind](result), f"{kind}: {result!r}"


def expected(kind: str, error: CozeError) -> None:
    wanted = {"error": APIError, "cut": StreamInterrupted, "hung up": CozeError}
    assert isinstance(error, wanted.get(kind, ())), f"{kind}: {error!r}"


def call(client: Any, kind: str) -> None:
    try:
        result = CALL[kind](client, {**ASK, "bot_id": kind})
        if kind == "abandoned":
            result = [next(iter(result))]
        elif kind in ITERATED:
            result = list(result)
    except CozeError as error:
        expected(kind, error)
    else:
        check(kind, result)


async def call_async(client: Any, kind: str) -> None:
    try:
        result = CALL[kind](client, {**ASK, "bot_id": kind})
        if kind == "abandoned":
            result = [await anext(aiter(result))]
        elif kind in ITERATED:
            result = [item async for item in result]
        else:
            result = await result
    except CozeError as error:
        expected(kind, error)
    else:
        check(kind, result)


class Flat:
    """Compares the process after the first tenth with the process at the end."""

    def __init__(self, server: ChunkServer) -> None:
        self._server = server
        self._start: tuple[int, int, int] | None = None

    def look(self, done: int) -> None:
        if done == WARM_UP:
            self._start = self._state()

    def _state(self) -> tuple[int, int, int]:
        # The server keeps its requests and threads for the tests that look at them.
        self._server.requests.clear()
        self._server._threads[:] = [thread for thread in self._server._threads if thread.is_alive()]
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return descriptors(), len(gc.get_objects()), pages * 4096

    def check(self) -> None:
        assert self._start is not None
        calls = CALLS - WARM_UP
        files, objects, memory = (
            after - before for before, after in zip(self._start, self._state(), strict=True)
        )
        assert files <= 10
        assert objects <= min(1500, OBJECTS * calls), (
            f"{objects} objects, {objects / calls:.2f} for each call"
        )
        assert memory <= min(24 * MEGABYTE, BYTES * calls), (
            f"{memory / MEGABYTE:.1f} MB, {memory / calls / 1000:.1f} kB for each call"
        )


@pytest.fixture
def order() -> list[str]:
    """Every kind in the first tenth, so that all code is loaded when it is over; then at random."""
    chosen = random.Random(7)
    first = [KINDS[number % len(KINDS)] for number in range(WARM_UP)]
    return first + [chosen.choice(KINDS) for _ in range(CALLS - WARM_UP)]


def test_many_calls_leave_nothing_behind(order: list[str]) -> None:
    with ChunkServer(answer) as server, coze(server, max_retries=0, timeout=30) as client:
        flat = Flat(server)
        for done, kind in enumerate(order):
            flat.look(done)
            call(client, kind)
        flat.check()


@pytest.mark.parametrize(
    ("anyio_backend", "transport"),
    [("asyncio", "httpx"), ("asyncio", "aiohttp"), ("trio", "httpx")],
    ids=["httpx", "aiohttp", "trio"],
)
async def test_many_async_calls_leave_nothing_behind(order: list[str], transport: str) -> None:
    with ChunkServer(answer) as server:
        async with async_coze(server, transport, max_retries=0, timeout=30) as client:
            flat = Flat(server)
            for done, kind in enumerate(order):
                flat.look(done)
                await call_async(client, kind)
            flat.check()
