"""The handshake of a socket: its options, URL and headers, and its failures as errors of this
package.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import urlsplit, urlunsplit

from coze_openapi.client import AsyncClient, Client
from coze_runtime import publish
from coze_runtime.operation import CallOptions, Request, Response, Socket
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
from ._protocol import closed_error

_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
# Close codes after which a new connection would end the same way: normal, protocol error, invalid
# data, policy, too big, extension.
_FINAL_CODES = frozenset({1000, 1002, 1003, 1007, 1008, 1009, 1010})
# Seconds for the closing handshake; flush and handshake together take less than one second.
_CLOSE_TIMEOUT = 0.6


SocketClient: TypeAlias = Client | AsyncClient


class Reconnect(NamedTuple):
    """Whether and how to reconnect after a lost connection.

    The server drops the session with the connection, so the last `….update` is sent again, followed
    by the events still in the queue. The program gets a `Reconnected` event; audio and text in
    transit are lost. After a deliberate close by the server (codes 1000, 1002, 1003, 1007–1010)
    there is no reconnection.
    """

    attempts: int = 5
    """Attempts per lost connection, and for the first connection."""
    delay: float = 0.5
    """Seconds before the second attempt; doubles for each later one."""
    max_delay: float = 8.0
    """Longest pause in seconds."""

    def pause(self, attempt: int) -> float:
        """Seconds before an attempt; 0 before the first."""
        return (
            0.0 if attempt <= 1 else min(self.max_delay, self.delay * 2.0 ** min(attempt - 2, 30))
        )

    def after(self, code: int | None) -> bool:
        """Whether to reconnect after this close code."""
        return code not in _FINAL_CODES


class SocketOptions(NamedTuple):
    """Settings of the connection; the defaults suit voice calls. `None` disables a limit."""

    open_timeout: float | None = 10.0
    """Seconds for TCP, TLS and handshake together."""
    ping_interval: float | None = 20.0
    """Seconds without data from the server after which it is pinged."""
    ping_timeout: float | None = 20.0
    """Seconds to wait for the pong; then the connection counts as lost."""
    send_timeout: float | None = 20.0
    """Seconds in which no data can be sent; then the connection counts as lost."""
    idle_timeout: float | None = 600.0
    """Seconds that an iteration, or a wait without its own timeout, waits for an event."""
    max_size: int | None = 16 * 1024 * 1024
    """Maximum size of a received event in bytes; a larger one closes the socket with code 1009."""
    max_events: int = 1024
    """Maximum number of buffered received events; see `max_bytes`."""
    max_bytes: int = 8 * 1024 * 1024
    """Maximum bytes of buffered received events. Beyond this or `max_events` nothing more is read,
    so the server has to wait. If the program uses only handlers or `wait_for`, the oldest events
    are dropped instead.
    """
    max_queue: int = 256
    """Maximum number of events queued for sending; `send` waits while the queue is full."""
    reconnect: Reconnect | None = None
    """How to reconnect after a lost connection; by default not at all."""
    base_url: str | None = None
    """Base URL of the sockets (http, https, ws or wss); by default derived from the client's."""

    def checked(self) -> SocketOptions:
        """Returns these options after checking them.

        Raises:
            ArgumentError: A limit is not above zero.
        """
        counts = ("max_events", "max_bytes", "max_queue")
        for name, value in self._asdict().items():
            if name in counts and value < 1:
                raise ArgumentError(f"{name} must be at least 1", argument=name)
            if isinstance(value, int | float) and not value > 0:
                raise ArgumentError(f"{name} must be above 0; None disables it", argument=name)
        if self.reconnect is not None and self.reconnect.attempts < 1:
            raise ArgumentError("Reconnect.attempts must be at least 1", argument="reconnect")
        return self


def address(url: str) -> str:
    """Converts the URL of an HTTP call to that of a socket.

    `http` becomes `ws` and `https` `wss`. On Coze's own hosts the prefix `api.` (or `api-`) becomes
    `ws.` (or `ws-`), where the sockets are served. Other hosts, ports and paths are kept.

    Raises:
        ArgumentError: The URL is not an http, https, ws or wss address.

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
    """The server answered the handshake with an HTTP response. Redirects count too, so that the
    token is not sent elsewhere.
    """

    def __init__(self, response: Any) -> None:
        super().__init__(response)
        self.response = response


class _Log(logging.LoggerAdapter[logging.Logger]):
    """The logger of `websockets` without its DEBUG records, which contain the token."""

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802  # the name of the base class
        return level > logging.DEBUG and super().isEnabledFor(level)


class Handshake:
    """The handshake of one socket: everything but the token."""

    def __init__(
        self,
        client: SocketClient,
        spec: Socket,
        query: Mapping[str, Any],
        options: SocketOptions,
    ) -> None:
        self.client = client
        self.spec = spec
        self.query = {name: value for name, value in query.items() if value is not None}
        self.options = options

    def open(self, driver: Any, is_closed: Callable[[], bool]) -> Steps[Any]:
        """Opens a connection. A rejected token is renewed once.

        Args:
            driver: Opens connections, blocking or async.
            is_closed: Whether the socket was closed meanwhile.

        Raises:
            APIConnectionError: The server could not be reached or did not respond in time.
            APIError: The server rejected the handshake.
            CozeError: The extra `ws` is not installed, or the client is closed.
        """
        client: Any = self.client
        auth = client.settings.auth
        get_token, renew = auth.token, auth.renew
        if isinstance(client, AsyncClient):
            get_token, renew = auth.token_async, auth.renew_async
        token = yield get_token(client)
        may_renew = auth.renewable
        while True:
            url, headers = self.target(token)
            try:
                return (yield from self._connect(driver, url, headers, is_closed))
            except Exception as problem:
                error = problem if isinstance(problem, CozeError) else self._error(problem, url)
                if not may_renew or not isinstance(error, AuthenticationError):
                    raise error from problem
                if not (yield renew(client, token or "")):
                    raise error from problem
                may_renew = False
            token = yield get_token(client)

    def _connect(
        self, driver: Any, url: str, headers: dict[str, str], is_closed: Callable[[], bool]
    ) -> Steps[Any]:
        attempt = driver.connect(url, self._settings(url, headers))

        def abort(ended: Any) -> None:
            if not ended.cancelled() and ended.exception() is None:
                driver.abort(ended.result())

        try:
            yield driver.until(lambda: attempt.done() or is_closed())
            if not attempt.done():
                raise closed_error()
            return attempt.result()
        except BaseException:
            # The socket was closed, or the caller interrupted: nobody wants the connection.
            attempt.cancel()
            attempt.add_done_callback(abort)
            raise

    def target(self, token: str | None) -> tuple[str, dict[str, str]]:
        """Returns URL and headers."""
        request = Request(self.spec.operation, self.spec.path, self.query, {})
        prepared = self.client.settings.prepare(request, CallOptions(), token)
        base = self.options.base_url
        url = prepared.url
        if base:
            url = base.rstrip("/") + url.removeprefix(prepared.base_url)
        headers = prepared.headers.items()
        return address(url), {name: text for name, text in headers if name.lower() != "accept"}

    def _settings(self, url: str, headers: dict[str, str]) -> dict[str, Any]:
        """Arguments of `websockets.connect`, sync and async."""
        from coze_runtime._http.clients import tls_context

        return {
            "ssl": tls_context() if url.startswith("wss:") else None,
            "user_agent_header": headers.pop("User-Agent", None),
            "additional_headers": headers,
            "open_timeout": self.options.open_timeout,
            # `Connection` sends the pings: it knows when nothing is read because of a slow program.
            "ping_interval": None,
            "close_timeout": _CLOSE_TIMEOUT,
            "max_size": self.options.max_size,
            "max_queue": 16,
            # Audio does not compress, and `max_size` counts uncompressed bytes.
            "compression": None,
            "logger": _Log(logging.getLogger("websockets.client"), {}),
        }

    def _error(self, problem: Exception, url: str) -> CozeError:
        """The error for a failed attempt."""
        if isinstance(problem, ImportError):
            return CozeError(
                "voice sockets need the package websockets; install it with `pip install "
                f"'cozekit[ws]'` ({problem})"
            )
        where = url.partition("?")[0]
        if isinstance(problem, HandshakeRefused):
            reply = problem.response
            response = Response(
                status=reply.status_code,
                headers={name.lower(): value for name, value in reply.headers.raw_items()},
                content=bytes(reply.body or b""),
                operation=self.spec.operation,
                url=where,
                base_url=self.client.base_url,
                service=self.client.settings.service,
            )
            return failure(response)
        error_class = APITimeoutError if isinstance(problem, TimeoutError) else APIConnectionError
        reason = problem or type(problem).__name__
        return error_class(f"{self.spec.id}: no connection to {where}: {reason}", sent=False)


publish(globals(), "cozekit.websockets", "Reconnect", "SocketOptions")
