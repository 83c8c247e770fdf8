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
from tests.overlays.chunk_server import ChunkServer, Close, Head, KeepOpen, Request, Send, Step, reply, stream
from tests.overlays.wire import ASK, BOT, CHAT, CREATED, FLOW, HELLO, RUN, async_coze, coze, descriptors

CALLS = 20_000 if FULL else 500
KINDS = ["plain", "error", "page", "upload", "chat", "abandoned", "cut", "workflow", "hung up"]
MEGABYTE = 1 << 20


def answer(request: Request) -> list[Step]:
    if request.target.startswith("/v1/bots/gone"):
        return reply({"code": 4200, "msg": "gone"})
    if request.target.startswith("/v1/bots/closed"):
        return [Close()]
    if request.target.startswith("/v1/bots/"):
        return reply(BOT)
    if request.target.startswith("/v1/bots"):
        return reply({"code": 0, "data": {"items": [{"id": "b1", "name": "Otter"}] * 20, "total": 20}})
    if "upload" in request.target:
        return reply({"code": 0, "data": {"id": "f1"}})
    if "workflow" in request.target:
        return stream(*FLOW)
    ends: dict[str, list[Step]] = {
        "chat": stream(*CHAT), "abandoned": [Head(), Send(CREATED), Send(HELLO), KeepOpen()], "cut": [Head(), Send(CREATED), Close()],
    }  # fmt: skip
    return ends[request.json["bot_id"]]


def call(client: Any, kind: str) -> None:
    ask = {**ASK, "bot_id": kind}
    plain: dict[str, Callable[[], Any]] = {
        "plain": lambda: client.bots.retrieve("b1"), "error": lambda: client.bots.retrieve("gone"),
        "hung up": lambda: client.bots.retrieve("closed"), "page": lambda: list(client.bots.list(workspace_id="w1")),
        "upload": lambda: client.files.upload(file=("a.png", b"x" * 3000)), "chat": lambda: client.chat.stream(**ask).until_done(),
        "abandoned": lambda: next(iter(client.chat.stream(**ask))), "cut": lambda: client.chat.stream(**ask).until_done(),
        "workflow": lambda: list(client.workflows.runs.stream(**RUN)),
    }  # fmt: skip
    try:
        plain[kind]()
    except (APIError, StreamInterrupted) as error:
        assert kind in ("error", "cut"), error
    except CozeError:
        assert kind == "hung up"


async def call_async(client: Any, kind: str) -> None:
    ask = {**ASK, "bot_id": kind}
    try:
        if kind in ("plain", "error", "hung up"):
            await client.bots.retrieve({"plain": "b1", "error": "gone", "hung up": "closed"}[kind])
        elif kind == "page":
            assert len([bot async for bot in client.bots.list(workspace_id="w1")]) == 20
        elif kind == "upload":
            await client.files.upload(file=("a.png", b"x" * 3000))
        elif kind == "workflow":
            assert len([item async for item in client.workflows.runs.stream(**RUN)]) == len(FLOW)
        elif kind == "abandoned":
            async for _ in client.chat.stream(**ask):
                return
        else:
            await client.chat.stream(**ask).until_done()
    except (APIError, StreamInterrupted) as error:
        assert kind in ("error", "cut"), error
    except CozeError:
        assert kind == "hung up"


class Flat:
    """Compares the process after the first tenth with the process at the end."""

    def __init__(self, server: ChunkServer) -> None:
        self._server = server
        self._start: tuple[int, int, int] | None = None

    def look(self, done: int) -> None:
        if done == CALLS // 10:
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
        before, after = self._start, self._state()
        assert after[0] <= before[0] + 10, "descriptors"
        assert after[1] <= before[1] + 1500, "objects"
        assert after[2] <= before[2] + 24 * MEGABYTE, "memory"


@pytest.fixture
def order() -> list[str]:
    chosen = random.Random(7)
    return [chosen.choice(KINDS) for _ in range(CALLS)]


def test_many_calls_leave_nothing_behind(order: list[str]) -> None:
    with ChunkServer(answer) as server, coze(server, max_retries=0, timeout=30) as client:
        flat = Flat(server)
        for done, kind in enumerate(order):
            call(client, kind)
            flat.look(done)
        flat.check()


@pytest.mark.parametrize(
    ("anyio_backend", "transport"), [("asyncio", "httpx"), ("asyncio", "aiohttp"), ("trio", "httpx")], ids=["httpx", "aiohttp", "trio"]
)
async def test_many_async_calls_leave_nothing_behind(order: list[str], transport: str) -> None:
    with ChunkServer(answer) as server:
        async with async_coze(server, transport, max_retries=0, timeout=30) as client:
            flat = Flat(server)
            for done, kind in enumerate(order):
                await call_async(client, kind)
                flat.look(done)
            flat.check()
