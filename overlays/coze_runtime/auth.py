"""What a client asks of a source of tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn, Protocol, Self, SupportsIndex, TypeVar

from ._publish import publish
from .errors import ArgumentError
from .operation import CallOptions, Request, Response
from .types import TimeoutInput

T = TypeVar("T")


class TokenClient(Protocol):
    """What both kinds of client show to a source of tokens."""

    @property
    def base_url(self) -> str:
        """Where the API is."""
        ...

    @property
    def timeout(self) -> TimeoutInput:
        """Timeout of the client."""
        ...

    def with_base_url(self, base_url: str) -> Self:
        """The same client, sending to another base URL over the same connections.

        Args:
            base_url: Where to send, such as `https://api.coze.com`.
        """
        ...


class SyncTokenClient(TokenClient, Protocol):
    """What a source of tokens may use of the client that asks it."""

    def execute(self, request: Request, parse: Callable[[Response], T], options: CallOptions) -> T:
        """Sends a request and parses the response.

        Args:
            request: The request, from the `build` function of an operation.
            parse: Turns the response into what is returned, or raises its error; the `parse`
                function of that operation.
            options: Headers, extra fields and timeout of this call.
        """
        ...


class AsyncTokenClient(TokenClient, Protocol):
    """The async form of `SyncTokenClient`."""

    async def execute(
        self, request: Request, parse: Callable[[Response], T], options: CallOptions
    ) -> T:
        """Sends a request and parses the response.

        Args:
            request: The request, from the `build` function of an operation.
            parse: Turns the response into what is returned, or raises its error; the `parse`
                function of that operation.
            options: Headers, extra fields and timeout of this call.
        """
        ...


class Auth:
    """A source of access tokens.

    The client asks for a token before each request, and once more after the service refused it.
    Token requests of a source go through the client that asks, so that they use its connections,
    proxies and timeouts.
    """

    renewable: bool = False
    """Whether `renew` can bring another token; if not, a refused token is an error at once."""

    def token(self, client: SyncTokenClient) -> str | None:
        """An access token that is valid now; None sends the request without one.

        Args:
            client: Client that needs the token; token requests go over its connections.

        Raises:
            CozeError: No token could be obtained.
        """
        raise ArgumentError(f"{type(self).__name__} works only with AsyncCoze", argument="auth")

    async def token_async(self, client: AsyncTokenClient) -> str | None:
        """An access token that is valid now; None sends the request without one. Never blocks the
        event loop.

        Args:
            client: Client that needs the token; token requests go over its connections.

        Raises:
            CozeError: No token could be obtained.
        """
        raise ArgumentError(f"{type(self).__name__} works only with Coze", argument="auth")

    def renew(self, client: SyncTokenClient, rejected: str) -> bool:
        """Replaces a token that the service refused. Returns False when there is no other. Called
        once for all requests that wait for it.

        Args:
            client: Client that needs the token; token requests go over its connections.
            rejected: The access token that the service refused.

        Raises:
            CozeError: No token could be obtained.
        """
        return False

    async def renew_async(self, client: AsyncTokenClient, rejected: str) -> bool:
        """Replaces a token that the service refused. Returns False when there is no other. Called
        once for all requests that wait for it; never blocks the event loop.

        Args:
            client: Client that needs the token; token requests go over its connections.
            rejected: The access token that the service refused.

        Raises:
            CozeError: No token could be obtained.
        """
        return False

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} holds secrets and is not pickled; make a new one where needed"
        )


class StaticToken(Auth):
    """A personal or service access token."""

    def __init__(self, token: str) -> None:
        """Keeps the token.

        Args:
            token: The access token, as the console shows it.

        Raises:
            ArgumentError: It is empty, or contains spaces or characters that cannot go into a
                header.
        """
        self._token = checked_token(token)

    def token(self, client: SyncTokenClient) -> str:
        """The token.

        Args:
            client: The client that needs it; not used.
        """
        return self._token

    async def token_async(self, client: AsyncTokenClient) -> str:
        """The token.

        Args:
            client: The client that needs it; not used.
        """
        return self._token


def checked_token(token: object) -> str:
    """The token, fit for a header.

    Raises:
        ArgumentError: It is empty, no text, or holds characters that no token has; the text never
            shows it.
    """
    if not isinstance(token, str) or not token.strip():
        raise ArgumentError(
            "the token is empty; pass token=…, auth=… or set COZE_API_TOKEN", argument="token"
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ArgumentError(
            "the token holds spaces, line ends or other characters that no token has",
            argument="token",
        )
    return token


publish(globals(), "cozekit.auth", "Auth", "StaticToken", "SyncTokenClient", "AsyncTokenClient")
