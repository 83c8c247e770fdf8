"""Closings at the worst moment: in the garbage collector, twice at once, and event loops that are
closed before their client.
"""

from __future__ import annotations

import gc
import inspect
import textwrap
from contextlib import aclosing
from typing import Any

import anyio
import pytest

import cozekit
import cozekit.types
import cozekit.websockets
from cozekit import AsyncCoze, Coze
from tests.overlays.chunk_server import ChunkServer, Head, KeepOpen, Send, reply
from tests.overlays.wire import ASK, BOT, CREATED, async_coze, each_transport
from tests.programs import run_python

UNFINISHED = [Head(), Send(CREATED), KeepOpen()]


# ---- the garbage collector

COLLECTING = """
import gc, os, sys, threading
from cozekit import Coze

places = 0


def collect(frame, event, argument):
    # Each time the pool of connections has taken its lock.
    global places
    if event == "return" and frame.f_code.co_name == "__enter__":
        if frame.f_code.co_filename.endswith(os.path.join("httpcore", "_synchronization.py")):
            places += 1
            gc.collect()


with Coze("pat", base_url=sys.argv[1], max_retries=0) as coze:
    gc.disable()
    for _ in range(5):
        streams = [coze.chat.stream(bot_id="b", user_id="u") for _ in range(3)]
        for stream in streams:
            next(iter(stream))
            stream.circle = [stream]  # as a saved exception and its traceback are
        del stream, streams
        sys.setprofile(collect)
        coze.bots.retrieve("1")
        sys.setprofile(None)
    assert places > 5, places
print("ended")
"""


def either(request: Any) -> Any:
    return UNFINISHED if "chat" in request.target else reply(BOT)


def no_connection(server: ChunkServer) -> bool:
    return server.open_connections == 0


async def gone(server: ChunkServer) -> None:
    """Waits until the client has closed its connections."""
    await anyio.to_thread.run_sync(server.wait_for, no_connection)


def test_streams_that_are_collected_inside_of_the_locked_part_of_the_pool_stop_nobody() -> None:
    with ChunkServer(either) as http:
        ran = run_python("-X", "faulthandler", COLLECTING.replace("sys.argv[1]", repr(http.url)))
    assert (ran.stdout, ran.stderr, ran.returncode) == ("ended\n", "", 0)


def test_a_dropped_stream_gives_its_connection_back() -> None:
    with (
        ChunkServer(UNFINISHED) as http,
        Coze("pat", base_url=http.url, max_retries=0) as coze,
    ):
        for _ in range(3):
            stream: Any = coze.chat.stream(**ASK)
            next(iter(stream))
            stream.circle = stream
            del stream
            gc.collect()
        http.wait_for(no_connection)


# ---- twice at once


@each_transport
@pytest.mark.parametrize("closings", [2, 5])
async def test_a_stream_may_be_closed_from_everywhere_at_once(
    transport: Any, closings: int
) -> None:
    with ChunkServer(UNFINISHED) as http:
        async with async_coze(http, transport=transport) as coze:
            stream = coze.chat.stream(**ASK)
            await anext(stream)
            async with anyio.create_task_group() as group:
                for _ in range(closings):
                    group.start_soon(stream.close)
            await stream.close()
            await gone(http)


@each_transport
async def test_a_stop_while_the_reader_waits_ends_both_and_further_closings_are_quiet(
    transport: Any,
) -> None:
    with ChunkServer(UNFINISHED) as http:
        async with async_coze(http, transport=transport) as coze:
            stream = coze.chat.stream(**ASK)
            await anext(stream)
            ended: list[BaseException] = []

            async def read() -> None:
                try:
                    await anext(stream)
                except Exception as error:
                    ended.append(error)

            async with anyio.create_task_group() as group:
                group.start_soon(read)
                await anyio.wait_all_tasks_blocked()
                for _ in range(3):
                    group.start_soon(stream.close)
    assert [type(error).__name__ for error in ended] == ["StreamInterrupted"]


@each_transport
async def test_a_client_may_be_closed_from_everywhere_at_once(transport: Any) -> None:
    with ChunkServer(reply(BOT)) as http:
        coze = async_coze(http, transport=transport)
        await coze.bots.retrieve("1")
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(coze.close)
        await gone(http)


async def test_what_is_closed_in_async_code_works_with_aclosing() -> None:
    with ChunkServer(UNFINISHED) as http:
        async with (
            aclosing(AsyncCoze("pat", base_url=http.url)) as coze,
            aclosing(coze.chat.stream(**ASK)) as stream,
        ):
            await anext(stream)
        await gone(http)


def test_every_async_close_has_an_aclose_beside_it() -> None:
    modules = (cozekit, cozekit.types, cozekit.websockets)
    public = [getattr(module, name) for module in modules for name in module.__all__]
    closed = [cls for cls in public if inspect.iscoroutinefunction(getattr(cls, "close", None))]
    assert len(closed) > 5
    assert [cls.__name__ for cls in closed if not hasattr(cls, "aclose")] == []


# ---- event loops that are closed before their client

PROGRAM = """
import asyncio, gc, sys
from cozekit import AsyncCoze

async def listen(coze):
    stream = coze.chat.stream(bot_id="b", user_id="u")
    await anext(stream)

kept = []
for _ in range(3):
    loop = asyncio.new_event_loop()
    coze = AsyncCoze("pat", base_url="{url}", transport="{transport}", max_retries=0)
{body}
    loop.close()
{end}
"""
BODIES = {
    "dropped in the loop": "loop.run_until_complete(coze.bots.retrieve('1')); del coze",
    "dropped by its last call": (
        "call = coze.bots.retrieve('1'); del coze; loop.run_until_complete(call); del call"
    ),
    "kept": "loop.run_until_complete(coze.bots.retrieve('1')); kept.append(coze)",
    "with a stream": "loop.run_until_complete(listen(coze)); del coze",
    "with a stream, kept": "loop.run_until_complete(listen(coze)); kept.append(coze)",
}


@pytest.mark.parametrize("end", ["gc.collect()", "kept.clear(); gc.collect()", "pass"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("transport", ["httpx", "aiohttp"])
def test_a_program_that_closes_its_loop_and_not_its_client_is_quiet(
    transport: str, body: str, end: str
) -> None:
    with ChunkServer(either) as http:
        program = PROGRAM.format(
            url=http.url, transport=transport, body=textwrap.indent(body, "    "), end=end
        )
        ran = run_python(program)
    assert (ran.stderr, ran.returncode) == ("", 0)
