"""The voice chat socket of the local Coze: typed and spoken turns, interruption, tool calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from coze_openapi import Client
from coze_openapi.events import websockets_chat
from coze_runtime.errors import APIError
from cozekit_emulator import Emulator, bots, synthesis
from cozekit_emulator.state.ids import CONVERSATION
from cozekit_emulator.state.transcripts import TRANSCRIPT
from tests.emulator.arguments import question
from tests.emulator.socket_client import (
    CHAT,
    RATE,
    RAW,
    SocketClient,
    event_types,
    joined,
    silence,
    voice,
)

OUTPUT = {"codec": "pcm", "pcm_config": {"sample_rate": RATE}}
VAD = {
    **RAW,
    "turn_detection": {"type": "server_vad", "silence_duration_ms": 200},
    "output_audio": OUTPUT,
}


@pytest.fixture
def local(coze_emulator: Emulator) -> Emulator:
    return coze_emulator


@pytest.fixture
def talk(local: Emulator) -> Iterator[SocketClient]:
    """A dialogue with the bot that answers."""
    with opened(local) as session:
        yield session


def opened(local: Emulator, bot_id: str = bots.ANSWERING) -> SocketClient:
    session = SocketClient(local, CHAT, bot_id=bot_id)
    assert session.next()["event_type"] == "chat.created"
    return session


def configured(session: SocketClient, settings: dict[str, Any]) -> dict[str, Any]:
    session.send("chat.update", settings)
    answer = session.next()
    assert answer["event_type"] == "chat.updated", answer
    found: dict[str, Any] = answer["data"]
    return found


def say(session: SocketClient, text: str, role: str = "user") -> None:
    session.send(
        "conversation.message.create", {"role": role, "content_type": "text", "content": text}
    )


def answer_of(events: list[dict[str, Any]]) -> str:
    """The text of the answer, which must be that of its pieces."""
    pieces = "".join(
        event["data"]["content"]
        for event in events
        if event["event_type"] == "conversation.message.delta"
    )
    whole = [
        e["data"]
        for e in events
        if e["event_type"] == "conversation.message.completed" and e["data"]["type"] == "answer"
    ]
    assert [message["content"] for message in whole] == [pieces]
    return pieces


def decoded(events: list[dict[str, Any]]) -> list[Any]:
    """The events as the generated models; their payloads must fit."""
    return [websockets_chat.RECEIVE[event["event_type"]].from_dict(event) for event in events]


# Typed turns


def test_a_typed_message_is_answered_in_the_order_of_the_recordings(talk: SocketClient) -> None:
    configured(talk, {"output_audio": OUTPUT})
    say(talk, "你好")
    events = talk.until("conversation.chat.completed")
    order = [
        event_type
        for event_type in event_types(events)
        if event_type.startswith("conversation.chat")
        or event_type == "conversation.message.completed"
    ]
    assert order == [
        "conversation.message.completed",
        "conversation.chat.created",
        "conversation.chat.in_progress",
        "conversation.message.completed",
        "conversation.chat.completed",
    ]
    assert events[0]["data"]["role"] == "user"
    assert events[0]["data"]["type"] == "question"
    whole = [
        event["data"]["type"]
        for event in events
        if event["event_type"] == "conversation.message.completed"
    ]
    assert whole == ["question", "answer", "verbose"]
    assert event_types(events)[-2:] == [
        "conversation.audio.completed",
        "conversation.chat.completed",
    ]
    assert "你好" in answer_of(events)


def test_the_sound_is_that_of_the_answer_and_begins_before_the_text_ends(
    talk: SocketClient,
) -> None:
    configured(talk, {"output_audio": OUTPUT})
    say(talk, "你好")
    events = talk.until("conversation.chat.completed")
    sentences = [
        event["data"]["text"]
        for event in events
        if event["event_type"] == "conversation.audio.sentence_start"
    ]
    types = [event["event_type"] for event in events]
    assert "".join(sentences) == answer_of(events)
    assert joined(events, "conversation.audio.delta", "content") == b"".join(
        synthesis.tone(text, RATE) for text in sentences
    )
    last_text = len(types) - 1 - types[::-1].index("conversation.message.delta")
    assert types.index("conversation.audio.delta") < last_text, "text and sound are interleaved"


def test_every_event_of_a_turn_has_a_generated_model_whose_ids_agree(talk: SocketClient) -> None:
    say(talk, "你好")
    events = decoded(talk.until("conversation.chat.completed"))
    chats = {event.data.id for event in events if event.event_type.startswith("conversation.chat.")}
    messages = {
        event.data.chat_id
        for event in events
        if event.event_type.startswith(("conversation.message", "conversation.audio.delta"))
    }
    assert len(chats) == 1
    assert messages == chats
    assert events[-1].data.usage.token_count > 0


def test_the_turns_of_a_session_share_one_conversation_that_http_sees(
    talk: SocketClient, client: Client
) -> None:
    found = set()
    for text in ("一", "二"):
        say(talk, text)
        found.add(talk.until("conversation.chat.completed")[-1]["data"]["conversation_id"])
    (conversation,) = found
    told = [
        message.content
        for message in client.conversations.messages.list(conversation_id=conversation, order="asc")
    ]
    assert (told[0], told[2], len(told)) == ("一", "二", 4)


def test_a_given_conversation_is_gone_on_with(talk: SocketClient) -> None:
    configured(
        talk, {"chat_config": {"conversation_id": CONVERSATION, "meta_data": {"key": "value"}}}
    )
    say(talk, "你好")
    chat = talk.until("conversation.chat.completed")[-1]["data"]
    assert (chat["conversation_id"], chat["meta_data"]) == (CONVERSATION, {"key": "value"})


def test_an_unknown_conversation_is_refused_in_place_of_the_update(talk: SocketClient) -> None:
    talk.send("chat.update", {"chat_config": {"conversation_id": "9999"}})
    assert talk.error()[0] == 4002


def test_a_message_of_the_assistant_is_only_context(talk: SocketClient, client: Client) -> None:
    say(talk, "我是助手", "assistant")
    say(talk, "你好")
    events = talk.until("conversation.chat.completed")
    told = [
        item.content
        for item in client.conversations.messages.list(
            conversation_id=events[-1]["data"]["conversation_id"], order="asc"
        )
    ]
    assert told[:2] == ["我是助手", "你好"]
    assert event_types(events).count("conversation.chat.created") == 1


def test_a_session_without_history_keeps_nothing(talk: SocketClient, client: Client) -> None:
    configured(talk, {"chat_config": {"auto_save_history": False}})
    say(talk, "你好")
    conversation = talk.until("conversation.chat.completed")[-1]["data"]["conversation_id"]
    assert list(client.conversations.messages.list(conversation_id=conversation)) == []


@pytest.mark.parametrize(
    "data",
    [
        {"role": "system", "content_type": "text", "content": "x"},
        {"role": "user", "content_type": "card", "content": "x"},
        {"role": "user", "content_type": "object_string", "content": "no list"},
        {"role": "user", "content_type": "text"},
    ],
)
def test_a_message_that_makes_no_sense_is_refused(talk: SocketClient, data: dict[str, Any]) -> None:
    talk.send("conversation.message.create", data)
    assert talk.error()[0] == 4000


def test_clearing_begins_a_new_section(talk: SocketClient) -> None:
    sections = []
    for _ in range(2):
        say(talk, "你好")
        sections.append(talk.until("conversation.chat.completed")[-1]["data"]["section_id"])
        talk.send("conversation.clear")
        assert talk.next()["event_type"] == "conversation.cleared"
    assert sections[0] != sections[1]


def test_only_subscribed_events_come_and_errors(talk: SocketClient) -> None:
    talk.send("chat.update", {"event_subscriptions": ["conversation.chat.completed"]})
    say(talk, "你好")
    assert event_types(talk.until("conversation.chat.completed")) == ["conversation.chat.completed"]
    talk.send("conversation.chat.cancel")
    assert talk.error()[0] == 4104


# Bots that fail


def test_a_reply_that_fails_says_so_with_the_chat(local: Emulator) -> None:
    with opened(local, bots.FAILING) as session:
        say(session, "你好")
        failed = decoded(session.until("conversation.chat.failed"))[-1]
    assert failed.data.last_error.code == 5000


def test_a_broken_reply_ends_with_an_error(local: Emulator) -> None:
    with opened(local, bots.BROKEN) as session:
        say(session, "你好")
        assert session.until("error")[-1]["data"] == {"code": 5000, "msg": "the stream broke"}
        session.send("conversation.clear")
        assert session.next()["event_type"] == "conversation.cleared"


# Tools


def waiting(session: SocketClient) -> dict[str, Any]:
    say(session, "杭州天气")
    found: dict[str, Any] = session.until("conversation.chat.requires_action")[-1]["data"]
    return found


def outputs(chat: dict[str, Any], output: str = "19 度") -> dict[str, Any]:
    call = chat["required_action"]["submit_tool_outputs"]["tool_calls"][0]
    return {"chat_id": chat["id"], "tool_outputs": [{"tool_call_id": call["id"], "output": output}]}


def test_a_tool_call_is_answered_with_its_output(local: Emulator) -> None:
    with opened(local, bots.TOOL_CALLING) as session:
        session.send("conversation.chat.submit_tool_outputs", outputs(waiting(session)))
        events = session.until("conversation.chat.completed")
    assert "19 度" in answer_of(events)
    assert len(joined(events, "conversation.audio.delta", "content")) > 0


def test_outputs_must_answer_the_calls_of_the_waiting_chat(local: Emulator) -> None:
    with opened(local, bots.TOOL_CALLING) as session:
        good = outputs(waiting(session))
        for wrong in (
            {**good, "chat_id": "1"},
            {**good, "tool_outputs": []},
            {**good, "tool_outputs": [{"tool_call_id": "x", "output": ""}]},
        ):
            session.send("conversation.chat.submit_tool_outputs", wrong)
            assert session.error()[0] == 4000
        session.send("conversation.chat.submit_tool_outputs", good)
        session.until("conversation.chat.completed")
        session.send("conversation.chat.submit_tool_outputs", good)
        assert session.error()[0] == 4000


def test_tools_need_the_history(local: Emulator) -> None:
    with opened(local, bots.TOOL_CALLING) as session:
        configured(session, {"chat_config": {"auto_save_history": False}})
        session.send("conversation.chat.submit_tool_outputs", outputs(waiting(session)))
        assert session.error()[0] == 5000


# Interruption


def test_the_client_stops_a_reply(local: Emulator, client: Client) -> None:
    with opened(local, bots.TALKING) as session:
        say(session, "说吧")
        chat = session.until("conversation.chat.created")[-1]["data"]
        session.until("conversation.audio.delta")
        session.send("conversation.chat.cancel")
        assert session.until("conversation.chat.canceled")[-1]["data"]["code"] == 2
        session.send("conversation.clear")
        assert session.next()["event_type"] == "conversation.cleared", (
            "nothing of the reply comes after its end"
        )
    assert (
        client.chat.retrieve(conversation_id=chat["conversation_id"], chat_id=chat["id"]).status
        == "canceled"
    )


def test_a_message_stops_a_reply_and_is_answered(local: Emulator) -> None:
    with opened(local, bots.TALKING) as session:
        say(session, "说吧")
        session.until("conversation.audio.delta")
        say(session, "停")
        events = session.until("conversation.chat.created")
    canceled = next(
        event for event in events if event["event_type"] == "conversation.chat.canceled"
    )
    assert canceled["data"]["code"] == 3
    assert events[events.index(canceled) + 1]["data"]["content"] == "停"


def test_a_voice_stops_a_reply(local: Emulator) -> None:
    with opened(local, bots.TALKING) as session:
        configured(session, VAD)
        say(session, "说吧")
        session.until("conversation.audio.delta")
        session.sound(voice(200))
        events = session.until("conversation.chat.canceled")
    assert "input_audio_buffer.speech_started" in event_types(events)
    assert events[-1]["data"]["code"] == 1


@pytest.mark.parametrize(
    ("mode", "said", "stops"),
    [
        ("keyword_contains", "请停下来吧", True),
        ("keyword_contains", "继续说", False),
        ("keyword_prefix", "停下来吧", True),
        ("keyword_prefix", "请停下来", False),
    ],
)
def test_with_keywords_only_these_stop_a_reply(
    local: Emulator, mode: str, said: str, stops: bool
) -> None:
    local.say(said)
    with opened(local, bots.TALKING) as session:
        turns = {"type": "server_vad", "interrupt_config": {"mode": mode, "keywords": ["停下来"]}}
        configured(session, {**VAD, "turn_detection": turns})
        say(session, "说吧")
        session.until("conversation.audio.delta")
        session.sound(voice(200))
        session.until("input_audio_buffer.speech_started")
        session.send("conversation.chat.cancel")
        events = session.until("conversation.chat.canceled")
    assert events[-1]["data"]["code"] == (1 if stops else 2)


def test_a_chat_that_waits_for_a_tool_can_be_cancelled(local: Emulator) -> None:
    with opened(local, bots.TOOL_CALLING) as session:
        chat = waiting(session)
        session.send("conversation.chat.cancel")
        assert session.next()["event_type"] == "conversation.chat.canceled"
        session.send("conversation.chat.submit_tool_outputs", outputs(chat))
        assert session.error()[0] == 4000


def test_there_must_be_something_to_cancel(talk: SocketClient) -> None:
    talk.send("conversation.chat.cancel")
    assert talk.error()[0] == 4104


def test_a_client_that_leaves_stops_the_reply(local: Emulator, client: Client) -> None:
    with opened(local, bots.TALKING) as session:
        say(session, "说吧")
        session.until("conversation.audio.delta")
    with opened(local) as again:
        say(again, "你好")
        assert again.until("conversation.chat.completed")


# Spoken turns


def test_push_to_talk_ends_with_the_client(talk: SocketClient) -> None:
    configured(talk, RAW)
    for _ in range(3):
        talk.sound(voice(100))
    talk.send("input_audio_buffer.complete")
    events = talk.until("conversation.chat.completed")
    texts = [
        event["data"]["content"]
        for event in events
        if event["event_type"] == "conversation.audio_transcript.update"
    ]
    assert event_types(events)[:4] == [
        "conversation.audio_transcript.update",
        "input_audio_buffer.completed",
        "conversation.audio_transcript.completed",
        "conversation.message.completed",
    ]
    assert all(TRANSCRIPT.startswith(text) for text in texts)
    assert TRANSCRIPT in answer_of(events)


def test_nothing_said_is_not_answered(talk: SocketClient) -> None:
    talk.send("input_audio_buffer.complete")
    talk.send("conversation.clear")
    assert event_types(talk.until("conversation.cleared")) == [
        "input_audio_buffer.completed",
        "conversation.cleared",
    ]


def test_what_is_cleared_was_not_said(local: Emulator, talk: SocketClient) -> None:
    local.say("第一句", "第二句")
    configured(talk, RAW)
    talk.sound(voice(100))
    talk.send("input_audio_buffer.clear")
    talk.until("input_audio_buffer.cleared")
    talk.sound(voice(100))
    talk.send("input_audio_buffer.complete")
    assert "第二句" in answer_of(talk.until("conversation.chat.completed"))


@pytest.mark.parametrize("detection", ["server_vad", "semantic_vad"])
def test_silence_ends_a_turn_of_free_talk(talk: SocketClient, detection: str) -> None:
    configured(talk, {**VAD, "turn_detection": {"type": detection}})
    talk.sound(silence(100))
    for _ in range(3):
        talk.sound(voice(120))
    talk.sound(silence(600))
    events = talk.until("conversation.chat.completed")
    order = [
        event_type
        for event_type in event_types(events)
        if event_type.startswith(
            ("input_audio", "conversation.audio_transcript", "conversation.chat")
        )
    ]
    assert order == [
        "input_audio_buffer.speech_started",
        "conversation.audio_transcript.update",
        "input_audio_buffer.speech_stopped",
        "conversation.audio_transcript.completed",
        "conversation.chat.created",
        "conversation.chat.in_progress",
        "conversation.chat.completed",
    ]


def test_completing_and_clearing_have_no_effect_in_free_talk(talk: SocketClient) -> None:
    configured(talk, VAD)
    talk.send("input_audio_buffer.complete")
    talk.send("input_audio_buffer.clear")
    talk.send("conversation.clear")
    assert talk.next()["event_type"] == "conversation.cleared"


def test_whole_sentences_only_when_asked(talk: SocketClient) -> None:
    configured(talk, {**RAW, "asr_config": {"stream_mode": "output_no_stream"}})
    talk.sound(voice(100))
    talk.send("input_audio_buffer.complete")
    found = event_types(talk.until("conversation.audio_transcript.completed"))
    assert found == ["input_audio_buffer.completed", "conversation.audio_transcript.completed"]


def test_sound_that_is_no_base64_is_refused(talk: SocketClient) -> None:
    talk.send("input_audio_buffer.append", {"delta": "%"})
    assert talk.error() == (4000, "Request parameter error: event.data.delta is not valid base64")


# Text that is spoken as it is


def test_a_text_is_spoken_without_a_chat(talk: SocketClient) -> None:
    configured(talk, {"output_audio": OUTPUT})
    talk.send("input_text.generate_audio", {"mode": "text", "text": "欢迎光临"})
    events = talk.until("conversation.audio.completed")
    assert event_types(events) == [
        "conversation.audio.sentence_start",
        "conversation.audio.delta",
        "conversation.audio.completed",
    ]
    assert joined(events, "conversation.audio.delta", "content") == synthesis.tone("欢迎光临", RATE)
    names = ("id", "conversation_id", "bot_id", "chat_id", "section_id")
    assert {event["data"][name] for event in events[1:] for name in names} == {"0"}


@pytest.mark.parametrize("text", ["", "a" * 1024, "你" * 342])
def test_a_spoken_text_has_1_to_1023_bytes(talk: SocketClient, text: str) -> None:
    talk.send("input_text.generate_audio", {"mode": "text", "text": text})
    assert talk.error()[0] == 4000


def test_a_spoken_text_interrupts_a_reply(local: Emulator) -> None:
    with opened(local, bots.TALKING) as session:
        say(session, "说吧")
        session.until("conversation.audio.delta")
        session.send("input_text.generate_audio", {"mode": "text", "text": "请稍等"})
        events = session.until("conversation.audio.completed")
    assert "conversation.chat.canceled" in event_types(events)
    assert events[-1]["data"]["id"] == "0"


def test_the_opening_words_are_spoken_on_request(talk: SocketClient) -> None:
    configured(talk, {"need_play_prologue": True, "prologue_content": "你好，我是助手"})
    events = talk.until("conversation.audio.completed")
    assert events[0]["data"]["text"] == "你好，我是助手"


@pytest.mark.parametrize("codec", ["g711a", "g711u", "opus", "mp3"])
def test_other_codecs_have_other_bytes(talk: SocketClient, codec: str) -> None:
    configured(talk, {"output_audio": {"codec": codec}})
    talk.send("input_text.generate_audio", {"mode": "text", "text": "声音"})
    content = joined(
        talk.until("conversation.audio.completed"), "conversation.audio.delta", "content"
    )
    expected = {"g711a": 640, "g711u": 640, "opus": 9 * 60, "mp3": 4 * 417}
    assert len(content) == expected[codec]


def test_a_voice_chat_is_billed(talk: SocketClient, client: Client) -> None:
    say(talk, "你好")
    talk.until("conversation.chat.completed")
    found = client.benefits.retrieve(benefit_type_list=["call_tool_limit"])
    assert found.benefit_info[0].effective.item_info.used == 1


def test_a_second_chat_in_the_conversation_of_a_reply_is_refused(
    local: Emulator, client: Client
) -> None:
    with opened(local, bots.TALKING) as session:
        say(session, "说吧")
        chat = session.until("conversation.chat.in_progress")[-1]["data"]
        with pytest.raises(APIError, match="4016"):
            client.chat.create(
                bot_id=bots.ANSWERING,
                user_id="u",
                conversation_id=chat["conversation_id"],
                additional_messages=[question("hi")],
            )
