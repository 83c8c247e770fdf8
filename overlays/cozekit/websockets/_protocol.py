"""Encodes, decodes and matches the events of the four sockets, and creates their errors.
Does no I/O.
"""

from __future__ import annotations

import base64
import binascii
import difflib
import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import msgspec
from attrs import define

from coze_openapi.events import (
    websockets_chat,
    websockets_simult_interpretation,
    websockets_speech,
    websockets_transcriptions,
)
from coze_runtime import publish
from coze_runtime.models import Model
from coze_runtime.operation import Socket
from coze_runtime.serialization.codec import decode_event
from coze_runtime.serialization.codec import encode as encode_json
from coze_runtime.serialization.convert import read_json, to_wire
from coze_runtime.types import DriftHook

from ..errors import APITimeoutError, ArgumentError, ResponseError, WebSocketError

EVERY_EVENT = "*"
"""Registers a handler for every event."""


class WebSocketTimeout(WebSocketError, APITimeoutError):
    """No event arrived, or none could be sent, in time. The socket stays open."""

    sent = True


@define(frozen=True, kw_only=True)
class UnknownEvent:
    """An event that this version of the package does not know, or a frame that is not an event."""

    event_type: str
    """Name of the event; empty for a frame that is not an event."""
    id: str | None = None
    data: Any = None
    """Content of `data`, as plain JSON data."""
    detail: Any = None
    raw: bytes = b""
    """The frame as received."""


@define(frozen=True, kw_only=True)
class Reconnected:
    """The connection was lost and restored. This event comes from the package, not from the server.
    Unfinished answers are lost.
    """

    event_type: str = "reconnected"
    attempts: int = 1
    """Number of attempts it took."""


SPEECH = websockets_speech.SOCKET
TRANSCRIPTIONS = websockets_transcriptions.SOCKET
CHAT = websockets_chat.SOCKET
SIMULT_INTERPRETATION = websockets_simult_interpretation.SOCKET

SpeechEvent: TypeAlias = websockets_speech.Received | UnknownEvent | Reconnected
TranscriptionsEvent: TypeAlias = websockets_transcriptions.Received | UnknownEvent | Reconnected
ChatSocketEvent: TypeAlias = websockets_chat.Received | UnknownEvent | Reconnected
SimultInterpretationEvent: TypeAlias = (
    websockets_simult_interpretation.Received | UnknownEvent | Reconnected
)


def event_type_of(event: Model | Mapping[str, Any]) -> str:
    """Returns the name of an event, or an empty string if it has none."""
    name: object = getattr(event, "event_type", None)
    if isinstance(event, Mapping):
        name = event.get("event_type")
    return name if isinstance(name, str) else ""


def encode(event: Model | Mapping[str, Any], spec: Socket) -> str:
    """Encodes an event as the text of a frame. Adds an id if it has none.

    Raises:
        ArgumentError: The socket does not accept this event from clients, or it cannot be encoded
            as JSON.
    """
    if isinstance(event, Model):
        model = spec.send.get(event_type_of(event))
        if model is None or not isinstance(event, model):
            raise ArgumentError(
                f"{spec.path} does not accept {type(event).__name__}; "
                f"send one of: {', '.join(spec.send)}",
                argument="event",
            )
        fields: Mapping[str, Any] = to_wire(event)
    elif event_type_of(event):
        fields = event
    else:
        raise ArgumentError("an event needs an `event_type`", argument="event")
    return encode_json({"id": uuid.uuid4().hex, **fields}).decode()


class _EventType(msgspec.Struct):
    event_type: str


_event_type = msgspec.json.Decoder(_EventType)


def _type_of_frame(frame: bytes) -> str:
    try:
        return _event_type.decode(frame).event_type
    except (ValueError, RecursionError):
        fields = read_json(frame)
        event_type = fields.get("event_type") if isinstance(fields, dict) else None
        if not isinstance(event_type, str):
            raise ValueError("the frame has no event type") from None
        return event_type


def decode(frame: bytes, spec: Socket, on_drift: DriftHook | None = None) -> Any:
    """Decodes a frame to the model of its event. Invalid frames become an `UnknownEvent`."""
    try:
        event_type = _type_of_frame(frame)
        model = spec.receive.get(event_type)
        if model is not None:
            return decode_event(frame, model, spec.operation, on_drift)
        fields = read_json(frame)
    except ValueError:
        return UnknownEvent(event_type="", raw=frame)
    event_id = fields.get("id")
    return UnknownEvent(
        event_type=event_type,
        id=None if event_id is None else str(event_id),
        data=fields.get("data"),
        detail=fields.get("detail"),
        raw=frame,
    )


def audio_of(event: Any) -> bytes:
    """Returns the audio of an event, from `delta` or the `content` of a message. A piece may end in
    the middle of a sample, so join the pieces first.

    Args:
        event: An event of a voice socket; without audio the result is empty.

    Raises:
        ResponseError: The audio is not valid Base64.
    """
    data = getattr(event, "data", None)
    text = getattr(data, "delta", None) or getattr(data, "content", None) or ""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise ResponseError(
            f"the audio of {getattr(event, 'event_type', 'the event')} is not valid Base64"
        ) from None


def event_error(event: Any) -> WebSocketError:
    """The error that an `error` event reports."""
    data = getattr(event, "data", None)
    code, msg = getattr(data, "code", None), getattr(data, "msg", None) or ""
    code = code if isinstance(code, int) else None
    logid = getattr(getattr(event, "detail", None), "logid", None)
    return WebSocketError(
        f"the server reports error {code}: {msg} (logid {logid})", code=code, msg=msg, logid=logid
    )


def closed_error() -> WebSocketError:
    """The error for using a socket that the program closed."""
    return WebSocketError("the socket was closed by this program")


def connection_lost(socket_id: str, closed: Any, fault: str | None) -> WebSocketError:
    """The error for a connection that ended; `fault` says why this side aborted it."""
    received, sent = closed.rcvd, closed.sent
    if received is not None:
        return WebSocketError(
            f"{socket_id}: the server closed the socket, code {received.code} "
            f"{received.reason}".rstrip(),
            code=received.code,
            msg=received.reason,
        )
    sent_reason = f"{sent.code} {sent.reason}".strip() if sent else ""
    cause = fault or sent_reason or str(closed.__cause__ or "unexpected end")
    return WebSocketError(
        f"{socket_id}: the connection was lost: {cause}", code=sent.code if sent else None
    )


def matcher(selector: object, spec: Socket) -> Callable[[Any], bool]:
    """Returns a predicate for events: by name, by class, or any of several in a tuple.

    Raises:
        ArgumentError: The server does not send this event on this socket.
    """
    if isinstance(selector, tuple | list | set | frozenset):
        if not selector:
            raise ArgumentError("name at least one event", argument="event")
        matches = [matcher(item, spec) for item in selector]
        return lambda event: any(match(event) for match in matches)
    if selector == EVERY_EVENT:
        return lambda event: True
    if isinstance(selector, str):
        name = _known_name(selector, spec)
        return lambda event: bool(event.event_type == name)
    classes: set[object] = {*spec.receive.values(), UnknownEvent, Reconnected, Model}
    if not isinstance(selector, type) or selector not in classes:
        raise ArgumentError(f"{selector!r} is not an event of {spec.path}", argument="event")
    return lambda event: isinstance(event, selector)


def _known_name(name: str, spec: Socket) -> str:
    """Checks the name of an event, since a handler for a misspelt one would never be called."""
    name = str(name)
    if name not in spec.receive and name != "reconnected":
        similar = difflib.get_close_matches(name, spec.receive, 1)
        hint = f"; did you mean {similar[0]!r}?" if similar else "."
        raise ArgumentError(
            f"{spec.path} has no event {name!r}{hint} Events that this package does "
            "not know arrive as UnknownEvent",
            argument="event",
        )
    return name


publish(globals(), "cozekit.websockets", "WebSocketTimeout", "UnknownEvent", "Reconnected")
