"""Token sources that need no sign-in, their base class, and the part of a client that they use.

Sources: https://www.coze.cn/open/docs/developer_guides/pat,
https://www.coze.cn/open/docs/developer_guides/service_token
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NoReturn, Protocol, Self, SupportsIndex, TypeVar

from . import publish
from .errors import ArgumentError
from .operation import CallOptions, Request, Response
from .steps import reject_async
from .types import TimeoutInput

T = TypeVar("T")


class TokenClient(Protocol):
    """The part of a client, sync or async, that a token source uses."""

    @property
    def base_url(self) -> str:
        """Base URL of the API."""
        ...

    @property
    def timeout(self) -> TimeoutInput:
        """Timeout of the client, in seconds."""
        ...

    def with_base_url(self, base_url: str) -> Self:
        """A copy of the client that uses another base URL over the same connections.

        Args:
            base_url: Base URL, such as `https://api.coze.com`.
        """
        ...


class SyncTokenClient(TokenClient, Protocol):
    """The part of a sync client that a token source uses."""

    def execute(self, request: Request, parse: Callable[[Response], T], options: CallOptions) -> T:
        """Sends a request and parses the response.

        Args:
            request: The request, made by the `build` function of an operation.
            parse: Turns the response into the result or raises its error: the `parse` function
                of the operation.
            options: Headers, extra fields and timeout of this call.
        """
        ...


class AsyncTokenClient(TokenClient, Protocol):
    """The part of an async client that a token source uses."""

    async def execute(
        self, request: Request, parse: Callable[[Response], T], options: CallOptions
    ) -> T:
        """Sends a request and parses the response.

        Args:
            request: The request, made by the `build` function of an operation.
            parse: Turns the response into the result or raises its error: the `parse` function
                of the operation.
            options: Headers, extra fields and timeout of this call.
        """
        ...


class NotPicklable:
    """Base class of objects with a secret, which must not be pickled by accident, such as into a
    cache or a task queue. Copying returns the object itself.
    """

    __slots__ = ()

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} holds secrets and cannot be pickled; pass on what you need of "
            "it, or create a new one"
        )

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self


class Auth(NotPicklable):
    """Base class of token sources: a fixed token, an OAuth app, or your own.

    The client calls `token` before each request. When the service rejects the token and
    `renewable` is True, the client calls `renew` and sends the request once more. Token requests
    go through the calling client and share its connections, proxies and timeouts.

    Implement `token` for `Coze` and `token_async` for `AsyncCoze`.
    """

    renewable: bool = False
    """Whether `renew` can obtain another token. If False, a rejected token raises
    AuthenticationError at once.
    """

    def token(self, client: SyncTokenClient) -> str | None:
        """Returns a valid access token, or None to send the request without one.

        Args:
            client: The client that needs the token; sends the token requests.

        Raises:
            CozeError: No token could be obtained.
        """
        raise ArgumentError(f"{type(self).__name__} works only with AsyncCoze", argument="auth")

    async def token_async(self, client: AsyncTokenClient) -> str | None:
        """Returns a valid access token, or None to send the request without one. Must not block
        the event loop.

        Args:
            client: The client that needs the token; sends the token requests.

        Raises:
            CozeError: No token could be obtained.
        """
        raise ArgumentError(f"{type(self).__name__} works only with Coze", argument="auth")

    def renew(self, client: SyncTokenClient, rejected: str) -> bool:
        """Replaces a token that the service rejected. Called once for all requests that wait for
        the new token.

        Args:
            client: The client that needs the token; sends the token requests.
            rejected: The access token that the service rejected.

        Returns:
            Whether there is another token; False raises the AuthenticationError of the request.

        Raises:
            CozeError: No token could be obtained.
        """
        return False

    async def renew_async(self, client: AsyncTokenClient, rejected: str) -> bool:
        """Replaces a token that the service rejected. Called once for all requests that wait for
        the new token. Must not block the event loop.

        Args:
            client: The client that needs the token; sends the token requests.
            rejected: The access token that the service rejected.

        Returns:
            Whether there is another token; False raises the AuthenticationError of the request.

        Raises:
            CozeError: No token could be obtained.
        """
        return False

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class StaticToken(Auth):
    """A personal access token or service access token, used as it is and never renewed."""

    def __init__(self, token: str) -> None:
        """Stores the token.

        Args:
            token: The access token, as shown in the Coze console.

        Raises:
            ArgumentError: The token is empty, or contains whitespace or non-ASCII characters.
        """
        self._token = checked_token(token)

    def token(self, client: SyncTokenClient) -> str:
        """Returns the token.

        Args:
            client: Not used.
        """
        return self._token

    async def token_async(self, client: AsyncTokenClient) -> str:
        """Returns the token.

        Args:
            client: Not used.
        """
        return self._token


class TokenCallback(Auth):
    """Gets the token from a function, such as one that reads it from a vault or another process.

    The function is called before every request, so it should cache the token. When the service
    rejects the token, the function is called again; if it returns another token, the request is
    sent once more. In AsyncCoze it runs in a worker thread, so it may block.

    ```python
    Coze(auth=TokenCallback(lambda: vault.read("coze-token")))
    ```
    """

    renewable = True

    def __init__(self, function: Callable[[], str]) -> None:
        """Stores the function; it is not called yet.

        Args:
            function: Returns the access token. Takes no arguments; may block.

        Raises:
            ArgumentError: The function is async.
        """
        reject_async(function, "function", "function", "use AsyncTokenCallback")
        self._function = function

    def token(self, client: SyncTokenClient) -> str:
        """Returns the token from the function.

        Args:
            client: Not used.

        Raises:
            ArgumentError: The function returned no valid token.
        """
        return checked_token(self._function())

    async def token_async(self, client: AsyncTokenClient) -> str:
        """Returns the token from the function, which runs in a worker thread.

        Args:
            client: Not used.

        Raises:
            ArgumentError: The function returned no valid token.
        """
        from anyio.to_thread import run_sync

        return checked_token(await run_sync(self._function))

    def renew(self, client: SyncTokenClient, rejected: str) -> bool:
        """Calls the function again.

        Args:
            client: Not used.
            rejected: The access token that the service rejected.

        Returns:
            Whether the function returned another token.
        """
        return self.token(client) != rejected

    async def renew_async(self, client: AsyncTokenClient, rejected: str) -> bool:
        """Calls the function again, in a worker thread.

        Args:
            client: Not used.
            rejected: The access token that the service rejected.

        Returns:
            Whether the function returned another token.
        """
        return await self.token_async(client) != rejected


class AsyncTokenCallback(Auth):
    """Gets the token from an async function; see `TokenCallback`. Works only with AsyncCoze."""

    renewable = True

    def __init__(self, function: Callable[[], Awaitable[str]]) -> None:
        """Stores the function; it is not called yet.

        Args:
            function: Async function that returns the access token. Takes no arguments.
        """
        self._function = function

    async def token_async(self, client: AsyncTokenClient) -> str:
        """Returns the token from the function.

        Args:
            client: Not used.

        Raises:
            ArgumentError: The function returned no valid token.
        """
        return checked_token(await self._function())

    async def renew_async(self, client: AsyncTokenClient, rejected: str) -> bool:
        """Calls the function again.

        Args:
            client: Not used.
            rejected: The access token that the service rejected.

        Returns:
            Whether the function returned another token.
        """
        return await self.token_async(client) != rejected


def checked_token(token: object) -> str:
    """Returns the token if it can be sent in a header.

    Raises:
        ArgumentError: The token is empty, not a string, or contains whitespace or non-ASCII
            characters. The error text never shows the token.
    """
    if not isinstance(token, str):
        raise ArgumentError(
            f"token must be a str, not {type(token).__name__}; another source of tokens goes into "
            "auth=…",
            argument="token",
        )
    if not token.strip():
        raise ArgumentError(
            "the token is empty; pass token=…, auth=… or set COZE_API_TOKEN", argument="token"
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ArgumentError(
            "the token contains spaces, line breaks or characters that no token can have",
            argument="token",
        )
    return token


publish(
    globals(),
    "cozekit.auth",
    "Auth",
    "AsyncTokenCallback",
    "AsyncTokenClient",
    "StaticToken",
    "SyncTokenClient",
    "TokenCallback",
)
