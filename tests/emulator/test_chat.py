"""Chats on the wire: streams, polls, tool calls, failures, and what may not be done."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from coze_openapi import Client
from coze_runtime.errors import APIError
from cozekit_emulator import Emulator, bots, workflows
from tests.emulator.arguments import question
from tests.emulator.events import chat, names, split

DELTA, WHOLE = "conversation.message.delta", "conversation.message.completed"
CREATED, RUNNING, COMPLETED = (
    "conversation.chat.created",
    "conversation.chat.in_progress",
    "conversation.chat.completed",
)


@pytest.fixture(autouse=True)
def _fresh(coze_emulator: Emulator) -> None:
    """Every test begins with a fresh memory."""


def test_a_stream_keeps_the_documented_order(http: httpx.Client) -> None:
    assert names(chat(http)) == [CREATED, RUNNING, DELTA, WHOLE, COMPLETED, "done"]


def test_completed_messages_come_as_answer_then_finish_then_follow_ups(http: httpx.Client) -> None:
    found = [event.data["type"] for event in chat(http) if event.name == WHOLE]
    assert found == ["answer", "verbose", "follow_up", "follow_up", "follow_up"]


def test_deltas_join_to_the_answer_under_one_id(http: httpx.Client) -> None:
    events = chat(http, text="今天☀️")
    deltas = [event.data for event in events if event.name == DELTA]
    answer = next(event.data for event in events if event.name == WHOLE)
    assert "".join(item["content"] for item in deltas) == answer["content"]
    assert {item["id"] for item in deltas} == {answer["id"]}
    assert "今天☀️" in answer["content"]


def test_chinese_and_emoji_go_over_the_wire_as_they_are(http: httpx.Client) -> None:
    raw = "".join(event.raw for event in chat(http))
    assert "👋" in raw
    assert "\\u" not in raw


def test_chat_events_have_no_id_and_no_space_after_the_colon(http: httpx.Client) -> None:
    assert all(
        event.raw.startswith(f"event:{event.name}\ndata:") and "\nid" not in event.raw
        for event in chat(http)
    )


def test_done_is_a_json_string_in_quotes(http: httpx.Client) -> None:
    assert chat(http)[-1].raw == 'event:done\ndata:"[DONE]"'


def test_the_finish_message_is_json_in_json(http: httpx.Client) -> None:
    verbose = next(
        event.data
        for event in chat(http)
        if event.name == WHOLE and event.data["type"] == "verbose"
    )
    content = json.loads(verbose["content"])
    assert content["msg_type"] == "generate_answer_finish"
    assert json.loads(content["data"]) == {"finish_reason": 0, "FinData": ""}


def test_usage_sums_up(http: httpx.Client) -> None:
    usage = chat(http)[-2].data["usage"]
    assert (
        usage["token_count"]
        == usage["input_count"] + usage["output_count"]
        > usage["output_count"]
        > 0
    )


def test_reasoning_comes_before_the_answer(http: httpx.Client) -> None:
    deltas = [event.data for event in chat(http, bots.REASONING) if event.name == DELTA]
    thinks = [bool(item.get("reasoning_content")) for item in deltas]
    assert thinks == sorted(thinks, reverse=True)
    assert any(thinks)
    assert not all(thinks)


@pytest.mark.parametrize(
    ("bot_id", "name", "payload"),
    [
        (
            bots.FAILING,
            "conversation.chat.failed",
            {"status": "failed", "last_error": {"code": 5000, "msg": "event interval error"}},
        ),
        (bots.FAILING_BRIEFLY, "conversation.chat.failed", {"code": 701231, "msg": "error"}),
        (bots.BROKEN, "error", {"code": 5000, "msg": "the stream broke"}),
    ],
)
def test_a_failing_bot_ends_its_stream_with_the_failure(
    http: httpx.Client, bot_id: str, name: str, payload: dict[str, Any]
) -> None:
    last = chat(http, bot_id)[-1]
    assert last.name == name
    assert payload.items() <= last.data.items()


@pytest.mark.parametrize(("bot_id", "code"), [("1", 4006), (bots.UNPUBLISHED, 4015)])
def test_a_refusal_in_place_of_a_stream_is_json_with_http_200(
    http: httpx.Client, bot_id: str, code: int
) -> None:
    answer = http.post("/v3/chat", json={"bot_id": bot_id, "user_id": "u", "stream": True})
    assert (answer.status_code, answer.json()["code"]) == (200, code)
    assert answer.headers["content-type"].startswith("application/json")


def test_a_tool_call_is_asked_for_answered_and_used(http: httpx.Client) -> None:
    asked = chat(http, bots.TOOL_CALLING)
    waiting = next(
        event.data for event in asked if event.name == "conversation.chat.requires_action"
    )
    call = waiting["required_action"]["submit_tool_outputs"]["tool_calls"][0]
    assert json.loads(call["function"]["arguments"]) == {"location": "杭州"}
    answer = http.post(
        "/v3/chat/submit_tool_outputs",
        params={"conversation_id": waiting["conversation_id"], "chat_id": waiting["id"]},
        json={"stream": True, "tool_outputs": [{"tool_call_id": call["id"], "output": "19 度"}]},
    )
    events = split(answer.text)
    assert names(events) == [RUNNING, WHOLE, DELTA, WHOLE, COMPLETED, "done"]
    assert "19 度" in "".join(event.data["content"] for event in events if event.name == DELTA)


def _asked(client: Client) -> tuple[dict[str, str], str]:
    """A polled chat that waits for its tool: its ids and the id of the call."""
    started = client.chat.create(
        bot_id=bots.TOOL_CALLING, user_id="u", additional_messages=[question("天气")]
    )
    ids = {"conversation_id": str(started.conversation_id), "chat_id": str(started.id)}
    states = [client.chat.retrieve(**ids) for _ in range(2)]
    assert [item.status for item in states] == ["in_progress", "requires_action"]
    return ids, str(states[-1].required_action.submit_tool_outputs.tool_calls[0].id)


def test_a_polled_tool_call_goes_on_after_the_submit(client: Client) -> None:
    ids, call = _asked(client)
    submitted = client.chat.submit_tool_outputs(
        **ids, tool_outputs=[{"tool_call_id": call, "output": "19"}]
    )
    assert [submitted.status, client.chat.retrieve(**ids).status] == ["in_progress", "completed"]
    assert (
        "19"
        in [item for item in client.chat.messages.list(**ids) if item.type == "answer"][-1].content
    )


def test_an_output_for_another_call_is_refused(client: Client) -> None:
    ids, _ = _asked(client)
    with pytest.raises(APIError, match="4000"):
        client.chat.submit_tool_outputs(
            **ids, tool_outputs=[{"tool_call_id": "other", "output": "19"}]
        )


def test_an_output_for_a_chat_without_history_is_an_internal_error(
    client: Client, http: httpx.Client
) -> None:
    waiting = chat(http, bots.TOOL_CALLING, auto_save_history=False)[-2].data
    call = waiting["required_action"]["submit_tool_outputs"]["tool_calls"][0]["id"]
    with pytest.raises(APIError, match="5000"):
        client.chat.submit_tool_outputs(
            conversation_id=waiting["conversation_id"],
            chat_id=waiting["id"],
            tool_outputs=[{"tool_call_id": call, "output": "1"}],
        )


def _started(client: Client, **more: Any) -> dict[str, str]:
    started = client.chat.create(
        bot_id=bots.ANSWERING, user_id="u", additional_messages=[question("你好")], **more
    )
    return {"conversation_id": str(started.conversation_id), "chat_id": str(started.id)}


def test_a_polled_chat_is_created_then_in_progress_then_completed(client: Client) -> None:
    started = client.chat.create(
        bot_id=bots.ANSWERING, user_id="u", additional_messages=[question("你好")]
    )
    ids = {"conversation_id": str(started.conversation_id), "chat_id": str(started.id)}
    states = [client.chat.retrieve(**ids) for _ in range(3)]
    assert [started.status, *(item.status for item in states)] == [
        "created",
        "in_progress",
        "completed",
        "completed",
    ]
    assert states[-1].usage.token_count > 0


def test_a_polled_chat_can_fail(client: Client) -> None:
    started = client.chat.create(
        bot_id=bots.FAILING, user_id="u", additional_messages=[question("你好")]
    )
    states = [
        client.chat.retrieve(conversation_id=started.conversation_id, chat_id=started.id)
        for _ in range(2)
    ]
    assert (states[-1].status, states[-1].last_error.code) == ("failed", 5000)


def test_the_messages_of_a_chat_are_there_when_it_is_over_and_hold_no_question(
    client: Client,
) -> None:
    ids = _started(client)
    assert list(client.chat.messages.list(**ids)) == []
    for _ in range(2):
        client.chat.retrieve(**ids)
    assert [item.type for item in client.chat.messages.list(**ids)] == [
        "answer",
        "verbose",
        "follow_up",
        "follow_up",
        "follow_up",
    ]


def test_the_conversation_shows_question_and_answer_and_the_rest_on_request(client: Client) -> None:
    ids = _started(client)
    for _ in range(2):
        client.chat.retrieve(**ids)
    found = client.conversations.messages.list(conversation_id=ids["conversation_id"], order="asc")
    everything = client.conversations.messages.list(
        conversation_id=ids["conversation_id"], include_middle_message=True
    )
    assert [item.type for item in found] == ["question", "answer"]
    assert len(list(everything)) == 6


def test_a_running_chat_keeps_others_out_of_its_conversation_until_it_is_cancelled(
    client: Client,
) -> None:
    ids = _started(client)
    with pytest.raises(APIError, match="4016"):
        _started(client, conversation_id=ids["conversation_id"])
    assert client.chat.cancel(**ids).status == "canceled"
    assert _started(client, conversation_id=ids["conversation_id"])["chat_id"] != ids["chat_id"]


def test_a_chat_that_is_over_cannot_be_cancelled(http: httpx.Client, client: Client) -> None:
    ids = _started(client)
    for _ in range(2):
        client.chat.retrieve(**ids)
    assert http.post("/v3/chat/cancel", json=ids).json()["code"] == 4104


def test_a_cancelled_chat_stays_cancelled(client: Client) -> None:
    ids = _started(client)
    client.chat.cancel(**ids)
    assert [client.chat.retrieve(**ids).status for _ in range(3)] == ["canceled"] * 3


def test_a_polled_chat_needs_history(client: Client) -> None:
    with pytest.raises(APIError, match="4007"):
        client.chat.create(bot_id=bots.ANSWERING, user_id="u", auto_save_history=False)


def test_a_stream_without_history_leaves_no_message(http: httpx.Client, client: Client) -> None:
    conversation = chat(http, auto_save_history=False)[0].data["conversation_id"]
    assert list(client.conversations.messages.list(conversation_id=conversation)) == []


def test_a_stream_that_nobody_reads_to_its_end_completes_all_the_same(
    client: Client, http: httpx.Client
) -> None:
    with client.chat.stream(
        bot_id=bots.ANSWERING, user_id="u", additional_messages=[question("你好")]
    ) as stream:
        head = next(stream.iter_bytes()).decode().partition("\n\n")[0]
    created = json.loads(head.partition("data:")[2])
    # The answer to any further request comes after the server has noticed; polls take no clock
    # either.
    seen = {
        client.chat.retrieve(
            conversation_id=created["conversation_id"], chat_id=created["id"]
        ).status
        for _ in range(50)
    }
    assert "completed" in seen


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"meta_data": {str(number): "x" for number in range(17)}}, 4003),
        ({"meta_data": {"x": "x" * 513}}, 4003),
        ({"additional_messages": [question("x")] * 101}, 4004),
        ({"publish_status": "unpublished_draft", "bot_version": "1"}, 4000),
        (
            {
                "additional_messages": [
                    {"role": "user", "content": "no json", "content_type": "object_string"}
                ]
            },
            4000,
        ),
    ],
)
def test_the_limits_of_a_chat_hold(http: httpx.Client, more: dict[str, Any], code: int) -> None:
    answer = http.post(
        "/v3/chat", json={"bot_id": bots.ANSWERING, "user_id": "u", "stream": True, **more}
    )
    assert (answer.status_code, answer.json()["code"]) == (200, code)


def test_an_unknown_conversation_and_an_unknown_chat_have_codes_of_their_own(
    client: Client,
) -> None:
    ids = _started(client)
    with pytest.raises(APIError, match="4002"):
        client.chat.retrieve(conversation_id="1", chat_id=ids["chat_id"])
    with pytest.raises(APIError, match="4001"):
        client.chat.retrieve(conversation_id=ids["conversation_id"], chat_id="1")


def test_files_in_a_question_are_counted(http: httpx.Client) -> None:
    content = json.dumps([{"type": "text", "text": "看图"}, {"type": "image", "file_id": "1"}])
    events = chat(
        http,
        additional_messages=[{"role": "user", "content": content, "content_type": "object_string"}],
    )
    assert "看图（1 个文件 📎）" in next(
        event.data["content"] for event in events if event.name == WHOLE
    )


def _chatflow(http: httpx.Client, workflow_id: str, **more: Any) -> Any:
    body = {
        "workflow_id": workflow_id,
        "additional_messages": [question("你好")],
        "parameters": {},
        **more,
    }
    return http.post("/v1/workflows/chat", json=body)


def test_a_chatflow_ends_with_the_address_of_its_run(http: httpx.Client) -> None:
    events = split(_chatflow(http, workflows.CHATFLOW).text)
    assert names(events) == [CREATED, RUNNING, DELTA, WHOLE, COMPLETED, "done"]
    assert list(events[-1].data) == ["debug_url"]
    assert all(event.raw.startswith(f"event: {event.name}\ndata: ") for event in events)


def test_a_chatflow_that_asks_stops_without_completed_and_goes_on_in_its_conversation(
    http: httpx.Client,
) -> None:
    events = split(_chatflow(http, workflows.INTERRUPTING).text)
    kinds = [
        json.loads(event.data["content"])["msg_type"]
        for event in events
        if event.name == WHOLE and event.data["type"] == "verbose"
    ]
    assert kinds == ["interrupt", "generate_answer_finish"]
    assert names(events) == [CREATED, RUNNING, DELTA, WHOLE, "done"]
    again = split(
        _chatflow(
            http, workflows.INTERRUPTING, conversation_id=events[0].data["conversation_id"]
        ).text
    )
    assert names(again)[-2:] == [COMPLETED, "done"]


def test_a_chatflow_is_for_an_app_or_a_bot(http: httpx.Client) -> None:
    assert (
        _chatflow(http, workflows.CHATFLOW, app_id="7****", bot_id="7****").json()["code"] == 4000
    )
