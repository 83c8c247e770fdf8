"""The web flow: a server that keeps the secret of its app signs users in.

Source: https://www.coze.cn/open/docs/developer_guides/oauth_code
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .clock import SYSTEM, Clock
from .failures import needed
from .model import Authorization
from .redirect import RedirectApp, new_state

if TYPE_CHECKING:
    from coze_openapi import AsyncClient, Client
    from coze_openapi.types import Request

    from .model import Token


class WebOAuth(RedirectApp):
    """An app of the type "web". Tokens of its users live 15 minutes and are refreshed for 30 days.

    ```python
    app = WebOAuth(client_id, client_secret, "https://example.com/callback")
    started = app.begin()                      # send the browser to started.url, keep started.state in the session
    token = app.finish(started, request_url)   # when the browser comes back
    coze = Coze(auth=app.auth(token))
    ```

    Args:
        client_id: Id of the app.
        client_secret: Its secret; it travels as a bearer token to the token endpoint and nowhere else.
        redirect_uri: One of the addresses registered with the app.
        base_url: Where the API is; https://api.coze.com for apps of the international site.
        www_url: Where the consent page is; derived from `base_url`.
        clock: Another clock, for tests.

    Raises:
        OAuthSetupError: An argument is missing or malformed.
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
        super().__init__(client_id, redirect_uri, base_url=base_url, www_url=www_url, clock=clock)
        self._secret = needed("client_secret", client_secret)

    def _authorization(self) -> str:
        return f"Bearer {self._secret}"

    def begin(self, *, workspace_id: str | None = None, state: str | None = None) -> Authorization:
        """As `RedirectApp.begin`."""
        state = new_state() if state is None else state
        url = self.authorization_url(state=state, workspace_id=workspace_id)
        return Authorization(url=url, state=state, redirect_uri=self.redirect_uri)

    def authorization_url(self, *, state: str, workspace_id: str | None = None) -> str:
        """Address of the consent page.

        Args:
            state: Random text that comes back unchanged; `new_state` makes one.
            workspace_id: Restricts the token to one workspace; see `begin`.
        """
        return self._page(state, workspace_id)

    def exchange(self, code: str, *, client: Client | None = None) -> Token:
        """The token for the code that the browser brought back; a code works once.

        Raises:
            OAuthError: The code was used, has ended or is another app's, or the secret is wrong.
            APIConnectionError: No answer came.
        """
        return self._token(self._exchange_request(code, None), client)

    async def exchange_async(self, code: str, *, client: AsyncClient | None = None) -> Token:
        """The async form of `exchange`."""
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
