"""Every rule for limits, tables of events and senders: a description that breaks it once gets
exactly its message, which names the file and what to do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from generator.compile.bundle import Bundle
from generator.compile.lint.limits import lint_limits
from generator.compile.lint.tables import lint_tables
from tests.described.copies import compiled, spoiled

SPEECH = "spec/resources/websockets_speech.yaml: x-coze-socket"
CHAT = "spec/resources/websockets_chat.yaml: x-coze-socket"
RTC = "spec/resources/rtc.yaml: x-coze-rtc"
CALLBACKS = "spec/resources/callbacks.yaml: x-coze-callbacks"
PAYLOADS = "spec/resources/websockets_payloads.yaml"
SEE = "see docs/description.md"
CASES: list[tuple[Callable[[Bundle], object], tuple[str, ...]]] = []


def bad(*expected: str) -> Callable[[Callable[[Bundle], object]], Callable[[Bundle], object]]:
    """Adds a function that breaks a rule, and every message that it must yield."""

    def add(mutate: Callable[[Bundle], object]) -> Callable[[Bundle], object]:
        CASES.append((mutate, expected))
        return mutate

    return add


def table(joined: Bundle, stem: str) -> Any:
    return joined.document["x-coze-events"][stem]


def sender(joined: Bundle, stem: str, event: str) -> Any:
    return table(joined, stem)["senders"][event]


def field(joined: Bundle, schema: str, name: str) -> Any:
    return joined.schemas[schema]["properties"][name]


# ---- tables


@bad(f"{SPEECH}: has unknown colour; {SEE}")
def table_has_an_unknown_key(d: Bundle) -> None:
    table(d, "websockets_speech")["colour"] = "red"


@bad(f"{RTC}: lacks pages; {SEE}")
def table_lacks_a_key(d: Bundle) -> None:
    del table(d, "rtc")["pages"]


@bad(f"{SPEECH}: settings names event speech.set, which is not in send; fix the name")
def settings_are_no_event(d: Bundle) -> None:
    table(d, "websockets_speech")["settings"] = "speech.set"


@bad(f"{SPEECH}: terminal names event speech.over, which is not in receive; fix the name")
def terminal_is_no_event(d: Bundle) -> None:
    table(d, "websockets_speech")["terminal"] = ["speech.over"]


@bad(f"{SPEECH}: failure names event oops, which is not in receive; fix the name")
def failure_is_no_event(d: Bundle) -> None:
    table(d, "websockets_speech")["failure"] = ["error", "oops"]


@bad(f"{RTC}: aliases names event moon.phase, which is not in receive; fix the name")
def alias_is_no_event(d: Bundle) -> None:
    table(d, "rtc")["aliases"]["moon"] = "moon.phase"


@bad(f"{RTC}: aliases has mode.updated, which is an event of receive; delete it")
def alias_is_an_event_itself(d: Bundle) -> None:
    table(d, "rtc")["aliases"]["mode.updated"] = "session.updated"


@bad(f"{SPEECH}: event speech.update of send must be a $ref to a schema")
def sent_event_has_no_schema(d: Bundle) -> None:
    table(d, "websockets_speech")["send"]["speech.update"] = {"type": "object"}


@bad(f"{CALLBACKS}: has unknown event; {SEE}", f"{CALLBACKS}: lacks events; {SEE}")
def events_of_callbacks_are_misspelt(d: Bundle) -> None:
    callbacks = table(d, "callbacks")
    callbacks["event"] = callbacks.pop("events")


@bad(f"{CALLBACKS}: event bot.published needs a `schema` that is a $ref")
def callback_has_no_schema(d: Bundle) -> None:
    del table(d, "callbacks")["events"]["bot.published"]["schema"]


# ---- senders


@bad(f"{CHAT}: event conversation.clear is in send but has no sender; add it to senders")
def event_has_no_sender(d: Bundle) -> None:
    del table(d, "websockets_chat")["senders"]["conversation.clear"]


@bad(f"{CHAT}: sender conversation.forget: no such event in send; fix the name")
def sender_of_an_unknown_event(d: Bundle) -> None:
    table(d, "websockets_chat")["senders"]["conversation.forget"] = {}


@bad(
    f"{CHAT}: sender input_audio_buffer.complete: has the method conversation_clear of "
    "conversation.clear; give it another `name`"
)
def two_senders_with_one_name(d: Bundle) -> None:
    senders = table(d, "websockets_chat")["senders"]
    senders["input_audio_buffer.complete"] = {"name": "conversation_clear"}
    table(d, "websockets_chat")["senders"] = dict(sorted(senders.items()))


@bad(f"{CHAT}: sender conversation.clear: send cannot be the name of a method; give it a `name`")
def sender_with_the_name_of_the_base(d: Bundle) -> None:
    sender(d, "websockets_chat", "conversation.clear")["name"] = "send"


@bad(
    f"{CHAT}: sender conversation.clear: VoiceEvent has no event_type; point to the schema of an "
    "event"
)
def sent_schema_is_no_event(d: Bundle) -> None:
    d.schemas["VoiceEvent"]["properties"].pop("event_type")
    table(d, "websockets_chat")["send"] = {
        "conversation.clear": {"$ref": "#/components/schemas/VoiceEvent"}
    }
    table(d, "websockets_chat")["senders"] = {"conversation.clear": {}}
    del table(d, "websockets_chat")["settings"]
    for stem in ("websockets_speech", "websockets_transcriptions", "rtc"):
        del table(d, stem)["senders"]
    del table(d, "websockets_simult_interpretation")["senders"]


@bad(
    f"{CHAT}: sender conversation.clear: it has unknown colour; use name, data, arguments, fixed, "
    "limits"
)
def sender_has_an_unknown_key(d: Bundle) -> None:
    sender(d, "websockets_chat", "conversation.clear")["colour"] = "red"


@bad(
    f"{CHAT}: sender conversation.clear: 7 cannot be the name of a method; give it a `name`",
    f"{CHAT}: sender conversation.clear: it has name 7, which must be of type str",
)
def sender_has_a_value_of_the_wrong_type(d: Bundle) -> None:
    table(d, "websockets_chat")["senders"]["conversation.clear"] = {"name": 7}


@bad(
    f"{CHAT}: sender conversation.message.create: argument content has unknown typ; use field, "
    "positional, required, default, base64, description"
)
def argument_has_an_unknown_key(d: Bundle) -> None:
    sender(d, "websockets_chat", "conversation.message.create")["arguments"]["content"]["typ"] = 1


@bad(
    f"{CHAT}: sender conversation.message.create: argument content has positional 'yes', which "
    "must be of type bool"
)
def argument_has_a_value_of_the_wrong_type(d: Bundle) -> None:
    about = sender(d, "websockets_chat", "conversation.message.create")
    about["arguments"]["content"]["positional"] = "yes"


@bad(
    f"{CHAT}: sender conversation.message.create: argument content must be a map; {SEE}",
)
def argument_is_no_map(d: Bundle) -> None:
    sender(d, "websockets_chat", "conversation.message.create")["arguments"]["content"] = "text"


@bad(
    f"{CHAT}: sender conversation.message.create: words is not a field of VoiceMessage; fix it",
)
def argument_of_an_unknown_field(d: Bundle) -> None:
    sender(d, "websockets_chat", "conversation.message.create")["arguments"]["words"] = {}


@bad(
    f"{CHAT}: sender conversation.clear: words is not a field of the data, which has none; fix it",
)
def argument_without_data(d: Bundle) -> None:
    sender(d, "websockets_chat", "conversation.clear")["arguments"] = {"words": {}}


@bad(f"{CHAT}: sender conversation.message.create: field content is given twice; keep one")
def field_is_given_twice(d: Bundle) -> None:
    arguments = sender(d, "websockets_chat", "conversation.message.create")["arguments"]
    arguments["words"] = {"field": "content"}


@bad(
    f"{CHAT}: sender conversation.message.create: argument class cannot be a name in Python; "
    "rename it, with `field`"
)
def argument_is_no_name(d: Bundle) -> None:
    arguments = sender(d, "websockets_chat", "conversation.message.create")["arguments"]
    arguments["class"] = {"field": "role", "default": "user"}
    del arguments["role"]


@bad(
    f"{CHAT}: sender chat.update: argument need_play_prologue is sent as Base64, and its field "
    "is not a text"
)
def base64_of_what_is_no_text(d: Bundle) -> None:
    sender(d, "websockets_chat", "chat.update")["arguments"] = {
        "need_play_prologue": {"base64": True}
    }


@bad(
    f"{CHAT}: sender conversation.message.create: default of content is 7, and the field is "
    "string; fix it"
)
def default_of_the_wrong_type(d: Bundle) -> None:
    arguments = sender(d, "websockets_chat", "conversation.message.create")["arguments"]
    arguments["content"] = {"default": 7}


@bad(
    f"{CHAT}: sender conversation.message.create: default of role is 'robot', which is not among "
    "the known values of the field; fix it"
)
def default_is_unknown(d: Bundle) -> None:
    arguments = sender(d, "websockets_chat", "conversation.message.create")["arguments"]
    arguments["role"]["default"] = "robot"


@bad(
    f"{CHAT}: sender input_text.generate_audio: fixed mode is True, and the field is string; fix it"
)
def fixed_value_of_the_wrong_type(d: Bundle) -> None:
    sender(d, "websockets_chat", "input_text.generate_audio")["fixed"]["mode"] = True


@bad(
    f"{CHAT}: sender input_text.generate_audio: colour is not a field of "
    "GeneratedAudioRequest; fix it"
)
def fixed_value_of_an_unknown_field(d: Bundle) -> None:
    sender(d, "websockets_chat", "input_text.generate_audio")["fixed"]["colour"] = "red"


@bad(f"{RTC}: sender session.update: `data` is the data as a whole; delete arguments and fixed")
def data_as_a_whole_and_arguments(d: Bundle) -> None:
    sender(d, "rtc", "session.update")["arguments"] = {"voice_id": {}}


@bad(
    f"{RTC}: sender session.pre_answer.update: argument trigger must be given, and pre_answer "
    "before it need not be"
)
def required_argument_after_an_optional_one(d: Bundle) -> None:
    arguments = sender(d, "rtc", "session.pre_answer.update")["arguments"]
    arguments["trigger"]["required"] = True
    del arguments["pre_answer"]["required"]


@bad(
    f"{SPEECH}: sender speech.update: output_audio.colour is not a field of SpeechSettings; fix it"
)
def limit_of_an_unknown_field(d: Bundle) -> None:
    limits = sender(d, "websockets_speech", "speech.update")["limits"]
    limits["output_audio.colour"] = {"maximum": 1}


@bad(
    f"{SPEECH}: sender speech.update: limits of output_audio.codec: maxItems is for a list, and "
    "this is string; delete it"
)
def limit_of_the_wrong_kind_in_a_sender(d: Bundle) -> None:
    limits = sender(d, "websockets_speech", "speech.update")["limits"]
    limits["output_audio.codec"]["maxItems"] = 1


# ---- limits of schemas and parameters


@bad(
    f"{PAYLOADS}: GeneratedAudioRequest.text: maximum is for a number, and this is string; "
    "delete it"
)
def number_limit_on_a_text(d: Bundle) -> None:
    field(d, "GeneratedAudioRequest", "text")["maximum"] = 5


@bad(
    f"{PAYLOADS}: OutputAudio.speech_rate: x-coze-max-bytes is for a text, and this is integer; "
    "delete it"
)
def text_limit_on_a_number(d: Bundle) -> None:
    field(d, "OutputAudio", "speech_rate")["x-coze-max-bytes"] = 5


@bad(
    f"{PAYLOADS}: VoiceInterruptConfig.keywords: maxProperties is for a map, and this is array; "
    "delete it"
)
def map_limit_on_a_list(d: Bundle) -> None:
    field(d, "VoiceInterruptConfig", "keywords")["maxProperties"] = 5


@bad(
    f"{PAYLOADS}: VoiceInterruptConfig.keywords[]: minItems is for a list, and this is string; "
    "delete it"
)
def list_limit_on_an_element(d: Bundle) -> None:
    field(d, "VoiceInterruptConfig", "keywords")["items"]["minItems"] = 1


@bad(
    "spec/resources/chat.yaml: EnterMessage.meta_data{key}: maxLength 'long' is not a number that "
    "can be a limit; fix it"
)
def limit_of_keys_is_no_number(d: Bundle) -> None:
    field(d, "EnterMessage", "meta_data")["propertyNames"] = {"maxLength": "long"}


@bad(
    f"{PAYLOADS}: GeneratedAudioRequest.text: x-coze-max-bytes -1 is not a number that can be a "
    "limit; fix it",
    f"{PAYLOADS}: GeneratedAudioRequest.text: x-coze-min-bytes 1 is above x-coze-max-bytes -1; "
    "fix one",
)
def size_below_zero(d: Bundle) -> None:
    field(d, "GeneratedAudioRequest", "text")["x-coze-max-bytes"] = -1


@bad(
    f"{PAYLOADS}: OutputAudio.speech_rate: maximum True is not a number that can be a limit; fix it"
)
def limit_is_a_truth(d: Bundle) -> None:
    field(d, "OutputAudio", "speech_rate")["maximum"] = True


@bad(f"{PAYLOADS}: OutputAudio.speech_rate: minimum 101 is above maximum 100; fix one")
def minimum_above_maximum(d: Bundle) -> None:
    field(d, "OutputAudio", "speech_rate")["minimum"] = 101


@bad(
    f"{PAYLOADS}: InputAudio.bit_depth: x-coze-allowed is `known`, but there are no known values; "
    "list the values"
)
def known_values_that_are_not_there(d: Bundle) -> None:
    field(d, "InputAudio", "bit_depth")["x-coze-allowed"] = "known"


@bad(f"{PAYLOADS}: InputAudio.bit_depth: x-coze-allowed must be a list of values, or `known`")
def allowed_is_no_list(d: Bundle) -> None:
    field(d, "InputAudio", "bit_depth")["x-coze-allowed"] = 8


@bad(
    f"{PAYLOADS}: InputAudio.bit_depth: x-coze-allowed has '8', not of the type of the field; "
    "fix it"
)
def allowed_value_of_the_wrong_type(d: Bundle) -> None:
    field(d, "InputAudio", "bit_depth")["x-coze-allowed"] = [8, "8"]


@bad(f"{PAYLOADS}: PcmConfig: x-coze-conditions names frame_size, which is not a path; fix it")
def condition_that_needs_an_unknown_field(d: Bundle) -> None:
    d.schemas["PcmConfig"]["x-coze-conditions"][0]["required"] = ["frame_size"]


@bad(f"{PAYLOADS}: PcmConfig: x-coze-conditions needs a list of values for limit_config; [] is any")
def condition_without_a_list_of_values(d: Bundle) -> None:
    d.schemas["PcmConfig"]["x-coze-conditions"][0]["when"] = {"limit_config": True}


@bad(
    f"{PAYLOADS}: InputAudio: x-coze-conditions needs `when` with one field, and `required` or "
    f"`allowed`; {SEE}"
)
def condition_that_asks_for_nothing(d: Bundle) -> None:
    d.schemas["InputAudio"]["x-coze-conditions"] = [{"when": {"codec": ["pcm"]}}]


@bad(
    f"{PAYLOADS}: OutputAudio: x-coze-conditions names pcm_config.rate, which is not a path; fix it"
)
def condition_on_an_unknown_path(d: Bundle) -> None:
    condition = d.schemas["OutputAudio"]["x-coze-conditions"][0]
    condition["allowed"] = {"pcm_config.rate": [8000]}


@bad(
    "spec/resources/bots_versions.yaml: bots_versions_list(page_size): minimum 31 is above maximum "
    "30; fix one"
)
def limits_of_a_parameter(d: Bundle) -> None:
    for _, _, node in d.operations():
        if node["operationId"] == "bots_versions_list":
            named = {item["name"]: item for item in node["parameters"]}
            named["page_size"]["schema"]["minimum"] = 31


# ---- the tests


def messages(joined: Bundle) -> list[str]:
    return sorted({*lint_limits(joined), *lint_tables(joined)})


def test_the_description_keeps_the_rules() -> None:
    assert messages(compiled().bundle) == []


@pytest.mark.parametrize(
    ("mutate", "expected"), CASES, ids=[mutate.__name__ for mutate, _ in CASES]
)
def test_a_broken_rule_gets_exactly_its_message(
    mutate: Callable[[Bundle], object], expected: tuple[str, ...]
) -> None:
    assert messages(spoiled(mutate)) == sorted(expected)
