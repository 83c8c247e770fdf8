"""Events of real-time calls: written, read, and told apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec
from attrs import define

from coze_openapi import models as m
from coze_openapi.errors import CODES
from coze_openapi.events import rtc
from coze_runtime.models import Model
from coze_runtime.serialization.error_responses import classify

from ..errors import APIError, ResponseError

UPLINK = rtc.SEND
"""Types of events from the client to the bot → model."""

DOWNLINK = rtc.RECEIVE
"""Types of events from the bot to the client → model."""

UplinkEvent: TypeAlias = rtc.Sent
DownlinkEvent: TypeAlias = rtc.Received


@define(frozen=True, kw_only=True)
class UnknownEvent:
    """An event newer than this package."""

    event_type: str
    id: str | None
    data: Any
    """What came under `data`, as plain JSON data."""


def encode(event: Model) -> str:
    """An event as the text of an RTC message. Fields that are not set are left out, since the bot
    takes empty ones over.

    Source: signaling_uplink_event
    """
    return msgspec.json.encode(event.to_dict()).decode()


def parse(message: str | bytes) -> DownlinkEvent | UnknownEvent:
    """The event in a message of the bot.

    Raises:
        ResponseError: It is no event: no JSON object, or without `event_type`.

    Source: signaling_downlink_event
    """
    return _parse(message, DOWNLINK, rtc.ALIASES)  # type: ignore[no-any-return]  # the table holds models of that union


def parse_uplink(message: str | bytes) -> UplinkEvent | UnknownEvent:
    """The event in a message of a client, for programs that stand in for the bot.

    Raises:
        ResponseError: It is no event: no JSON object, or without `event_type`.

    Source: signaling_uplink_event
    """
    return _parse(message, UPLINK, {})  # type: ignore[no-any-return]


def _parse(
    message: str | bytes, table: Mapping[str, type[Model]], aliases: Mapping[str, str]
) -> Any:
    try:
        raw = msgspec.json.decode(message)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ResponseError(f"the message is no JSON ({type(error).__name__})") from None
    kind = raw.get("event_type") if isinstance(raw, dict) else None
    if not isinstance(kind, str) or not kind:
        raise ResponseError("the message is no event: it has no `event_type`")
    model = table.get(aliases.get(kind, kind))
    if model is None:
        found = raw.get("id")
        return UnknownEvent(
            event_type=kind, id=None if found is None else str(found), data=raw.get("data")
        )
    return model.from_dict(raw)


def error_of(event: m.RtcErrorEvent) -> APIError:
    """The error that an `error` event reports, of the same class as for a call with that code.

    4027 and 4028 are a QuotaExceededError: pay or wait. 4029 is a ConflictError: the room was
    closed after a long silence; make a new one, with a higher `longest_silence_ms`. None of them
    passes by sending again.

    Source: realtime_error_codes
    """
    data = event.data or m.RtcError()
    code = int(data.code) if isinstance(data.code, int) else None
    msg = data.msg or ""
    logid = data.detail.logid if data.detail is not None else None
    text = f"real-time call: code {code}: {msg or 'no reason given'}" + (
        f" (logid {logid})" if logid else ""
    )
    return classify(CODES, code, None, msg)(text, code=code, msg=msg, logid=logid)
