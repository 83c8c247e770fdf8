"""Tokens that somebody else takes care of: personal and service access tokens, and functions that return one.

Sources: https://www.coze.cn/open/docs/developer_guides/pat, https://www.coze.cn/open/docs/developer_guides/service_token
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING

from ..errors import ArgumentError
from .base import Auth, checked_token

if TYPE_CHECKING:
    from coze_openapi import AsyncClient, Client


class StaticToken(Auth):
    """A personal or service access token."""

    def __init__(self, token: str) -> None:
        self._token = checked_token(token)

    def token(self, client: Client) -> str:
        """The token, as it is now."""
        return self._token

    async def token_async(self, client: AsyncClient) -> str:
        """The token, as it is now."""
        return self._token


class TokenCallback(Auth):
    """A function that returns the token for the next request, for tokens that live in a vault or another process.

    It is called before every request, so it should remember what it fetched. After a refusal it is called again, and the
    request is sent once more when another token comes. Under AsyncCoze it runs in a worker thread, as it may block.
    """

    renewable = True

    def __init__(self, function: Callable[[], str]) -> None:
        if iscoroutinefunction(function):
            raise ArgumentError("the function is a coroutine function; use AsyncTokenCallback", argument="function")
        self._function = function

    def token(self, client: Client) -> str:
        """The token, as it is now."""
        return checked_token(self._function())

    async def token_async(self, client: AsyncClient) -> str:
        """The token, as it is now."""
        from anyio.to_thread import run_sync

        return checked_token(await run_sync(self._function))

    def renew(self, client: Client, rejected: str) -> bool:
        """Asks the function once more; True when another token came."""
        return self.token(client) != rejected

    async def renew_async(self, client: AsyncClient, rejected: str) -> bool:
        """Asks the function once more; True when another token came."""
        return await self.token_async(client) != rejected


class AsyncTokenCallback(Auth):
    """The form of `TokenCallback` for a coroutine function; works with AsyncCoze."""

    renewable = True

    def __init__(self, function: Callable[[], Awaitable[str]]) -> None:
        self._function = function

    async def token_async(self, client: AsyncClient) -> str:
        """The token, as it is now."""
        return checked_token(await self._function())

    async def renew_async(self, client: AsyncClient, rejected: str) -> bool:
        """Asks the function once more; True when another token came."""
        return await self.token_async(client) != rejected
