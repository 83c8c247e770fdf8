"""What the apps that sign users in have in common: hosts, requests without a token, refresh, and a
source of tokens for clients.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

from coze_openapi.errors import SERVICE
from coze_runtime.auth import AsyncTokenClient, Auth, SyncTokenClient
from coze_runtime.calls.settings import checked_url
from coze_runtime.calls.settings import www_url as www_url_of
from coze_runtime.operation import Request, Response

from ..errors import OAuthError
from .clock import SYSTEM, Clock
from .failures import needed, token_of
from .life import RenewedAuth, token_options
from .model import Guarded, Token
from .regions import at
from .stores import AnyStore, MemoryStore

T = TypeVar("T")


class NoToken(Auth):
    """For clients that only call the sign-in endpoints."""


class OAuthApp(Guarded):
    """An app of the console that acts for users who agree. The methods that send take `client=` to
    use its connections and proxies; without it they open a connection of their own for the call.
    """

    def __init__(
        self,
        client_id: str,
        *,
        base_url: str | None = None,
        www_url: str | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        """Settings of the app; nothing is sent yet.

        Args:
            client_id: Id of the app, from the console.
            base_url: Base URL of the API, such as https://api.coze.com for apps of the
                international site. None takes that of the client that is used, or without one
                COZE_API_BASE or https://api.coze.cn.
            www_url: Base URL of the sign-in pages; None derives it from `base_url`.
            clock: Source of the time; replace it in tests only.

        Raises:
            OAuthSetupError: `client_id` is empty.
            ArgumentError: A URL is not an http or https address.
        """
        self.client_id = needed("client_id", client_id)
        self._own_base_url = base_url or None
        given = base_url or os.environ.get(SERVICE.base_url_variable) or SERVICE.servers[0]
        self.base_url: str = checked_url(given)
        """Where the API is: that of the argument, of COZE_API_BASE, or https://api.coze.cn."""
        self.www_url: str = checked_url(www_url) if www_url else www_url_of(self.base_url)
        """Where the pages for users are: that of the argument, or the base URL with `www.` in place
        of `api.`.
        """
        self._clock = clock

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.client_id} at {self.base_url}>"

    def _authorization(self) -> str | None:
        """The header that proves the app; public apps have none."""
        return None

    def auth(self, token: Token | AnyStore) -> UserAuth:
        """A source of tokens for `Coze(auth=…)` and `AsyncCoze(auth=…)`: the user's token,
        refreshed for as long as the service allows.

        Args:
            token: The user's token, or the store that holds it. With a token alone the session ends
                with the process, because a refresh token works once.
        """
        return UserAuth(
            self,
            MemoryStore(token) if isinstance(token, Token) else token,
            base_url=self._own_base_url,
            clock=self._clock,
        )

    def refresh(self, token: Token, *, client: SyncTokenClient | None = None) -> Token:
        """A new token for an old one. This uses up the old refresh token, so store the new one at
        once; `auth` does both by itself.

        Args:
            token: The token to replace; it must have a refresh token.
            client: `Coze` client whose connections and proxies are used; None opens a connection
                for this call alone.

        Raises:
            OAuthError: The refresh token is missing, was used before, expired (30 days) or was
                revoked: the user has to sign in again.
            APIConnectionError: The server could not be reached or did not respond in time. The old
                refresh token may or may not be used up; try again once.
        """
        return self._token(self._refresh_request(token), client, token)

    async def refresh_async(self, token: Token, *, client: AsyncTokenClient | None = None) -> Token:
        """A new token for an old one. This uses up the old refresh token, so store the new one at
        once; `auth` does both by itself.

        Args:
            token: The token to replace; it must have a refresh token.
            client: `AsyncCoze` client whose connections and proxies are used; None opens a
                connection for this call alone.

        Raises:
            OAuthError: The refresh token is missing, was used before, expired (30 days) or was
                revoked: the user has to sign in again.
            APIConnectionError: The server could not be reached or did not respond in time. The old
                refresh token may or may not be used up; try again once.
        """
        return await self._token_async(self._refresh_request(token), client, token)

    def _refresh_request(self, token: Token | None) -> Request:
        from coze_openapi.api.oauth import token as operation

        if token is None:
            raise OAuthError(
                "the token store is empty: nobody has signed in", error="login_required"
            )
        if not token.refresh_token:
            raise OAuthError(
                "the token has ended and came without a refresh token; sign in anew",
                error="login_required",
            )
        return operation.build(
            authorization=self._authorization(),
            grant_type="refresh_token",
            client_id=self.client_id,
            refresh_token=token.refresh_token,
        )

    def _token(
        self, request: Request, client: SyncTokenClient | None, previous: Token | None = None
    ) -> Token:
        return self._ask(
            request, lambda answer: token_of(request, answer, self._clock.time(), previous), client
        )

    async def _token_async(
        self, request: Request, client: AsyncTokenClient | None, previous: Token | None = None
    ) -> Token:
        return await self._ask_async(
            request, lambda answer: token_of(request, answer, self._clock.time(), previous), client
        )

    def _ask(
        self, request: Request, parse: Callable[[Response], T], client: SyncTokenClient | None
    ) -> T:
        if client is not None:
            return at(client, self._own_base_url).execute(request, parse, token_options(client))
        from coze_openapi.client import Client

        with Client(auth=NoToken(), base_url=self.base_url) as own:
            return own.execute(request, parse, token_options(own))

    async def _ask_async(
        self, request: Request, parse: Callable[[Response], T], client: AsyncTokenClient | None
    ) -> T:
        if client is not None:
            return await at(client, self._own_base_url).execute(
                request, parse, token_options(client)
            )
        from coze_openapi.async_client import AsyncClient

        async with AsyncClient(auth=NoToken(), base_url=self.base_url) as own:
            return await own.execute(request, parse, token_options(own))


class UserAuth(RenewedAuth):
    """The token of one signed-in user, made by `OAuthApp.auth`."""

    def __init__(
        self, app: OAuthApp, store: AnyStore, *, base_url: str | None = None, clock: Clock = SYSTEM
    ) -> None:
        """Made by `OAuthApp.auth`.

        Args:
            app: The app that signed the user in and refreshes the token.
            store: Where the token is loaded from and saved to.
            base_url: Where to refresh; None asks where the client sends its calls.
            clock: Source of the time; replace it in tests only.
        """
        super().__init__(base_url=base_url, store=store, clock=clock)
        self._app = app

    def _request(self, stored: Token | None, base_url: str) -> Request:
        return self._app._refresh_request(stored)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._app!r}>"
