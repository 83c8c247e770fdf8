"""Voice sockets: the handshake, frames in and out, and what all sessions share. One module per
socket says what happens on it.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from starlette.datastructures import QueryParams
from starlette.websockets import WebSocket, WebSocketDisconnect

from . import answers, failures
from .answers import Refusal
from .description import Schema
from .socket_settings import defaults, in_force
from .store import Record, World

if TYPE_CHECKING:
    from .app import LocalCoze

Handler = Callable[[Record], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class SeenFrame:
    """An event on a voice socket."""

    socket: str
    """Id of the socket, such as `websockets_chat`."""
    received: bool
    """Whether the client sent it."""
    event: Record = field(repr=False)
    logid: str = ""
    """Log id of the connection."""


class Gone(Exception):
    """The connection has ended."""


class Session:
    """One connection. A subclass names its socket and its handlers: event type → coroutine function
    that takes `data`.
    """

    socket: ClassVar[str]
    settings_of: ClassVar[str]
    """Name of the schema of the settings."""

    def __init__(
        self, local: LocalCoze, websocket: WebSocket, rule: failures.Rule | None = None
    ) -> None:
        self.world: World = local.world
        self.query: QueryParams = websocket.query_params
        self.settings: Record = defaults(self.world.description, self._settings_schema)
        self._local = local
        self._websocket = websocket
        self._logid: str = websocket.scope["logid"]
        self._rule = rule
        self._sent = 0
        self._schemas: Mapping[str, Schema] = self.world.description.sockets[self.socket]["send"]

    @property
    def _settings_schema(self) -> Schema:
        return {"$ref": f"#/components/schemas/{self.settings_of}"}

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """What the client may send."""
        raise NotImplementedError

    async def opened(self) -> bool:
        """Says that the connection is ready; False ends it."""
        raise NotImplementedError

    async def closed(self) -> None:
        """Ends what is still running."""

    async def run(self) -> None:
        """From the accepted handshake to the end."""
        try:
            if self._rule is not None and self._rule.keepalive:
                while (await self._websocket.receive())["type"] != "websocket.disconnect":
                    pass
                return
            if not await self.opened():
                await self._websocket.close()
                return
            while True:
                await self._take(await self._websocket.receive())
        except (Gone, WebSocketDisconnect):
            return
        finally:
            await self.closed()

    async def _take(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "websocket.disconnect":
            raise Gone
        try:
            event = self._read(message.get("text"))
            await self.handlers[event["event_type"]](event.get("data") or {})
        except Refusal as refusal:
            await self.fail(refusal)

    def _read(self, text: str | None) -> Record:
        if text is None:
            raise Refusal(
                4000, "Request parameter error: an event is one text frame with a JSON object"
            )
        try:
            event = json.loads(text)
        except ValueError:
            raise Refusal(4000, "Request parameter error: the frame is not JSON") from None
        kind = event.get("event_type") if isinstance(event, dict) else None
        if not isinstance(kind, str) or kind not in self._schemas:
            raise Refusal(
                4000, f"Request parameter error: event_type {kind!r} is unknown on this socket"
            )
        self._local.frames.append(SeenFrame(self.socket, True, event, self._logid))
        schema = self._schemas[kind]
        self._local.validator.check(f"{self.socket} {kind}", schema, event, "event")
        data = self.world.description.properties(schema).get("data", {})
        if "data" not in event and self.world.description.resolve(data).get("required"):
            raise Refusal(4000, "Request parameter error: event.data is required")
        found: Record = event
        return found

    async def update(
        self, data: Record, answer: str, check: Callable[[Record], None] | None = None
    ) -> None:
        """Takes over settings and says which are in force; all or none.

        Raises:
            Refusal: A setting is refused.
        """
        found = in_force(self.world.description, self._settings_schema, self.settings, data)
        if check:
            check(found)
        self.settings = found
        await self.send(answer, found)

    async def send(self, kind: str, data: Record | None = None) -> None:
        """Sends an event.

        Raises:
            Gone: The client has left, or a failure rule cuts the connection here.
        """
        event: Record = {"id": str(uuid.uuid4()), "event_type": kind}
        if data is not None:
            event["data"] = data
        event["detail"] = {"logid": self._logid, "respond_at": str(int(self.world.time() * 1000))}
        if self._rule is not None:
            if self._rule.delay:
                await asyncio.sleep(self._rule.delay)
            if 0 <= self._rule.cut <= self._sent:
                raise Gone
        self._sent += 1
        self._local.frames.append(SeenFrame(self.socket, False, event, self._logid))
        try:
            await self._websocket.send_text(answers.compact(event))
        except (WebSocketDisconnect, RuntimeError) as error:
            raise Gone from error

    async def fail(self, refusal: Refusal) -> None:
        """Sends an `error` event; the connection stays."""
        await self.send("error", {"code": refusal.code, "msg": refusal.msg})


def sound_of(data: Record) -> bytes:
    """The bytes of an audio event.

    Raises:
        Refusal: They are no base64.
    """
    try:
        return base64.b64decode(data["delta"], validate=True)
    except (binascii.Error, ValueError):
        raise Refusal(4000, "Request parameter error: event.data.delta is no base64") from None


def text_of(sound: bytes) -> str:
    """Sound as it stands in events."""
    return base64.b64encode(sound).decode()


def endpoint(local: LocalCoze, session: type[Session]) -> Callable[[WebSocket], Awaitable[None]]:
    """The endpoint of a socket."""

    async def serve(websocket: WebSocket) -> None:
        logid: str = websocket.scope["logid"]
        local.note(session.socket, websocket)
        try:
            header = websocket.headers.get(failures.HEADER)
            rule = local.switch.rule_for("GET", websocket.url.path, session.socket, header)
            local.authenticate(
                websocket.headers.get("authorization")
                or websocket.query_params.get("authorization", ""),
                "GET",
            )
        except ValueError as error:
            await websocket.send_denial_response(
                answers.refused(Refusal(4000, str(error), status=400), logid)
            )
            return
        except Refusal as refusal:
            await websocket.send_denial_response(answers.refused(refusal, logid))
            return
        if rule is not None and rule.answers:
            await websocket.send_denial_response(failures.response(rule, logid))
            return
        head = [
            (name.lower().encode(), value.encode())
            for name, value in answers.headers(logid).items()
        ]
        await websocket.accept(headers=head)
        await session(local, websocket, rule).run()

    return serve
