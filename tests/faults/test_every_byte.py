"""A chat, a workflow run, a page and an upload, disturbed at every byte: the outcome is the
complete result or one typed error.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NamedTuple

import anyio
import pytest

from cozekit import (
    APIConnectionError,
    APITimeoutError,
    CozeError,
    ResponseError,
    StreamInterrupted,
    Timeout,
)
from tests.faults.exchange import NONE, Fault, Player, every, recorded
from tests.overlays.chunk_server import CHUNKED, Head, Script, reply, stream
from tests.overlays.wire import (
    ASK,
    COMPLETED,
    CREATED,
    DONE,
    FLOW,
    HELLO,
    LO,
    RUN,
    async_coze,
    coze,
    descriptors,
)

PAGE = {
    "code": 0,
    "data": {
        "items": [{"id": "b1", "name": "Otter 线"}, {"id": "b2", "name": "Heron"}],
        "total": 2,
    },
    "msg": "",
}
FILE = {"code": 0, "data": {"id": "f1", "bytes": 3000, "file_name": "a.png"}, "msg": ""}
CONTENT = bytes(range(256)) * 2
DEADLINE = 10.0
"""Seconds that no single call may take, whatever the fault."""
END = b"\r\n0\r\n\r\n"
"""The end of a chunked body, which nobody waits for once its last event is there."""
QUICK = Timeout(5, 0.03, 5, 5)
SURE = Timeout(5, 1, 5, 5)
PATIENT = Timeout(5, 5, 5, 5)


class Exchange(NamedTuple):
    script: Script
    sync: Callable[[Any], Any]
    parallel: Callable[[Any], Awaitable[Any]]


async def _events(opened: Any) -> Any:
    return [(item.event, repr(item.data)) async for item in opened]


def _chat(client: Any) -> Any:
    events: list[Any] = []
    client.chat.stream(**ASK).until_done(events.append)
    return [(item.event, repr(item.data)) for item in events]


async def _chat_async(client: Any) -> Any:
    events: list[Any] = []
    await client.chat.stream(**ASK).until_done(events.append)
    return [(item.event, repr(item.data)) for item in events]


async def _bots(pager: Any) -> Any:
    return [(bot.id, bot.name) for bot in (await pager).items]


async def _file(client: Any) -> Any:
    found = await client.files.upload(file=("a.png", CONTENT))
    return found.id, found.bytes


def _upload(client: Any) -> Any:
    found = client.files.upload(file=("a.png", CONTENT))
    return found.id, found.bytes


EXCHANGES: dict[str, Exchange] = {
    "chat": Exchange(
        stream(CREATED, HELLO, LO, COMPLETED, DONE),
        _chat,
        _chat_async,
    ),
    "workflow": Exchange(
        stream(*FLOW),
        lambda client: [
            (item.event, repr(item.data)) for item in client.workflows.runs.stream(**RUN)
        ],
        lambda client: _events(client.workflows.runs.stream(**RUN)),
    ),
    "page": Exchange(
        reply(PAGE),
        # The page alone: the player has no second one, for which a flip in the total makes the
        # client ask.
        lambda client: [(bot.id, bot.name) for bot in client.bots.list(workspace_id="w1").items],
        lambda client: _bots(client.bots.list(workspace_id="w1")),
    ),
    "upload": Exchange(reply(FILE), _upload, _file),
}
each_exchange = pytest.mark.parametrize("exchange", EXCHANGES.values(), ids=EXCHANGES)
WAYS = [("asyncio", None), ("asyncio", "httpx"), ("asyncio", "aiohttp"), ("trio", "httpx")]
each_way = pytest.mark.parametrize(
    ("anyio_backend", "transport"), WAYS, ids=["sync", "httpx", "aiohttp", "trio"]
)


class Outcome(NamedTuple):
    fault: Fault
    result: Any
    error: CozeError | None


async def outcomes(
    exchange: Exchange,
    player: Player,
    transport: str | None,
    faults: Iterable[Fault],
    timeout: Timeout,
) -> list[Outcome]:
    """One call for each fault, on one client. Anything but a result or a CozeError ends the test,
    and so does a hang.
    """
    settings = {"timeout": timeout, "max_retries": 0}
    if transport is None:
        with coze(player.url, **settings) as client:
            found = [await outcome(exchange, player, None, one, client) for one in [*faults, NONE]]
    else:
        async with async_coze(player.url, transport, **settings) as other:
            found = [
                await outcome(exchange, player, transport, one, other) for one in [*faults, NONE]
            ]
    assert found[-1].error is None, "after all faults the same client works"
    return found


async def outcome(
    exchange: Exchange, player: Player, transport: str | None, fault: Fault, client: Any
) -> Outcome:
    """A result that may be complete, but did not come in time, is asked for again with more time:
    to the client, a pause of a busy machine looks like silence of the server.
    """
    first = await one_call(exchange, player, transport, fault, client)
    if isinstance(first.error, APITimeoutError) and may_be_complete(exchange, player, fault):
        sure = client.with_options(timeout=SURE)
        return await one_call(exchange, player, transport, fault, sure)
    return first


def may_be_complete(exchange: Exchange, player: Player, fault: Fault) -> bool:
    """Nobody waits for the end of a stream behind its last event; any other body comes whole."""
    if fault is NONE:
        return True
    streamed = isinstance(exchange.script[0], Head) and exchange.script[0].framing == CHUNKED
    return streamed and fault.at > len(player.answer) - len(DONE) - len(END)


async def one_call(
    exchange: Exchange, player: Player, transport: str | None, fault: Fault, client: Any
) -> Outcome:
    player.fault, begun = fault, time.monotonic()
    result, error = None, None
    try:
        if transport is None:
            result = exchange.sync(client)
        else:
            with anyio.fail_after(DEADLINE):
                result = await exchange.parallel(client)
    except CozeError as caught:
        error = caught
    assert time.monotonic() - begun < DEADLINE, fault
    player.settle()
    return Outcome(fault, result, error)


async def checked(
    exchange: Exchange, transport: str | None, kind: str, step: int, timeout: Timeout
) -> list[Outcome]:
    with Player(recorded(exchange.script)) as player:
        before = descriptors()
        faults = [Fault(kind, at) for at in every(len(player.answer), step)]
        found = await outcomes(exchange, player, transport, faults, timeout)
        complete = found[-1].result
        assert all(one.result == complete for one in found if one.error is None), (
            "never a silent partial"
        )
        # One connection may stay open on either side, and the loop has its own.
        assert descriptors() <= before + 8
    return found


@each_way
@each_exchange
async def test_a_cut_at_any_byte_is_the_complete_result_or_a_typed_error(
    exchange: Exchange, transport: str | None
) -> None:
    found = await checked(exchange, transport, "cut", 1, PATIENT)
    errors = [one for one in found if one.error is not None]
    assert all(
        isinstance(one.error, APIConnectionError | StreamInterrupted | ResponseError)
        for one in errors
    )
    # The result can be complete only when all but the end of the framing has come.
    complete = [one.fault.at for one in found[:-1] if one.error is None]
    assert complete == list(range(len(found) - 1 - len(complete), len(found) - 1))
    assert len(complete) <= len(DONE) + len(END)


@each_way
@each_exchange
async def test_a_reset_at_any_byte_is_the_complete_result_or_a_typed_error(
    exchange: Exchange, transport: str | None
) -> None:
    found = await checked(exchange, transport, "reset", 11, PATIENT)
    assert all(isinstance(one.error, APIConnectionError) for one in found if one.error is not None)


@each_way
@each_exchange
async def test_a_pause_at_any_byte_changes_nothing(
    exchange: Exchange, transport: str | None
) -> None:
    found = await checked(exchange, transport, "pause", 41, PATIENT)
    assert all(one.error is None for one in found)


@each_way
@each_exchange
async def test_silence_from_any_byte_on_ends_by_the_timeout(
    exchange: Exchange, transport: str | None
) -> None:
    found = await checked(exchange, transport, "stall", 131, QUICK)
    assert all(isinstance(one.error, APIConnectionError) for one in found if one.error is not None)
    first = next(index for index, one in enumerate(found) if one.error is None)
    assert all(one.error is None for one in found[first:]), (
        "what is complete stays complete with more bytes"
    )
    assert found[-1].fault is NONE
    assert all(
        one.fault.at > found[-2].fault.at - len(DONE) - len(END) for one in found[first:-1]
    ), "complete only when all has come"


@each_way
@each_exchange
async def test_a_flipped_bit_at_any_byte_is_a_result_or_a_typed_error(
    exchange: Exchange, transport: str | None
) -> None:
    """A result is complete: as many items or events as were sent, and a stream ends with its last
    event. One of them may differ, in one place: nobody can tell a text, a name or a number from
    another one without a checksum, and Coze sends none.
    """
    with Player(recorded(exchange.script)) as player:
        faults = [Fault("flip", at) for at in every(len(player.answer), 3)]
        found = await outcomes(exchange, player, transport, faults, PATIENT)
    complete = found[-1].result
    results = [one for one in found if one.error is None]
    assert len(results) > len(found) / 10, "most of an answer is text"
    for fault, result, _ in results:
        assert len(result) == len(complete), f"{fault} is a silent partial: {result}"
        assert sum(one != other for one, other in zip(result, complete, strict=True)) <= 1, fault
        if isinstance(exchange.script[0], Head) and exchange.script[0].framing == CHUNKED:
            # A chat that is settled ends with its body, whatever the name of the event behind it.
            settled = exchange is EXCHANGES["chat"] and result[-2] == complete[-2]
            assert settled or result[-1][0] == complete[-1][0], f"{fault} hides the end"


@each_way
@pytest.mark.parametrize("kind", ["cut", "reset", "stall"])
async def test_an_upload_disturbed_at_any_byte_of_the_request_is_a_typed_error(
    kind: str, transport: str | None
) -> None:
    exchange = EXCHANGES["upload"]
    with Player(recorded(exchange.script)) as player:
        await outcomes(exchange, player, transport, [], PATIENT)
        step = {"cut": 1, "reset": 11, "stall": 131}[kind]
        faults = [Fault(kind, at, "request") for at in every(player.largest, step) if at]
        found = await outcomes(
            exchange, player, transport, faults, QUICK if kind == "stall" else PATIENT
        )
    assert all(isinstance(one.error, APIConnectionError) for one in found[:-1])
