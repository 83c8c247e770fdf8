"""How a socket gets a connection: its settings, the address, the headers, and the handshake with
its failures as errors of this package.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit, urlunsplit

from coze_runtime._publish import publish
from coze_runtime.auth import AsyncTokenClient, SyncTokenClient
from coze_runtime.calls.settings import Settings
from coze_runtime.operation import CallOptions, Request, Response
from coze_runtime.serialization.error_responses import failure
from coze_runtime.steps import Steps

from ..auth import region_of
from ..errors import (
    APIConnectionError,
    APITimeoutError,
    ArgumentError,
    AuthenticationError,
    CozeError,
)
from ._protocol import SocketSpec

_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
# Close codes after which another connection would meet the same end: normal, protocol error, wrong
# data, policy, too big, extension.
_FINAL = frozenset({1000, 1002, 1003, 1007, 1008, 1009, 1010})
# Seconds for the closing handshake; with the flush before it, closing stays within one second.
_CLOSE_TIMEOUT = 0.6


class SyncSocketClient(SyncTokenClient, Protocol):
    """What a sync socket needs of the client that makes it."""

    @property
    def settings(self) -> Settings:
        """Where the service is, who asks, and what goes with every request."""
        ...


class AsyncSocketClient(AsyncTokenClient, Protocol):
    """What an async socket needs of the client that makes it."""

    @property
    def settings(self) -> Settings:
        """Where the service is, who asks, and what goes with every request."""
        ...


class Reconnect(NamedTuple):
    """Whether and how a lost connection is made again.

    The server forgets a session with its connection: the last `….update` is sent again, events that
    were queued and not sent follow, and the program gets a `Reconnected` event, since sound and
    text that were under way are lost. A connection that the server closes on purpose (codes 1000,
    1002, 1003, 1007–1010) is not made again.
    """

    attempts: int = 5
    """Attempts for each loss, and for the first connection."""
    delay: float = 0.5
    """Seconds before the second attempt; doubled before each later one."""
    max_delay: float = 8.0
    """Longest pause in seconds."""

    def pause(self, attempt: int) -> float:
        """Seconds before an attempt; there is none before the first."""
        return (
            0.0 if attempt <= 1 else min(self.max_delay, self.delay * 2.0 ** min(attempt - 2, 30))
        )

    def after(self, code: int | None) -> bool:
        """Whether a connection that ended with this code is made again."""
        return code not in _FINAL


class SocketOptions(NamedTuple):
    """Settings of the connection; the defaults fit voices. `None` switches a limit off."""

    open_timeout: float | None = 10.0
    """Seconds for TCP, TLS and handshake together."""
    ping_interval: float | None = 20.0
    """Seconds of silence of the server after which it is pinged."""
    ping_timeout: float | None = 20.0
    """Seconds for its answer; then the connection counts as lost."""
    send_timeout: float | None = 20.0
    """Seconds that the network may take no data; then the connection counts as lost."""
    idle_timeout: float | None = 600.0
    """Seconds that an iteration, or a wait without its own timeout, waits for an event."""
    max_size: int | None = 16 * 1024 * 1024
    """Bytes of the largest event that is accepted; a larger one ends the connection with code 1009.
    """
    max_events: int = 1024
    """Events that are kept for a program that does not take them; see `max_bytes`."""
    max_bytes: int = 8 * 1024 * 1024
    """Bytes of events that are kept, as they came. Beyond this or `max_events` nothing more is
    read, so that the server has to wait; when nobody iterates, but handlers or waits are there, the
    oldest events are dropped instead.
    """
    max_queue: int = 256
    """Events that wait to be sent; `send` waits while the queue is full."""
    reconnect: Reconnect | None = None
    """What happens when the connection is lost; by default it stays lost."""
    base_url: str | None = None
    """Where the sockets are: an http, https, ws or wss address. By default derived from the base
    URL of the client.
    """

    def checked(self) -> SocketOptions:
        """These options.

        Raises:
            ArgumentError: A limit is not above zero.
        """
        counts = ("max_events", "max_bytes", "max_queue")
        for name, value in self._asdict().items():
            if name in counts and value < 1:
                raise ArgumentError(f"{name} must be at least 1", argument=name)
            if isinstance(value, int | float) and not value > 0:
                raise ArgumentError(f"{name} must be above 0; None switches it off", argument=name)
        if self.reconnect is not None and self.reconnect.attempts < 1:
            raise ArgumentError("Reconnect.attempts must be at least 1", argument="reconnect")
        return self


def address(url: str) -> str:
    """The address of a socket for the address that an HTTP call would have.

    `http` becomes `ws` and `https` `wss`. Coze itself serves the sockets from another host: `api.`
    (or `api-`) at the beginning of its name becomes `ws.`. Every other host, with its port and
    path, is kept.

    Raises:
        ArgumentError: It is not an http, https, ws or wss address.

    Source: pages tts_api, asr_api, streaming_chat_api
    """
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise ArgumentError(
            f"{url!r} is not an http, https, ws or wss address", argument="base_url"
        )
    netloc = parts.netloc
    host = parts.hostname
    if host.startswith(("api.", "api-")) and region_of(url):
        netloc = "ws" + netloc[len("api") :]
    return urlunsplit((_SCHEMES[parts.scheme], netloc, parts.path, parts.query, ""))


class HandshakeRefused(Exception):
    """The handshake was answered with a plain HTTP response. A redirection counts too: it must not
    carry the token away.
    """

    def __init__(self, response: Any) -> None:
        super().__init__(response)
        self.response = response


class _Log(logging.LoggerAdapter[logging.Logger]):
    """The logger of the package `websockets` without its DEBUG records, which show the token."""

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802  # the name of the base class
        return level > logging.DEBUG and super().isEnabledFor(level)


class Handshake:
    """The handshake of one socket: everything but the token."""

    def __init__(
        self,
        client: SyncSocketClient | AsyncSocketClient,
        spec: SocketSpec,
        query: Mapping[str, Any],
        options: SocketOptions,
    ) -> None:
        self.client = client
        self.spec = spec
        self.query = {name: value for name, value in query.items() if value is not None}
        self.options = options

    def open(self, driver: Any) -> Steps[Any]:
        """An open connection. A rejected token is renewed once.

        Args:
            driver: Asks for tokens and opens connections, blocking or in a task.

        Raises:
            APIConnectionError: The server could not be reached or did not respond in time.
            APIError: The server rejected the handshake.
            CozeError: The extra `ws` is not installed, or the client is closed.
        """
        auth = self.client.settings.auth
        token = yield driver.token()
        may_renew = auth.renewable
        while True:
            url, headers = self.target(token)
            try:
                return (yield driver.connect(url, self._settings(url, headers)))
            except Exception as problem:
                error = problem if isinstance(problem, CozeError) else self._error(problem, url)
                if not may_renew or not isinstance(error, AuthenticationError):
                    raise error from problem
                if not (yield driver.renew(token or "")):
                    raise error from problem
                may_renew = False
            token = yield driver.token()

    def target(self, token: str | None) -> tuple[str, dict[str, str]]:
        """Address and headers."""
        request = Request(self.spec.operation, self.spec.socket.path, self.query, {})
        prepared = self.client.settings.prepare(request, CallOptions(), token)
        base = self.options.base_url
        url = prepared.url
        if base:
            url = base.rstrip("/") + url.removeprefix(prepared.base_url)
        headers = prepared.headers.items()
        return address(url), {name: text for name, text in headers if name.lower() != "accept"}

    def _settings(self, url: str, headers: dict[str, str]) -> dict[str, Any]:
        """Arguments for both forms of `websockets.connect`."""
        from coze_runtime._http.clients import tls_context

        return {
            "ssl": tls_context() if url.startswith("wss:") else None,
            "user_agent_header": headers.pop("User-Agent", None),
            "additional_headers": headers,
            "open_timeout": self.options.open_timeout,
            # A connection pings by itself, since it knows when nothing is read because the program
            # is slow.
            "ping_interval": None,
            "close_timeout": _CLOSE_TIMEOUT,
            "max_size": self.options.max_size,
            "max_queue": 16,
            # Sound does not shrink; without it a frame has the size that `max_size` speaks of.
            "compression": None,
            "logger": _Log(logging.getLogger("websockets.client"), {}),
        }

    def _error(self, problem: Exception, url: str) -> CozeError:
        """The error for a failed attempt."""
        where = url.partition("?")[0]
        if isinstance(problem, HandshakeRefused):
            answer = problem.response
            response = Response(
                status=answer.status_code,
                headers={name.lower(): value for name, value in answer.headers.raw_items()},
                content=bytes(answer.body or b""),
                operation=self.spec.operation,
                url=where,
                base_url=self.client.base_url,
                service=self.client.settings.service,
            )
            return failure(response)
        error_class = APITimeoutError if isinstance(problem, TimeoutError) else APIConnectionError
        reason = problem or type(problem).__name__
        return error_class(f"{self.spec.socket.id}: no connection to {where}: {reason}", sent=False)


publish(globals(), "cozekit.websockets", "Reconnect", "SocketOptions")
