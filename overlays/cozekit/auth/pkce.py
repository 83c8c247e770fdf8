"""The PKCE flow: programs that cannot keep a secret (desktop, mobile, single page) sign users in.

Sources: https://www.coze.cn/open/docs/developer_guides/oauth_pkce, RFC 7636
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets

from coze_runtime.auth import AsyncTokenClient, SyncTokenClient
from coze_runtime.operation import Request

from .clock import SYSTEM, Clock
from .failures import OAuthSetupError, needed
from .model import Authorization, Token
from .redirect import RedirectApp, new_state

_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")


def new_verifier() -> str:
    """A random verifier: 64 characters, 384 bits."""
    return secrets.token_urlsafe(48)


def challenge_of(verifier: str, method: str = "S256") -> str:
    """The challenge that belongs to a verifier.

    Args:
        verifier: 43 to 128 letters, digits or `-._~`; `new_verifier` makes one.
        method: `S256` for a hash of the verifier, or `plain` for the verifier itself, which
            protects less.

    Raises:
        OAuthSetupError: The verifier is not what RFC 7636 asks for, or the method is unknown.
    """
    if not isinstance(verifier, str) or not _VERIFIER.fullmatch(verifier):
        raise OAuthSetupError(
            "the verifier must have 43 to 128 letters, digits or -._~; make it with new_verifier()",
            argument="verifier",
        )
    if method == "plain":
        return verifier
    if method != "S256":
        raise OAuthSetupError("the challenge method is S256 or plain", argument="method")
    return (
        base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    )


class PKCEOAuth(RedirectApp):
    """An app of the type "single page, mobile or desktop". Tokens of its users live 15 minutes and
    are refreshed for 30 days.

    ```python
    app = PKCEOAuth(client_id, "http://localhost:8080/callback")
    coze = Coze(auth=app.auth(app.login()))
    ```
    """

    def __init__(
        self,
        client_id: str,
        redirect_uri: str,
        *,
        method: str = "S256",
        base_url: str | None = None,
        www_url: str | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        """Settings of the app; nothing is sent yet.

        Args:
            client_id: Id of the app, from the console.
            redirect_uri: Where the consent page sends the browser; one of the addresses registered
                with the app.
            method: How the challenge is made: `S256`, or `plain`, which protects less.
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
        if method not in ("S256", "plain"):
            raise OAuthSetupError("the challenge method is S256 or plain", argument="method")
        self.method = method

    def begin(
        self,
        *,
        workspace_id: str | None = None,
        state: str | None = None,
        verifier: str | None = None,
    ) -> Authorization:
        """Begins a sign-in: send the browser to `url`, and keep `state` and `verifier` in the
        user's session for `finish`.

        Args:
            workspace_id: Restricts the token to this workspace (collaboration and enterprise
                plans). Such a token has no account permissions, so it cannot create conversations,
                for example. None does not restrict it.
            state: Random text that comes back with the browser; None makes a new one.
            verifier: Secret that proves, at the end, that the same program asks; None makes a new
                one.

        Raises:
            OAuthSetupError: `state` is empty, or `verifier` is not what RFC 7636 asks for.
        """
        state = new_state() if state is None else state
        verifier = new_verifier() if verifier is None else verifier
        url = self.authorization_url(state=state, verifier=verifier, workspace_id=workspace_id)
        return Authorization(
            url=url, state=state, redirect_uri=self.redirect_uri, verifier=verifier
        )

    def authorization_url(
        self, *, state: str, verifier: str, workspace_id: str | None = None
    ) -> str:
        """Address of the consent page.

        Args:
            state: Random text that comes back unchanged; `new_state` makes one.
            verifier: Secret that `exchange` needs again; `new_verifier` makes one. Only its
                challenge is in the address.
            workspace_id: Restricts the token to this workspace (collaboration and enterprise
                plans). Such a token has no account permissions, so it cannot create conversations,
                for example. None does not restrict it.

        Raises:
            OAuthSetupError: `state` is empty, or `verifier` is not what RFC 7636 asks for.
        """
        return self._page(state, workspace_id, challenge_of(verifier, self.method), self.method)

    def exchange(self, code: str, verifier: str, *, client: SyncTokenClient | None = None) -> Token:
        """The token for the code that the browser brought back; a code works once.

        Args:
            code: The code, from `code_from`.
            verifier: The secret whose challenge was in the address of the consent page.
            client: `Coze` client whose connections and proxies are used; None opens a connection
                for this call alone.

        Raises:
            OAuthError: The code was used before, has expired or belongs to another app, or the
                verifier does not match the challenge.
            APIConnectionError: The server could not be reached or did not respond in time.
        """
        return self._token(self._exchange_request(code, verifier), client)

    async def exchange_async(
        self, code: str, verifier: str, *, client: AsyncTokenClient | None = None
    ) -> Token:
        """The token for the code that the browser brought back; a code works once.

        Args:
            code: The code, from `code_from`.
            verifier: The secret whose challenge was in the address of the consent page.
            client: `AsyncCoze` client whose connections and proxies are used; None opens a
                connection for this call alone.

        Raises:
            OAuthError: The code was used before, has expired or belongs to another app, or the
                verifier does not match the challenge.
            APIConnectionError: The server could not be reached or did not respond in time.
        """
        return await self._token_async(self._exchange_request(code, verifier), client)

    def _exchange_request(self, code: str, verifier: str | None) -> Request:
        from coze_openapi.api.oauth import token as operation

        return operation.build(
            grant_type="authorization_code",
            code=needed("code", code),
            redirect_uri=self.redirect_uri,
            client_id=self.client_id,
            code_verifier=needed("verifier", verifier),
        )
