"""Senders of sockets and of real-time calls: what the description makes of each event that a client
sends, and what is gone when it is taken out.
"""

from __future__ import annotations

import base64
import inspect
import re
import typing
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import coze_openapi.senders as package
from coze_openapi import models as m
from coze_runtime.models import Model
from cozekit import rtc, websockets
from generator.compile.bundle import Bundle
from tests.described.copies import (
    ROOT,
    callables_of,
    compiled,
    sender_module,
    senders_of,
    spoiled,
    tables,
)

EVENTS = [(stem, event) for stem, table in tables().items() for event in table["senders"]]
SOCKETS = {
    "websockets_speech": websockets.SpeechSocket,
    "websockets_transcriptions": websockets.TranscriptionsSocket,
    "websockets_chat": websockets.ChatSocket,
    "websockets_simult_interpretation": websockets.SimultInterpretationSocket,
}
AUDIO = {
    "input_audio_buffer_append": "data",
    "input_audio_buffer_complete": "",
    "input_audio_buffer_clear": "",
}
# The public surface, written down once more on purpose: a change of it has to be meant. What stands
# before `*` is positional, and `=` marks what may be left out.
SURFACE = {
    "websockets_speech": {
        "speech_update": "* output_audio=",
        "input_text_buffer_append": "text",
        "input_text_buffer_complete": "",
    },
    "websockets_transcriptions": {
        "transcriptions_update": "* asr_config= input_audio=",
        **AUDIO,
    },
    "websockets_simult_interpretation": {
        "simult_interpretation_update": "* input_audio= output_audio= translate_config=",
        "input_audio_buffer_append": "data",
        "input_audio_buffer_complete": "",
    },
    "websockets_chat": {
        "chat_update": "* asr_config= chat_config= event_subscriptions= input_audio= "
        "need_play_prologue= output_audio= prologue_content= turn_detection= voice_print_config= "
        "voice_processing_config=",
        **AUDIO,
        "conversation_message_create": "content * content_type= role=",
        "conversation_clear": "",
        "conversation_chat_submit_tool_outputs": "chat_id tool_outputs",
        "conversation_chat_cancel": "",
        "input_text_generate_audio": "text",
    },
    "rtc": {
        "session_update": "settings * id=",
        "submit_tool_outputs": "chat_id tool_outputs * id=",
        "chat_cancel": "* id=",
        "message_create": "content * content_type= id= role=",
        "client_vad": "speaking * id=",
        "pre_answer_update": "pre_answer trigger= * id=",
        "mode_update": "user_language * id=",
        "generate_audio": "text * id=",
        "input_audio_start": "* id=",
        "input_audio_complete": "* id=",
    },
}


def words(function: Callable[..., Any]) -> str:
    """The parameters of a function, those by keyword in the order of the alphabet."""
    parameters = [p for p in inspect.signature(function).parameters.values() if p.name != "self"]

    def shown(kind: Any) -> list[str]:
        return [
            f"{p.name}{'' if p.default is p.empty else '='}" for p in parameters if p.kind is kind
        ]

    keywords = sorted(shown(inspect.Parameter.KEYWORD_ONLY))
    return " ".join(
        [*shown(inspect.Parameter.POSITIONAL_OR_KEYWORD), *(["*", *keywords] if keywords else [])]
    )


@pytest.mark.parametrize("stem", SURFACE)
def test_the_surface_is_the_published_one(stem: str) -> None:
    module = import_module(f"coze_openapi.senders.{stem}")
    found = {name: words(function) for name, function in callables_of(module).items()}
    assert found == SURFACE[stem]


def test_every_table_that_sends_has_senders() -> None:
    described = compiled().bundle.document["x-coze-events"]
    assert {stem for stem, table in described.items() if "send" in table} == set(tables())
    assert set(SURFACE) == set(tables())


@pytest.mark.parametrize("stem", SOCKETS)
def test_sockets_have_the_generated_methods_and_no_others_of_those_names(stem: str) -> None:
    module = import_module(f"coze_openapi.senders.{stem}")
    for name, function in callables_of(module).items():
        assert getattr(SOCKETS[stem], name) is function
        assert getattr(getattr(websockets, f"Async{SOCKETS[stem].__name__}"), name) is function


def test_real_time_calls_have_the_generated_functions() -> None:
    module = import_module("coze_openapi.senders.rtc")
    for name, function in callables_of(module).items():
        assert getattr(rtc, name) is function
        assert name in rtc.__all__


def remove(stem: str, event: str) -> Callable[[Bundle], object]:
    return lambda joined: joined.document["x-coze-events"][stem]["senders"].pop(event)


@pytest.mark.parametrize(("stem", "event"), EVENTS)
def test_a_sender_that_is_taken_out_is_no_method_any_more(stem: str, event: str) -> None:
    about = tables()[stem]["senders"][event]
    name = about.get("name") or event.replace(".", "_")
    before = callables_of(sender_module(stem))
    after = callables_of(sender_module(stem, spoiled(remove(stem, event))))
    assert before.keys() - after.keys() == {name}


@pytest.mark.parametrize("stem", SURFACE)
def test_every_method_says_all_that_a_reader_needs_and_its_annotations_resolve(stem: str) -> None:
    module = import_module(f"coze_openapi.senders.{stem}")
    for name, function in callables_of(module).items():
        text = inspect.cleandoc(function.__doc__ or "")
        parameters = [p for p in inspect.signature(function).parameters if p != "self"]
        body = text.partition("Args:\n")[2].partition("\n\n")[0]
        assert re.findall(r"^    (\w+): \S", body, re.MULTILINE) == parameters, name
        assert "Returns:\n" in text
        assert ("ArgumentError: A value is beyond its limits." in text) == hasattr(
            module, f"{name.upper()}_LIMITS"
        )
        hints = typing.get_type_hints(function)
        assert set(hints) == {*parameters, "return"}


@pytest.mark.parametrize("stem", SURFACE)
def test_no_line_of_the_generated_code_is_longer_than_100_columns(stem: str) -> None:
    text = Path(ROOT, f"generated/coze_openapi/senders/{stem}.py").read_text(encoding="utf-8")
    long = [line for line in text.split("\n")[1:] if len(line) > 100 and "http" not in line]
    assert long == []


def test_the_package_loads_a_sender_when_it_is_asked_for() -> None:
    assert {"ChatSender", "SpeechSender", "TranscriptionsSender"} <= set(dir(package))
    assert package.ChatSender.__module__ == "cozekit.websockets"
    with pytest.raises(AttributeError):
        _ = package.NoSuchSender  # type: ignore[attr-defined]


# ---- what each rule of the description makes


def sent(stem: str, method: str, *args: Any, **kwargs: Any) -> Any:
    event = senders_of(import_module(f"coze_openapi.senders.{stem}"))[method](*args, **kwargs)
    assert isinstance(event, Model)
    return event.to_dict()


def test_positional_arguments_defaults_and_known_values() -> None:
    create = sent("websockets_chat", "conversation_message_create", "hi")
    assert create == {
        "event_type": "conversation.message.create",
        "data": {"role": "user", "content_type": "text", "content": "hi"},
    }
    other = sent("websockets_chat", "conversation_message_create", "hi", role="robot")
    assert other["data"]["role"] == "robot"


def test_bytes_are_sent_as_base64() -> None:
    event = sent("websockets_transcriptions", "input_audio_buffer_append", b"\x00\xff")
    assert base64.b64decode(event["data"]["delta"]) == b"\x00\xff"


def test_fixed_values_and_fields_further_below() -> None:
    assert sent("rtc", "mode_update", "en-US", id="1")["data"] == {
        "mode": "chat",
        "chat": {"user_language": "en-US"},
    }
    assert sent("rtc", "generate_audio", "x", id="1")["data"] == {"mode": "text", "text": "x"}


def test_events_with_an_empty_object_and_events_without_data() -> None:
    assert sent("rtc", "chat_cancel", id="1")["data"] == {}
    assert "data" not in sent("websockets_chat", "conversation_clear")


def test_any_sequence_is_taken_as_a_list() -> None:
    outputs = (m.ToolOutput(tool_call_id="1", output="2"),)
    event = sent("websockets_chat", "conversation_chat_submit_tool_outputs", "7", outputs)
    assert event["data"]["tool_outputs"] == [{"tool_call_id": "1", "output": "2"}]
    settings = sent("websockets_chat", "chat_update", event_subscriptions=("error",))
    assert settings["data"] == {"event_subscriptions": ["error"]}


CHANGES: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("websockets_chat", "conversation.clear", {"name": "forget"}, "forget", ""),
    (
        "websockets_chat",
        "conversation.message.create",
        {"arguments": {"text": {"field": "content"}}, "fixed": {"role": "assistant"}},
        "conversation_message_create",
        "* content_type text",
    ),
    (
        "websockets_chat",
        "conversation.message.create",
        {"data": "message"},
        "conversation_message_create",
        "message",
    ),
    (
        "rtc",
        "session.pre_answer.update",
        {"arguments": {"trigger": {"positional": True, "required": True}}},
        "session_pre_answer_update",
        "trigger * id= pre_answer=",
    ),
]


@pytest.mark.parametrize(("stem", "event", "about", "name", "expected"), CHANGES)
def test_what_the_description_says_of_a_sender_decides_its_signature(
    stem: str, event: str, about: dict[str, Any], name: str, expected: str
) -> None:
    def mutate(joined: Bundle) -> None:
        joined.document["x-coze-events"][stem]["senders"][event] = about

    module = sender_module(stem, spoiled(mutate))
    assert words(callables_of(module)[name]) == expected


def test_a_field_that_is_added_to_the_data_is_an_argument() -> None:
    before = sender_module("websockets_speech")
    fields = compiled().bundle.schemas["SpeechSettings"]["properties"]
    assert words(callables_of(before)["speech_update"]).split()[1:] == [f"{f}=" for f in fields]
