"""What a client asks of a source of tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ArgumentError

if TYPE_CHECKING:
    from typing import NoReturn, SupportsIndex

    from coze_openapi import AsyncClient, Client


class Auth:
    """A source of access tokens.

    The client asks for a token before each request, and once more after the service refused it. Token requests of a source go
    through the client that asks (`client.oauth…`), so that they use its connections, proxies and timeouts.
    """

    renewable: bool = False
    """Whether `renew` can bring another token; if not, a refused token is an error at once."""

    def token(self, client: Client) -> str:
        """A token that is good now.

        Raises:
            CozeError: None can be had.
        """
        raise ArgumentError(f"{type(self).__name__} works only with AsyncCoze", argument="auth")

    async def token_async(self, client: AsyncClient) -> str:
        """The async form of `token`; it never blocks the event loop."""
        raise ArgumentError(f"{type(self).__name__} works only with Coze", argument="auth")

    def renew(self, client: Client, rejected: str) -> bool:
        """Replaces a token that the service refused; False when there is no other. One call for many waiting requests."""
        return False

    async def renew_async(self, client: AsyncClient, rejected: str) -> bool:
        """The async form of `renew`."""
        return False

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds secrets and is not pickled; make it anew where it is needed")


def checked_token(token: object) -> str:
    """The token, fit for a header.

    Raises:
        ArgumentError: It is empty, no text, or holds characters that no token has; the text never shows it.
    """
    if not isinstance(token, str) or not token.strip():
        raise ArgumentError("the token is empty; pass token=…, auth=… or set COZE_API_TOKEN", argument="token")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ArgumentError("the token holds spaces, line ends or other characters that no token has", argument="token")
    return token
