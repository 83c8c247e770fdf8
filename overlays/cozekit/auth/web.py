"""The web flow: a server that keeps the secret of its app signs users in.

Source: https://www.coze.cn/open/docs/developer_guides/oauth_code
"""

from __future__ import annotations

from coze_runtime.auth import AsyncTokenClient, SyncTokenClient
from coze_runtime.operation import Request

from .clock import SYSTEM, Clock
from .failures import needed
from .model import Authorization, Token
from .redirect import RedirectApp, new_state


class WebOAuth(RedirectApp):
    """An app of the type "web". Tokens of its users live 15 minutes and are refreshed for 30 days.

    ```python
    app = WebOAuth(client_id, client_secret, "https://example.com/callback")
    started = app.begin()  # send the browser to started.url, keep started.state in the session
    token = app.finish(started, request_url)   # when the browser comes back
    coze = Coze(auth=app.auth(token))
    ```
    """

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        redirect_uri: str,
        *,
        base_url: str | None = None,
        www_url: str | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        """Settings of the app; nothing is sent yet.

        Args:
            client_id: Id of the app, from the console.
            client_secret: Secret of the app; it is sent as a bearer token to the token endpoint and
                nowhere else.
            redirect_uri: Where the consent page sends the browser; one of the addresses registered
                with the app.
            base_url: Base URL of the API, such as https://api.coze.com for apps of the
                international site. None takes that of the client that is used, or without one
                COZE_API_BASE or https://api.coze.cn.
            www_url: Base URL of the sign-in pages; None derives it from `base_url`.
            clock: Source of the time; replace it in tests only.

        Raises:
            OAuthSetupError: An argument is missing or malformed.
            ArgumentError: A URL is not an http or https address.
        """
        super().__init__(client_id, redirect_uri, base_url=base_url, www_url=www_url, clock=clock)
        self._secret = needed("client_secret", client_secret)

    def _authorization(self) -> str:
        return f"Bearer {self._secret}"

    def begin(self, *, workspace_id: str | None = None, state: str | None = None) -> Authorization:
        """Begins a sign-in: send the browser to `url`, and keep `state` in the user's session for
        `finish`.

        Args:
            workspace_id: Restricts the token to this workspace (collaboration and enterprise
                plans). Such a token has no account permissions, so it cannot create conversations,
                for example. None does not restrict it.
            state: Random text that comes back with the browser; None makes a new one.

        Raises:
            OAuthSetupError: `state` is empty.
        """
        state = new_state() if state is None else state
        url = self.authorization_url(state=state, workspace_id=workspace_id)
        return Authorization(url=url, state=state, redirect_uri=self.redirect_uri)

    def authorization_url(self, *, state: str, workspace_id: str | None = None) -> str:
        """Address of the consent page.

        Args:
            state: Random text that comes back unchanged; `new_state` makes one.
            workspace_id: Restricts the token to this workspace (collaboration and enterprise
                plans). Such a token has no account permissions, so it cannot create conversations,
                for example. None does not restrict it.

        Raises:
            OAuthSetupError: `state` is empty.
        """
        return self._page(state, workspace_id)

    def exchange(self, code: str, *, client: SyncTokenClient | None = None) -> Token:
        """The token for the code that the browser brought back; a code works once.

        Args:
            code: The code, from `code_from`.
            client: `Coze` client whose connections and proxies are used; None opens a connection
                for this call alone.

        Raises:
            OAuthError: The code was used before, has expired or belongs to another app, or the
                secret is wrong.
            APIConnectionError: The server could not be reached or did not respond in time.
        """
        return self._token(self._exchange_request(code, None), client)

    async def exchange_async(self, code: str, *, client: AsyncTokenClient | None = None) -> Token:
        """The token for the code that the browser brought back; a code works once.

        Args:
            code: The code, from `code_from`.
            client: `AsyncCoze` client whose connections and proxies are used; None opens a
                connection for this call alone.

        Raises:
            OAuthError: The code was used before, has expired or belongs to another app, or the
                secret is wrong.
            APIConnectionError: The server could not be reached or did not respond in time.
        """
        return await self._token_async(self._exchange_request(code, None), client)

    def _exchange_request(self, code: str, verifier: str | None) -> Request:
        from coze_openapi.api.oauth import token as operation

        return operation.build(
            authorization=self._authorization(),
            grant_type="authorization_code",
            code=needed("code", code),
            redirect_uri=self.redirect_uri,
            client_id=self.client_id,
        )
