"""`AsyncCoze`: the generated async client with voice sockets."""

from __future__ import annotations

from coze_openapi.async_client import AsyncClient

from . import websockets as sockets


class AsyncCoze(AsyncClient):
    """The async form of `Coze`, for asyncio and trio; use it in an `async with` block, or await
    `close`.

    One client may be used in several event loops, one after the other or in several threads: each
    has connections of its own.
    """

    @property
    def websockets(self) -> sockets.AsyncWebSockets:
        """Voice sockets: speech, transcription, spoken dialogue; they need the extra `ws`, and
        asyncio.
        """
        return sockets.AsyncWebSockets(self)
