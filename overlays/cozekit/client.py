"""`Coze`: the generated sync client with voice sockets."""

from __future__ import annotations

from coze_openapi.client import Client

from . import websockets as sockets


class Coze(Client):
    """The Coze client. One may be shared by threads; use it in a `with` block, or call `close`.

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
