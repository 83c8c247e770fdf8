"""`cozekit[fast]`: an async httpx transport on aiohttp.

With many concurrent connections it is several times faster than the transport of httpx.
`AsyncCoze(transport="aiohttp")` uses it; it works in asyncio only. Proxies, TLS, timeouts,
cancellation and errors work as in httpx, so no other code needs to know which transport is used.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import weakref
from base64 import b64encode
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import aiohttp
import httpx
from multidict import CIMultiDict
from yarl import URL

from .sockets import ReadFirstSocket

# Class of aiohttp, of httpx, text. The first row that matches decides.
_ERRORS: tuple[tuple[type[BaseException], type[httpx.TransportError], str], ...] = (
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout, ""),
    (aiohttp.ClientHttpProxyError, httpx.ProxyError, "{0.status}"),
    (aiohttp.ClientConnectorError, httpx.ConnectError, ""),
    (aiohttp.InvalidURL, httpx.UnsupportedProtocol, ""),
    (aiohttp.ServerTimeoutError, httpx.ReadTimeout, ""),
    (aiohttp.ServerDisconnectedError, httpx.RemoteProtocolError, "disconnected"),
    (aiohttp.ClientPayloadError, httpx.RemoteProtocolError, "incomplete"),
    (aiohttp.ClientResponseError, httpx.RemoteProtocolError, ""),
    (aiohttp.ClientError, httpx.ReadError, ""),
    (TimeoutError, httpx.WriteTimeout, ""),
    (OSError, httpx.ReadError, ""),
)
_CHUNK_SIZE = 1 << 16
"""Bytes; a larger body is sent in chunks, so that the write timeout applies to each."""


class AiohttpTransport(httpx.AsyncBaseTransport):
    """Sends requests with aiohttp. Use it only in the event loop of its first request."""

    def __init__(
        self,
        *,
        limits: httpx.Limits | None = None,
        proxy: str | None = None,
        tls: ssl.SSLContext | None = None,
        socket_options: Iterable[tuple[int, int, int]] = (),
    ) -> None:
        """Creates a transport. No connection is opened before the first request.

        Args:
            limits: Connection limits, by default 1,000 connections; `max_keepalive_connections` is
                ignored.
            proxy: URL of an HTTP or HTTPS proxy, with user and password if needed.
            tls: TLS context; by default that of httpx.
            socket_options: Options for each new socket, as for `socket.setsockopt`.
        """
        self._limits = limits or httpx.Limits(max_connections=1000, keepalive_expiry=30.0)
        self._proxy = URL(proxy) if proxy else None
        self._proxy_headers: dict[str, str] = {}
        if self._proxy is not None and self._proxy.user is not None:
            # aiohttp would encode them as Latin-1; httpx and proxies use UTF-8.
            credentials = f"{self._proxy.user}:{self._proxy.password or ''}".encode()
            self._proxy_headers = {
                "Proxy-Authorization": f"Basic {b64encode(credentials).decode()}"
            }
            self._proxy = self._proxy.with_user(None)
        self._tls = tls
        self._socket_options = list(socket_options)
        self._session: aiohttp.ClientSession | None = None
        self._closed = False
        # Connection → the body that it is receiving.
        self._bodies: weakref.WeakKeyDictionary[Any, _Body] = weakref.WeakKeyDictionary()

    @property
    def proxy(self) -> str | None:
        """URL of the proxy, without user and password."""
        return str(self._proxy.origin()) if self._proxy is not None else None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sends a request and returns the response when its headers have arrived.

        Args:
            request: The request.
        """
        session = self._session or self._open()
        # The server may have closed an idle connection. The loop notices when it next polls its
        # sockets; without these two rounds, a call that must not be retried would be sent on the
        # dead connection.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        with _httpx_errors():
            response = await self._send(session, request)
        extensions: dict[str, Any] = {
            "http_version": b"HTTP/1.1",
            "reason_phrase": (response.reason or "").encode("latin-1", "replace"),
        }
        body = _Body(response)
        connection = response.connection  # None if the whole response has arrived
        if connection is not None:
            if connection.transport is not None:
                extensions["network_stream"] = _NetworkStream(connection.transport)
            if connection.protocol is not None:
                self._watch_connection(connection.protocol, body)
        return httpx.Response(
            response.status,
            headers=list(response.raw_headers),
            stream=body,
            extensions=extensions,
        )

    async def _send(
        self, session: aiohttp.ClientSession, request: httpx.Request
    ) -> aiohttp.ClientResponse:
        seconds = request.extensions.get("timeout", {})
        timeout = aiohttp.ClientTimeout(
            connect=seconds.get("pool"),
            sock_connect=seconds.get("connect"),
            sock_read=seconds.get("read"),
        )
        headers = CIMultiDict(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw
        )
        headers.popall("transfer-encoding", None)  # aiohttp sets it if needed
        is_tunneled = request.url.scheme == "https"
        if not is_tunneled:
            headers.extend(self._proxy_headers)
        # The write timeout: each chunk that aiohttp fetches restarts it, and the last one ends it.
        async with asyncio.timeout(None) as write_timeout:
            return await session.request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=headers,
                data=_content(request, write_timeout, seconds.get("write")),
                timeout=timeout,
                allow_redirects=False,
                proxy=self._proxy,
                proxy_headers=self._proxy_headers if is_tunneled else None,
            )

    def _watch_connection(self, protocol: Any, body: _Body) -> None:
        """Tells the body when its connection is lost.

        aiohttp tells it nothing if the framing of the body is broken, and takes a reset for the
        end of a body without a length.
        """
        is_watched = protocol in self._bodies
        self._bodies[protocol] = body

        def on_lost(closed: asyncio.Future[None] | None) -> None:
            reason = closed.exception() if closed is not None and not closed.cancelled() else None
            lost = self._bodies.pop(protocol, None)
            if lost is not None:
                lost.connection_lost(reason)

        if protocol.closed is None:
            on_lost(None)
        elif not is_watched:
            protocol.closed.add_done_callback(on_lost)

    def _open(self) -> aiohttp.ClientSession:
        if self._closed:
            raise RuntimeError("the transport is closed")
        connector = _Connector(
            limit=self._limits.max_connections or 0,
            keepalive_timeout=self._limits.keepalive_expiry
            if self._limits.keepalive_expiry is not None
            else 86400.0,
            ssl=self._tls or httpx.create_ssl_context(),
            socket_factory=self._new_socket,
        )
        self._session = session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            skip_auto_headers=("accept", "accept-encoding", "content-type", "user-agent"),
            max_line_size=1 << 16,
            max_field_size=1 << 16,
        )
        # aiohttp would silently send a request again; only the retry policy may do that.
        session._retry_connection = False
        return session

    def _new_socket(self, address: Any) -> socket.socket:
        family, socket_type, protocol, _, _ = address
        sock = ReadFirstSocket(family, socket_type, protocol)
        try:
            sock.setblocking(False)
            for option in self._socket_options:
                sock.setsockopt(*option)
        except BaseException:
            sock.close()
            raise
        return sock

    async def aclose(self) -> None:
        """Closes the connections; calls in progress fail."""
        self._closed = True
        if self._session is not None:
            await self._session.close()

    def cut(self) -> None:
        """Closes the connections without waiting; in the thread of the loop, or when it does not
        run. A session that is dropped open would complain.
        """
        self._closed = True
        session, self._session = self._session, None
        if session is not None and session.connector is not None:
            connector = session.connector
            session.detach()
            connector.__exit__(None, None, None)


class _Connector(aiohttp.TCPConnector):
    """A pool that drops a connection on which something arrived while it was idle; aiohttp would
    take it for the response to the next request.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._used: weakref.WeakSet[Any] = weakref.WeakSet()

    async def connect(self, *arguments: Any, **named: Any) -> aiohttp.connector.Connection:
        while True:
            connection = await super().connect(*arguments, **named)
            protocol: Any = connection.protocol
            if protocol in self._used and protocol.should_close:
                connection.close()
                continue
            self._used.add(protocol)
            return connection


class _Body(httpx.AsyncByteStream):
    """The body of a response."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self._error: aiohttp.ClientPayloadError | None = None

    def connection_lost(self, reason: BaseException | None) -> None:
        """Fails the body, unless it is complete.

        Args:
            reason: Why the connection was lost; None if the server closed it.
        """
        content, headers = self._response.content, self._response.headers
        error = aiohttp.ClientPayloadError(f"the body is incomplete ({reason or 'closed'})")
        if content.is_eof():
            # The end of the connection is also the end of a body without a length.
            has_length = "content-length" in headers or "transfer-encoding" in headers
            if reason is not None and not has_length:
                self._error = error
        elif content.exception() is None:
            content.set_exception(error)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        content = self._response.content
        try:
            with _httpx_errors():
                while chunk := await content.readany():
                    yield chunk
                if self._error is not None:
                    raise self._error
        finally:
            self._drop()

    async def aclose(self) -> None:
        """Drops the connection, unless the body was read to the end and has released it."""
        self._drop()

    def _drop(self) -> None:
        # A graceful TLS shutdown would wait for the server; nobody needs the connection any more.
        connection = self._response.connection
        if connection is not None and connection.transport is not None:
            connection.transport.abort()
        self._response.close()


class _NetworkStream:
    """The `network_stream` extension of httpx."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def get_extra_info(self, info: str) -> Any:
        """Returns `socket`, `ssl_object`, `client_addr` or `server_addr`; None for anything else.

        Args:
            info: One of these names.
        """
        names = {"client_addr": "sockname", "server_addr": "peername"}
        return self._transport.get_extra_info(names.get(info, info))


async def _chunks(
    request: httpx.Request, write_timeout: asyncio.Timeout, seconds: float | None
) -> AsyncIterator[bytes]:
    clock = asyncio.get_running_loop().time
    async for part in cast(httpx.AsyncByteStream, request.stream):
        for start in range(0, len(part), _CHUNK_SIZE):
            if seconds is not None:
                write_timeout.reschedule(clock() + seconds)
            yield part[start : start + _CHUNK_SIZE]
    if seconds is not None:
        write_timeout.reschedule(None)


def _content(request: httpx.Request, write_timeout: asyncio.Timeout, seconds: float | None) -> Any:
    try:
        content = request.content
    except httpx.RequestNotRead:
        return _chunks(request, write_timeout, seconds)
    if len(content) > _CHUNK_SIZE:
        return _chunks(request, write_timeout, seconds)
    return content or None


@contextmanager
def _httpx_errors() -> Iterator[None]:
    """Raises errors of aiohttp as errors of httpx, told apart by the words that httpx uses."""
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        error_type, text = next(row[1:] for row in _ERRORS if isinstance(error, row[0]))
        raise error_type(text.format(error)) from error
