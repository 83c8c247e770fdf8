"""`Coze` and `AsyncCoze`: the generated clients with sign-in, retries, tuned connections and typed streams."""

from __future__ import annotations

import copy
import logging
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from coze_openapi.async_client import AsyncClient
from coze_openapi.client import Client
from coze_openapi.errors import ArgumentError
from coze_openapi.types import DEFAULT, CallOptions, DriftHook, Request, Response, TimeoutInput

from .auth.base import Auth, checked_token
from .calls import drive, drive_async
from .retries import RetryPolicy

if TYPE_CHECKING:
    from typing import Self

    from coze_openapi import _http

    from .chat import AsyncChat, Chat
    from .workflows import AsyncWorkflows, Workflows

DEFAULT_BASE_URL = "https://api.coze.cn"

logger = logging.getLogger("cozekit")
logger.addHandler(logging.NullHandler())


class _Settings:
    """What both clients make of their arguments."""

    _auth: Auth
    _retries: RetryPolicy
    _parent: Any
    _timeout: TimeoutInput
    _default_headers: dict[str, str]
    _on_drift: DriftHook | None

    def with_options(
        self,
        *,
        timeout: TimeoutInput = DEFAULT,
        max_retries: int | RetryPolicy | None = None,
        default_headers: Mapping[str, str] | None = None,
        on_drift: DriftHook | None = None,
    ) -> Self:
        """A copy with other settings that shares connections and tokens; for one call or for a part of a program.

        Args:
            timeout: As in the constructor.
            max_retries: How often a failed call is repeated, or a whole `RetryPolicy`.
            default_headers: Headers to send besides those of this client.
            on_drift: As in the constructor.
        """
        other = copy.copy(self)
        other._parent = self
        if timeout is not DEFAULT:
            other._timeout = timeout
        if max_retries is not None:
            other._retries = _policy(max_retries, self._retries)
        if default_headers:
            other._default_headers = {**self._default_headers, **default_headers}
        if on_drift is not None:
            other._on_drift = on_drift
        return other


class Coze(_Settings, Client):
    """The Coze client. One may be shared by threads; use it in a `with` block, or call `close`.

    ```python
    with Coze() as coze:
        for bot in coze.bots.list(workspace_id="…"):
            print(bot.name)
    ```
    """

    def __init__(
        self,
        token: str | None = None,
        *,
        auth: Auth | None = None,
        base_url: str | None = None,
        www_url: str | None = None,
        timeout: TimeoutInput = DEFAULT,
        max_retries: int | RetryPolicy = 2,
        http_client: _http.HTTPClient | None = None,
        transport: _http.Transport | None = None,
        default_headers: Mapping[str, str] | None = None,
        on_drift: DriftHook | None = None,
    ) -> None:
        """Settings of the client; nothing is opened before the first call.

        Args:
            token: Personal or service access token; by default that of the environment variable COZE_API_TOKEN.
            auth: Another source of tokens, instead of `token`; see `cozekit.auth`.
            base_url: Where the API is, by default COZE_API_BASE or https://api.coze.cn. A path, a port and http are allowed.
            www_url: Where the sign-in pages are; derived from `base_url` when left out.
            timeout: Seconds of silence to allow: a number, a `Timeout`, or None for no limit. By default 5 to connect, 60 for an
                answer, and 600 for one that a model or workflow works on.
            max_retries: How often a call that failed in passing is repeated (0 for never), or a whole `RetryPolicy`.
                Chats, runs and other billed calls are repeated only when they cannot have been accepted.
            http_client: An `httpx.Client` of your own, with its proxies, limits and headers; you close it.
            transport: An `httpx` transport of your own.
            default_headers: Headers to send with every request.
            on_drift: Called with a `Drift` for each place where an answer departs from the description.

        Raises:
            ArgumentError: There is no token, or the base URL is no http or https address.
        """
        base_url = base_url or os.environ.get("COZE_API_BASE") or DEFAULT_BASE_URL
        super().__init__(
            base_url=base_url, www_url=www_url, timeout=timeout, http_client=http_client, default_headers=default_headers, on_drift=on_drift
        )
        self._auth = _auth(token, auth)
        self._retries = _policy(max_retries)
        self._transport = transport
        self._parent: Coze | None = None

    @property
    def chat(self) -> Chat:
        """Talk to a bot: stream, poll, cancel, answer tool calls."""
        from .chat import Chat

        return Chat(self)

    @property
    def workflows(self) -> Workflows:
        """Workflows of a workspace: run, stream, resume."""
        from .workflows import Workflows

        return Workflows(self)

    def _connection(self) -> _http.HTTPClient:
        return self._parent._connection() if self._parent is not None else super()._connection()

    def _new_http_client(self) -> _http.HTTPClient:
        from .transport import new_client

        return new_client(self._transport)

    def _exchange(self, request: Request, options: CallOptions) -> Response:
        from coze_openapi import _http

        return drive(self, request, options, _http.send)

    def _open(self, request: Request, options: CallOptions) -> _http.ByteStream:
        from coze_openapi import _http

        return drive(self, request, options, _http.open_stream)

    def close(self) -> None:
        """Closes the connections, unless `http_client` was given. May be called twice, and from another thread."""
        if self._parent is None:
            super().close()


class AsyncCoze(_Settings, AsyncClient):
    """The async form of `Coze`, for asyncio and trio; use it in an `async with` block, or await `close`."""

    def __init__(
        self,
        token: str | None = None,
        *,
        auth: Auth | None = None,
        base_url: str | None = None,
        www_url: str | None = None,
        timeout: TimeoutInput = DEFAULT,
        max_retries: int | RetryPolicy = 2,
        http_client: _http.AsyncHTTPClient | None = None,
        transport: _http.AsyncTransport | None = None,
        default_headers: Mapping[str, str] | None = None,
        on_drift: DriftHook | None = None,
    ) -> None:
        """As `Coze`; `http_client` is an `httpx.AsyncClient`, `transport` an async transport."""
        base_url = base_url or os.environ.get("COZE_API_BASE") or DEFAULT_BASE_URL
        super().__init__(
            base_url=base_url, www_url=www_url, timeout=timeout, http_client=http_client, default_headers=default_headers, on_drift=on_drift
        )
        self._auth = _auth(token, auth)
        self._retries = _policy(max_retries)
        self._transport = transport
        self._parent: AsyncCoze | None = None

    @property
    def chat(self) -> AsyncChat:
        """Talk to a bot: stream, poll, cancel, answer tool calls."""
        from .chat import AsyncChat

        return AsyncChat(self)

    @property
    def workflows(self) -> AsyncWorkflows:
        """Workflows of a workspace: run, stream, resume."""
        from .workflows import AsyncWorkflows

        return AsyncWorkflows(self)

    def _connection(self) -> _http.AsyncHTTPClient:
        return self._parent._connection() if self._parent is not None else super()._connection()

    def _new_http_client(self) -> _http.AsyncHTTPClient:
        from .transport import new_async_client

        return new_async_client(self._transport)

    async def _exchange(self, request: Request, options: CallOptions) -> Response:
        from coze_openapi import _http

        return await drive_async(self, request, options, _http.send_async)

    async def _open(self, request: Request, options: CallOptions) -> _http.Opened:
        from coze_openapi import _http

        return await drive_async(self, request, options, _http.open_stream_async)

    async def close(self) -> None:
        """Closes the connections, unless `http_client` was given. May be called twice."""
        if self._parent is None:
            await super().close()


def _auth(token: str | None, auth: Auth | None) -> Auth:
    if auth is not None:
        if token is not None:
            raise ArgumentError("give either token or auth, not both", argument="auth")
        return auth
    from .auth.token import StaticToken

    return StaticToken(checked_token(token if token is not None else os.environ.get("COZE_API_TOKEN", "")))


def _policy(wanted: int | RetryPolicy, base: RetryPolicy | None = None) -> RetryPolicy:
    if isinstance(wanted, RetryPolicy):
        return wanted
    from attrs import evolve

    return evolve(base or RetryPolicy(), max_retries=wanted)
