"""Proxies and TLS files that the environment names. Loaded when there are proxies, or when a file
cannot be used.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import ssl
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.request import getproxies

import httpx

from ..errors import ArgumentError

T = TypeVar("T")


def proxy_transports(make: Callable[[str | None], T], direct: T) -> dict[str, T | None]:
    """Transport by URL pattern for the proxies of the environment; None means no proxy.

    Args:
        make: Creates a transport for a proxy.
        direct: The transport without a proxy.

    Raises:
        ArgumentError: A proxy cannot be used.
    """
    proxies = environment_proxies()
    mounts: dict[str, T | None] = dict.fromkeys(proxies)
    for pattern, proxy in proxies.items():
        if proxy is not None:
            variable = f"{pattern.partition(':')[0].upper()}_PROXY"
            mounts[pattern] = _bypassing(_through(make, variable, proxy), direct)
    return mounts


def _through(make: Callable[[str | None], T], variable: str, proxy: str) -> T:
    """A transport through a proxy. The texts of the libraries, which show the address with its
    password, are not passed on.
    """
    try:
        if httpx.Proxy(proxy).url.host:
            return make(proxy)
        raise httpx.InvalidURL("no host")
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        reason = (
            "SOCKS needs the package socksio: `pip install 'httpx[socks]'`"
            if isinstance(error, ImportError)
            else "it must be a URL with a host and http, https, socks5 or socks5h"
        )
        text = f"the proxy of {variable} cannot be used: {reason}"
        raise ArgumentError(text, argument=variable) from error


def _bypassing(transport: T, direct: T) -> T:
    """Lets a transport send directly what goes to an address in a network of NO_PROXY: httpx knows
    patterns of host names only.
    """
    networks = [network for entry in _no_proxy() if (network := _network(entry)) is not None]
    if networks:
        name = "handle_request" if hasattr(transport, "handle_request") else "handle_async_request"
        proxied, bypass = getattr(transport, name), getattr(direct, name)

        def handle(request: httpx.Request) -> Any:
            address = _address(request.url.host)
            is_inside = address is not None and any(address in network for network in networks)
            return (bypass if is_inside else proxied)(request)

        setattr(transport, name, handle)
    return transport


def environment_proxies() -> dict[str, str | None]:
    """URL pattern → proxy of `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`; None for the hosts of
    `NO_PROXY`, whose networks `_bypassing` knows.
    """
    variables = getproxies()
    proxies: dict[str, str | None] = {}
    for scheme in ("http", "https", "all"):
        proxy = variables.get(scheme)
        if proxy:
            proxies[f"{scheme}://"] = proxy if "://" in proxy else f"http://{proxy}"
    entries = _no_proxy()
    if not proxies or "*" in entries:
        return {}
    for entry in entries:
        if _network(entry) is None:
            pattern = _pattern(entry)
            try:
                httpx.URL(pattern)
            except httpx.InvalidURL:
                logging.getLogger("cozekit").warning("NO_PROXY: %r is not a host", entry)
            else:
                proxies[pattern] = None
    return proxies


def _no_proxy() -> list[str]:
    return [host for entry in getproxies().get("no", "").split(",") if (host := entry.strip())]


def _pattern(host: str) -> str:
    """The httpx pattern for a host of `NO_PROXY`; a name includes its subdomains."""
    if "://" in host:
        return host
    address = _address(host)
    if address is not None:
        return f"all://[{address}]" if address.version == 6 else f"all://{address}"
    is_exact = host == "localhost" or host.startswith("[")
    return f"all://{host}" if is_exact else f"all://*{host.removeprefix('*')}"


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def _network(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(entry, strict=False) if "/" in entry else None
    except ValueError:
        return None


def tls_error(error: Exception) -> ArgumentError:
    """The error for a file of the environment that TLS cannot use.

    Args:
        error: The error of the TLS library.
    """
    names = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")
    given = {name: path for name in names if (path := os.environ.get(name))}
    named = [name for name, path in given.items() if path == getattr(error, "filename", None)]
    variable = next(iter([*named, *given]), None)
    if isinstance(error, ssl.SSLError):
        reason = "it has no certificates in PEM form"
    else:
        reason = getattr(error, "strerror", None) or type(error).__name__
    file = f"{variable}={given[variable]!r}" if variable else "the file of the package certifi"
    return ArgumentError(f"{file} cannot be used for TLS: {reason}", argument=variable)
