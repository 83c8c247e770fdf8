"""The only handwritten module that knows the HTTP library: connections as long answers need them.

Model runs are silent for minutes, so the system's keep-alive probes are on; proxies of the environment are honoured all the
same (the HTTP library drops them as soon as socket options are set, so they are read here).
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar
from urllib.request import getproxies

import httpx
from coze_openapi._http import AsyncByteStream, ByteStream, tls_context

from .errors import CozeError

T = TypeVar("T")

LIMITS = httpx.Limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=30.0)
# Seconds of silence before the first probe, between probes, and probes until the connection counts as dead.
_PROBES = (("TCP_KEEPIDLE", 60), ("TCP_KEEPALIVE", 60), ("TCP_KEEPINTVL", 30), ("TCP_KEEPCNT", 5))


def socket_options() -> list[tuple[int, int, int]]:
    """Keep-alive options that this system knows."""
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    return options + [(socket.IPPROTO_TCP, getattr(socket, name), value) for name, value in _PROBES if hasattr(socket, name)]


def new_client(transport: httpx.BaseTransport | None = None, *, limits: httpx.Limits = LIMITS) -> httpx.Client:
    """A sync client; a transport of the caller's is used as it is.

    Raises:
        CozeError: The environment names a proxy that cannot be used.
    """
    if transport is not None:
        return httpx.Client(transport=transport, timeout=None)

    def make(proxy: str | None = None) -> httpx.HTTPTransport:
        return httpx.HTTPTransport(verify=tls_context(), limits=limits, proxy=proxy, socket_options=socket_options())

    return httpx.Client(transport=make(), mounts=_mounts(make), timeout=None)


def new_async_client(transport: httpx.AsyncBaseTransport | None = None, *, limits: httpx.Limits = LIMITS) -> httpx.AsyncClient:
    """The async form of `new_client`."""
    if transport is not None:
        return httpx.AsyncClient(transport=transport, timeout=None)

    def make(proxy: str | None = None) -> httpx.AsyncHTTPTransport:
        return httpx.AsyncHTTPTransport(verify=tls_context(), limits=limits, proxy=proxy, socket_options=socket_options())

    return httpx.AsyncClient(transport=make(), mounts=_mounts(make), timeout=None)


def _mounts(make: Callable[[str | None], T]) -> dict[str, T | None]:
    """Transports by address pattern for the proxies of the environment; None goes around them."""
    try:
        return {pattern: make(proxy) if proxy else None for pattern, proxy in environment_proxies().items()}
    except (ImportError, ValueError) as error:
        raise CozeError(f"the proxy of the environment cannot be used: {error}") from error


def environment_proxies() -> dict[str, str | None]:
    """Address pattern → proxy of `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`; None for what `NO_PROXY` names."""
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


@contextmanager
def limited_reads(stream: ByteStream, remaining: Callable[[], float | None]) -> Iterator[None]:
    """While a stream is read, each wait for bytes ends after the seconds that `remaining` gives.

    The HTTP library fixes its read timeout when a request is sent; a deadline needs one that shrinks. The network stream is
    its documented extension; a transport that has none keeps the timeout of the call.
    """
    network = stream._opened.answer.extensions.get("network_stream")
    if network is None or not hasattr(network, "read"):
        yield
        return
    read = network.read

    def shortened(max_bytes: int, timeout: float | None = None) -> bytes:
        left = remaining()
        limits = [max(0.001, limit) for limit in (left, timeout) if limit is not None]
        found: bytes = read(max_bytes, timeout=min(limits, default=None))
        return found

    network.read = shortened
    try:
        yield
    finally:
        network.read = read


def drain(stream: ByteStream, seconds: float) -> None:
    """Reads what is left of a body whose content is complete, so that the connection can serve the next call."""
    end = time.monotonic() + seconds
    try:
        with limited_reads(stream, lambda: end - time.monotonic()):
            for _ in stream.iter_bytes():
                if time.monotonic() > end:
                    break
    except CozeError:
        pass  # the server keeps the body open; closing drops the connection
    stream.close()


async def drain_async(stream: AsyncByteStream, seconds: float) -> None:
    """The async form of `drain`."""
    import anyio

    try:
        with anyio.move_on_after(seconds):
            while await stream.next_bytes() is not None:
                pass
    except CozeError:
        pass  # as above
    await stream.close()
