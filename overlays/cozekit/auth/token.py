"""Tokens that somebody else takes care of: personal and service access tokens, and functions that
return one.

Sources: https://www.coze.cn/open/docs/developer_guides/pat,
    https://www.coze.cn/open/docs/developer_guides/service_token
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction

from coze_runtime.auth import AsyncTokenClient, Auth, SyncTokenClient, checked_token

from ..errors import ArgumentError


class TokenCallback(Auth):
    """A function that returns the token for the next request, for tokens that live in a vault or
    another process.

    It is called before every request, so it should remember what it fetched. After a refusal it is
    called again, and the request is sent once more when another token comes. Under AsyncCoze it
    runs in a worker thread, as it may block.
    """

    renewable = True

    def __init__(self, function: Callable[[], str]) -> None:
        """Keeps the function; it is not called yet.

        Args:
            function: Returns the token for the next request. Takes no arguments; may block.

        Raises:
            ArgumentError: It is a coroutine function.
        """
        if iscoroutinefunction(function):
            raise ArgumentError(
                "the function is a coroutine function; use AsyncTokenCallback", argument="function"
            )
        self._function = function

    def token(self, client: SyncTokenClient) -> str:
        """The token that the function returns now.

        Args:
            client: The client that needs it; not used.

        Raises:
            ArgumentError: The function did not return a usable token.
        """
        return checked_token(self._function())

    async def token_async(self, client: AsyncTokenClient) -> str:
        """The token that the function returns now; it runs in a worker thread.

        Args:
            client: The client that needs it; not used.

        Raises:
            ArgumentError: The function did not return a usable token.
        """
        from anyio.to_thread import run_sync

        return checked_token(await run_sync(self._function))

    def renew(self, client: SyncTokenClient, rejected: str) -> bool:
        """Calls the function again. Returns True when another token came.

        Args:
            client: The client that needs it; not used.
            rejected: The access token that the service refused.
        """
        return self.token(client) != rejected

    async def renew_async(self, client: AsyncTokenClient, rejected: str) -> bool:
        """Calls the function again, in a worker thread. Returns True when another token came.

        Args:
            client: The client that needs it; not used.
            rejected: The access token that the service refused.
        """
        return await self.token_async(client) != rejected


class AsyncTokenCallback(Auth):
    """The form of `TokenCallback` for a coroutine function; works with AsyncCoze."""

    renewable = True

    def __init__(self, function: Callable[[], Awaitable[str]]) -> None:
        """Keeps the function; it is not called yet.

        Args:
            function: Coroutine function that returns the token for the next request. Takes no
                arguments.
        """
        self._function = function

    async def token_async(self, client: AsyncTokenClient) -> str:
        """The token that the function returns now.

        Args:
            client: The client that needs it; not used.

        Raises:
            ArgumentError: The function did not return a usable token.
        """
        return checked_token(await self._function())

    async def renew_async(self, client: AsyncTokenClient, rejected: str) -> bool:
        """Calls the function again. Returns True when another token came.

        Args:
            client: The client that needs it; not used.
            rejected: The access token that the service refused.
        """
        return await self.token_async(client) != rejected
