"""Sign-in with a browser that comes back: what the web flow and the PKCE flow have in common.

Sources: https://www.coze.cn/open/docs/developer_guides/oauth_code, https://www.coze.cn/open/docs/developer_guides/oauth_pkce
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

from ..errors import OAuthError
from .app import OAuthApp
from .clock import SYSTEM, Clock
from .failures import OAuthSetupError, needed, scrubbed
from .model import Authorization

if TYPE_CHECKING:
    from coze_openapi import AsyncClient, Client
    from coze_openapi.types import Request

    from .model import Token

LOGIN_TIMEOUT = 300.0
"""Seconds in which a user has to agree."""


class RedirectApp(OAuthApp):
    """An app whose users agree on a page of Coze, which sends their browser back to `redirect_uri` with a code."""

    def __init__(
        self,
        client_id: str,
        redirect_uri: str,
        *,
        base_url: str | None = None,
        www_url: str | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        super().__init__(client_id, base_url=base_url, www_url=www_url, clock=clock)
        self.redirect_uri = needed("redirect_uri", redirect_uri)
        parts = urlsplit(self.redirect_uri)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise OAuthSetupError(f"redirect_uri {redirect_uri!r} is no http or https address", argument="redirect_uri")

    def begin(self, *, workspace_id: str | None = None, state: str | None = None) -> Authorization:
        """Begins a sign-in: send the browser to `url`, keep `state` (and `verifier`) in the user's session for `finish`.

        Args:
            workspace_id: Restricts the token to one workspace (collaboration, enterprise plans); such a token has no permissions of
                the account, so it cannot create conversations, for instance.
            state: Your own random text; by default a new one is made.
        """
        raise NotImplementedError

    def _exchange_request(self, code: str, verifier: str | None) -> Request:
        raise NotImplementedError

    def finish(self, authorization: Authorization, returned: str, *, client: Client | None = None) -> Token:
        """The token of a user who came back.

        Args:
            authorization: What `begin` gave.
            returned: The address to which the browser came back, or its query.
            client: Client whose connections are used.

        Raises:
            OAuthError: The user refused (`access_denied`), the answer belongs to another sign-in (`invalid_state`), or the code was
                used before, is too old or is another app's.
            APIConnectionError: No answer came.
        """
        code = self.code_from(returned, authorization.state)
        return self._token(self._exchange_request(code, authorization.verifier), client)

    async def finish_async(self, authorization: Authorization, returned: str, *, client: AsyncClient | None = None) -> Token:
        """The async form of `finish`."""
        code = self.code_from(returned, authorization.state)
        return await self._token_async(self._exchange_request(code, authorization.verifier), client)

    def login(
        self,
        *,
        workspace_id: str | None = None,
        show: Callable[[str], object] | None = None,
        timeout: float = LOGIN_TIMEOUT,
        client: Client | None = None,
    ) -> Token:
        """Signs in the person in front of this machine: opens the browser and receives it on the port of `redirect_uri`.

        Args:
            workspace_id: As in `begin`.
            show: Gets the address of the consent page; by default it is opened in the browser, and printed when there is none.
            timeout: Seconds in which the user has to agree.
            client: Client whose connections are used.

        Raises:
            OAuthError: As in `finish`; also when nobody agreed in time (`login_timeout`), or `redirect_uri` is no free port of this
                machine.
        """
        from .login import Receiver, show_page

        started = self.begin(workspace_id=workspace_id)
        with Receiver(self.redirect_uri, lambda target: self.code_from(target, started.state)) as receiver:
            (show or show_page)(started.url)
            code = receiver.wait(timeout)
        return self._token(self._exchange_request(code, started.verifier), client)

    async def login_async(
        self,
        *,
        workspace_id: str | None = None,
        show: Callable[[str], object] | None = None,
        timeout: float = LOGIN_TIMEOUT,  # noqa: ASYNC109
        client: AsyncClient | None = None,
    ) -> Token:
        """The async form of `login`; `show` runs in a worker thread."""
        from .adapters import in_thread
        from .login import Receiver, show_page

        started = self.begin(workspace_id=workspace_id)
        with Receiver(self.redirect_uri, lambda target: self.code_from(target, started.state)) as receiver:
            await in_thread(show or show_page, started.url)
            code = await receiver.wait_async(timeout)
        return await self._token_async(self._exchange_request(code, started.verifier), client)

    def code_from(self, returned: str, state: str) -> str:
        """The code in the address to which the browser came back. Pure.

        Raises:
            OAuthError: The user refused, `state` is another one, or there is no code.
        """
        query = parse_qs(urlsplit(returned).query if "?" in returned or "://" in returned else returned, keep_blank_values=True)
        found = {name: values[0] for name, values in query.items()}
        if ("state" in found or "error" not in found) and not _same(found.get("state", ""), state):
            raise OAuthError(
                "the state that came back is not the one of this sign-in; refuse the answer and begin anew", error="invalid_state"
            )
        if found.get("error"):
            secret = {found["code"]} if found.get("code") else set()
            word, said = (scrubbed(found.get(name, ""), secret) for name in ("error", "error_description"))
            word = "access_denied" if word == "access_deny" else word
            raise OAuthError(f"{word}: {said or 'the consent page refused'}; ask the user again", error=word, description=said)
        if not found.get("code"):
            raise OAuthError("the browser came back without a code; begin the sign-in anew", error="invalid_response")
        return found["code"]

    def _page(self, state: str, workspace_id: str | None, challenge: str | None = None, method: str | None = None) -> str:
        from coze_openapi.api.oauth import authorize, authorize_workspace

        if not isinstance(state, str) or not state:
            raise OAuthSetupError("state is empty; it protects the sign-in of your users, make it with new_state()", argument="state")
        query = {"client_id": self.client_id, "redirect_uri": self.redirect_uri, "state": state}
        if workspace_id is None:
            request = authorize.build(response_type="code", **query, code_challenge=challenge, code_challenge_method=method)
        else:
            request = authorize_workspace.build(
                workspace_id=workspace_id, response_type="code", **query, code_challenge=challenge, code_challenge_method=method
            )
        return f"{self.www_url}{request.path}?{urlencode(request.query)}"


def new_state() -> str:
    """Random text for `state`."""
    return secrets.token_urlsafe(24)


def _same(one: str, other: str) -> bool:
    return bool(other) and secrets.compare_digest(one.encode(), other.encode())
