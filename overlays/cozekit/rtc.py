"""Events of real-time calls: build, encode and parse them.

A call runs in an RTC room that `coze.audio.rooms.create` opens. Audio and events pass through an
RTC client, not through this API: the client transports texts, and this module creates and parses
them.

    text = encode(message_create("你好"))  # a message for the RTC user whose id is the bot id
    event = parse(received)
    if isinstance(event, RtcErrorEvent):
        raise error_of(event)

Send events only after the bot has joined the room, and only to the bot: the receiver of the RTC
message is the user whose id equals `bot_id`, not the `uid` that the room call returned.

Source: pages signaling_uplink_event, signaling_downlink_event, realtime_error_codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias, cast

from attrs import define

from coze_openapi import models
from coze_openapi.errors import CODES
from coze_openapi.events import rtc as _events
from coze_openapi.senders.rtc import (
    chat_cancel,
    client_vad,
    generate_audio,
    input_audio_complete,
    input_audio_start,
    message_create,
    mode_update,
    pre_answer_update,
    session_update,
    submit_tool_outputs,
)
from coze_runtime.models import Model
from coze_runtime.serialization.convert import read_json, write_json
from coze_runtime.serialization.error_responses import classify

from .errors import APIError, ResponseError

__all__ = [
    "DOWNLINK",
    "UPLINK",
    "DownlinkEvent",
    "UnknownEvent",
    "UplinkEvent",
    "chat_cancel",
    "client_vad",
    "encode",
    "error_of",
    "generate_audio",
    "input_audio_complete",
    "input_audio_start",
    "message_create",
    "mode_update",
    "parse",
    "parse_uplink",
    "pre_answer_update",
    "session_update",
    "submit_tool_outputs",
]

UPLINK = _events.SEND
"""Event type → model, for events from the client to the bot."""

DOWNLINK = _events.RECEIVE
"""Event type → model, for events from the bot to the client."""

UplinkEvent: TypeAlias = _events.Sent
DownlinkEvent: TypeAlias = _events.Received


@define(frozen=True, kw_only=True)
class UnknownEvent:
    """An event that this version of the package does not know."""

    event_type: str
    id: str | None
    data: Any
    """Content of `data`, as plain JSON data."""


def encode(event: Model) -> str:
    """Encodes an event as the text of an RTC message. Omits fields that are not set, since the bot
    would apply empty values.

    Args:
        event: An event created by a builder of this module.

    Source: signaling_uplink_event
    """
    return write_json(event.to_dict()).decode()


def parse(message: str | bytes) -> DownlinkEvent | UnknownEvent:
    """Parses a message of the bot.

    Args:
        message: Text of the RTC message.

    Raises:
        ResponseError: The message is not a JSON object with an `event_type`.

    Source: signaling_downlink_event
    """
    return cast("DownlinkEvent | UnknownEvent", _parse(message, DOWNLINK, _events.ALIASES))


def parse_uplink(message: str | bytes) -> UplinkEvent | UnknownEvent:
    """Parses a message of a client, for programs that simulate the bot.

    Args:
        message: Text of the RTC message.

    Raises:
        ResponseError: The message is not a JSON object with an `event_type`.

    Source: signaling_uplink_event
    """
    return cast("UplinkEvent | UnknownEvent", _parse(message, UPLINK, {}))


def _parse(
    message: str | bytes, events: Mapping[str, type[Model]], aliases: Mapping[str, str]
) -> Model | UnknownEvent:
    try:
        event = read_json(message)
    except ValueError as error:
        raise ResponseError(f"the message is not valid JSON ({type(error).__name__})") from None
    event_type = event.get("event_type") if isinstance(event, dict) else None
    if not isinstance(event_type, str) or not event_type:
        raise ResponseError("the message is not an event: it has no `event_type`")
    if model := events.get(aliases.get(event_type, event_type)):
        return model.from_dict(event)
    event_id = event.get("id")
    return UnknownEvent(
        event_type=event_type,
        id=None if event_id is None else str(event_id),
        data=event.get("data"),
    )


def error_of(event: models.RtcErrorEvent) -> APIError:
    """Creates the error for an `error` event; its class is the one that API calls raise for this
    code.

    4027 and 4028 are a QuotaExceededError: pay or wait. 4029 is a ConflictError: the room was
    closed after a long silence; create a new one with a higher `longest_silence_ms`. Do not send
    the event again in these cases.

    Args:
        event: The event.

    Source: realtime_error_codes
    """
    data = event.data or models.RtcError()
    code = int(data.code) if isinstance(data.code, int) else None
    msg = data.msg or ""
    logid = data.detail.logid if data.detail is not None else None
    text = f"real-time call: code {code}: {msg or 'no reason given'}" + (
        f" (logid {logid})" if logid else ""
    )
    return classify(CODES, code, None, msg)(text, code=code, msg=msg, logid=logid)
