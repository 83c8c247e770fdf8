"""Opening a connection: handshake, and its failures as errors of this package. `websockets` is
imported here, on first use.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from coze_runtime.operation import CallOptions, Request, Response
from coze_runtime.serialization.error_responses import failure

from ..errors import (
    APIConnectionError,
    APITimeoutError,
    ArgumentError,
    AuthenticationError,
    CozeError,
    WebSocketError,
)
from .client import AsyncSocketClient, SyncSocketClient
from .options import SocketOptions
from .wire import Spec, address

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection as AsyncConnection
    from websockets.sync.client import ClientConnection as SyncConnection


# Seconds for the closing handshake; with the flush before it, closing stays within one second.
CLOSE_TIMEOUT = 0.6


class Refused(Exception):
    """The handshake was answered with a plain HTTP response; a redirection is one as well, it must
    not carry the token away.
    """

    def __init__(self, response: Any) -> None:
        super().__init__(response)
        self.response = response


class Plan:
    """A handshake: everything but the token."""

    def __init__(
        self,
        client: SyncSocketClient | AsyncSocketClient,
        spec: Spec,
        query: Mapping[str, Any],
        options: SocketOptions,
    ) -> None:
        self.client = client
        self.spec = spec
        self.query = {name: value for name, value in query.items() if value is not None}
        self.options = options

    def target(self, token: str | None) -> tuple[str, dict[str, str]]:
        """Address and headers."""
        request = Request(self.spec.operation, self.spec.socket.path, self.query, {})
        prepared = self.client.settings.prepare(request, CallOptions(), token)
        base = self.options.base_url
        url = (
            base.rstrip("/") + prepared.url.removeprefix(prepared.base_url)
            if base
            else prepared.url
        )
        return address(url), {
            name: value for name, value in prepared.headers.items() if name.lower() != "accept"
        }

    def settings(self, url: str, headers: dict[str, str]) -> dict[str, Any]:
        """Arguments for both forms of `websockets.connect`."""
        from coze_runtime._http.clients import tls_context

        agent = headers.pop("User-Agent", None)
        options = self.options
        return {
            "ssl": tls_context() if url.startswith("wss:") else None,
            "additional_headers": headers,
            "user_agent_header": agent,
            "open_timeout": options.open_timeout,
            # Pings are sent by the sockets themselves, which know when nothing is read because the
            # program is slow.
            "ping_interval": None,
            "close_timeout": CLOSE_TIMEOUT,
            "max_size": options.max_size,
            "max_queue": 16,
            # Sound does not shrink; without it a frame has the size that `max_size` speaks of.
            "compression": None,
        }

    def error(self, problem: Exception, url: str) -> CozeError:
        """The error for a failed attempt."""
        where = url.partition("?")[0]
        if isinstance(problem, Refused):
            found = problem.response
            headers = {name.lower(): value for name, value in found.headers.raw_items()}
            response = Response(
                status=found.status_code,
                headers=headers,
                content=bytes(found.body or b""),
                operation=self.spec.operation,
                url=where,
                base_url=self.client.base_url,
                service=self.client.settings.service,
            )
            return failure(response)
        text = (
            f"{self.spec.socket.id}: no connection to {where}: {problem or type(problem).__name__}"
        )
        return (
            APITimeoutError(text, sent=False)
            if isinstance(problem, TimeoutError)
            else APIConnectionError(text, sent=False)
        )


def missing_extra(error: ImportError) -> CozeError:
    """What is said without the package `websockets`."""
    return CozeError(
        "voice sockets need the package websockets; install it with `pip install "
        f"'cozekit[ws]'` ({error})"
    )


@functools.cache
def _sync_parts() -> tuple[Any, type[Any]]:
    try:
        from websockets.exceptions import InvalidStatus
        from websockets.sync.client import ClientConnection, connect
    except ImportError as error:
        raise missing_extra(error) from error

    class Connection(ClientConnection):
        def handshake(self, *args: Any, **kwargs: Any) -> None:
            try:
                super().handshake(*args, **kwargs)
            except InvalidStatus as error:
                raise Refused(error.response) from None

    return connect, Connection


@functools.cache
def _async_parts() -> tuple[Any, type[Any]]:
    try:
        from websockets.asyncio.client import ClientConnection, connect
        from websockets.exceptions import InvalidStatus
    except ImportError as error:
        raise missing_extra(error) from error

    class Connection(ClientConnection):
        async def handshake(self, *args: Any, **kwargs: Any) -> None:
            try:
                await super().handshake(*args, **kwargs)
            except InvalidStatus as error:
                raise Refused(error.response) from None

    return connect, Connection


def dial(plan: Plan, client: SyncSocketClient) -> SyncConnection:
    """An open connection. A token that is refused is renewed once.

    Raises:
        APIConnectionError: The server cannot be reached, or did not answer in time.
        APIError: It refused the handshake.
        CozeError: The extra `ws` is not installed, or the client is closed.
    """
    connect, connection_class = _sync_parts()
    auth = client.settings.auth
    token = auth.token(client)
    for last in (False, True):
        url, headers = plan.target(token)
        try:
            connection = connect(
                url, create_connection=connection_class, **plan.settings(url, headers)
            ).__enter__()
            # A peer that takes nothing must not hold the writer for ever.
            with suppress(
                OSError
            ):  # the server has closed it already, which the first reading tells
                connection.socket.settimeout(plan.options.send_timeout)
            return connection  # type: ignore[no-any-return]
        except Exception as problem:
            error = _known(plan, problem, url)
            if last or not isinstance(error, AuthenticationError) or not auth.renewable:
                raise error from problem
            if not auth.renew(client, token or ""):
                raise error from problem
            token = auth.token(client)
    raise WebSocketError("unreachable")


async def dial_async(plan: Plan, client: AsyncSocketClient) -> AsyncConnection:
    """The async form of `dial`."""
    connect, connection_class = _async_parts()
    auth = client.settings.auth
    token = await auth.token_async(client)
    for last in (False, True):
        url, headers = plan.target(token)
        try:
            # With no room in the write buffer an event counts as sent when the network has it, so
            # that closing loses none.
            settings = plan.settings(url, headers)
            return await connect(url, create_connection=connection_class, write_limit=0, **settings)  # type: ignore[no-any-return]
        except Exception as problem:
            error = _known(plan, problem, url)
            if last or not isinstance(error, AuthenticationError) or not auth.renewable:
                raise error from problem
            if not await auth.renew_async(client, token or ""):
                raise error from problem
            token = await auth.token_async(client)
    raise WebSocketError("unreachable")


def _known(plan: Plan, problem: Exception, url: str) -> CozeError:
    return problem if isinstance(problem, CozeError | ArgumentError) else plan.error(problem, url)
