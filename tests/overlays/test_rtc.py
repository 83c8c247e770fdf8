"""Events of real-time calls."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
import yaml

from coze_openapi import models as m
from cozekit import rtc
from cozekit.errors import (
    APIError,
    ArgumentError,
    ConflictError,
    PermissionDeniedError,
    QuotaExceededError,
    ResponseError,
)

SPEC = Path(__file__).parents[2] / "spec" / "resources" / "rtc.yaml"
CHAT = {"id": "1", "conversation_id": "2", "bot_id": "3", "status": "in_progress"}
MESSAGE = {
    "id": "1",
    "role": "assistant",
    "type": "answer",
    "content": "你",
    "content_type": "text",
    "chat_id": "2",
}
SETTINGS = {
    "voice_id": "7426720361733046281",
    "speech_rate": 0,
    "longest_silence_ms": 180000,
    "event_subscriptions": ["error"],
    "chat_config": {
        "meta_data": {"a": "b"},
        "parameters": {"any": [1, None]},
        "allow_voice_interrupt": True,
        "plugin_interrupt_mode": "nonblocking",
        "interrupt_config": {"mode": "keyword_prefix", "keywords": ["扣子"]},
    },
    "turn_detection": {
        "type": "server_vad",
        "prefix_padding_ms": 600,
        "silence_duration_ms": 500,
        "semantic_vad_config": {"silence_threshold_ms": 300},
    },
    "asr_config": {
        "hot_words": ["扣子"],
        "context": "订单",
        "stream_mode": "output_no_stream",
        "enable_itn": True,
        "sensitive_words_filter": {"system_reserved_filter": True, "filter_with_empty": ["x"]},
    },
    "voice_print_config": {
        "group_id": "1",
        "score": 40,
        "reuse_voice_info": False,
        "feature_id": "2",
    },
    "tts_config": {"context_texts": "慢", "emotion": "happy", "emotion_scale": 4.5},
    "voice_processing_config": {"enable_ans": True},
}
PRE_ANSWER = {
    "pre_answer": {"type": "text", "pre_answer_list": ["好的"]},
    "trigger": {"type": "time-trigger", "time_after": 1500},
}
MODE = {"mode": "chat", "chat": {"user_language": "en-US"}}
REQUIRED = {
    **CHAT,
    "status": "requires_action",
    "required_action": {
        "type": "submit_tool_outputs",
        "submit_tool_outputs": {
            "tool_calls": [
                {"id": "9", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            ]
        },
    },
}
DOWNLINK_DATA = {
    "session.created": {"voice_id": "1", "log_id": "2"},
    "session.updated": SETTINGS,
    "conversation.created": {"conversation_id": "1", "prologue": "你好"},
    "conversation.chat.created": CHAT,
    "conversation.chat.in_progress": CHAT,
    "conversation.message.delta": MESSAGE,
    "conversation.message.completed": MESSAGE,
    "conversation.chat.completed": {
        **CHAT,
        "status": "completed",
        "usage": {"token_count": 3, "output_count": 1, "input_count": 2},
    },
    "conversation.chat.failed": {
        **CHAT,
        "status": "failed",
        "last_error": {"code": 5000, "msg": "x"},
    },
    "conversation.chat.requires_action": REQUIRED,
    "audio.user.speech_started": {},
    "audio.user.speech_stopped": {},
    "audio.agent.speech_started": {},
    "audio.agent.speech_stopped": {},
    "conversation.audio_transcript.delta": {"content": "今天"},
    "session.pre_answer.updated": PRE_ANSWER,
    "conversation.chat.pre_answer": {"content": "好的", "usage": {"token_count": 3}},
    "mode.updated": MODE,
    "input_audio_buffer.started": {},
    "input_audio_buffer.completed": {},
    "live.created": {"anything": [1]},
    "error": {"code": 4027, "msg": "overdue", "detail": {"logid": "L"}},
}
UPLINK_DATA = {
    "session.update": SETTINGS,
    "conversation.chat.submit_tool_outputs": {
        "chat_id": "1",
        "tool_outputs": [{"tool_call_id": "2", "output": "3"}],
    },
    "conversation.chat.cancel": {},
    "conversation.message.create": {"role": "user", "content_type": "text", "content": "你好"},
    "client.vad": {"vad": False},
    "session.pre_answer.update": PRE_ANSWER,
    "mode.update": MODE,
    "input_text.generate_audio": {"mode": "text", "text": "你好"},
    "input_audio_buffer.start": {},
    "input_audio_buffer.complete": {},
}
BUILDERS = {
    "session.update": lambda given: rtc.session_update(
        m.RtcSessionSettings.from_dict(SETTINGS), id=given
    ),
    "conversation.chat.submit_tool_outputs": lambda given: rtc.submit_tool_outputs(
        "1", [m.ToolOutput(tool_call_id="2", output="3")], id=given
    ),
    "conversation.chat.cancel": lambda given: rtc.chat_cancel(id=given),
    "conversation.message.create": lambda given: rtc.message_create("你好", id=given),
    "client.vad": lambda given: rtc.client_vad(False, id=given),
    "session.pre_answer.update": lambda given: rtc.pre_answer_update(
        m.RtcPreAnswer.from_dict(PRE_ANSWER["pre_answer"]),
        m.RtcPreAnswerTrigger.from_dict(PRE_ANSWER["trigger"]),
        id=given,
    ),
    "mode.update": lambda given: rtc.mode_update("en-US", id=given),
    "input_text.generate_audio": lambda given: rtc.generate_audio("你好", id=given),
    "input_audio_buffer.start": lambda given: rtc.input_audio_start(id=given),
    "input_audio_buffer.complete": lambda given: rtc.input_audio_complete(id=given),
}


def _models(table: dict[str, dict[str, str]]) -> dict[str, str]:
    return {kind: node["$ref"].rpartition("/")[2] for kind, node in table.items()}


@pytest.mark.parametrize(("direction", "table"), [("send", rtc.UPLINK), ("receive", rtc.DOWNLINK)])
def test_the_tables_are_those_of_the_description(direction, table):
    described = yaml.safe_load(SPEC.read_text(encoding="utf-8"))["x-coze-rtc"][direction]
    assert {kind: model.__name__ for kind, model in table.items()} == _models(described)


def test_no_event_is_left_out_by_these_tests():
    assert DOWNLINK_DATA.keys() == rtc.DOWNLINK.keys()
    assert UPLINK_DATA.keys() == BUILDERS.keys() == rtc.UPLINK.keys()


@pytest.mark.parametrize("kind", DOWNLINK_DATA)
def test_every_event_of_the_bot_becomes_its_model_and_back(kind):
    message = {"id": "7", "event_type": kind, "data": DOWNLINK_DATA[kind]}
    event = rtc.parse(json.dumps(message))
    assert type(event) is rtc.DOWNLINK[kind]
    assert json.loads(rtc.encode(event)) == message


@pytest.mark.parametrize("kind", UPLINK_DATA)
def test_every_event_of_the_client_is_built_as_documented_and_read_by_the_other_side(kind):
    message = {"id": "7", "event_type": kind, "data": UPLINK_DATA[kind]}
    event = BUILDERS[kind]("7")
    assert type(event) is rtc.UPLINK[kind]
    assert json.loads(rtc.encode(event)) == message
    assert rtc.parse_uplink(rtc.encode(event).encode()) == event


@pytest.mark.parametrize("kind", UPLINK_DATA)
def test_every_event_of_the_client_gets_an_id_of_its_own(kind):
    first, second = BUILDERS[kind](None), BUILDERS[kind](None)
    assert first.id and second.id and first.id != second.id


def test_settings_that_are_not_set_are_not_sent():
    event = rtc.session_update(m.RtcSessionSettings(speech_rate=10), id="1")
    assert json.loads(rtc.encode(event))["data"] == {"speech_rate": 10}


def test_an_empty_setting_is_sent_because_it_replaces_the_old_one():
    event = rtc.session_update(m.RtcSessionSettings(event_subscriptions=[], voice_id=""), id="1")
    assert json.loads(rtc.encode(event))["data"] == {"event_subscriptions": [], "voice_id": ""}


@pytest.mark.parametrize(
    ("printed", "meant"),
    [
        ("session.update", m.RtcSessionUpdatedEvent),
        ("input_audio_buffer.start", m.RtcInputAudioBufferStartedEvent),
    ],
)
def test_the_names_that_the_samples_of_the_page_print_are_understood(printed, meant):
    assert isinstance(rtc.parse(json.dumps({"event_type": printed, "data": {}})), meant)


def test_an_unknown_event_is_handed_on_with_its_data():
    event = rtc.parse('{"id": 5, "event_type": "moon.phase", "data": {"full": true}}')
    assert event == rtc.UnknownEvent(event_type="moon.phase", id="5", data={"full": True})


def test_an_event_without_data_is_read():
    event = rtc.parse('{"event_type": "session.created"}')
    assert isinstance(event, m.RtcSessionCreatedEvent)
    assert event.data is None


@pytest.mark.parametrize(
    "message",
    [
        "",
        "{",
        "[]",
        "7",
        "{}",
        '{"event_type": 5}',
        '{"event_type": ""}',
        b"\xff\xfe",
        "[" * 100_000,
    ],
)
def test_what_is_no_event_is_refused(message):
    with pytest.raises(ResponseError):
        rtc.parse(message)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (4027, QuotaExceededError),
        (4028, QuotaExceededError),
        (4029, ConflictError),
        (4101, PermissionDeniedError),
        (1, APIError),
    ],
)
def test_an_error_event_becomes_the_error_of_its_code(code, kind):
    event = rtc.parse(
        json.dumps(
            {"event_type": "error", "data": {"code": code, "msg": "no", "detail": {"logid": "L1"}}}
        )
    )
    assert isinstance(event, m.RtcErrorEvent)
    error = rtc.error_of(event)
    assert type(error) is kind
    assert (error.code, error.msg, error.logid) == (code, "no", "L1")
    assert str(pickle.loads(pickle.dumps(error))) == f"real-time call: code {code}: no (logid L1)"


@pytest.mark.parametrize("data", [None, {}, {"code": "odd"}])
def test_an_error_event_that_says_nothing_is_an_error_all_the_same(data):
    event = rtc.parse(json.dumps({"event_type": "error", "data": data}))
    assert isinstance(event, m.RtcErrorEvent)
    assert rtc.error_of(event).code is None


def test_the_error_codes_have_names():
    event = rtc.parse('{"event_type": "error", "data": {"code": 4029}}')
    assert isinstance(event, m.RtcErrorEvent)
    assert event.data is not None
    assert event.data.code is m.RtcErrorCode.LONG_SILENCE


@pytest.mark.parametrize("text", ["", "x" * 1024, "好" * 342])
def test_a_text_that_is_not_spoken_is_refused_before_it_is_sent(text):
    with pytest.raises(ArgumentError, match="1 to 1,023 bytes"):
        rtc.generate_audio(text)


def test_the_longest_text_is_spoken():
    assert rtc.generate_audio("x" * 1023).data.text == "x" * 1023


@pytest.mark.parametrize("words", [["x"] * 11, ["123456789"]])
def test_keywords_beyond_the_limits_are_refused(words):
    settings = m.RtcSessionSettings(
        chat_config=m.RtcChatConfig(interrupt_config=m.VoiceInterruptConfig(keywords=words))
    )
    with pytest.raises(ArgumentError, match="keywords"):
        rtc.session_update(settings)


def test_keywords_within_the_limits_pass():
    settings = m.RtcSessionSettings(
        chat_config=m.RtcChatConfig(
            interrupt_config=m.VoiceInterruptConfig(keywords=["12345678"] * 10)
        )
    )
    assert rtc.session_update(settings).data is settings


@pytest.mark.parametrize("time_after", [-1, 3001])
def test_a_bridge_at_an_impossible_time_is_refused(time_after):
    with pytest.raises(ArgumentError, match="time_after must be 0 to 3,000"):
        rtc.pre_answer_update(m.RtcPreAnswer(), m.RtcPreAnswerTrigger(time_after=time_after))


def test_a_bridge_of_too_many_words_is_refused():
    with pytest.raises(ArgumentError, match="10 characters"):
        rtc.pre_answer_update(m.RtcPreAnswer(pre_answer_list=["12345678901"]))


def test_values_newer_than_this_package_are_sent_as_they_are():
    assert json.loads(rtc.encode(rtc.mode_update("eo", id="1")))["data"]["chat"] == {
        "user_language": "eo"
    }
