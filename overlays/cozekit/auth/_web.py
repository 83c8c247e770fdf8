"""The two flows with a browser redirect: `WebOAuth` for servers that can keep a client secret, and
`PKCEOAuth` for programs that cannot (desktop, mobile, single page).

Sources: https://www.coze.cn/open/docs/developer_guides/oauth_code,
https://www.coze.cn/open/docs/developer_guides/oauth_pkce, RFC 7636
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets

from coze_runtime import publish
from coze_runtime.auth import AsyncTokenClient, SyncTokenClient
from coze_runtime.operation import Request

from ._app import RedirectApp, checked_redirect
from ._token_response import OAuthSetupError, read_token, required
from ._values import SYSTEM, Authorization, Clock, Token

_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")


def new_verifier() -> str:
    """Returns a random verifier: 64 characters, 384 bits."""
    return secrets.token_urlsafe(48)


def challenge_of(verifier: str, method: str = "S256") -> str:
    """Returns the challenge of a verifier.

    Args:
        verifier: 43 to 128 letters, digits or `-._~`; `new_verifier` creates one.
        method: `S256` for a hash of the verifier, or `plain` for the verifier itself, which
            is less secure.

    Raises:
        OAuthSetupError: The verifier is not valid by RFC 7636, or the method is unknown.
    """
    if not isinstance(verifier, str) or not _VERIFIER.fullmatch(verifier):
        raise OAuthSetupError(
            "the verifier must have 43 to 128 letters, digits or -._~; see new_verifier()",
            argument="verifier",
        )
    if method == "plain":
        return verifier
    if method != "S256":
        raise OAuthSetupError("the challenge method must be S256 or plain", argument="method")
    return (
        base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    )


class WebOAuth(RedirectApp):
    """An app of the type "web". Tokens of its users are valid for 15 minutes and can be
    refreshed for 30 days.

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
        """Stores the settings; nothing is sent yet.

        Args:
            client_id: Id of the app, from the console.
            client_secret: Secret of the app; sent only to the token endpoint, as a bearer token.
            redirect_uri: Where the consent page redirects the browser; one of the addresses
                registered with the app.
            base_url: Base URL of the API, such as https://api.coze.com for apps of the
                international site. None uses that of the client or, without a client,
                COZE_API_BASE or https://api.coze.cn.
            www_url: Base URL of the sign-in pages; None derives it from `base_url`.
            clock: Source of the time; replace it in tests only.

        Raises:
            OAuthSetupError: An argument is missing or malformed.
            ArgumentError: A URL is not an http or https address.
        """
        super().__init__(client_id, base_url=base_url, www_url=www_url, clock=clock)
        self.redirect_uri = checked_redirect(redirect_uri)
        self._secret = required("client_secret", client_secret)

    def _authorization(self) -> str:
        return f"Bearer {self._secret}"

    def begin(self, *, workspace_id: str | None = None, state: str | None = None) -> Authorization:
        """Starts a sign-in: send the browser to `url`, and keep `state` in the user's session for
        `finish`.

        Args:
            workspace_id: Restricts the token to this workspace (collaboration and enterprise
                plans). Such a token has no account permissions, so it cannot create conversations,
                for example. None does not restrict it.
            state: Random text that the redirect returns; None creates one.

        Raises:
            OAuthSetupError: `state` is empty.
        """
        return self._begin(workspace_id, state, None)

    def authorization_url(self, *, state: str, workspace_id: str | None = None) -> str:
        """Returns the address of the consent page.

        Args:
            state: Random text that the redirect returns; `new_state` creates one.
            workspace_id: Restricts the token to this workspace (collaboration and enterprise
                plans). Such a token has no account permissions, so it cannot create conversations,
                for example. None does not restrict it.

        Raises:
            OAuthSetupError: `state` is empty.
        """
        return self._page(state, workspace_id, None)

    def exchange(self, code: str, *, client: SyncTokenClient | None = None) -> Token:
        """Exchanges the code of a redirect for a token; a code works once.

        Args:
            code: The code, from `code_from`.
            client: `Coze` client whose connections and proxies are used; None opens a connection
                for this call alone.

        Raises:
            OAuthError: The code was used before, has expired or belongs to another app, or the
                secret is wrong.
            APIConnectionError: The server could not be reached or did not respond in time.
        """
        return self._send(self._exchange_request(code, None), read_token, client)

    async def exchange_async(self, code: str, *, client: AsyncTokenClient | None = None) -> Token:
        """Exchanges the code of a redirect for a token; a code works once.

        Args:
            code: The code, from `code_from`.
            client: `AsyncCoze` client whose connections and proxies are used; None opens a
                connection for this call alone.

        Raises:
            OAuthError: The code was used before, has expired or belongs to another app, or the
                secret is wrong.
            APIConnectionError: The server could not be reached or did not respond in time.
        """
        return await self._send_async(self._exchange_request(code, None), read_token, client)


class PKCEOAuth(RedirectApp):
    """An app of the type "single page, mobile or desktop". Tokens of its users are valid for
    15 minutes and can be refreshed for 30 days.

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
        """Stores the settings; nothing is sent yet.

        Args:
            client_id: Id of the app, from the console.
            redirect_uri: Where the consent page redirects the browser; one of the addresses
                registered with the app.
            method: How the challenge is derived: `S256`, or `plain`, which is less secure.
            base_url: Base URL of the API, such as https://api.coze.com for apps of the
                international site. None uses that of the client or, without a client,
                COZE_API_BASE or https://api.coze.cn.
            www_url: Base URL of the sign-in pages; None derives it from `base_url`.
            clock: Source of the time; replace it in tests only.

        Raises:
            OAuthSetupError: An argument is missing or malformed.
            ArgumentError: A URL is not an http or https address.
        """
        super().__init__(client_id, base_url=base_url, www_url=www_url, clock=clock)
        self.redirect_uri = checked_redirect(redirect_uri)
        if method not in ("S256", "plain"):
            raise OAuthSetupError("the challenge method must be S256 or plain", argument="method")
        self.method = method

    def begin(
        self,
        *,
        workspace_id: str | None = None,
        state: str | None = None,
        verifier: str | None = None,
    ) -> Authorization:
        """Starts a sign-in: send the browser to `url`, and keep `state` and `verifier` in the
        user's session for `finish`.

        Args:
            workspace_id: Restricts the token to this workspace (collaboration and enterprise
                plans). Such a token has no account permissions, so it cannot create conversations,
                for example. None does not restrict it.
            state: Random text that the redirect returns; None creates one.
            verifier: Secret that proves that `finish` is called by the same program; None creates
                one.

        Raises:
            OAuthSetupError: `state` is empty, or `verifier` is not valid by RFC 7636.
        """
        return self._begin(workspace_id, state, new_verifier() if verifier is None else verifier)

    def authorization_url(
        self, *, state: str, verifier: str, workspace_id: str | None = None
    ) -> str:
        """Returns the address of the consent page.

        Args:
            state: Random text that the redirect returns; `new_state` creates one.
            verifier: Secret that `exchange` needs too; `new_verifier` creates one. The address
                contains only its challenge.
            workspace_id: Restricts the token to this workspace (collaboration and enterprise
                plans). Such a token has no account permissions, so it cannot create conversations,
                for example. None does not restrict it.

        Raises:
            OAuthSetupError: `state` is empty, or `verifier` is not valid by RFC 7636.
        """
        return self._page(state, workspace_id, verifier)

    def exchange(self, code: str, verifier: str, *, client: SyncTokenClient | None = None) -> Token:
        """Exchanges the code of a redirect for a token; a code works once.

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
        return self._send(self._exchange_request(code, verifier), read_token, client)

    async def exchange_async(
        self, code: str, verifier: str, *, client: AsyncTokenClient | None = None
    ) -> Token:
        """Exchanges the code of a redirect for a token; a code works once.

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
        request = self._exchange_request(code, verifier)
        return await self._send_async(request, read_token, client)

    def _new_verifier(self) -> str:
        return new_verifier()

    def _challenge(self, verifier: str | None) -> dict[str, str]:
        challenge = challenge_of(verifier or "", self.method)
        return {"code_challenge": challenge, "code_challenge_method": self.method}

    def _exchange_request(self, code: str, verifier: str | None) -> Request:
        return super()._exchange_request(code, required("verifier", verifier))


publish(globals(), "cozekit.auth", "PKCEOAuth", "WebOAuth")
