"""Clients of the HTTP library: connections as long answers need them.

Model runs are silent for minutes, so the system's keep-alive probes are on; proxies of the
environment are honoured all the same (the HTTP library drops them as soon as socket options are
set, so they are read here).
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar
from urllib.request import getproxies

import httpx

from ..errors import ArgumentError, CozeError

T = TypeVar("T")

LIMITS = httpx.Limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=30.0)
# The pool of the HTTP library looks at every idle connection at every call: with 100 of them, 100
# concurrent async streams spend three quarters of their time there. `cozekit[fast]` has no such
# limit.
ASYNC_LIMITS = httpx.Limits(
    max_connections=1000, max_keepalive_connections=20, keepalive_expiry=30.0
)
# Seconds of silence before the first probe, between probes, and probes until the connection counts
# as dead.
_PROBES = (("TCP_KEEPIDLE", 60), ("TCP_KEEPALIVE", 60), ("TCP_KEEPINTVL", 30), ("TCP_KEEPCNT", 5))


def socket_options() -> list[tuple[int, int, int]]:
    """Keep-alive options that this system knows."""
    options = [
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    ]
    return options + [
        (socket.IPPROTO_TCP, getattr(socket, name), value)
        for name, value in _PROBES
        if hasattr(socket, name)
    ]


_AIOHTTP = (3, 14)
_tls_lock = threading.Lock()
_tls_context: ssl.SSLContext | None = None


def new_client(
    transport: httpx.BaseTransport | None = None, *, limits: httpx.Limits = LIMITS
) -> httpx.Client:
    """A sync client; a transport of the caller's is used as it is.

    Raises:
        CozeError: The environment names a proxy that cannot be used.
    """
    if transport is not None:
        return httpx.Client(transport=transport, timeout=None, cookies=no_cookies())

    def make(proxy: str | None = None) -> httpx.HTTPTransport:
        return _probing(
            httpx.HTTPTransport(
                verify=tls_context(), limits=limits, proxy=proxy, socket_options=socket_options()
            )
        )

    return httpx.Client(transport=make(), mounts=_mounts(make), timeout=None, cookies=no_cookies())


def new_async_client(
    transport: httpx.AsyncBaseTransport | str | None = None,
    *,
    limits: httpx.Limits = ASYNC_LIMITS,
    on_asyncio: bool = True,
) -> httpx.AsyncClient:
    """The async form of `new_client`.

    Args:
        transport: One of the caller's, or the name of ours: `httpx`, `aiohttp`; None takes aiohttp
            where it can be used.
        limits: Of the connections.
        on_asyncio: Whether it will be used in asyncio; aiohttp knows no other loop.

    Raises:
        ArgumentError: There is no transport of that name, or it is not installed.
        CozeError: As `new_client`.
    """
    if transport is not None and not isinstance(transport, str):
        return httpx.AsyncClient(transport=transport, timeout=None, cookies=no_cookies())
    fast = wants_aiohttp(transport) and on_asyncio

    def make(proxy: str | None = None) -> httpx.AsyncBaseTransport:
        # aiohttp has no SOCKS.
        if fast and not (proxy or "").startswith("socks"):
            from .aiohttp_transport import AiohttpTransport

            return AiohttpTransport(
                limits=limits, proxy=proxy, tls=tls_context(), socket_options=socket_options()
            )
        return _probing(
            httpx.AsyncHTTPTransport(
                verify=tls_context(), limits=limits, proxy=proxy, socket_options=socket_options()
            )
        )

    return httpx.AsyncClient(
        transport=make(), mounts=_mounts(make), timeout=None, cookies=no_cookies()
    )


class _Backend:
    """Opens sockets with our options. The library hands them on to direct connections, and forgets
    them on the way to a proxy.
    """

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def connect_tcp(self, *args: Any, **kwargs: Any) -> Any:
        return self._backend.connect_tcp(*args, **{**kwargs, "socket_options": socket_options()})


def _probing(transport: T) -> T:
    pool: Any = getattr(transport, "_pool", None)
    if hasattr(pool, "_network_backend"):
        pool._network_backend = _Backend(pool._network_backend)
    return transport


def wants_aiohttp(transport: str | None) -> bool:
    """Whether the aiohttp transport is asked for by name, or by being installed.

    Raises:
        ArgumentError: There is no transport of that name, or it is not installed.
    """
    if transport not in (None, "httpx", "aiohttp"):
        raise ArgumentError(
            f"transport must be 'httpx', 'aiohttp' or a transport object, not {transport!r}",
            argument="transport",
        )
    if transport == "httpx":
        return False
    if _has_aiohttp():
        return True
    if transport == "aiohttp":
        raise ArgumentError(
            "the aiohttp transport needs aiohttp 3.14 or newer: `pip install cozekit[fast]`",
            argument="transport",
        )
    return False


def _has_aiohttp() -> bool:
    """Whether an aiohttp is here that is new enough.

    Before 3.12 it takes no sockets of our making (no keep-alive probes), before 3.12.7 it does not
    tell when a connection is closed, before 3.14 a timed-out upload leaves an exception that nobody
    retrieves.
    """
    try:
        from aiohttp import __version__
    except ImportError:
        return False
    return tuple(int(part) for part in __version__.split(".")[:2]) >= _AIOHTTP


def _mounts(make: Callable[[str | None], T]) -> dict[str, T | None]:
    """Transports by address pattern for the proxies of the environment; None goes around them."""
    try:
        return {
            pattern: make(proxy) if proxy else None
            for pattern, proxy in environment_proxies().items()
        }
    except (ImportError, ValueError) as error:
        raise CozeError(f"the proxy of the environment cannot be used: {error}") from error


def tls_context() -> ssl.SSLContext:
    """One TLS context for the whole process; loading the certificates takes longer than a call."""
    global _tls_context  # noqa: PLW0603  # one for the process
    with _tls_lock:
        if _tls_context is None:
            _tls_context = httpx.create_ssl_context()
        return _tls_context


def no_cookies() -> CookieJar:
    """A jar that takes none: a call must not depend on the answers to earlier ones, least of all to
    those of another token.
    """
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


def environment_proxies() -> dict[str, str | None]:
    """Address pattern → proxy of `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`; None for what `NO_PROXY`
    names.
    """
    found = getproxies()
    proxies: dict[str, str | None] = {}
    for scheme in ("http", "https", "all"):
        proxy = found.get(scheme)
        if proxy:
            proxies[f"{scheme}://"] = proxy if "://" in proxy else f"http://{proxy}"
    if not proxies:
        return {}
    for host in (host.strip() for host in found.get("no", "").split(",")):
        if host == "*":
            return {}
        if host:
            proxies[_pattern(host)] = None
    return proxies


def _pattern(host: str) -> str:
    """How the HTTP library writes a host of `NO_PROXY`: a name counts for its subdomains too."""
    if "://" in host:
        return host
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return f"all://{host}" if host == "localhost" else f"all://*{host}"
    return f"all://[{address}]" if address.version == 6 else f"all://{address}"
