"""What the apps that sign users in have in common: hosts, requests without a token, refresh, and a source of tokens for clients."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from coze_openapi.client import DEFAULT_BASE_URL, BaseClient

from ..errors import OAuthError
from .base import Auth
from .clock import SYSTEM, Clock
from .failures import needed, token_of
from .life import RenewedAuth, token_options
from .model import Guarded, Token
from .regions import at
from .stores import MemoryStore

if TYPE_CHECKING:
    from coze_openapi import AsyncClient, Client
    from coze_openapi.types import Request, Response

    from .stores import AnyStore

T = TypeVar("T")


class NoToken(Auth):
    """For clients that only call the sign-in endpoints."""


class OAuthApp(Guarded):
    """An app of the console that acts for users who agree. The methods that send take `client=` to use its connections and proxies;
    without it they open a connection of their own for the call.
    """

    def __init__(self, client_id: str, *, base_url: str | None = None, www_url: str | None = None, clock: Clock = SYSTEM) -> None:
        self.client_id = needed("client_id", client_id)
        self._own_base_url = base_url or None
        hosts = BaseClient(base_url=base_url or os.environ.get("COZE_API_BASE") or DEFAULT_BASE_URL, www_url=www_url)
        self.base_url: str = hosts.base_url
        """Where the API is: that of the argument, of COZE_API_BASE, or https://api.coze.cn."""
        self.www_url: str = hosts.www_url
        """Where the pages for users are: that of the argument, or the base URL with `www.` in place of `api.`."""
        self._clock = clock

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.client_id} at {self.base_url}>"

    def _authorization(self) -> str | None:
        """The header that proves the app; public apps have none."""
        return None

    def auth(self, token: Token | AnyStore) -> UserAuth:
        """A source of tokens for `Coze(auth=…)` and `AsyncCoze(auth=…)`: the user's token, refreshed for as long as the service allows.

        Args:
            token: The user's token, or the store that holds it. With a token alone the session ends with the process, because a
                refresh token works once.
        """
        return UserAuth(self, MemoryStore(token) if isinstance(token, Token) else token, base_url=self._own_base_url, clock=self._clock)

    def refresh(self, token: Token, *, client: Client | None = None) -> Token:
        """A new token for an old one, whose refresh token is spent by it: store the new one at once. `auth` does both by itself.

        Raises:
            OAuthError: The refresh token was used, has ended (30 days) or was withdrawn: sign in anew.
            APIConnectionError: No answer came; the old refresh token may be spent or not, so try it once more.
        """
        return self._token(self._refresh_request(token), client, token)

    async def refresh_async(self, token: Token, *, client: AsyncClient | None = None) -> Token:
        """The async form of `refresh`."""
        return await self._token_async(self._refresh_request(token), client, token)

    def _refresh_request(self, token: Token | None) -> Request:
        from coze_openapi.api.oauth import token as operation

        if token is None:
            raise OAuthError("the token store is empty: nobody has signed in", error="login_required")
        if not token.refresh_token:
            raise OAuthError("the token has ended and came without a refresh token; sign in anew", error="login_required")
        return operation.build(
            authorization=self._authorization(),
            grant_type="refresh_token",
            client_id=self.client_id,
            refresh_token=token.refresh_token,
        )

    def _token(self, request: Request, client: Client | None, previous: Token | None = None) -> Token:
        return self._ask(request, lambda answer: token_of(request, answer, self._clock.time(), previous), client)

    async def _token_async(self, request: Request, client: AsyncClient | None, previous: Token | None = None) -> Token:
        return await self._ask_async(request, lambda answer: token_of(request, answer, self._clock.time(), previous), client)

    def _ask(self, request: Request, parse: Callable[[Response], T], client: Client | None) -> T:
        if client is not None:
            return at(client, self._own_base_url)._call(request, parse, token_options(client))
        from ..client import Coze

        with Coze(auth=NoToken(), base_url=self.base_url) as own:
            return own._call(request, parse, token_options(own))

    async def _ask_async(self, request: Request, parse: Callable[[Response], T], client: AsyncClient | None) -> T:
        if client is not None:
            return await at(client, self._own_base_url)._call(request, parse, token_options(client))
        from ..client import AsyncCoze

        async with AsyncCoze(auth=NoToken(), base_url=self.base_url) as own:
            return await own._call(request, parse, token_options(own))


class UserAuth(RenewedAuth):
    """The token of one signed-in user, made by `OAuthApp.auth`."""

    def __init__(self, app: OAuthApp, store: AnyStore, *, base_url: str | None = None, clock: Clock = SYSTEM) -> None:
        super().__init__(base_url=base_url, store=store, clock=clock)
        self._app = app

    def _request(self, stored: Token | None, base_url: str) -> Request:
        return self._app._refresh_request(stored)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._app!r}>"
