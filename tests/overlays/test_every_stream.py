"""What holds for every event stream: chat, submitted tool outputs, chatflow, workflow run, resumed
run; in every way to read one.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import anyio
import pytest

from coze_runtime.types import Drift
from cozekit import (
    APIError,
    ChatFailed,
    CozeError,
    NotFoundError,
    StreamInterrupted,
    StreamTimeout,
    WorkflowFailed,
)
from tests.overlays.chunk_server import (
    LOGID,
    ChunkServer,
    Close,
    Endless,
    Head,
    KeepOpen,
    Script,
    Send,
    reply,
    stream,
)
from tests.overlays.test_stream_limits import (
    LONG,
    SOON,
    collapse,
    in_thread,
    until_it_waits,
)
from tests.overlays.wire import (
    ASK,
    CHAT,
    CHAT_ID,
    CONVERSATION_ID,
    CREATED,
    DONE,
    FLOW,
    HELLO,
    RUN,
    WAYS,
    async_coze,
    chat,
    coze,
    event,
    message,
    names,
    node,
)

FAILED = event(
    "conversation.chat.failed",
    chat("failed", last_error={"code": 702242003, "msg": "no quota"}, usage={"token_count": 7}),
)
BROKEN = event("Error", {"error_code": 702242003, "error_message": "no quota"})


class Kind(NamedTuple):
    """A stream: how it is asked for, and what the server says."""

    ask: Callable[..., Any]
    whole: list[bytes]
    again: bytes
    """An event that may come any number of times."""
    failure: bytes
    error: type[APIError]
    odd: bytes
    """An event of another shape than described."""
    place: str

    @property
    def first(self) -> bytes:
        return self.whole[0]


def as_chat(ask: Callable[..., Any]) -> Kind:
    odd = event("conversation.message.delta", {**message("Hel"), "content": ["Hel"]})
    return Kind(ask, CHAT, HELLO, FAILED, ChatFailed, odd, "$.content")


def as_run(ask: Callable[..., Any]) -> Kind:
    odd = event("Message", {**node("one", 1), "content": ["one"]}, 1)
    return Kind(ask, FLOW, b"event:PING\ndata:\n\n", BROKEN, WorkflowFailed, odd, "$.content")


IDS = {"chat_id": CHAT_ID, "conversation_id": CONVERSATION_ID}
OUTPUTS = [{"tool_call_id": "t1", "output": "21"}]
RESUME = {"event_id": "e1", "interrupt_type": 2, "resume_data": "yes", "workflow_id": "w1"}
BRIEF = 0.1
"""Seconds of the limits under test, in which nothing else has to happen."""
KINDS = {
    "chat": as_chat(lambda client, **limits: client.chat.stream(**ASK, **limits)),
    "outputs": as_chat(
        lambda client, **limits: client.chat.submit_tool_outputs_stream(
            **IDS, tool_outputs=OUTPUTS, **limits
        )
    ),
    "chatflow": as_chat(
        lambda client, **limits: client.workflows.chat.stream(
            workflow_id="w1", additional_messages=[], parameters={}, **limits
        )
    ),
    "run": as_run(lambda client, **limits: client.workflows.runs.stream(**RUN, **limits)),
    "resumed": as_run(
        lambda client, **limits: client.workflows.runs.stream_resume(**RESUME, **limits)
    ),
}
EVERY_WAY = [("asyncio", "sync"), *WAYS]
each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
each_way = pytest.mark.parametrize(
    ("anyio_backend", "way"), EVERY_WAY, ids=["sync", *(f"{loop}-{name}" for loop, name in WAYS)]
)


class Read(NamedTuple):
    events: list[Any]
    result: Any
    error: CozeError | None


async def read(
    kind: Kind, way: str, *scripts: Script, settings: dict[str, Any] | None = None, **limits: float
) -> Read:
    """Reads one stream to its end; afterwards no connection may be in use."""
    with ChunkServer(*scripts) as server:
        found = await _read(kind, way, server, settings or {}, limits)
        await anyio.to_thread.run_sync(server.wait_for, lambda it: it.open_connections == 0)
    return found


async def _read(
    kind: Kind, way: str, server: ChunkServer, settings: dict[str, Any], limits: dict[str, float]
) -> Read:
    events: list[Any] = []
    try:
        if way == "sync":
            with (
                coze(server, **{"timeout": LONG, **settings}) as client,
                kind.ask(client, **limits) as opened,
            ):
                result = opened.until_done(events.append)
        else:
            async with (
                async_coze(server, way, **{"timeout": LONG, **settings}) as other,
                kind.ask(other, **limits) as opened,
            ):
                result = await opened.until_done(events.append)
    except CozeError as error:
        return Read(events, None, error)
    return Read(events, result, None)


@each_kind
@each_way
async def test_it_comes_whole_with_unknown_events_and_the_log_id(kind: Kind, way: str) -> None:
    found = await read(
        kind, way, stream(kind.first, event("brand.new", {"depth": 3}), *kind.whole[1:])
    )
    expected = [piece.partition(b"event:")[2].partition(b"\n")[0].decode() for piece in kind.whole]
    assert names(found.events) == [expected[0], "brand.new", *expected[1:]]
    assert found.events[1].data == {"depth": 3}
    assert found.error is None
    assert found.result.logid == LOGID
    assert {item.logid for item in found.events} == {LOGID}


@each_kind
@each_way
async def test_it_ends_at_its_last_event_although_the_connection_stays_open(
    kind: Kind, way: str
) -> None:
    begun = time.monotonic()
    found = await read(kind, way, [Head(), *(Send(piece) for piece in kind.whole), KeepOpen()])
    assert (len(found.events), found.error) == (len(kind.whole), None)
    assert time.monotonic() - begun < SOON


@each_kind
@each_way
async def test_any_other_end_is_an_interruption_with_what_arrived(kind: Kind, way: str) -> None:
    found = await read(kind, way, [Head(), Send(kind.first), Close()])
    assert isinstance(found.error, StreamInterrupted)
    assert names(found.error.events) == names(found.events)
    assert (len(found.events), found.error.logid) == (1, LOGID)


@each_kind
@each_way
async def test_a_failure_is_an_error_with_code_message_and_log_id(kind: Kind, way: str) -> None:
    found = await read(kind, way, stream(kind.first, kind.failure))
    assert type(found.error) is kind.error
    assert isinstance(found.error, APIError)
    assert (found.error.code, found.error.msg, found.error.logid) == (702242003, "no quota", LOGID)
    if isinstance(found.error, ChatFailed):
        assert found.error.chat is not None
        assert (found.error.chat.status, found.error.chat_id) == ("failed", CHAT_ID)
        assert found.error.chat.usage is not None
        assert (found.error.chat.usage.token_count, found.error.chat.logid) == (7, LOGID)


@each_kind
@each_way
async def test_json_in_place_of_it_is_the_error_of_a_plain_call(kind: Kind, way: str) -> None:
    found = await read(kind, way, reply({"code": 4200, "msg": "gone", "detail": {"logid": "L"}}))
    assert isinstance(found.error, NotFoundError)
    assert (found.error.code, found.error.msg, found.events) == (4200, "gone", [])


@each_kind
@each_way
@pytest.mark.parametrize("limit", ["idle_timeout", "deadline"])
async def test_its_limits_count_from_the_moment_it_is_asked_for(
    kind: Kind, way: str, limit: str
) -> None:
    found = await read(kind, way, [KeepOpen()], **{limit: BRIEF})
    assert isinstance(found.error, StreamTimeout)
    assert f"no event for {BRIEF} s" in str(
        found.error
    ) or f"the deadline of {BRIEF} s passed" in str(found.error)
    assert found.error.events == []


@each_kind
@each_way
@pytest.mark.parametrize(
    ("endless", "limits"),
    [(b": ping\n\n", {"idle_timeout": BRIEF}), (None, {"deadline": BRIEF})],
    ids=["keep-alives", "busy"],
)
async def test_its_limits_hold_while_bytes_come(
    kind: Kind, way: str, endless: bytes | None, limits: dict[str, float]
) -> None:
    found = await read(
        kind, way, [Head(), Send(kind.first), Endless(endless or kind.again)], **limits
    )
    assert isinstance(found.error, StreamTimeout)
    assert names(found.error.events) == names(found.events)[-20:]


@each_kind
@each_way
async def test_closing_it_from_elsewhere_ends_the_wait(kind: Kind, way: str) -> None:
    with ChunkServer([Head(), Send(kind.first), KeepOpen()]) as server:
        if way == "sync":
            with coze(server, timeout=LONG) as client:
                opened, first = kind.ask(client), threading.Event()

                def close() -> None:
                    until_it_waits(opened, first)
                    opened.close()

                with in_thread(close), pytest.raises(StreamInterrupted, match="closed"):
                    for _ in opened:
                        first.set()
        else:
            async with async_coze(server, way, timeout=LONG) as other:
                parallel, seen = kind.ask(other), anyio.Event()

                async def close_soon() -> None:
                    await seen.wait()
                    await anyio.lowlevel.checkpoint()
                    await parallel.close()

                with pytest.raises(StreamInterrupted, match="closed"), anyio.fail_after(SOON):
                    async for _ in collapse(parallel, seen, close_soon):
                        pass
        await anyio.to_thread.run_sync(server.wait_for, lambda it: it.open_connections == 0)


@each_kind
@each_way
async def test_an_event_of_another_shape_is_handed_on_and_reported(kind: Kind, way: str) -> None:
    drifts: list[Drift] = []
    found = await read(
        kind,
        way,
        stream(kind.first, kind.odd, *kind.whole[1:]),
        settings={"on_drift": drifts.append},
    )
    assert found.events[1].data.content == json.loads(kind.odd.partition(b"data:")[2])["content"]
    assert [(drift.path, drift.seen) for drift in drifts] == [(kind.place, "array")]
    assert drifts[0].operation.startswith(("chat_", "workflows_"))
    assert found.error is None, "the helpers that join texts bear it too"


CHATS = ("chat", "outputs", "chatflow")
each_chat = pytest.mark.parametrize("kind", [KINDS[name] for name in CHATS], ids=CHATS)


@each_chat
@each_way
async def test_a_chat_whose_end_was_not_told_is_no_result(kind: Kind, way: str) -> None:
    found = await read(kind, way, stream(CREATED, HELLO, CHAT[-1]))
    assert isinstance(found.error, StreamInterrupted)
    assert "the last known state of the chat is created" in str(found.error)
    assert len(found.error.events) == 3


@each_chat
@each_way
async def test_a_chat_that_waits_for_tools_ends_there_although_nothing_says_done(
    kind: Kind, way: str
) -> None:
    call = {"id": "t1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": [call]}}
    waiting = event(
        "conversation.chat.requires_action", chat("requires_action", required_action=action)
    )
    script: Script = [Head(), Send(CREATED), Send(waiting), KeepOpen()]
    found = await read(kind, way, script, settings={"timeout": SOON})
    assert (len(found.events), found.error) == (2, None)
    assert [tool_call.id for tool_call in found.result.tool_calls] == ["t1"]


@each_chat
@each_way
async def test_a_chat_that_was_cancelled_meanwhile_is_a_result(kind: Kind, way: str) -> None:
    canceled = event("conversation.chat.completed", chat("canceled"))
    found = await read(kind, way, stream(CREATED, HELLO, canceled, DONE))
    assert found.error is None
    assert found.result.chat.status == "canceled"
