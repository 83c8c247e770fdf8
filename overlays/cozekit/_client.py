"""`Coze` and `AsyncCoze`: the generated clients with voice sockets."""

from __future__ import annotations

from coze_openapi.client import AsyncClient, Client
from coze_runtime import publish

from . import websockets as sockets


class Coze(Client):
    """The Coze client. Threads may share one; use it in a `with` block, or call `close`.

    ```python
    with Coze() as coze:
        for bot in coze.bots.list(workspace_id="…"):
            print(bot.name)
    ```
    """

    @property
    def websockets(self) -> sockets.WebSockets:
        """Voice sockets: speech, transcription, spoken dialogue; they need the extra `ws`."""
        return sockets.WebSockets(self)


class AsyncCoze(AsyncClient):
    """The async form of `Coze`, for asyncio and trio; use it in an `async with` block, or await
    `close`.

    One client may be used in several event loops, one after the other or in several threads: each
    has its own connections.
    """

    @property
    def websockets(self) -> sockets.AsyncWebSockets:
        """Voice sockets: speech, transcription, spoken dialogue; they need the extra `ws`, and
        asyncio.
        """
        return sockets.AsyncWebSockets(self)


publish(globals(), "cozekit")
