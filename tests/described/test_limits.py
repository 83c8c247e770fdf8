"""Every limit of the description is checked by what it is generated into, before anything is sent;
taken out of a copy of the description, it is checked no more.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from coze_openapi import models as m
from coze_runtime.errors import ArgumentError
from generator.compile.bundle import Bundle
from generator.compile.limits import ALLOWED, CONDITIONS, NUMBERS, SIZES, limit_tree
from generator.compile.nodes import body_schema, reachable
from generator.compile.senders import sender_tables, senders_context
from tests.described.copies import (
    compiled,
    generated_limits,
    samples,
    sender_module,
    senders_of,
    spoiled,
)

KEYS = (*NUMBERS, *SIZES, ALLOWED, CONDITIONS)
CALLS = {name: (call, limits) for name, call, limits in generated_limits()}
LEAVES = [
    pytest.param(name, argument, what, good, bad, id=f"{name}({argument}: {what})")
    for name, (_, limits) in CALLS.items()
    for argument, limit in limits.items()
    for what, good, bad in samples(limit)
]


def arguments(call: Callable[..., Any], name: str, value: Any) -> dict[str, Any]:
    """The argument, and something for whatever else has to be given."""
    required = {
        parameter.name: b"1" if "File" in str(parameter.annotation) else "1"
        for parameter in inspect.signature(call).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    }
    return {**required, name: value}


def test_the_description_states_many_limits() -> None:
    assert len(CALLS) > 60
    assert len(LEAVES) > 250


@pytest.mark.parametrize(("name", "argument", "what", "good", "bad"), LEAVES)
def test_every_limit_is_kept_at_the_limit_and_refused_beyond_it(
    name: str, argument: str, what: str, good: Any, bad: Any
) -> None:
    call, _ = CALLS[name]
    call(**arguments(call, argument, good))
    with pytest.raises(ArgumentError) as caught:
        call(**arguments(call, argument, bad))
    assert caught.value.argument == argument
    assert str(caught.value).startswith((argument, f"a key of {argument}"))


# ---- each limit taken out


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Where limits stand below a node."""
    if isinstance(node, list):
        for number, item in enumerate(node):
            yield from places(item, (*path, number))
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in KEYS and not (path and path[-1] == "properties"):
                yield path, key
            elif key not in ("example", "default", "x-coze-events"):
                yield from places(value, (*path, key))


def everything(joined: Bundle) -> dict[str, Any]:
    """The limits of all requests and senders."""
    found: dict[str, Any] = {}
    for _, _, node in joined.operations():
        for parameter in node.get("parameters") or ():
            found[f"{node['operationId']}({parameter['name']})"] = limit_tree(
                joined, parameter.get("schema") or {}
            )
        name = body_schema(node)
        if name:
            found[node["operationId"]] = limit_tree(joined, joined.schemas[name])
    for stem, table in sender_tables(joined).items():
        for event in senders_context(joined, compiled().models, stem, table)["events"]:
            found[f"{stem}.{event.method}"] = event.limits
    return found


def at(document: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        document = document[step]
    return document


def requested(joined: Bundle) -> set[str]:
    """Schemas that requests and senders hold."""
    bodies = [name for _, _, node in joined.operations() if (name := body_schema(node))]
    sent = [
        ref["$ref"].rpartition("/")[2]
        for table in sender_tables(joined).values()
        for ref in table["send"].values()
    ]
    return set(reachable(joined, [*bodies, *sent]))


def test_every_limit_taken_out_of_the_description_changes_what_is_checked() -> None:
    joined = spoiled(lambda _: None)
    before, known = everything(joined), requested(joined)
    tables = {"events": joined.document["x-coze-events"]}
    idle = []
    stated = [((), path, key) for path, key in places(joined.document)]
    stated += [(("x-coze-events",), path[1:], key) for path, key in places(tables)]
    for root, path, key in stated:
        if path[:2] == ("components", "schemas") and path[2] not in known:
            continue
        if "responses" in path:
            continue
        holder = at(joined.document, (*root, *path))
        taken = holder.pop(key)
        if everything(joined) == before:
            idle.append((path, key))
        holder[key] = taken
    assert idle == []
    assert len(stated) > 130


def without(*path: Any) -> Callable[[Bundle], object]:
    """Takes something out of the description."""
    return lambda joined: at(joined.document, path[:-1]).pop(path[-1])


def _field(schema: str, field: str, key: str) -> tuple[str, ...]:
    return ("components", "schemas", schema, "properties", field, key)


def _limit(stem: str, event: str, path: str) -> tuple[str, ...]:
    return ("x-coze-events", stem, "senders", event, "limits", path)


KEYWORDS = m.VoiceInterruptConfig(keywords=["a" * 9] * 11)
TAKEN: list[tuple[str, str, tuple[str, ...], dict[str, Any]]] = [
    (
        "websockets_speech",
        "input_text_buffer_append",
        _limit("websockets_speech", "input_text_buffer.append", "delta"),
        {"text": "x" * 1025},
    ),
    (
        "websockets_chat",
        "input_text_generate_audio",
        _field("GeneratedAudioRequest", "text", "x-coze-max-bytes"),
        {"text": "x" * 1024},
    ),
    (
        "rtc",
        "generate_audio",
        _field("GeneratedAudioRequest", "text", "x-coze-min-bytes"),
        {"text": ""},
    ),
    (
        "websockets_chat",
        "chat_update",
        _limit("websockets_chat", "chat.update", "turn_detection.interrupt_config.keywords"),
        {"turn_detection": m.ChatTurnDetection(interrupt_config=KEYWORDS)},
    ),
    (
        "rtc",
        "session_update",
        _limit("rtc", "session.update", "chat_config.interrupt_config.keywords"),
        {"settings": m.RtcSessionSettings(chat_config=m.RtcChatConfig(interrupt_config=KEYWORDS))},
    ),
    (
        "websockets_transcriptions",
        "transcriptions_update",
        _field("InputAudio", "bit_depth", ALLOWED),
        {"input_audio": m.InputAudio(bit_depth=32)},
    ),
    (
        "websockets_simult_interpretation",
        "simult_interpretation_update",
        ("components", "schemas", "InputAudio", CONDITIONS),
        {"input_audio": m.InputAudio(codec=m.InputAudioCodec.G711A)},
    ),
    (
        "websockets_speech",
        "speech_update",
        ("components", "schemas", "PcmConfig", CONDITIONS),
        {"output_audio": m.OutputAudio(pcm_config=m.PcmConfig(limit_config=m.FrameLimit()))},
    ),
    (
        "websockets_speech",
        "speech_update",
        _field("OutputAudio", "speech_rate", "maximum"),
        {"output_audio": m.OutputAudio(speech_rate=101)},
    ),
]


@pytest.mark.parametrize(("stem", "method", "path", "given"), TAKEN)
def test_a_limit_that_is_taken_out_is_checked_no_more(
    stem: str, method: str, path: tuple[str, ...], given: dict[str, Any]
) -> None:
    with pytest.raises(ArgumentError):
        senders_of(sender_module(stem))[method](**given)
    event = senders_of(sender_module(stem, spoiled(without(*path))))[method](**given)
    assert event.event_type


def test_an_operation_without_limits_checks_nothing() -> None:
    from coze_openapi.api.bots import retrieve

    assert not hasattr(retrieve, "LIMITS")
    assert not hasattr(retrieve, "check")
