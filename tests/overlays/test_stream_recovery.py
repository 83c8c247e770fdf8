"""A broken stream can be recovered: cut at every event, the outcome is that of an unbroken one, and
nothing is sent twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from cozekit import ChatFailed, StreamInterrupted, StreamTimeout, messages
from cozekit.errors import StreamError
from cozekit_emulator import Emulator, bots, workflows
from tests.each import Problems
from tests.overlays.chunk_server import ChunkServer, Close, Head, KeepOpen, Send, reply, stream
from tests.overlays.either import client, coze, each_kind, local, sent_to, server
from tests.overlays.test_every_stream import IDS, OUTPUTS
from tests.overlays.wire import (
    ASK,
    CHAT_ID,
    CREATED,
    DONE,
    HELLO,
    RUN,
    chat,
    event,
    message,
    node,
)

__all__ = ["coze", "local", "server"]


def ask(bot: str) -> dict[str, Any]:
    return {"bot_id": bot, "user_id": "u", "additional_messages": [messages.user_text("杭州？")]}


class Kind(NamedTuple):
    """A stream of the local Coze."""

    operation: str
    open: Callable[[Any], Any]
    since: int
    """Events after which its outcome can be asked for."""


def outputs(coze: Any) -> Any:
    waiting = coze.chat.create_and_poll(**ask(bots.TOOL_CALLING), poll_interval=0)
    return coze.chat.submit_tool_outputs_stream(
        chat_id=waiting.chat.id,
        conversation_id=waiting.chat.conversation_id,
        tool_outputs=[{"tool_call_id": waiting.tool_calls[0].id, "output": "21"}],
    )


def resumed(coze: Any) -> Any:
    run = coze.workflows.runs.stream(workflow_id=workflows.INTERRUPTING).until_done()
    return coze.workflows.runs.stream_resume(
        workflow_id=workflows.INTERRUPTING,
        event_id=run.interruption.event_id,
        interrupt_type=run.interruption.type,
        resume_data="杭州",
    )


KINDS = {
    "answer": Kind("chat_create", lambda coze: coze.chat.stream(**ask(bots.ANSWERING)), 1),
    "reasoning": Kind("chat_create", lambda coze: coze.chat.stream(**ask(bots.REASONING)), 1),
    "tool call": Kind("chat_create", lambda coze: coze.chat.stream(**ask(bots.TOOL_CALLING)), 1),
    "outputs": Kind("chat_submit_tool_outputs", outputs, 0),
    "chatflow": Kind(
        "workflows_chat_stream",
        lambda coze: coze.workflows.chat.stream(
            workflow_id=workflows.CHATFLOW,
            additional_messages=[messages.user_text("杭州？")],
            parameters={},
            bot_id=bots.ANSWERING,
        ),
        1,
    ),
    "resumed run": Kind("workflows_runs_stream_resume", resumed, 0),
}
each_stream = pytest.mark.parametrize("stream_of", KINDS.values(), ids=KINDS)


def outcome(result: Any) -> Any:
    """What two results of equal calls have in common."""
    if hasattr(result, "nodes"):
        return result.output, result.interruption, result.usage, bool(result.debug_url)
    return (
        result.chat.status,
        result.answer,
        result.reasoning,
        result.follow_ups,
        [call.function.name for call in result.tool_calls],
        result.usage,
    )


def sizes(coze: Any, stream_of: Kind) -> list[int]:
    """Bytes of the body up to the end of each event."""
    body = b"".join(stream_of.open(coze).iter_bytes())
    ends = [at + 2 for at in range(len(body)) if body[at : at + 2] == b"\n\n"]
    return [0, *ends]


def unbroken(coze: Any, stream_of: Kind) -> Any:
    return outcome(stream_of.open(coze).until_done())


def cut_at(local: Emulator, stream_of: Kind, size: int) -> None:
    local.emulate(f"cut={size}", stream_of.operation)


@each_stream
def test_a_stream_that_is_cut_at_any_event_has_the_result_of_an_unbroken_one(
    coze: Any, local: Emulator, stream_of: Kind
) -> None:
    whole, problems = unbroken(coze, stream_of), Problems()
    for count, size in enumerate(sizes(coze, stream_of)[:-1]):
        with problems.of(f"after {count} events"):
            local.reset()
            cut_at(local, stream_of, size)
            if count < stream_of.since:
                with pytest.raises(StreamInterrupted, match="cannot be retrieved"):
                    stream_of.open(coze).until_done(recover=True)
                continue
            assert outcome(stream_of.open(coze).until_done(recover=True)) == whole
            assert sent_to(local, stream_of.operation) == 1
    problems.must_be_none()


@each_stream
def test_who_iterates_can_recover_too(coze: Any, local: Emulator, stream_of: Kind) -> None:
    whole = unbroken(coze, stream_of)
    middle = sizes(coze, stream_of)[-3]
    cut_at(local, stream_of, middle)
    opened = stream_of.open(coze)
    with pytest.raises(StreamError):
        list(opened)
    assert outcome(opened.recover()) == whole


def test_without_being_asked_to_a_broken_stream_stays_broken(coze: Any, local: Emulator) -> None:
    cut_at(local, KINDS["answer"], sizes(coze, KINDS["answer"])[2])
    with pytest.raises(StreamInterrupted):
        KINDS["answer"].open(coze).until_done()
    assert sent_to(local, "chat_retrieve") == 0


def test_what_a_recovered_stream_shows_is_its_result(coze: Any, local: Emulator) -> None:
    cut_at(local, KINDS["answer"], sizes(coze, KINDS["answer"])[4])
    opened = KINDS["answer"].open(coze)
    result = opened.until_done(recover=True)
    assert (opened.text, opened.chat, opened.messages) == (
        result.answer,
        result.chat,
        result.messages,
    )
    ids = [item.id for item in result.messages]
    assert len(ids) == len(set(ids))
    assert {item.role for item in result.messages} == {"assistant"}


BROKEN = [Head(), Send(CREATED + HELLO), Close()]


def data(found: object) -> Any:
    return reply({"code": 0, "data": found})


@each_kind
def test_a_chat_that_failed_meanwhile_raises_that_with_what_came(kind: str) -> None:
    failed = chat("failed", last_error={"code": 5000, "msg": "model"})
    with (
        ChunkServer(BROKEN, data(failed)) as http,
        client(kind, http.url) as coze,
        pytest.raises(ChatFailed, match="model") as caught,
    ):
        coze.chat.stream(**ASK).until_done(recover=True)
    assert (caught.value.code, caught.value.chat_id, caught.value.text) == (5000, CHAT_ID, "Hel")


@each_kind
def test_a_chat_that_cannot_be_retrieved_stays_interrupted_with_what_came(kind: str) -> None:
    unknown = reply({"code": 4001, "msg": "no such chat"})
    with (
        ChunkServer(BROKEN, unknown) as http,
        client(kind, http.url) as coze,
        pytest.raises(StreamInterrupted, match="no such chat") as caught,
    ):
        coze.chat.stream(**ASK).until_done(recover=True)
    assert (caught.value.text, caught.value.chat_id, len(caught.value.events)) == (
        "Hel",
        CHAT_ID,
        2,
    )
    assert caught.value.__cause__ is not None
    assert len(http.requests) == 2


@each_kind
def test_a_silent_stream_is_recovered_and_one_past_its_deadline_is_not(kind: str) -> None:
    silent = [Head(), Send(CREATED + HELLO), KeepOpen()]
    said = {**message("Hello"), "type": "answer"}
    scripts = [silent, data(chat("completed")), data([said]), silent]
    with ChunkServer(*scripts) as http, client(kind, http.url, timeout=30) as coze:
        found = coze.chat.stream(**ASK, idle_timeout=0.2).until_done(recover=True)
        assert found.answer == "Hello"
        with pytest.raises(StreamTimeout, match="deadline"):
            coze.chat.stream(**ASK, deadline=0.2).until_done(recover=True)
    assert len(http.requests) == 4


@each_kind
def test_calls_that_were_answered_are_waited_for(kind: str) -> None:
    def waiting(number: int) -> dict[str, object]:
        call = {"id": f"t{number}", "type": "function", "function": {"name": "f"}}
        action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": [call]}}
        return chat("requires_action", required_action=action)

    scripts = [[Head(), Close()], data(waiting(1)), data(waiting(2)), data([])]
    with ChunkServer(*scripts) as http, client(kind, http.url) as coze:
        opened = coze.chat.submit_tool_outputs_stream(**IDS, tool_outputs=OUTPUTS)
        result = opened.until_done(recover=True)
    assert [call.id for call in result.tool_calls] == ["t2"]


def test_a_stream_that_was_closed_is_not_recovered() -> None:
    with (
        ChunkServer([Head(), Send(CREATED), KeepOpen()]) as http,
        client("sync", http.url, timeout=30) as coze,
    ):
        opened = coze.chat.stream(**ASK)

        def close(_: Any) -> None:
            threading.Timer(0.05, opened.close).start()

        with pytest.raises(StreamInterrupted, match="closed"):
            opened.until_done(close, recover=True)
    assert len(http.requests) == 1


@each_kind
def test_a_stream_that_ends_well_asks_nothing(kind: str) -> None:
    done = event("conversation.chat.completed", chat("completed"))
    with ChunkServer(stream(CREATED, done, DONE)) as http, client(kind, http.url) as coze:
        assert coze.chat.stream(**ASK).until_done(recover=True).chat.status == "completed"
    assert len(http.requests) == 1


@each_kind
def test_a_run_whose_id_was_not_shown_stays_interrupted_with_what_came(kind: str) -> None:
    half = event("Message", node("half", 0), 0)
    with (
        ChunkServer([Head(), Send(half), Close()]) as http,
        client(kind, http.url) as coze,
        pytest.raises(StreamInterrupted, match="execute_id is unknown") as caught,
    ):
        coze.workflows.runs.stream(**RUN).until_done(recover=True)
    assert caught.value.text == "half"
    assert len(http.requests) == 1
