"""`chat.run`: local plugins, rounds, failures of tools; streamed and polled, sync and async."""

from __future__ import annotations

import json
import threading
from typing import Any

import anyio
import pytest

from cozekit import ArgumentError, AsyncCoze, ChatFailed, Coze, messages
from cozekit.errors import StreamInterrupted, ToolFailed, TooManyRounds
from cozekit_emulator import Emulator, bots
from tests.overlays.chunk_server import ChunkServer, Request, reply, stream
from tests.overlays.either import client, coze, each_kind, local, sent_to, server, ways

__all__ = ["coze", "local", "server"]

QUESTION = [messages.user_text("杭州天气怎么样？")]
ASK: dict[str, Any] = {"bot_id": bots.TOOL_CALLING, "user_id": "u", "additional_messages": QUESTION}
STREAMED = pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "polled"])
IDS = {"id": "7001", "conversation_id": "7002"}


def call(
    name: str, arguments: str = "{}", id: str = "call_1", type: str = "function"
) -> dict[str, Any]:
    return {"id": id, "type": type, "function": {"name": name, "arguments": arguments}}


def waiting(*calls: dict[str, Any]) -> dict[str, Any]:
    action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": list(calls)}}
    return {**IDS, "status": "requires_action", "required_action": action}


def event(name: str, data: object) -> bytes:
    return f"event:{name}\ndata:{json.dumps(data, ensure_ascii=False)}\n\n".encode()


def asks(*calls: dict[str, Any]) -> list[Any]:
    return stream(
        event("conversation.chat.requires_action", waiting(*calls)), event("done", "[DONE]")
    )


def answers(text: str) -> list[Any]:
    answer = {
        **IDS,
        "id": "m1",
        "chat_id": "7001",
        "role": "assistant",
        "type": "answer",
        "content": text,
    }
    done = {**IDS, "status": "completed"}
    return stream(
        event("conversation.message.completed", answer),
        event("conversation.chat.completed", done),
        event("done", "[DONE]"),
    )


def outputs(request: Request) -> dict[str, str]:
    return {
        item["tool_call_id"]: item["output"] for item in json.loads(request.body)["tool_outputs"]
    }


@STREAMED
@ways("way")
def test_a_tool_that_the_bot_calls_is_run_and_its_output_is_in_the_answer(
    coze: Any, local: Emulator, streamed: bool, way: str
) -> None:
    seen = []

    def weather(location: str) -> dict[str, object]:
        seen.append(location)
        return {"location": location, "temperature": 21}

    async def weather_async(location: str) -> dict[str, object]:
        await anyio.lowlevel.checkpoint()
        return weather(location)

    asynchronous = way == "async" and not isinstance(coze, Coze)
    tools = {"get_weather": weather_async if asynchronous else weather}
    result = coze.chat.run(**ASK, tools=tools, stream=streamed, poll_interval=0)
    assert seen == ["杭州"]
    assert '{"location":"杭州","temperature":21}' in result.answer
    assert result.chat.status == "completed"
    assert sent_to(local, "chat_create") == 1
    assert sent_to(local, "chat_submit_tool_outputs") == 1


@STREAMED
def test_the_result_holds_the_messages_of_all_rounds_once(coze: Any, streamed: bool) -> None:
    result = coze.chat.run(
        **ASK, tools={"get_weather": lambda location: "sunny"}, stream=streamed, poll_interval=0
    )
    kinds = [str(message.type) for message in result.messages]
    assert kinds == [
        "function_call",
        "tool_response",
        "answer",
        "verbose",
        "follow_up",
        "follow_up",
        "follow_up",
    ]
    assert len(result.follow_ups) == 3
    assert result.usage.token_count > 0


@STREAMED
def test_a_chat_without_tools_comes_back_waiting(coze: Any, streamed: bool) -> None:
    result = coze.chat.run(**ASK, stream=streamed, poll_interval=0)
    assert result.chat.status == "requires_action"
    assert [tool.function.name for tool in result.tool_calls] == ["get_weather"]
    assert result.answer == ""


@STREAMED
def test_a_bot_that_calls_no_tool_just_answers(coze: Any, local: Emulator, streamed: bool) -> None:
    result = coze.chat.run(
        **{**ASK, "bot_id": bots.ANSWERING},
        tools={"get_weather": len},
        stream=streamed,
        poll_interval=0,
    )
    assert "杭州天气怎么样？" in result.answer
    assert sent_to(local, "chat_submit_tool_outputs") == 0


@STREAMED
def test_an_exception_of_a_tool_is_reported_to_the_bot(coze: Any, streamed: bool) -> None:
    def broken(location: str) -> str:
        raise LookupError(f"no such city: {location}")

    result = coze.chat.run(**ASK, tools={"get_weather": broken}, stream=streamed, poll_interval=0)
    assert '{"error":"LookupError: no such city: 杭州"}' in result.answer


@STREAMED
def test_an_exception_of_a_tool_is_raised_on_request_and_the_chat_can_go_on(
    coze: Any, streamed: bool
) -> None:
    def broken(location: str) -> str:
        raise LookupError(location)

    with pytest.raises(ToolFailed, match="tool get_weather: LookupError: 杭州") as caught:
        coze.chat.run(
            **ASK,
            tools={"get_weather": broken},
            on_tool_error="raise",
            stream=streamed,
            poll_interval=0,
        )
    error = caught.value
    assert isinstance(error.__cause__, LookupError)
    assert error.tool == "get_weather"
    given = [{"tool_call_id": error.tool_call_id, "output": "rain"}]
    ids = {"chat_id": error.chat_id, "conversation_id": error.conversation_id}
    result = coze.chat.submit_tool_outputs_and_poll(**ids, tool_outputs=given, poll_interval=0)
    assert "rain" in result.answer


def test_an_unknown_tool_is_reported_with_the_known_ones(coze: Any) -> None:
    result = coze.chat.run(**ASK, tools={"get_time": len, "get_date": len})
    assert (
        "LookupError: there is no tool get_weather; available: get_date, get_time" in result.answer
    )


def test_an_unknown_tool_is_raised_on_request(coze: Any) -> None:
    with pytest.raises(ToolFailed, match="there is no tool get_weather"):
        coze.chat.run(**ASK, tools={}, on_tool_error="raise")


@each_kind
@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ("{oops", "the arguments are not valid JSON"),
        ("[1]", "not a JSON object but list"),
        ('{"x":1}', "TypeError"),
    ],
)
def test_arguments_that_do_not_fit_are_reported(kind: str, arguments: str, problem: str) -> None:
    with (
        ChunkServer(asks(call("greet", arguments)), answers("ok")) as http,
        client(kind, http.url) as coze,
    ):
        coze.chat.run(**ASK, tools={"greet": lambda name: name})
    assert problem in outputs(http.requests[1])["call_1"]


@each_kind
def test_a_call_without_arguments_calls_the_function_without_any(kind: str) -> None:
    with ChunkServer(asks(call("now", "")), answers("ok")) as http, client(kind, http.url) as coze:
        coze.chat.run(**ASK, tools={"now": lambda: ["12:00", None, 1.5]})
    assert outputs(http.requests[1]) == {"call_1": '["12:00",null,1.5]'}


@each_kind
def test_what_json_cannot_hold_is_reported(kind: str) -> None:
    with ChunkServer(asks(call("thing")), answers("ok")) as http, client(kind, http.url) as coze:
        coze.chat.run(**ASK, tools={"thing": threading.Lock})
    assert "lock cannot be written as JSON" in outputs(http.requests[1])["call_1"]


@each_kind
def test_the_calls_of_one_round_run_at_the_same_time_and_keep_their_ids(kind: str) -> None:
    meeting = threading.Barrier(3, timeout=10)

    def meet(number: int) -> int:
        meeting.wait()  # passes only when all three are in here
        return number * 10

    calls = [call("meet", f'{{"number":{number}}}', f"call_{number}") for number in (1, 2, 3)]
    with ChunkServer(asks(*calls), answers("ok")) as http, client(kind, http.url) as coze:
        coze.chat.run(**ASK, tools={"meet": meet})
    assert outputs(http.requests[1]) == {"call_1": "10", "call_2": "20", "call_3": "30"}


async def test_async_tools_of_one_round_run_at_the_same_time() -> None:
    arrived = 0
    everybody = anyio.Event()

    async def meet() -> str:
        nonlocal arrived
        arrived += 1
        if arrived == 2:
            everybody.set()
        with anyio.fail_after(10):
            await everybody.wait()
        return "met"

    calls = [call("meet", id="a"), call("meet", id="b")]
    with ChunkServer(asks(*calls), answers("ok")) as http:
        async with AsyncCoze("t", base_url=http.url) as coze:
            await coze.chat.run(**ASK, tools={"meet": meet})
    assert outputs(http.requests[1]) == {"a": "met", "b": "met"}


async def test_a_raised_failure_cancels_the_other_async_tools_of_the_round() -> None:
    cancelled = anyio.Event()

    async def slow() -> str:
        try:
            await anyio.sleep_forever()
        finally:
            cancelled.set()
        return ""

    async def broken() -> str:
        raise RuntimeError("no")

    with ChunkServer(asks(call("slow", id="a"), call("broken", id="b"))) as http:
        async with AsyncCoze("t", base_url=http.url) as coze:
            with pytest.raises(ToolFailed, match="tool broken"):
                await coze.chat.run(
                    **ASK, tools={"slow": slow, "broken": broken}, on_tool_error="raise"
                )
    assert cancelled.is_set()


async def test_a_plain_tool_does_not_block_the_event_loop() -> None:
    loop_ran = threading.Event()

    def waits_for_the_loop() -> str:
        return "free" if loop_ran.wait(10) else "blocked"

    async def ticks() -> None:
        await anyio.sleep(0)
        loop_ran.set()

    with ChunkServer(asks(call("tool")), answers("ok")) as http:
        async with AsyncCoze("t", base_url=http.url) as coze:

            def tool() -> str:
                anyio.from_thread.run(ticks)
                return waits_for_the_loop()

            await coze.chat.run(**ASK, tools={"tool": tool})
    assert outputs(http.requests[1]) == {"call_1": "free"}


@each_kind
def test_a_bot_that_never_stops_calling_tools_is_stopped(kind: str) -> None:
    with (
        ChunkServer(asks(call("again"))) as http,
        client(kind, http.url) as coze,
        pytest.raises(
            TooManyRounds,
            match=r"asks for tools \(again\) after 2 rounds \(chat_id 7001, conversation_id 7002,",
        ) as caught,
    ):
        coze.chat.run(**ASK, tools={"again": lambda: "more"}, max_rounds=2)
    assert len(http.requests) == 3
    assert caught.value.result.tool_calls[0].id == "call_1"


@each_kind
def test_several_rounds_are_gone_through(kind: str) -> None:
    with (
        ChunkServer(asks(call("a")), asks(call("b", id="call_2")), answers("ok")) as http,
        client(kind, http.url) as coze,
    ):
        result = coze.chat.run(**ASK, tools={"a": lambda: "1", "b": lambda: "2"})
    assert result.answer == "ok"
    assert [outputs(request) for request in http.requests[1:]] == [{"call_1": "1"}, {"call_2": "2"}]


@each_kind
def test_a_question_to_the_user_is_not_answered_with_an_error_text(kind: str) -> None:
    scripts, problem = (
        [asks(call("choose", type="reply_message")), answers("ok")],
        "waits for the user's answer to choose",
    )
    with (
        ChunkServer(*scripts) as http,
        client(kind, http.url) as coze,
        pytest.raises(ToolFailed, match=problem),
    ):
        coze.chat.run(**ASK, tools={})
    assert len(http.requests) == 1


@each_kind
def test_headers_and_timeout_of_the_first_call_hold_for_the_others(kind: str) -> None:
    with ChunkServer(asks(call("a")), answers("ok")) as http, client(kind, http.url) as coze:
        coze.chat.run(**ASK, tools={"a": lambda: ""}, extra_headers={"X-Tenant": "t7"}, timeout=7)
    assert [request.headers["x-tenant"] for request in http.requests] == ["t7", "t7"]


def test_every_event_of_every_round_is_told(coze: Any) -> None:
    names: list[str] = []
    coze.chat.run(
        **ASK,
        tools={"get_weather": lambda location: "x"},
        on_event=lambda event: names.append(event.event),
    )
    assert names[0] == "conversation.chat.created"
    assert names.count("conversation.chat.in_progress") == 2
    assert "conversation.chat.requires_action" in names
    assert names[-1] == "done"


def test_events_can_be_told_by_name(coze: Any) -> None:
    pieces: list[str] = []
    listener = {"conversation.message.delta": lambda event: pieces.append(event.message.content)}
    result = coze.chat.run(**{**ASK, "bot_id": bots.ANSWERING}, on_event=listener)
    assert "".join(pieces) == result.answer


async def test_an_async_listener_is_awaited(local: Emulator) -> None:
    names = []

    async def listen(event: Any) -> None:
        await anyio.lowlevel.checkpoint()
        names.append(event.event)

    async with AsyncCoze(local.token, base_url=local.base_url) as coze:
        await coze.chat.run(**{**ASK, "bot_id": bots.ANSWERING}, on_event=listen)
    assert names[-1] == "done"


@STREAMED
def test_a_chat_that_fails_raises_with_its_ids(coze: Any, streamed: bool) -> None:
    with pytest.raises(ChatFailed) as caught:
        coze.chat.run(**{**ASK, "bot_id": bots.FAILING}, tools={}, stream=streamed, poll_interval=0)
    assert caught.value.code == 5000
    assert caught.value.chat_id and caught.value.conversation_id


@each_kind
def test_a_stream_that_is_cut_after_the_tools_raises(kind: str) -> None:
    cut = stream(event("conversation.chat.in_progress", {**IDS, "status": "in_progress"}))
    with (
        ChunkServer(asks(call("a")), cut) as http,
        client(kind, http.url) as coze,
        pytest.raises(StreamInterrupted),
    ):
        coze.chat.run(**ASK, tools={"a": lambda: ""})


@pytest.mark.parametrize(
    ("wrong", "argument"),
    [
        ({"on_tool_error": "ignore", "tools": {}}, "on_tool_error"),
        ({"max_rounds": -1}, "max_rounds"),
        ({"stream": False, "on_event": print}, "on_event"),
        ({"tools": {"a": len}, "auto_save_history": False}, "auto_save_history"),
    ],
)
def test_arguments_that_cannot_work_are_refused_before_any_request(
    coze: Any, local: Emulator, wrong: Any, argument: str
) -> None:
    with pytest.raises(ArgumentError) as caught:
        coze.chat.run(**ASK, **wrong)
    assert caught.value.argument == argument
    assert not local.requests


def test_the_sync_client_refuses_async_tools_before_any_request(local: Emulator) -> None:
    async def tool() -> str:
        return ""

    with (
        Coze(local.token, base_url=local.base_url) as coze,
        pytest.raises(ArgumentError, match="tool t is an async function"),
    ):
        coze.chat.run(**ASK, tools={"t": tool})
    assert not local.requests


@each_kind
def test_an_empty_required_action_is_no_tool_call(kind: str) -> None:
    empty = {
        **IDS,
        "status": "completed",
        "required_action": {"type": "", "submit_tool_outputs": {"tool_calls": []}},
    }
    script = stream(event("conversation.chat.completed", empty), event("done", "[DONE]"))
    with ChunkServer(script) as http, client(kind, http.url) as coze:
        assert coze.chat.run(**ASK, tools={}).tool_calls == []


@each_kind
def test_polled_rounds_do_not_take_the_state_before_the_outputs_for_a_new_call(kind: str) -> None:
    created, running = {**IDS, "status": "created"}, {**IDS, "status": "in_progress"}
    done = {**IDS, "status": "completed"}
    stale = waiting(call("a"))
    scripts = [
        reply({"code": 0, "data": data})
        for data in (created, stale, [], stale, stale, running, done, [])
    ]
    with ChunkServer(*scripts) as http, client(kind, http.url) as coze:
        result = coze.chat.run(**ASK, tools={"a": lambda: "1"}, stream=False, poll_interval=0)
    assert result.chat.status == "completed"
    paths = [request.target.partition("?")[0] for request in http.requests]
    assert paths == [
        "/v3/chat",
        "/v3/chat/retrieve",
        "/v3/chat/message/list",
        "/v3/chat/submit_tool_outputs",
        "/v3/chat/retrieve",
        "/v3/chat/retrieve",
        "/v3/chat/retrieve",
        "/v3/chat/message/list",
    ]


@STREAMED
@pytest.mark.parametrize("wrong", [["f"], {"get_weather": 5}], ids=str)
def test_tools_that_cannot_be_called_are_refused_before_anything_is_sent(
    coze: Coze, local: Emulator, streamed: bool, wrong: Any
) -> None:
    with pytest.raises(ArgumentError, match="tools must map tool names to functions"):
        coze.chat.run(**ASK, tools=wrong, stream=streamed)
    assert sent_to(local, "chat_create") == 0


@pytest.mark.parametrize("wrong", [5, {"done": 1}], ids=str)
def test_an_on_event_that_cannot_be_called_is_refused_before_anything_is_sent(
    coze: Coze, local: Emulator, wrong: Any
) -> None:
    with pytest.raises(ArgumentError, match="on_event must be a function"):
        coze.chat.run(**ASK, on_event=wrong)
    assert sent_to(local, "chat_create") == 0


def test_a_tool_whose_error_goes_to_the_bot_leaves_a_warning(
    coze: Coze, caplog: pytest.LogCaptureFixture
) -> None:
    coze.chat.run(**ASK, tools={"get_wether": lambda location: "sunny"}, poll_interval=0)
    assert "the tool get_weather failed; the bot is told the error" in caplog.text
