"""Sign-in with a browser that comes back: what the web flow and the PKCE flow have in common.

Sources: https://www.coze.cn/open/docs/developer_guides/oauth_code,
    https://www.coze.cn/open/docs/developer_guides/oauth_pkce
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit

from coze_runtime.auth import AsyncTokenClient, SyncTokenClient
from coze_runtime.operation import Request

from ..errors import OAuthError
from .app import OAuthApp
from .clock import SYSTEM, Clock
from .failures import OAuthSetupError, needed, scrubbed
from .model import Authorization, Token

LOGIN_TIMEOUT = 300.0
"""Seconds in which a user has to agree."""


class RedirectApp(OAuthApp):
    """An app whose users agree on a page of Coze, which sends their browser back to `redirect_uri`
    with a code.
    """

    def __init__(
        self,
        client_id: str,
        redirect_uri: str,
        *,
        base_url: str | None = None,
        www_url: str | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        """Settings of the app; nothing is sent yet.

        Args:
            client_id: Id of the app, from the console.
            redirect_uri: Where the consent page sends the browser; one of the addresses registered
                with the app.
            base_url: Base URL of the API, such as https://api.coze.com for apps of the
                international site. None takes that of the client that is used, or without one
                COZE_API_BASE or https://api.coze.cn.
            www_url: Base URL of the sign-in pages; None derives it from `base_url`.
            clock: Source of the time; replace it in tests only.

        Raises:
            OAuthSetupError: `client_id` is empty, or `redirect_uri` is not an http or https
                address.
            ArgumentError: A URL is not an http or https address.
        """
        super().__init__(client_id, base_url=base_url, www_url=www_url, clock=clock)
        self.redirect_uri = needed("redirect_uri", redirect_uri)
        parts = urlsplit(self.redirect_uri)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise OAuthSetupError(
                f"redirect_uri {redirect_uri!r} is no http or https address",
                argument="redirect_uri",
            )

    def begin(self, *, workspace_id: str | None = None, state: str | None = None) -> Authorization:
        """Begins a sign-in: send the browser to `url`, and keep `state` (and `verifier`) in the
        user's session for `finish`.

        Args:
            workspace_id: Restricts the token to this workspace (collaboration and enterprise
                plans). Such a token has no account permissions, so it cannot create conversations,
                for example. None does not restrict it.
            state: Random text that comes back with the browser; None makes a new one.
        """
        raise NotImplementedError

    def _exchange_request(self, code: str, verifier: str | None) -> Request:
        raise NotImplementedError

    def finish(
        self, authorization: Authorization, returned: str, *, client: SyncTokenClient | None = None
    ) -> Token:
        """The token of a user who came back.

        Args:
            authorization: The sign-in, from `begin`.
            returned: The address to which the browser came back, or its query string.
            client: `Coze` client whose connections and proxies are used; None opens a connection
                for this call alone.

        Raises:
            OAuthError: The user refused (`access_denied`), the browser came back from another
                sign-in (`invalid_state`), or the code was used before, has expired or belongs to
                another app.
            APIConnectionError: The server could not be reached or did not respond in time.
        """
        code = self.code_from(returned, authorization.state)
        return self._token(self._exchange_request(code, authorization.verifier), client)

    async def finish_async(
        self, authorization: Authorization, returned: str, *, client: AsyncTokenClient | None = None
    ) -> Token:
        """The token of a user who came back.

        Args:
            authorization: The sign-in, from `begin`.
            returned: The address to which the browser came back, or its query string.
            client: `AsyncCoze` client whose connections and proxies are used; None opens a
                connection for this call alone.

        Raises:
            OAuthError: The user refused (`access_denied`), the browser came back from another
                sign-in (`invalid_state`), or the code was used before, has expired or belongs to
                another app.
            APIConnectionError: The server could not be reached or did not respond in time.
        """
        code = self.code_from(returned, authorization.state)
        return await self._token_async(self._exchange_request(code, authorization.verifier), client)

    def login(
        self,
        *,
        workspace_id: str | None = None,
        show: Callable[[str], object] | None = None,
        timeout: float = LOGIN_TIMEOUT,
        client: SyncTokenClient | None = None,
    ) -> Token:
        """Signs in the person in front of this machine: opens the browser, and receives it on the
        port of `redirect_uri` when it comes back.

        Args:
            workspace_id: Restricts the token to this workspace (collaboration and enterprise
                plans). Such a token has no account permissions, so it cannot create conversations,
                for example. None does not restrict it.
            show: Called with the address of the consent page; None opens it in the browser, or
                prints it where there is no browser.
            timeout: Seconds in which the user has to agree.
            client: `Coze` client whose connections and proxies are used; None opens a connection
                for this call alone.

        Raises:
            OAuthError: The user refused (`access_denied`) or did not agree in time
                (`login_timeout`), or the code was not accepted.
            OAuthSetupError: `redirect_uri` is not an address of this machine, or its port is in
                use.
            APIConnectionError: The server could not be reached or did not respond in time.
        """
        from .login import Receiver, show_page

        started = self.begin(workspace_id=workspace_id)
        with Receiver(
            self.redirect_uri, lambda target: self.code_from(target, started.state)
        ) as receiver:
            (show or show_page)(started.url)
            code = receiver.wait(timeout)
        return self._token(self._exchange_request(code, started.verifier), client)

    async def login_async(
        self,
        *,
        workspace_id: str | None = None,
        show: Callable[[str], object] | None = None,
        timeout: float = LOGIN_TIMEOUT,  # noqa: ASYNC109
        client: AsyncTokenClient | None = None,
    ) -> Token:
        """Signs in the person in front of this machine: opens the browser, and receives it on the
        port of `redirect_uri` when it comes back. The event loop runs on meanwhile.

        Args:
            workspace_id: Restricts the token to this workspace (collaboration and enterprise
                plans). Such a token has no account permissions, so it cannot create conversations,
                for example. None does not restrict it.
            show: Plain function called in a worker thread with the address of the consent page;
                None opens it in the browser, or prints it where there is no browser.
            timeout: Seconds in which the user has to agree.
            client: `AsyncCoze` client whose connections and proxies are used; None opens a
                connection for this call alone.

        Raises:
            OAuthError: The user refused (`access_denied`) or did not agree in time
                (`login_timeout`), or the code was not accepted.
            OAuthSetupError: `redirect_uri` is not an address of this machine, or its port is in
                use.
            APIConnectionError: The server could not be reached or did not respond in time.
        """
        from .adapters import in_thread
        from .login import Receiver, show_page

        started = self.begin(workspace_id=workspace_id)
        with Receiver(
            self.redirect_uri, lambda target: self.code_from(target, started.state)
        ) as receiver:
            await in_thread(show or show_page, started.url)
            code = await receiver.wait_async(timeout)
        return await self._token_async(self._exchange_request(code, started.verifier), client)

    def code_from(self, returned: str, state: str) -> str:
        """The code in the address to which the browser came back. Sends nothing.

        Args:
            returned: The address to which the browser came back, or its query string.
            state: The `state` of the sign-in; that of the address must be the same.

        Raises:
            OAuthError: The user refused, the state is another one (`invalid_state`), or there is no
                code.
        """
        query = parse_qs(
            urlsplit(returned).query if "?" in returned or "://" in returned else returned,
            keep_blank_values=True,
        )
        found = {name: values[0] for name, values in query.items()}
        if ("state" in found or "error" not in found) and not _same(found.get("state", ""), state):
            raise OAuthError(
                "the state that came back is not the one of this sign-in; refuse the answer and "
                "begin anew",
                error="invalid_state",
            )
        if found.get("error"):
            secret = {found["code"]} if found.get("code") else set()
            word, said = (
                scrubbed(found.get(name, ""), secret) for name in ("error", "error_description")
            )
            word = "access_denied" if word == "access_deny" else word
            raise OAuthError(
                f"{word}: {said or 'the consent page refused'}; ask the user again",
                error=word,
                description=said,
            )
        if not found.get("code"):
            raise OAuthError(
                "the browser came back without a code; begin the sign-in anew",
                error="invalid_response",
            )
        return found["code"]

    def _page(
        self,
        state: str,
        workspace_id: str | None,
        challenge: str | None = None,
        method: str | None = None,
    ) -> str:
        from coze_openapi.api.oauth import authorize, authorize_workspace

        if not isinstance(state, str) or not state:
            raise OAuthSetupError(
                "state is empty; it protects the sign-in of your users, make it with new_state()",
                argument="state",
            )
        query = {"client_id": self.client_id, "redirect_uri": self.redirect_uri, "state": state}
        if workspace_id is None:
            request = authorize.build(
                response_type="code",
                **query,
                code_challenge=challenge,
                code_challenge_method=method,
            )
        else:
            request = authorize_workspace.build(
                workspace_id=workspace_id,
                response_type="code",
                **query,
                code_challenge=challenge,
                code_challenge_method=method,
            )
        return f"{self.www_url}{request.path}?{urlencode(request.query)}"


def new_state() -> str:
    """Random text for `state`."""
    return secrets.token_urlsafe(24)


def _same(one: str, other: str) -> bool:
    return bool(other) and secrets.compare_digest(one.encode(), other.encode())
