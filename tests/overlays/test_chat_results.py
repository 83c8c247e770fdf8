"""What a chat stream adds up to: text, reasoning, follow-ups, tool calls, callbacks."""

from __future__ import annotations

import json
from inspect import isfunction, signature
from typing import Any

import pytest

from cozekit import AsyncCoze, ChatFailed, messages, resources
from cozekit_emulator import Emulator, bots
from tests.overlays.chunk_server import ChunkServer, reply, stream
from tests.overlays.either import client, coze, each_kind, local, server
from tests.overlays.wire import ASK, COMPLETED, CREATED, DONE, chat, event, message

__all__ = ["coze", "local", "server"]


def ask(bot: str) -> dict[str, Any]:
    return {"bot_id": bot, "user_id": "u", "additional_messages": [messages.user_text("杭州？")]}


def test_the_text_of_a_stream_adds_up_to_the_answer(coze: Any) -> None:
    opened = coze.chat.stream(**ask(bots.ANSWERING))
    pieces = list(opened.text_stream())
    assert len(pieces) > 3
    assert "".join(pieces) == opened.text
    assert [message.content for message in opened.messages if message.type == "answer"] == [
        opened.text
    ]


def test_reasoning_is_apart_from_the_answer(coze: Any) -> None:
    opened = coze.chat.stream(**ask(bots.REASONING))
    result = opened.until_done()
    assert opened.reasoning == result.reasoning == "用户问了「杭州？」🤔，我先想一想，再回答。"
    assert opened.text == result.answer
    assert "🤔" not in result.answer


def test_suggested_questions_are_known_at_the_end(coze: Any) -> None:
    opened = coze.chat.stream(**ask(bots.ANSWERING))
    assert opened.follow_ups == []
    result = opened.until_done()
    assert opened.follow_ups == result.follow_ups
    assert len(result.follow_ups) == 3


def test_tool_calls_are_known_at_the_end(coze: Any) -> None:
    opened = coze.chat.stream(**ask(bots.TOOL_CALLING))
    result = opened.until_done()
    assert (
        [call.function.name for call in opened.tool_calls]
        == [call.function.name for call in result.tool_calls]
        == ["get_weather"]
    )
    assert opened.chat.status == "requires_action"


def test_the_chat_is_unknown_before_its_first_event(coze: Any) -> None:
    opened = coze.chat.stream(**ask(bots.ANSWERING))
    assert opened.chat is None
    assert list(opened.tool_calls) == []
    opened.until_done()
    assert opened.chat.status == "completed"


@pytest.mark.parametrize("name", ["done", "conversation.chat.completed"])
def test_a_listener_by_name_hears_that_event_only(coze: Any, name: str) -> None:
    heard: list[str] = []
    coze.chat.stream(**ask(bots.ANSWERING)).until_done(
        {name: lambda event: heard.append(event.event)}
    )
    assert heard == [name]


def test_an_exception_of_a_listener_closes_the_stream_and_reaches_the_caller(coze: Any) -> None:
    def stop(_: Any) -> None:
        raise ZeroDivisionError

    opened = coze.chat.stream(**ask(bots.ANSWERING))
    with pytest.raises(ZeroDivisionError):
        opened.until_done(stop)
    assert len(opened.events) == 1


async def test_the_async_text_adds_up_and_may_be_left_early(local: Emulator) -> None:
    async with AsyncCoze(local.token, base_url=local.base_url) as coze:
        opened = coze.chat.stream(**ask(bots.ANSWERING))
        assert "".join([piece async for piece in opened.text_stream()]) == opened.text
        async with coze.chat.stream(**ask(bots.ANSWERING)) as left_early:
            async for piece in left_early.text_stream():
                assert opened.text.startswith(piece)
                break


SYNC = sorted(
    name
    for name in dir(resources)
    if isinstance(getattr(resources, name), type) and not name.startswith("Async")
)


@pytest.mark.parametrize("name", SYNC)
def test_the_async_form_of_a_resource_has_the_same_methods_and_arguments(name: str) -> None:
    found, twin = getattr(resources, name), getattr(resources, f"Async{name}")
    methods = {key for key, value in vars(found).items() if isfunction(value)}
    assert methods == {key for key, value in vars(twin).items() if isfunction(value)}
    for method in methods:
        wanted, has = (signature(getattr(owner, method)).parameters for owner in (found, twin))
        assert [(p.name, p.kind, p.default, p.annotation) for p in wanted.values()] == [
            (p.name, p.kind, p.default, p.annotation) for p in has.values()
        ]


def test_the_signature_of_a_method_with_a_body_of_its_own_names_all_arguments() -> None:
    parameters = signature(resources.Chats.run).parameters
    assert {"tools", "max_rounds", "bot_id", "additional_messages", "timeout"} <= set(parameters)
    assert "arguments" not in parameters


def test_a_failed_stream_fails_again_when_it_is_read_again(coze: Any) -> None:
    opened = coze.chat.stream(**ask(bots.FAILING))
    for _ in range(2):
        with pytest.raises(ChatFailed):
            opened.until_done()
    with pytest.raises(ChatFailed):
        list(opened.text_stream())


# ---- the answer, piece by piece and as a whole


def delta(text: str, kind: str | None = "answer", number: int | None = 1) -> bytes:
    return event("conversation.message.delta", {**message(text, str(kind)), **ids(kind, number)})


def whole(text: str, kind: str | None = "answer", number: int | None = 1) -> bytes:
    name = "conversation.message.completed"
    return event(name, {**message(text, str(kind)), **ids(kind, number)})


def ids(kind: str | None, number: int | None) -> dict[str, str | None]:
    return {"type": kind, "id": None if number is None else f"m{number}"}


ANSWERS: dict[str, tuple[list[bytes], str]] = {
    "deltas and the whole": ([delta("a "), delta("b"), whole("a b")], "a b"),
    "no deltas": ([whole("a b")], "a b"),
    "calls and hints between": (
        [
            delta('{"name":"f"}', "function_call", 1),
            whole('{"name":"f"}', "function_call", 1),
            delta("21", "tool_response", 2),
            whole("21", "tool_response", 2),
            delta("a", number=3),
            delta("secret", "verbose", 4),
            delta(" b", number=3),
            whole("a b", number=3),
            whole("next?", "follow_up", 5),
        ],
        "a b",
    ),
    "several answers": (
        [delta("a"), whole("a"), delta("b", number=2), delta("c", number=2), whole("bc", number=2)],
        "a\n\nbc",
    ),
    "several, with and without deltas": (
        [whole("a"), delta("b", number=2), whole("b", number=2), whole("c", number=3)],
        "a\n\nb\n\nc",
    ),
    "several, one of them empty": (
        [whole("", number=1), delta("b", number=2), whole("b", number=2), whole("", number=3)],
        "b",
    ),
    "deltas without an id": (
        [
            delta("x", "function_call", None),
            delta("a ", number=None),
            delta("b", number=None),
            whole("a b"),
        ],
        "a b",
    ),
    "without a type": ([delta("a ", None), delta("b", ""), whole("a b", None)], "a b"),
}
each_answer = pytest.mark.parametrize(("events", "answer"), ANSWERS.values(), ids=ANSWERS)


@each_kind
@each_answer
def test_text_pieces_and_answer_count_the_same_messages(
    kind: str, events: list[bytes], answer: str
) -> None:
    body = stream(CREATED, *events, COMPLETED, DONE)
    with ChunkServer(body) as http, client(kind, http.url) as coze:
        opened = coze.chat.stream(**ASK)
        assert "".join(opened.text_stream()) == answer
        assert opened.text == answer
        assert coze.chat.stream(**ASK).until_done().answer == answer


@each_kind
@each_answer
def test_the_text_so_far_is_the_joined_pieces_after_each_of_them(
    kind: str, events: list[bytes], answer: str
) -> None:
    body = stream(CREATED, *events, COMPLETED, DONE)
    with ChunkServer(body) as http, client(kind, http.url) as coze:
        opened, pieces = coze.chat.stream(**ASK), ""
        for piece in opened.text_stream():
            pieces += piece
            assert opened.text == pieces
    assert pieces == answer


@each_kind
def test_an_answer_that_is_taken_up_in_the_middle_goes_on_there(kind: str) -> None:
    body = stream(CREATED, delta("a "), delta("b"), whole("a b"), delta("c", number=2), DONE)
    with ChunkServer(body) as http, client(kind, http.url) as coze:
        opened = coze.chat.stream(**ASK)
        for item in opened:
            if item.message:
                break
        assert list(opened.text_stream()) == ["b", "\n\nc"]


@each_kind
@each_answer
def test_a_polled_chat_has_the_same_answer(kind: str, events: list[bytes], answer: str) -> None:
    listed = [json.loads(item.partition(b"data:")[2]) for item in events if b".completed\n" in item]
    asked = {"id": "q", "role": "user", "type": "", "content": "Where?", "content_type": "text"}
    scripts = [reply({"code": 0, "data": data}) for data in (chat("completed"), [asked, *listed])]
    with ChunkServer(*scripts) as http, client(kind, http.url) as coze:
        assert coze.chat.create_and_poll(**ASK).answer == answer
