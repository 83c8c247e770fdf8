"""Creates httpx clients for responses that take long.

A model run may be silent for minutes, so TCP keep-alive probes are on. httpx ignores the proxies of
the environment when socket options are set, so they are read here.
"""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast
from urllib.request import getproxies

import httpx

from ..errors import ArgumentError

T = TypeVar("T")
C = TypeVar("C", httpx.Client, httpx.AsyncClient)

LIMITS = httpx.Limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=30.0)
# httpx scans every idle connection at every call: with 100 of them, 100 concurrent async streams
# spend three quarters of their time on that. `cozekit[fast]` does not have this problem.
ASYNC_LIMITS = httpx.Limits(
    max_connections=1000, max_keepalive_connections=20, keepalive_expiry=30.0
)
# First probe after 60 s of silence, then every 30 s; 5 unanswered ones end the connection.
_PROBES = (("TCP_KEEPIDLE", 60), ("TCP_KEEPALIVE", 60), ("TCP_KEEPINTVL", 30), ("TCP_KEEPCNT", 5))


def socket_options() -> list[tuple[int, int, int]]:
    """Socket options for keep-alive probes, as far as this system supports them."""
    options = [
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    ]
    return options + [
        (socket.IPPROTO_TCP, getattr(socket, name), value)
        for name, value in _PROBES
        if hasattr(socket, name)
    ]


_MIN_AIOHTTP = (3, 14)
_tls_lock = threading.Lock()
_tls_context: ssl.SSLContext | None = None


def _after_fork() -> None:
    global _tls_lock  # noqa: PLW0603  # a thread of the parent may hold the old one
    _tls_lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def check_given(http_client: object, transport: object, *, is_async: bool) -> None:
    """Checks what the user passed to the constructor.

    Raises:
        ArgumentError: The client or the transport is not one of httpx, or it is of the other kind,
            sync or async.
    """
    client_type, send = (
        (httpx.AsyncClient, "handle_async_request")
        if is_async
        else (httpx.Client, "handle_request")
    )
    if http_client is not None and not isinstance(http_client, client_type):
        raise ArgumentError(
            f"http_client must be an httpx.{client_type.__name__}, not "
            f"{type(http_client).__module__}.{type(http_client).__name__}",
            argument="http_client",
        )
    if not (transport is None or isinstance(transport, str) or hasattr(transport, send)):
        raise ArgumentError(
            f"transport must have the method {send}, as transports of httpx.{client_type.__name__} "
            f"have; {type(transport).__name__} does not",
            argument="transport",
        )


def new_client(
    transport: httpx.BaseTransport | None = None, *, limits: httpx.Limits = LIMITS
) -> httpx.Client:
    """Creates a sync client.

    Args:
        transport: The user's transport; by default ours, with keep-alive probes and the proxies of
            the environment.
        limits: Connection limits of our transport.

    Raises:
        ArgumentError: The proxies or certificates of the environment cannot be used.
    """
    if transport is not None:
        return _without_cookies(httpx.Client(transport=transport, timeout=None))

    def make(proxy: str | None = None) -> httpx.HTTPTransport:
        transport = httpx.HTTPTransport(verify=tls_context(), limits=limits, proxy=proxy)
        return _own_sockets(transport, _Backend)

    direct = make()
    mounts = _mounts(make, direct)
    return _without_cookies(httpx.Client(transport=direct, mounts=mounts, timeout=None))


def new_async_client(
    transport: httpx.AsyncBaseTransport | str | None = None,
    *,
    limits: httpx.Limits = ASYNC_LIMITS,
    on_asyncio: bool = True,
) -> httpx.AsyncClient:
    """Creates an async client.

    Args:
        transport: The user's transport, or the name of ours, `aiohttp` or `httpx`, which is the
            default.
        limits: Connection limits of our transport.
        on_asyncio: Whether the event loop is asyncio; aiohttp supports no other.

    Raises:
        ArgumentError: There is no transport of that name, it is not installed, or it does not work
            in this event loop; or the proxies or certificates of the environment cannot be used.
    """
    if transport is not None and not isinstance(transport, str):
        return _without_cookies(httpx.AsyncClient(transport=transport, timeout=None))
    use_aiohttp = wants_aiohttp(transport)
    if use_aiohttp and not on_asyncio:
        raise ArgumentError(
            "the aiohttp transport needs asyncio, and this event loop is trio's; leave `transport` "
            "out or use 'httpx'",
            argument="transport",
        )

    def make(proxy: str | None = None) -> httpx.AsyncBaseTransport:
        # aiohttp does not support SOCKS.
        if use_aiohttp and not (proxy or "").startswith("socks"):
            from .aiohttp_transport import AiohttpTransport

            return AiohttpTransport(
                limits=limits, proxy=proxy, tls=tls_context(), socket_options=socket_options()
            )
        transport = httpx.AsyncHTTPTransport(verify=tls_context(), limits=limits, proxy=proxy)
        return _own_sockets(transport, _AsyncBackend)

    direct = make()
    mounts = _mounts(make, direct)
    return _without_cookies(httpx.AsyncClient(transport=direct, mounts=mounts, timeout=None))


class _Backend:
    """Opens sockets with our options. httpx passes them on for direct connections, but not for
    connections to a proxy.
    """

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def connect_tcp(self, *args: Any, **kwargs: Any) -> Any:
        return self._backend.connect_tcp(*args, **{**kwargs, "socket_options": socket_options()})


class _AsyncBackend(_Backend):
    """The same for async transports; reads go on when the server hangs up on an upload."""

    async def connect_tcp(self, *args: Any, **kwargs: Any) -> Any:
        from .sockets import ReadFirstSocket

        network = await super().connect_tcp(*args, **kwargs)
        # The socket of an asyncio transport; anyio does not let us pass one, and trio, which has
        # no transports, reads on anyway.
        sock = getattr(network.get_extra_info("socket"), "_sock", None)
        if type(sock) is socket.socket:
            from .sockets import ReadFirstSocket

            sock.__class__ = ReadFirstSocket
        return network


def _own_sockets(transport: T, backend: type[_Backend]) -> T:
    """A transport of httpx with our backend; it has no argument for one."""
    pool = cast(Any, transport)._pool
    pool._network_backend = backend(pool._network_backend)
    return transport


def wants_aiohttp(transport: str | None) -> bool:
    """Whether to use aiohttp: only when it is requested by name. What carries the bytes does not
    depend on what happens to be installed; mocks and tracing of httpx would be bypassed.

    Raises:
        ArgumentError: There is no transport of that name, or it is not installed.
    """
    if transport not in (None, "httpx", "aiohttp"):
        raise ArgumentError(
            f"transport must be 'httpx', 'aiohttp' or a transport object, not {transport!r}",
            argument="transport",
        )
    if transport != "aiohttp":
        return False
    if not _has_aiohttp():
        raise ArgumentError(
            "the aiohttp transport needs aiohttp 3.14 or newer: `pip install cozekit[fast]`",
            argument="transport",
        )
    return True


def _has_aiohttp() -> bool:
    """Whether aiohttp is installed and new enough.

    aiohttp before 3.12 does not accept our sockets (no keep-alive probes), before 3.12.7 does not
    report closed connections, and before 3.14 logs an unretrieved exception after an upload times
    out.
    """
    try:
        from aiohttp import __version__
    except ImportError:
        return False
    return tuple(int(part) for part in __version__.split(".")[:2]) >= _MIN_AIOHTTP


def _mounts(make: Callable[[str | None], T], direct: T) -> dict[str, T | None]:
    """Transport by URL pattern for the proxies of the environment; None means no proxy."""
    if not getproxies():
        return {}
    from .environment import proxy_transports

    return proxy_transports(make, direct)


def tls_context() -> ssl.SSLContext:
    """The TLS context of the process; loading the certificates takes longer than a call.

    Raises:
        ArgumentError: The certificates cannot be read.
    """
    global _tls_context  # noqa: PLW0603  # one for the process
    with _tls_lock:
        if _tls_context is None:
            try:
                _tls_context = httpx.create_ssl_context()
            except (OSError, ValueError) as error:
                from .environment import tls_error

                raise tls_error(error) from error
        return _tls_context


def _without_cookies(client: C) -> C:
    """Makes a client ignore the cookies of responses: a call must not depend on earlier responses,
    least of all on those for another token. A cookie policy would cost an eighth of each call.
    """
    client.cookies.extract_cookies = lambda response: None  # type: ignore[method-assign]
    return client
