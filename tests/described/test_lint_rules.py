"""Every rule for limits, tables of events and senders: a description that breaks it once gets
exactly its message, which names the file and what to do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from generator.compile.bundle import EVENT_TABLES
from tests.generator.tiny import ROOT, Description

SPEECH = "spec/resources/websockets_speech.yaml: x-coze-socket"
CHAT = "spec/resources/websockets_chat.yaml: x-coze-socket"
RTC = "spec/resources/rtc.yaml: x-coze-rtc"
CALLBACKS = "spec/resources/callbacks.yaml: x-coze-callbacks"
PAYLOADS = "spec/resources/websockets_payloads.yaml"
PAGE_SIZE = "spec/resources/bots_versions.yaml: bots_versions_list(page_size).schema"
Mutate = Callable[[Description], object]
CASES: list[tuple[Mutate, tuple[str, ...]]] = []


def bad(*expected: str) -> Callable[[Mutate], Mutate]:
    """Adds a function that breaks a rule, and every message that it must yield."""

    def add(mutate: Mutate) -> Mutate:
        CASES.append((mutate, expected))
        return mutate

    return add


def description() -> Description:
    return Description(ROOT / "spec")


def table(d: Description, stem: str) -> Any:
    content = d.files[f"resources/{stem}.yaml"]
    return next(content[key] for key in EVENT_TABLES if key in content)


def sender(d: Description, stem: str, event: str) -> Any:
    return table(d, stem)["senders"][event]


def field(d: Description, schema: str, name: str) -> Any:
    return d.node(schema)["properties"][name]


# ---- tables


@bad(
    f"{SPEECH}: unknown key colour; see docs/description.md",
)
def table_has_an_unknown_key(d: Description) -> None:
    table(d, "websockets_speech")["colour"] = "red"


@bad(
    f"{RTC}: no pages; list slugs of official pages",
)
def table_lacks_a_key(d: Description) -> None:
    del table(d, "rtc")["pages"]


@bad(
    f"{SPEECH}.settings: event speech.set is not in send; fix the name",
)
def settings_are_no_event(d: Description) -> None:
    table(d, "websockets_speech")["settings"] = "speech.set"


@bad(
    f"{SPEECH}.id: websockets_speach is not the name of the file, websockets_speech; fix it",
)
def id_is_not_the_name_of_the_file(d: Description) -> None:
    table(d, "websockets_speech")["id"] = "websockets_speach"


@bad(
    f"{SPEECH}.terminal: event speech.over is not in receive; fix the name",
)
def terminal_is_no_event(d: Description) -> None:
    table(d, "websockets_speech")["terminal"] = ["speech.over"]


@bad(
    f"{SPEECH}.failure: event oops is not in receive; fix the name",
)
def failure_is_no_event(d: Description) -> None:
    table(d, "websockets_speech")["failure"] = ["error", "oops"]


@bad(
    f"{RTC}.aliases: event moon.phase is not in receive; fix the name",
)
def alias_is_no_event(d: Description) -> None:
    table(d, "rtc")["aliases"]["moon"] = "moon.phase"


@bad(
    f"{RTC}.aliases.mode.updated: an event of receive; delete the alias",
)
def alias_is_an_event_itself(d: Description) -> None:
    table(d, "rtc")["aliases"]["mode.updated"] = "session.updated"


@bad(
    f"{SPEECH}.send.speech.update: no $ref; give `#/components/schemas/Name`, after the "
    "file if it is another one",
    f"{SPEECH}.send.speech.update: unknown key type; use $ref",
)
def sent_event_has_no_schema(d: Description) -> None:
    table(d, "websockets_speech")["send"]["speech.update"] = {"type": "object"}


@bad(
    f"{CALLBACKS}: no events; give page and schema by event",
    f"{CALLBACKS}: unknown key event; did you mean events?",
)
def events_of_callbacks_are_misspelt(d: Description) -> None:
    callbacks = table(d, "callbacks")
    callbacks["event"] = callbacks.pop("events")


@bad(
    f"{CALLBACKS}.events.bot.published: no schema; point to a schema: {{$ref: …}}",
)
def callback_has_no_schema(d: Description) -> None:
    del table(d, "callbacks")["events"]["bot.published"]["schema"]


# ---- senders


@bad(
    f"{CHAT}.senders: no conversation.clear, which is in send; add it",
)
def event_has_no_sender(d: Description) -> None:
    del table(d, "websockets_chat")["senders"]["conversation.clear"]


@bad(
    f"{CHAT}.senders.conversation.forget: no such event in send; fix the name",
)
def sender_of_an_unknown_event(d: Description) -> None:
    table(d, "websockets_chat")["senders"]["conversation.forget"] = {}


@bad(
    f"{CHAT}.senders.input_audio_buffer.complete: has the method conversation_clear of "
    "conversation.clear; give it another `name`",
)
def two_senders_with_one_name(d: Description) -> None:
    senders = table(d, "websockets_chat")["senders"]
    senders["input_audio_buffer.complete"] = {"name": "conversation_clear"}
    table(d, "websockets_chat")["senders"] = dict(sorted(senders.items()))


@bad(
    f"{CHAT}.senders.conversation.clear: send cannot be the name of a method; give it a `name`",
)
def sender_with_the_name_of_the_base(d: Description) -> None:
    sender(d, "websockets_chat", "conversation.clear")["name"] = "send"


@bad(
    f"{CHAT}.senders.conversation.clear: VoiceEvent has no event_type; point to the "
    "schema of an event",
    "spec/resources/websockets_shared.yaml: VoiceEvent.required[0]: event_type is not a "
    "property; fix the name",
)
def sent_schema_is_no_event(d: Description) -> None:
    d.node("VoiceEvent")["properties"].pop("event_type")
    table(d, "websockets_chat")["send"] = {
        "conversation.clear": {"$ref": "websockets_shared.yaml#/components/schemas/VoiceEvent"}
    }
    table(d, "websockets_chat")["senders"] = {"conversation.clear": {}}
    del table(d, "websockets_chat")["settings"]
    for stem in ("websockets_speech", "websockets_transcriptions", "rtc"):
        del table(d, stem)["senders"]
    del table(d, "websockets_simult_interpretation")["senders"]


@bad(
    f"{CHAT}.senders.conversation.clear: unknown key colour; use name, data, arguments, "
    "fixed, limits",
)
def sender_has_an_unknown_key(d: Description) -> None:
    sender(d, "websockets_chat", "conversation.clear")["colour"] = "red"


@bad(
    f"{CHAT}.senders.conversation.clear.name: 7 cannot be here; give the name of the method",
)
def sender_has_a_value_of_the_wrong_type(d: Description) -> None:
    table(d, "websockets_chat")["senders"]["conversation.clear"] = {"name": 7}


@bad(
    f"{CHAT}.senders.conversation.message.create.arguments.content: unknown key typ; use "
    "field, positional, required, default, base64, description",
)
def argument_has_an_unknown_key(d: Description) -> None:
    sender(d, "websockets_chat", "conversation.message.create")["arguments"]["content"]["typ"] = 1


@bad(
    f'{CHAT}.senders.conversation.message.create.arguments.content.positional: "yes" '
    "cannot be here; write `true`, or leave it out",
)
def argument_has_a_value_of_the_wrong_type(d: Description) -> None:
    about = sender(d, "websockets_chat", "conversation.message.create")
    about["arguments"]["content"]["positional"] = "yes"


@bad(
    f'{CHAT}.senders.conversation.message.create.arguments.content: "text" cannot be '
    f"here; give the exceptions, or {{}}",
)
def argument_is_no_map(d: Description) -> None:
    sender(d, "websockets_chat", "conversation.message.create")["arguments"]["content"] = "text"


@bad(
    f"{CHAT}.senders.conversation.message.create: words is not a field of VoiceMessage; fix it",
)
def argument_of_an_unknown_field(d: Description) -> None:
    sender(d, "websockets_chat", "conversation.message.create")["arguments"]["words"] = {}


@bad(
    f"{CHAT}.senders.conversation.clear: words is not a field of the data, which has none; fix it",
)
def argument_without_data(d: Description) -> None:
    sender(d, "websockets_chat", "conversation.clear")["arguments"] = {"words": {}}


@bad(
    f"{CHAT}.senders.conversation.message.create: field content is given twice; keep one",
)
def field_is_given_twice(d: Description) -> None:
    arguments = sender(d, "websockets_chat", "conversation.message.create")["arguments"]
    arguments["words"] = {"field": "content"}


@bad(
    f"{CHAT}.senders.conversation.message.create.arguments.class: cannot be a name in "
    "Python; rename it, with `field`",
)
def argument_is_no_name(d: Description) -> None:
    arguments = sender(d, "websockets_chat", "conversation.message.create")["arguments"]
    arguments["class"] = {"field": "role", "default": "user"}
    del arguments["role"]


@bad(
    f"{CHAT}.senders.chat.update.arguments.need_play_prologue: sent as Base64, and its "
    "field is not a text; delete base64",
)
def base64_of_what_is_no_text(d: Description) -> None:
    sender(d, "websockets_chat", "chat.update")["arguments"] = {
        "need_play_prologue": {"base64": True}
    }


@bad(
    f"{CHAT}.senders.conversation.message.create.arguments.content.default: does not fit "
    'the schema: 7 is not of type "string"; fix one of them',
)
def default_of_the_wrong_type(d: Description) -> None:
    arguments = sender(d, "websockets_chat", "conversation.message.create")["arguments"]
    arguments["content"] = {"default": 7}


@bad(
    f"{CHAT}.senders.conversation.message.create.arguments.role.default: 'robot' is not "
    "among the known values; fix it, or add the value",
)
def default_is_unknown(d: Description) -> None:
    arguments = sender(d, "websockets_chat", "conversation.message.create")["arguments"]
    arguments["role"]["default"] = "robot"


@bad(
    f"{CHAT}.senders.input_text.generate_audio.fixed.mode: does not fit the schema: true "
    'is not of type "string"; fix one of them',
)
def fixed_value_of_the_wrong_type(d: Description) -> None:
    sender(d, "websockets_chat", "input_text.generate_audio")["fixed"]["mode"] = True


@bad(
    f"{CHAT}.senders.input_text.generate_audio: colour is not a field of "
    "GeneratedAudioRequest; fix it",
)
def fixed_value_of_an_unknown_field(d: Description) -> None:
    sender(d, "websockets_chat", "input_text.generate_audio")["fixed"]["colour"] = "red"


@bad(
    f"{RTC}.senders.session.update.data: the data as a whole; delete arguments and fixed",
)
def data_as_a_whole_and_arguments(d: Description) -> None:
    sender(d, "rtc", "session.update")["arguments"] = {"voice_id": {}}


@bad(
    f"{RTC}.senders.session.pre_answer.update.arguments.trigger: must be given, and "
    "pre_answer before it need not be; reorder them",
)
def required_argument_after_an_optional_one(d: Description) -> None:
    arguments = sender(d, "rtc", "session.pre_answer.update")["arguments"]
    arguments["trigger"]["required"] = True
    del arguments["pre_answer"]["required"]


@bad(
    f"{SPEECH}.senders.speech.update: output_audio.colour is not a field of SpeechSettings; fix it",
)
def limit_of_an_unknown_field(d: Description) -> None:
    limits = sender(d, "websockets_speech", "speech.update")["limits"]
    limits["output_audio.colour"] = {"maximum": 1}


@bad(
    f"{SPEECH}.senders.speech.update.limits.output_audio.codec.maxItems: a limit of a "
    "list, and this is string; delete it",
)
def limit_of_the_wrong_kind_in_a_sender(d: Description) -> None:
    limits = sender(d, "websockets_speech", "speech.update")["limits"]
    limits["output_audio.codec"]["maxItems"] = 1


# ---- limits of schemas and parameters


@bad(
    f"{PAYLOADS}: GeneratedAudioRequest.text: unknown key maximum; see docs/description.md",
)
def number_limit_on_a_text(d: Description) -> None:
    field(d, "GeneratedAudioRequest", "text")["maximum"] = 5


@bad(
    f"{PAYLOADS}: OutputAudio.speech_rate: unknown key x-coze-max-bytes; use description, "
    "example, default, deprecated, x-coze-deviation, type, minimum, maximum, "
    "x-coze-allowed",
)
def text_limit_on_a_number(d: Description) -> None:
    field(d, "OutputAudio", "speech_rate")["x-coze-max-bytes"] = 5


@bad(
    f"{PAYLOADS}: VoiceInterruptConfig.keywords: unknown key maxProperties; use "
    "description, example, default, deprecated, x-coze-deviation, type, items, minItems, "
    "maxItems",
)
def map_limit_on_a_list(d: Description) -> None:
    field(d, "VoiceInterruptConfig", "keywords")["maxProperties"] = 5


@bad(
    f"{PAYLOADS}: VoiceInterruptConfig.keywords[]: unknown key minItems; see docs/description.md",
)
def list_limit_on_an_element(d: Description) -> None:
    field(d, "VoiceInterruptConfig", "keywords")["items"]["minItems"] = 1


@bad(
    'spec/resources/chat.yaml: EnterMessage.meta_data.propertyNames.maxLength: "long" cannot be '
    "here; give a number from 0",
)
def limit_of_keys_is_no_number(d: Description) -> None:
    field(d, "EnterMessage", "meta_data")["propertyNames"] = {"maxLength": "long"}


@bad(
    f"{PAYLOADS}: GeneratedAudioRequest.text.x-coze-max-bytes: -1 cannot be here; give a "
    "number from 0",
)
def size_below_zero(d: Description) -> None:
    field(d, "GeneratedAudioRequest", "text")["x-coze-max-bytes"] = -1


@bad(
    f"{PAYLOADS}: OutputAudio.speech_rate.maximum: true cannot be here; give a number",
)
def limit_is_a_truth(d: Description) -> None:
    field(d, "OutputAudio", "speech_rate")["maximum"] = True


@bad(
    f"{PAYLOADS}: OutputAudio.speech_rate.default: does not fit the schema: 0 is less "
    "than the minimum of 101; fix one of them",
    f"{PAYLOADS}: OutputAudio.speech_rate.example: does not fit the schema: 50 is less "
    "than the minimum of 101; fix one of them",
    f"{PAYLOADS}: OutputAudio.speech_rate.minimum: 101 is above maximum 100; fix one",
)
def minimum_above_maximum(d: Description) -> None:
    field(d, "OutputAudio", "speech_rate")["minimum"] = 101


@bad(
    f"{PAYLOADS}: InputAudio.bit_depth.x-coze-allowed: there are no known values; list the values",
)
def known_values_that_are_not_there(d: Description) -> None:
    field(d, "InputAudio", "bit_depth")["x-coze-allowed"] = "known"


@bad(
    f"{PAYLOADS}: InputAudio.bit_depth.x-coze-allowed: 8 cannot be here; give a list of "
    "values, or `known`",
)
def allowed_is_no_list(d: Description) -> None:
    field(d, "InputAudio", "bit_depth")["x-coze-allowed"] = 8


@bad(
    f'{PAYLOADS}: InputAudio.bit_depth.x-coze-allowed[1]: does not fit the schema: "8" is '
    'not of type "integer"; fix one of them',
)
def allowed_value_of_the_wrong_type(d: Description) -> None:
    field(d, "InputAudio", "bit_depth")["x-coze-allowed"] = [8, "8"]


@bad(
    f"{PAYLOADS}: PcmConfig.x-coze-conditions[0]: frame_size is not a path in the schema; fix it",
)
def condition_that_needs_an_unknown_field(d: Description) -> None:
    d.node("PcmConfig")["x-coze-conditions"][0]["required"] = ["frame_size"]


@bad(
    f"{PAYLOADS}: PcmConfig.x-coze-conditions[0].when.limit_config: true cannot be here; "
    "give a list of values; [] is any",
)
def condition_without_a_list_of_values(d: Description) -> None:
    d.node("PcmConfig")["x-coze-conditions"][0]["when"] = {"limit_config": True}


@bad(
    f"{PAYLOADS}: InputAudio.x-coze-conditions[0]: incomplete; give `when` with one "
    "field, and `required` or `allowed`",
)
def condition_that_asks_for_nothing(d: Description) -> None:
    d.node("InputAudio")["x-coze-conditions"] = [{"when": {"codec": ["pcm"]}}]


@bad(
    f"{PAYLOADS}: OutputAudio.x-coze-conditions[0]: pcm_config.rate is not a path in the "
    "schema; fix it",
)
def condition_on_an_unknown_path(d: Description) -> None:
    condition = d.node("OutputAudio")["x-coze-conditions"][0]
    condition["allowed"] = {"pcm_config.rate": [8000]}


@bad(
    f"{PAGE_SIZE}.default: does not fit the schema: 10 is less than the minimum of 31; fix one of "
    "them",
    f"{PAGE_SIZE}.example: does not fit the schema: 20 is less than the minimum of 31; fix one of "
    "them",
    f"{PAGE_SIZE}.minimum: 31 is above maximum 30; fix one",
)
def limits_of_a_parameter(d: Description) -> None:
    d.parameter("bots_versions_list", "page_size")["schema"]["minimum"] = 31


# ---- the tests


def test_the_description_keeps_the_rules() -> None:
    assert description().lint() == []


@pytest.mark.parametrize(
    ("mutate", "expected"), CASES, ids=[mutate.__name__ for mutate, _ in CASES]
)
def test_a_broken_rule_gets_exactly_its_message(mutate: Mutate, expected: tuple[str, ...]) -> None:
    spoiled = description()
    mutate(spoiled)
    assert sorted(spoiled.lint(changed=True)) == sorted(expected)
