"""Base classes of the apps that sign users in: settings, requests to sign-in endpoints, refresh, a
token source for clients, and the redirect of the browser.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from functools import partial
from typing import TypeVar
from urllib.parse import urlencode, urlsplit

from coze_openapi.errors import SERVICE
from coze_runtime import publish
from coze_runtime.auth import AsyncTokenClient, Auth, NotPicklable, SyncTokenClient
from coze_runtime.calls.settings import checked_url
from coze_runtime.calls.settings import www_url as www_url_of
from coze_runtime.operation import Request

from ..errors import OAuthError
from ._concurrency import run_in_thread
from ._refresh import Reader, RefreshingAuth, send_token_request
from ._stores import AnyStore, MemoryStore
from ._token_response import OAuthSetupError, code_from_redirect, read_token, required
from ._values import SYSTEM, Authorization, Clock, Token

T = TypeVar("T")

LOGIN_TIMEOUT = 300.0
"""Seconds that a user has to finish the sign-in."""


class OAuthApp(NotPicklable):
    """An app that acts for users who have signed in. Methods that send take `client=` to use its
    connections and proxies; without it they open a connection for the call.
    """

    def __init__(
        self,
        client_id: str,
        *,
        base_url: str | None = None,
        www_url: str | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        """Stores the settings; nothing is sent yet.

        Args:
            client_id: Id of the app, from the console.
            base_url: Base URL of the API, such as https://api.coze.com for apps of the
                international site. None uses that of the client or, without a client,
                COZE_API_BASE or https://api.coze.cn.
            www_url: Base URL of the sign-in pages; None derives it from `base_url`.
            clock: Source of the time; replace it in tests only.

        Raises:
            OAuthSetupError: `client_id` is empty.
            ArgumentError: A URL is not an http or https address.
        """
        self.client_id = required("client_id", client_id)
        default_url = os.environ.get(SERVICE.base_url_variable) or SERVICE.servers[0]
        self.base_url: str = checked_url(base_url or default_url)
        """Base URL of the API: the argument, COZE_API_BASE, or https://api.coze.cn."""
        self.www_url: str = checked_url(www_url) if www_url else www_url_of(self.base_url)
        """Base URL of the sign-in pages: the argument, or `base_url` with `www.` for `api.`."""
        self._explicit_base_url = self.base_url if base_url else None
        self._clock = clock

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.client_id} at {self.base_url}>"

    def _authorization(self) -> str | None:
        """The header that authenticates the app; public apps have none."""
        return None

    def auth(self, token: Token | AnyStore) -> UserAuth:
        """Creates a token source for `Coze(auth=…)` and `AsyncCoze(auth=…)`: the user's token,
        refreshed for as long as the service allows.

        Args:
            token: The user's token, or the store that holds it. With a bare token the session ends
                with the process, because a refresh token works once.
        """
        return UserAuth(
            self,
            self._refresh_request,
            MemoryStore(token) if isinstance(token, Token) else token,
            base_url=self._explicit_base_url,
            clock=self._clock,
        )

    def refresh(self, token: Token, *, client: SyncTokenClient | None = None) -> Token:
        """Gets a new token for an old one. This uses up the old refresh token, so store the new
        token at once; `auth` does both automatically.

        Args:
            token: The token to replace; it must have a refresh token.
            client: `Coze` client whose connections and proxies are used; None opens a connection
                for this call alone.

        Raises:
            OAuthError: The refresh token is missing, used, revoked or expired (after 30 days): the
                user has to sign in again.
            APIConnectionError: The server could not be reached or did not respond in time. The old
                refresh token may be used up; try again once.
        """
        read = partial(read_token, previous=token)
        return self._send(self._refresh_request(token), read, client)

    async def refresh_async(self, token: Token, *, client: AsyncTokenClient | None = None) -> Token:
        """Gets a new token for an old one. This uses up the old refresh token, so store the new
        token at once; `auth` does both automatically.

        Args:
            token: The token to replace; it must have a refresh token.
            client: `AsyncCoze` client whose connections and proxies are used; None opens a
                connection for this call alone.

        Raises:
            OAuthError: The refresh token is missing, used, revoked or expired (after 30 days): the
                user has to sign in again.
            APIConnectionError: The server could not be reached or did not respond in time. The old
                refresh token may be used up; try again once.
        """
        read = partial(read_token, previous=token)
        return await self._send_async(self._refresh_request(token), read, client)

    def _refresh_request(self, token: Token | None) -> Request:
        from coze_openapi.api.oauth import token as operation

        if token is None:
            raise OAuthError(
                "the token store is empty: no user has signed in", error="login_required"
            )
        if not token.refresh_token:
            raise OAuthError(
                "the token has expired and has no refresh token; sign in again",
                error="login_required",
            )
        return operation.build(
            authorization=self._authorization(),
            grant_type="refresh_token",
            client_id=self.client_id,
            refresh_token=token.refresh_token,
        )

    def _send(self, request: Request, read: Reader[T], client: SyncTokenClient | None) -> T:
        if client is None:
            from coze_openapi.client import Client

            with Client(auth=Auth(), base_url=self.base_url) as temporary_client:
                return self._send(request, read, temporary_client)
        result: T = send_token_request(client, self._explicit_base_url, request, read, self._clock)
        return result

    async def _send_async(
        self, request: Request, read: Reader[T], client: AsyncTokenClient | None
    ) -> T:
        if client is None:
            from coze_openapi.client import AsyncClient

            async with AsyncClient(auth=Auth(), base_url=self.base_url) as temporary_client:
                return await self._send_async(request, read, temporary_client)
        pending = send_token_request(client, self._explicit_base_url, request, read, self._clock)
        result: T = await pending
        return result


class UserAuth(RefreshingAuth):
    """The token of one signed-in user, made by `OAuthApp.auth`."""

    def __init__(
        self,
        app: OAuthApp,
        refresh_request: Callable[[Token | None], Request],
        store: AnyStore,
        *,
        base_url: str | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        """Made by `OAuthApp.auth`.

        Args:
            app: The app that signed the user in.
            refresh_request: Builds the request that refreshes a token of the app.
            store: Loads and saves the token.
            base_url: Base URL for refreshes; None uses that of the client.
            clock: Source of the time; replace it in tests only.
        """
        super().__init__(base_url=base_url, store=store, clock=clock)
        self._app = app
        self._refresh_request = refresh_request

    def _request(self, stored: Token | None, base_url: str) -> Request:
        return self._refresh_request(stored)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._app!r}>"


def new_state() -> str:
    """Returns a random `state`."""
    return secrets.token_urlsafe(24)


def checked_redirect(redirect_uri: str) -> str:
    """Checks the address that the consent page redirects to, and returns it.

    Raises:
        OAuthSetupError: The address is empty, or not an http or https address.
    """
    address = required("redirect_uri", redirect_uri)
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise OAuthSetupError(
            f"redirect_uri {redirect_uri!r} is not an http or https address",
            argument="redirect_uri",
        )
    return address


class RedirectApp(OAuthApp):
    """An app whose users agree on a consent page of Coze, which redirects their browser to
    `redirect_uri` with a code.
    """

    redirect_uri: str
    """Where the consent page redirects the browser."""

    def _new_verifier(self) -> str | None:
        """A new PKCE verifier; the web flow has none."""
        return None

    def _challenge(self, verifier: str | None) -> dict[str, str]:
        """The parameters of the consent page that are derived from the verifier."""
        return {}

    def _begin(
        self, workspace_id: str | None, state: str | None, verifier: str | None
    ) -> Authorization:
        state = new_state() if state is None else state
        url = self._page(state, workspace_id, verifier)
        redirect_uri = self.redirect_uri
        return Authorization(url=url, state=state, redirect_uri=redirect_uri, verifier=verifier)

    def _exchange_request(self, code: str, verifier: str | None) -> Request:
        from coze_openapi.api.oauth import token as operation

        return operation.build(
            authorization=self._authorization(),
            grant_type="authorization_code",
            code=required("code", code),
            redirect_uri=self.redirect_uri,
            client_id=self.client_id,
            code_verifier=verifier,
        )

    def _finish_request(self, authorization: Authorization, returned: str) -> Request:
        code = self.code_from(returned, authorization.state)
        return self._exchange_request(code, authorization.verifier)

    def finish(
        self, authorization: Authorization, returned: str, *, client: SyncTokenClient | None = None
    ) -> Token:
        """Exchanges the code for the user's token.

        Args:
            authorization: The sign-in, from `begin`.
            returned: The address that the browser was redirected to, or its query string.
            client: `Coze` client whose connections and proxies are used; None opens a connection
                for this call alone.

        Raises:
            OAuthError: The user refused (`access_denied`), the redirect belongs to another sign-in
                (`invalid_state`), or the code was used before, has expired or belongs to another
                app.
            APIConnectionError: The server could not be reached or did not respond in time.
        """
        request = self._finish_request(authorization, returned)
        return self._send(request, read_token, client)

    async def finish_async(
        self, authorization: Authorization, returned: str, *, client: AsyncTokenClient | None = None
    ) -> Token:
        """Exchanges the code for the user's token.

        Args:
            authorization: The sign-in, from `begin`.
            returned: The address that the browser was redirected to, or its query string.
            client: `AsyncCoze` client whose connections and proxies are used; None opens a
                connection for this call alone.

        Raises:
            OAuthError: The user refused (`access_denied`), the redirect belongs to another sign-in
                (`invalid_state`), or the code was used before, has expired or belongs to another
                app.
            APIConnectionError: The server could not be reached or did not respond in time.
        """
        request = self._finish_request(authorization, returned)
        return await self._send_async(request, read_token, client)

    def login(
        self,
        *,
        workspace_id: str | None = None,
        show: Callable[[str], object] | None = None,
        timeout: float = LOGIN_TIMEOUT,
        client: SyncTokenClient | None = None,
    ) -> Token:
        """Signs in the user of this machine: opens the browser, and listens on the port of
        `redirect_uri` for the code.

        Args:
            workspace_id: Restricts the token to this workspace (collaboration and enterprise
                plans). Such a token has no account permissions, so it cannot create conversations,
                for example. None does not restrict it.
            show: Called with the address of the consent page; None opens it in the browser, or
                prints it if there is none.
            timeout: Seconds that the user has to finish the sign-in.
            client: `Coze` client whose connections and proxies are used; None opens a connection
                for this call alone.

        Raises:
            OAuthError: The user refused (`access_denied`) or did not agree in time
                (`login_timeout`), or the code was not accepted.
            OAuthSetupError: `redirect_uri` is not an address of this machine, or its port is in
                use.
            APIConnectionError: The server could not be reached or did not respond in time.
        """
        from ._loopback import LoopbackServer, show_page

        started = self._begin(workspace_id, None, self._new_verifier())
        with LoopbackServer(self.redirect_uri, started.state) as server:
            (show or show_page)(started.url)
            code = server.wait(timeout)
        return self._send(self._exchange_request(code, started.verifier), read_token, client)

    async def login_async(
        self,
        *,
        workspace_id: str | None = None,
        show: Callable[[str], object] | None = None,
        timeout: float = LOGIN_TIMEOUT,  # noqa: ASYNC109
        client: AsyncTokenClient | None = None,
    ) -> Token:
        """Signs in the user of this machine: opens the browser, and listens on the port of
        `redirect_uri` for the code, without blocking the event loop.

        Args:
            workspace_id: Restricts the token to this workspace (collaboration and enterprise
                plans). Such a token has no account permissions, so it cannot create conversations,
                for example. None does not restrict it.
            show: Plain function called in a worker thread with the address of the consent page;
                None opens it in the browser, or prints it if there is none.
            timeout: Seconds that the user has to finish the sign-in.
            client: `AsyncCoze` client whose connections and proxies are used; None opens a
                connection for this call alone.

        Raises:
            OAuthError: The user refused (`access_denied`) or did not agree in time
                (`login_timeout`), or the code was not accepted.
            OAuthSetupError: `redirect_uri` is not an address of this machine, or its port is in
                use.
            APIConnectionError: The server could not be reached or did not respond in time.
        """
        from ._loopback import LoopbackServer, show_page

        started = self._begin(workspace_id, None, self._new_verifier())
        with LoopbackServer(self.redirect_uri, started.state) as server:
            await run_in_thread(show or show_page, started.url)
            code = await server.wait_async(timeout)
        request = self._exchange_request(code, started.verifier)
        return await self._send_async(request, read_token, client)

    def code_from(self, returned: str, state: str) -> str:
        """Extracts the code from the address that the browser was redirected to. Sends nothing.

        Args:
            returned: The address that the browser was redirected to, or its query string.
            state: The `state` of the sign-in; must equal the one in the address.

        Raises:
            OAuthError: The user refused, the state does not match (`invalid_state`), or the code is
                missing.
        """
        return code_from_redirect(returned, state)

    def _page(self, state: str, workspace_id: str | None, verifier: str | None) -> str:
        """Address of the consent page."""
        from coze_openapi.api.oauth import authorize, authorize_workspace

        if not isinstance(state, str) or not state:
            raise OAuthSetupError(
                "state is empty; it protects the sign-in of your users, create it with new_state()",
                argument="state",
            )
        build: Callable[..., Request] = authorize.build
        if workspace_id is not None:
            build = partial(authorize_workspace.build, workspace_id=workspace_id)
        request = build(
            response_type="code",
            client_id=self.client_id,
            redirect_uri=self.redirect_uri,
            state=state,
            **self._challenge(verifier),
        )
        return f"{self.www_url}{request.path}?{urlencode(request.query)}"


publish(globals(), "cozekit.auth", "OAuthApp", "UserAuth")
