"""What counts as the end of a stream: its last event, or the end of the body once the outcome is
known. Any other end is an interruption.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from cozekit import StreamInterrupted, messages
from cozekit_emulator import bots, workflows
from tests.overlays.chunk_server import CLOSE, ChunkServer, Close, Head, KeepOpen, Send, stream
from tests.overlays.either import client, coze, each_kind, local, server
from tests.overlays.test_every_stream import IDS, OUTPUTS
from tests.overlays.wire import (
    ANSWERED,
    ASK,
    COMPLETED,
    CREATED,
    DONE,
    HELLO,
    LO,
    chat,
    event,
    message,
    names,
)

__all__ = ["coze", "local", "server"]

ASKS: dict[str, Any] = {
    "chat": lambda coze: coze.chat.stream(**ASK),
    "outputs": lambda coze: coze.chat.submit_tool_outputs_stream(**IDS, tool_outputs=OUTPUTS),
    "chatflow": lambda coze: coze.workflows.chat.stream(
        workflow_id="w1", additional_messages=[], parameters={}
    ),
}
each_ask = pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
TALK = [CREATED, HELLO, LO, ANSWERED]
STUDIO_DONE = b"event:conversation.stream.done\ndata:\n\n"
SETTLED = {
    "completed": event("conversation.chat.completed", chat("completed")),
    "failed": event("conversation.chat.completed", chat("failed")),
    "canceled": event("conversation.chat.completed", chat("canceled")),
    "requires_action": event("conversation.chat.requires_action", chat("requires_action")),
}
each_state = pytest.mark.parametrize("state", SETTLED)


@each_kind
@each_ask
@each_state
def test_a_settled_chat_is_complete_when_the_body_ends(kind: str, ask: Any, state: str) -> None:
    bodies = stream(*TALK, SETTLED[state]), stream(*TALK, SETTLED[state], framing=CLOSE)
    with ChunkServer(*bodies) as server, client(kind, server.url) as coze:
        for _ in bodies:
            result = ask(coze).until_done()
            assert (result.chat.status, result.answer) == (state, "Hello")


@each_kind
@each_ask
@pytest.mark.parametrize("last", [DONE, STUDIO_DONE], ids=["done", "conversation.stream.done"])
def test_a_closing_event_ends_a_stream_although_the_connection_stays_open(
    kind: str, ask: Any, last: bytes
) -> None:
    script = [Head(), Send(b"".join([*TALK, COMPLETED, last])), KeepOpen()]
    with ChunkServer(script) as server, client(kind, server.url, timeout=30) as coze:
        seen = list(ask(coze))
        server.wait_for(lambda it: it.open_connections == 0)
    assert names(seen)[-1] == last.partition(b"event:")[2].partition(b"\n")[0].decode()
    assert seen[-1].chat is None


@each_kind
@each_ask
@pytest.mark.parametrize("last", [DONE, STUDIO_DONE], ids=["done", "conversation.stream.done"])
def test_a_state_that_nobody_knows_is_final_when_the_server_closes_the_stream(
    kind: str, ask: Any, last: bytes
) -> None:
    new = event("conversation.chat.completed", chat("archived"))
    with ChunkServer(stream(*TALK, new, last)) as server, client(kind, server.url) as coze:
        result = ask(coze).until_done()
    assert (result.chat.status, result.answer) == ("archived", "Hello")


BEFORE_THE_OUTCOME = {
    "created": CREATED,
    "in progress": event("conversation.chat.in_progress", chat("in_progress")),
    "without a state": event("conversation.chat.in_progress", {"id": "1", "conversation_id": "2"}),
    "a state that nobody knows": event("conversation.chat.in_progress", chat("archived")),
    "an odd state": event("conversation.chat.in_progress", chat(["completed"])),  # type: ignore[arg-type]
}


@each_kind
@each_ask
@pytest.mark.parametrize("state", BEFORE_THE_OUTCOME.values(), ids=BEFORE_THE_OUTCOME)
def test_the_end_of_the_body_before_the_outcome_is_an_interruption(
    kind: str, ask: Any, state: bytes
) -> None:
    with (
        ChunkServer(stream(*TALK, state)) as server,
        client(kind, server.url) as coze,
        pytest.raises(StreamInterrupted, match="before its last event"),
    ):
        ask(coze).until_done()


@each_kind
@each_ask
def test_a_connection_that_breaks_after_the_outcome_is_an_interruption(kind: str, ask: Any) -> None:
    """Sound may be missing."""
    script = [Head(), Send(b"".join([*TALK, COMPLETED])), Close()]
    with (
        ChunkServer(script) as server,
        client(kind, server.url) as coze,
        pytest.raises(StreamInterrupted, match="the connection was lost"),
    ):
        ask(coze).until_done()


@pytest.mark.parametrize("last", ["done", None], ids=["done", "end of the body"])
@each_kind
def test_a_chatflow_that_asks_the_user_is_a_result(kind: str, last: str | None) -> None:
    content = json.dumps({"msg_type": "interrupt", "data": ""})
    pause = event("conversation.message.completed", message(content, "verbose", 2))
    events = [CREATED, HELLO, LO, ANSWERED, pause, *([DONE] if last else [])]
    with ChunkServer(stream(*events)) as server, client(kind, server.url) as coze:
        result = ASKS["chatflow"](coze).until_done()
    assert (result.chat.status, result.answer) == ("created", "Hello")


def test_a_chatflow_of_the_local_coze_that_asks_the_user_is_a_result(coze: Any) -> None:
    result = coze.workflows.chat.stream(
        workflow_id=workflows.INTERRUPTING,
        additional_messages=[messages.user_text("天气")],
        parameters={},
        bot_id=bots.ANSWERING,
    ).until_done()
    assert result.answer == workflows.QUESTION
