"""Addresses, and every event of the description as a frame and back."""

from __future__ import annotations

import json
import typing
from typing import Any

import msgspec
import pytest

from coze_openapi.models.websockets_payloads import InputAudio
from coze_runtime.models import Model, OpenIntEnum, OpenStrEnum
from cozekit.errors import ArgumentError
from cozekit.websockets import UnknownEvent
from cozekit.websockets._handshake import address
from cozekit.websockets._protocol import (
    CHAT,
    SIMULT_INTERPRETATION,
    SPEECH,
    TRANSCRIPTIONS,
    decode,
    encode,
)

SPECS = (SPEECH, TRANSCRIPTIONS, CHAT, SIMULT_INTERPRETATION)
SENT = [
    pytest.param(spec, event_type, id=f"{spec.id}-{event_type}")
    for spec in SPECS
    for event_type in spec.send
]
RECEIVED = [
    pytest.param(spec, event_type, id=f"{spec.id}-{event_type}")
    for spec in SPECS
    for event_type in spec.receive
]


def filled(annotation: Any) -> Any:
    """A value of a type with every field set."""
    origin = typing.get_origin(annotation)
    if origin in (list, dict):
        item = filled(typing.get_args(annotation)[-1])
        return [item] if origin is list else {"key": item}
    if args := [option for option in typing.get_args(annotation) if option is not type(None)]:
        return filled(args[0])
    if isinstance(annotation, type) and issubclass(annotation, Model):
        hints = typing.get_type_hints(annotation)
        return annotation(
            **{field.name: filled(hints[field.name]) for field in annotation.__attrs_attrs__}
        )
    if isinstance(annotation, type) and issubclass(annotation, OpenStrEnum | OpenIntEnum):
        return next(iter(annotation))
    return {str: "文 text", int: 7, float: 2.5, bool: True}.get(annotation, "any")


@pytest.mark.parametrize(("spec", "event_type"), SENT)
def test_every_event_that_is_sent_arrives_as_the_description_has_it(
    spec: Any, event_type: str
) -> None:
    event = filled(spec.send[event_type])
    event.event_type = event_type
    frame = encode(event, spec)
    assert msgspec.json.decode(frame, type=spec.send[event_type]) == event


@pytest.mark.parametrize(("spec", "event_type"), RECEIVED)
def test_every_event_that_is_received_becomes_its_model_with_all_fields(
    spec: Any, event_type: str
) -> None:
    event = filled(spec.receive[event_type])
    event.event_type = event_type
    decoded = decode(json.dumps(event.to_dict()).encode(), spec)
    assert type(decoded) is spec.receive[event_type]
    assert decoded == event


@pytest.mark.parametrize(("spec", "event_type"), RECEIVED)
def test_every_event_survives_missing_and_wrong_data(spec: Any, event_type: str) -> None:
    for data in ("absent", None, [], "text", 7, {"unknown": 1}):
        frame = (
            {"event_type": event_type}
            if data == "absent"
            else {"event_type": event_type, "data": data, "new": True}
        )
        assert decode(json.dumps(frame).encode(), spec).event_type == event_type


def test_an_unknown_event_keeps_its_name_and_data() -> None:
    frame = b'{"id":5,"event_type":"speech.new","data":{"a":[1]},"detail":{"logid":"l"}}'
    assert decode(frame, SPEECH) == UnknownEvent(
        event_type="speech.new", id="5", data={"a": [1]}, detail={"logid": "l"}, raw=frame
    )


@pytest.mark.parametrize("event_type", ["conversation.message.delta", "speech.new"])
def test_a_frame_with_half_of_a_surrogate_pair_keeps_it(event_type: str) -> None:
    frame = json.dumps({"event_type": event_type, "data": {"content": "\ud83d"}}).encode()
    event = decode(frame, CHAT)
    assert event.event_type == event_type
    assert getattr(event.data, "content", event.data) in ("\ud83d", {"content": "\ud83d"})


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b"{",
        b'{"data":1}',
        b'{"event_type":5}',
        b"[" * 100_000,
    ],
)
def test_a_frame_that_is_not_an_event_is_passed_on_as_it_came(frame: bytes) -> None:
    assert decode(frame, CHAT) == UnknownEvent(event_type="", raw=frame)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.coze.cn/v1/chat", "wss://ws.coze.cn/v1/chat"),
        ("https://api.coze.com/v1/chat", "wss://ws.coze.com/v1/chat"),
        ("https://api-x.coze.cn/v1/chat", "wss://ws-x.coze.cn/v1/chat"),
        ("https://gw.example.com/api-v2/v1/chat", "wss://gw.example.com/api-v2/v1/chat"),
        ("https://api.example.com/v1/chat", "wss://api.example.com/v1/chat"),
        ("http://localhost:8080/v1/chat?bot_id=1", "ws://localhost:8080/v1/chat?bot_id=1"),
        ("http://[::1]:9/v1/chat", "ws://[::1]:9/v1/chat"),
        ("wss://ws.coze.cn/v1/chat", "wss://ws.coze.cn/v1/chat"),
    ],
)
def test_the_address_follows_from_the_base_url(url: str, expected: str) -> None:
    assert address(url) == expected


@pytest.mark.parametrize("url", ["ftp://api.coze.cn", "api.coze.cn", "https://"])
def test_an_address_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(ArgumentError):
        address(url)


def test_an_event_of_another_socket_is_not_sent() -> None:
    with pytest.raises(ArgumentError, match="/v1/audio/speech does not accept"):
        encode(filled(CHAT.send["chat.update"]), SPEECH)


def test_plain_data_is_sent_as_it_is_for_events_newer_than_this_package() -> None:
    assert json.loads(
        encode({"event_type": "chat.new", "data": {"x": None}, "id": "mine"}, CHAT)
    ) == {
        "id": "mine",
        "event_type": "chat.new",
        "data": {"x": None},
    }


def test_events_get_ids_that_do_not_repeat() -> None:
    event = CHAT.send["conversation.clear"](event_type="conversation.clear")
    assert json.loads(encode(event, CHAT))["id"] != json.loads(encode(event, CHAT))["id"]
    assert event.id is None


def test_settings_of_a_socket_need_no_other_settings() -> None:
    assert InputAudio(codec="opus").to_dict() == {"codec": "opus"}
