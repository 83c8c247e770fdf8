"""What a socket needs of the client that makes it."""

from __future__ import annotations

from typing import Protocol

from coze_runtime.auth import AsyncTokenClient, SyncTokenClient
from coze_runtime.calls.settings import Settings


class SyncSocketClient(SyncTokenClient, Protocol):
    """A client for threads."""

    @property
    def settings(self) -> Settings:
        """Where the service is, who asks, and what goes with every request."""
        ...


class AsyncSocketClient(AsyncTokenClient, Protocol):
    """A client for tasks."""

    @property
    def settings(self) -> Settings:
        """Where the service is, who asks, and what goes with every request."""
        ...
