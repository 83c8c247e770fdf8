"""Scripted servers on loopback, and sync sockets used as if they were async, so that each test
holds for both kinds.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from cozekit import AsyncCoze, Coze
from cozekit.auth import Auth
from cozekit.websockets import AsyncWebSockets, SocketOptions

Script = Callable[[ServerConnection], None]


class Peer:
    """A server that follows a script on every connection."""

    def __init__(self, script: Script, **settings: Any) -> None:
        self.received: list[dict[str, Any]] = []
        self.requests: list[Any] = []
        self.connections: list[ServerConnection] = []
        self.released = threading.Event()
        self._script = script
        settings = {
            "ping_interval": None,
            "max_size": None,
            "compression": None,
            "close_timeout": 1,
            "port": 0,
            **settings,
        }
        self._server: Server = serve(self._serve, "127.0.0.1", **settings)
        self.port = self._server.socket.getsockname()[1]
        self.base_url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def _serve(self, connection: ServerConnection) -> None:
        self.requests.append(connection.request)
        self.connections.append(connection)
        with suppress(ConnectionClosed):
            self._script(connection)

    def take(self, connection: ServerConnection) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(connection.recv(timeout=10))
        self.received.append(event)
        return event

    def stop(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join(5)


def send(connection: ServerConnection, event_type: str, data: Any = None, **more: Any) -> None:
    event = {"id": "1", "event_type": event_type, **more}
    if data is not None:
        event["data"] = data
    connection.send(json.dumps(event))


def until_closed(connection: ServerConnection) -> None:
    while True:
        connection.recv()


class AwaitableSocket:
    """A socket of either kind, as if it were async."""

    def __init__(self, socket: Any, *, is_async: bool) -> None:
        self.socket = socket
        self.is_async = is_async

    def __getattr__(self, name: str) -> Any:
        member = getattr(self.socket, name)
        if self.is_async or name == "on" or not callable(member):
            return member
        return lambda *args, **kwargs: asyncio.to_thread(member, *args, **kwargs)

    @property
    def events(self) -> Any:
        """The queue of events: no program can see who waits and what is kept."""
        return self.socket._connection.events

    @property
    def frames_to_send(self) -> int:
        """Frames that wait to be sent, which no program can see."""
        return len(self.socket._connection.outgoing)

    async def __aenter__(self) -> AwaitableSocket:
        await (
            self.socket.__aenter__() if self.is_async else asyncio.to_thread(self.socket.__enter__)
        )
        return self

    async def __aexit__(self, *error: Any) -> None:
        await (
            self.socket.__aexit__(*error)
            if self.is_async
            else asyncio.to_thread(self.socket.__exit__, *error)
        )

    async def __aiter__(self) -> AsyncIterator[Any]:
        async for item in over(self.socket, is_async=self.is_async):
            yield item


async def over(source: Any, *, is_async: bool) -> AsyncIterator[Any]:
    """The items of an iterable of either kind."""
    if is_async:
        async for item in source:
            yield item
        return
    iterator, end = iter(source), object()
    while (item := await asyncio.to_thread(next, iterator, end)) is not end:
        yield item


class SyncOrAsync:
    def __init__(self, name: str) -> None:
        self.is_async = name == "async"

    @asynccontextmanager
    async def resource(
        self, base_url: str, token: str | None = "tok", auth: Auth | None = None
    ) -> AsyncIterator[Any]:
        """`coze.websockets` of a client of this kind."""
        token = None if auth else token
        if self.is_async:
            async with AsyncCoze(token, auth=auth, base_url=base_url) as client:
                yield AsyncWebSockets(client)
        else:
            with Coze(token, auth=auth, base_url=base_url) as client:
                yield client.websockets

    def wrap(self, socket: Any) -> AwaitableSocket:
        return AwaitableSocket(socket, is_async=self.is_async)

    @asynccontextmanager
    async def open(
        self, base_url: str, kind: str = "speech", *args: Any, **options: Any
    ) -> AsyncIterator[AwaitableSocket]:
        async with self.resource(base_url) as resource:
            ws = self.wrap(getattr(resource, kind)(*args, options=SocketOptions(**options)))
            async with ws:
                yield ws

    async def collect(self, source: Any) -> list[Any]:
        return [item async for item in over(source, is_async=self.is_async)]

    async def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await (
            function(*args, **kwargs)
            if self.is_async
            else asyncio.to_thread(function, *args, **kwargs)
        )
