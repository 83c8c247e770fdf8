"""The socket as bytes: its address, and events to frames and back. Nothing here waits."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from types import ModuleType
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import msgspec
from attrs import define

from coze_runtime.models import Model
from coze_runtime.operation import Operation, Socket
from coze_runtime.serialization.codec import decode_event
from coze_runtime.serialization.codec import encode as encode_json
from coze_runtime.serialization.convert import to_wire
from coze_runtime.types import DriftHook

from ..errors import APITimeoutError, ArgumentError, WebSocketError

_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


class WebSocketTimeout(WebSocketError, APITimeoutError):
    """No event came, or none could be sent, for the time that was allowed. The socket stays
    open.
    """

    sent = True


@define(frozen=True, kw_only=True)
class UnknownEvent:
    """An event newer than this package, or a frame that is no event."""

    event_type: str
    """Its name as it came; empty for a frame that is no event."""
    id: str | None = None
    data: Any = None
    """What came under `data`, as plain JSON data."""
    detail: Any = None
    raw: bytes = b""
    """The frame as it came."""


@define(frozen=True, kw_only=True)
class Reconnected:
    """The connection was lost and made anew; made here, never sent by the server. What was under
    way is lost.
    """

    event_type: str = "reconnected"
    attempts: int = 1
    """How many attempts it took."""


class Spec(NamedTuple):
    """What the description says of one socket."""

    socket: Socket
    send: Mapping[str, type[Model]]
    receive: Mapping[str, type[Model]]

    @classmethod
    def of(cls, module: ModuleType) -> Spec:
        """The spec out of a generated module of `coze_openapi.events`."""
        return cls(module.SOCKET, module.SEND, module.RECEIVE)

    @property
    def operation(self) -> Operation:
        """The handshake as an operation, for errors and headers."""
        return Operation(self.socket.id, "GET", self.socket.path, page=self.socket.page)


def address(url: str) -> str:
    """The address of a socket for the address that an HTTP call would have.

    `http` becomes `ws` and `https` `wss`. At Coze itself the sockets are on a host of their own:
    `api.` (or `api-`) at the beginning of the name becomes `ws.`. Every other host, with its port
    and path, is kept.

    Raises:
        ArgumentError: It is no http, https, ws or wss address.

    Source: pages tts_api, asr_api, streaming_chat_api
    """
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise ArgumentError(f"{url!r} is no http, https, ws or wss address", argument="base_url")
    netloc = parts.netloc
    host = parts.hostname
    if host.startswith(("api.", "api-")) and host.endswith((".coze.cn", ".coze.com")):
        netloc = "ws" + netloc[len("api") :]
    return urlunsplit((_SCHEMES[parts.scheme], netloc, parts.path, parts.query, ""))


def encode(event: Model | Mapping[str, Any], spec: Spec) -> str:
    """An event as the text of a frame. It gets an id when it has none.

    Raises:
        ArgumentError: It is no event that a client sends to this socket, or cannot be written as
            JSON.
    """
    if isinstance(event, Model):
        expected = spec.send.get(str(getattr(event, "event_type", "")))
        if expected is None or not isinstance(event, expected):
            known = ", ".join(spec.send)
            raise ArgumentError(
                f"{type(event).__name__} is not sent to {spec.socket.path}; these are: {known}",
                argument="event",
            )
        plain = to_wire(event)
    else:
        if not isinstance(event.get("event_type"), str):
            raise ArgumentError("an event has an `event_type`", argument="event")
        plain = event
    return encode_json({"id": uuid.uuid4().hex, **plain}).decode()


class _Head(msgspec.Struct):
    event_type: str


_head = msgspec.json.Decoder(_Head)


def decode(frame: bytes, spec: Spec, on_drift: DriftHook | None = None) -> Any:
    """The event in a frame: the model of its type, or `UnknownEvent`. Nothing that a server sends
    makes this fail.
    """
    try:
        kind = _head.decode(frame).event_type
        model = spec.receive.get(kind)
        if model is not None:
            return decode_event(frame, model, spec.operation, on_drift)
        plain = msgspec.json.decode(frame)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return UnknownEvent(event_type="", raw=frame)
    found = plain.get("id")
    return UnknownEvent(
        event_type=kind,
        id=None if found is None else str(found),
        data=plain.get("data"),
        detail=plain.get("detail"),
        raw=frame,
    )


def error_of(event: Any) -> WebSocketError:
    """The error that an `error` event reports."""
    data, detail = getattr(event, "data", None), getattr(event, "detail", None)
    code, msg, logid = (
        getattr(data, "code", None),
        getattr(data, "msg", None) or "",
        getattr(detail, "logid", None),
    )
    code = code if isinstance(code, int) else None
    return WebSocketError(
        f"the server reports error {code}: {msg} (logid {logid})", code=code, msg=msg, logid=logid
    )
