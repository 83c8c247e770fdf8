"""Voice sockets: the handshake, frames in and out, and what all sessions share. Each socket has a
module that says what happens on it.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar

from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from ..errors import ApiError, invalid_parameter
from ..http import failures, responses
from ..http.response_fields import deep_merge
from ..local_coze import LocalCoze, SeenFrame
from ..openapi.description import Schema
from ..state.store import Record, State
from .settings import check_limits, check_settings, default_settings

Handler = Callable[[Record], Awaitable[None]]
"""Handles an event; takes its `data`."""


class Disconnected(Exception):
    """The connection has ended."""


class Session:
    """One connection.

    Args:
        local: The local Coze.
        websocket: The connection.
        rule: How it fails.
    """

    socket: ClassVar[str]
    """Id of the socket."""
    settings_schema: ClassVar[str]
    """Name of the schema of the settings."""

    def __init__(
        self, local: LocalCoze, websocket: WebSocket, rule: failures.FailureRule | None = None
    ) -> None:
        self.state: State = local.state
        self.query: QueryParams = websocket.query_params
        self.table: Schema = local.description.sockets[self.socket]
        """Events and limits of the socket."""
        self._schema = {"$ref": f"#/components/schemas/{self.settings_schema}"}
        self._client_settings: Record = {}
        self.settings: Record = default_settings(local.description, self._schema)
        """The settings in force, defaults included."""
        self._local = local
        self._websocket = websocket
        self._logid: str = websocket.scope["logid"]
        self._rule = rule
        self._sent = 0

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """Client event → its handler."""
        raise NotImplementedError

    async def open(self) -> bool:
        """Tells that the connection is ready; False ends it."""
        raise NotImplementedError

    async def close(self) -> None:
        """Ends what is still running."""

    async def run(self) -> None:
        """Serves the connection from the accepted handshake to its end."""
        try:
            if self._rule is not None and self._rule.keepalive:
                while (await self._websocket.receive())["type"] != "websocket.disconnect":
                    pass
                return
            if not await self.open():
                await self._websocket.close()
                return
            while True:
                await self._handle(await self._websocket.receive())
        except (Disconnected, WebSocketDisconnect):
            return
        finally:
            await self.close()

    async def _handle(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "websocket.disconnect":
            raise Disconnected
        try:
            event = self._parse(message.get("text"))
            handler = self.handlers.get(event["event_type"])
            if handler is None:
                raise invalid_parameter(f"the local Coze does not handle {event['event_type']}")
            await handler(event.get("data") or {})
        except ApiError as error:
            await self.fail(error)

    def _parse(self, text: str | None) -> Record:
        if text is None:
            raise invalid_parameter("an event is one text frame with a JSON object")
        try:
            event = json.loads(text)
        except ValueError:
            raise invalid_parameter("the frame is not valid JSON") from None
        event_type = event.get("event_type") if isinstance(event, dict) else None
        schemas = self.table["send"]
        if not isinstance(event_type, str) or event_type not in schemas:
            raise invalid_parameter(f"event_type {event_type!r} is unknown on this socket")
        self._local.frames.append(SeenFrame(self.socket, True, event, self._logid))
        self._check(event_type, schemas[event_type], event)
        parsed: Record = event
        return parsed

    def _check(self, event_type: str, schema: Schema, event: Record) -> None:
        description = self._local.description
        self._local.validator.check(f"{self.socket} {event_type}", schema, event, "event")
        data_schema = description.properties(schema).get("data", {})
        if "data" not in event and description.resolve(data_schema).get("required"):
            raise invalid_parameter("event.data is required")
        # Settings are checked together with those that were set before.
        if event_type != self.table["settings"]:
            check_limits(description, data_schema, event.get("data"), "event.data")

    async def update_settings(self, data: Record, event_type: str) -> None:
        """Changes settings and tells which are in force; all or none.

        Args:
            data: What the client sets.
            event_type: The event that tells them.

        Raises:
            ApiError: A setting is beyond a limit.
        """
        settings = deep_merge(self._client_settings, data)
        limits = self.table["senders"][self.table["settings"]].get("limits", {})
        check_settings(self._local.description, self._schema, limits, settings)
        self._client_settings = settings
        self.settings = deep_merge(self.settings, data)
        await self.send(event_type, self.settings)

    async def send(self, event_type: str, data: Record | None = None) -> None:
        """Sends an event.

        Args:
            event_type: Its type.
            data: Its data.

        Raises:
            Disconnected: The client has left, or a failure rule cuts the connection here.
        """
        event: Record = {"id": str(uuid.uuid4()), "event_type": event_type}
        if data is not None:
            event["data"] = data
        event["detail"] = {"logid": self._logid, "respond_at": str(int(self.state.time() * 1000))}
        if self._rule is not None:
            if self._rule.delay:
                await asyncio.sleep(self._rule.delay)
            if 0 <= self._rule.cut <= self._sent:
                raise Disconnected
        self._sent += 1
        self._local.frames.append(SeenFrame(self.socket, False, event, self._logid))
        try:
            await self._websocket.send_text(responses.compact_json(event))
        except (WebSocketDisconnect, RuntimeError) as error:
            raise Disconnected from error

    async def fail(self, error: ApiError) -> None:
        """Sends an `error` event; the connection stays.

        Args:
            error: The error.
        """
        await self.send("error", {"code": error.code, "msg": error.msg})


def decoded_audio(data: Record) -> bytes:
    """The bytes of an audio event.

    Raises:
        ApiError: They are not valid base64.
    """
    try:
        return base64.b64decode(data["delta"], validate=True)
    except (binascii.Error, ValueError):
        raise invalid_parameter("event.data.delta is not valid base64") from None


def encoded_audio(sound: bytes) -> str:
    """Sound as it is in events."""
    return base64.b64encode(sound).decode()


def socket_endpoint(
    local: LocalCoze, session: type[Session]
) -> Callable[[WebSocket], Awaitable[None]]:
    """The endpoint of a voice socket.

    Args:
        local: The local Coze.
        session: What happens on the socket.
    """

    async def endpoint(websocket: WebSocket) -> None:
        local.record(session.socket, websocket)
        rule, denial = _admit(local, session.socket, websocket)
        if denial is not None:
            await websocket.send_denial_response(denial)
            return
        headers = responses.headers(websocket.scope["logid"]).items()
        await websocket.accept(
            headers=[(name.lower().encode(), value.encode()) for name, value in headers]
        )
        await session(local, websocket, rule).run()

    return endpoint


def _admit(
    local: LocalCoze, socket: str, websocket: WebSocket
) -> tuple[failures.FailureRule | None, Response | None]:
    """The failure rule of a connection, and the response if the handshake is rejected."""
    logid: str = websocket.scope["logid"]
    header = websocket.headers.get(failures.HEADER)
    authorization = websocket.headers.get("authorization")
    try:
        rule = local.failures.rule_for("GET", websocket.url.path, socket, header)
        local.authenticate(authorization or websocket.query_params.get("authorization", ""), "GET")
    except ValueError as error:
        return None, responses.failure(ApiError(4000, str(error), status=400), logid)
    except ApiError as error:
        return None, responses.failure(error, logid)
    if rule is not None and rule.replaces_response:
        return rule, failures.failure_response(rule, logid)
    return rule, None
