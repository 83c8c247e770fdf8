"""Proxies of the environment."""

from __future__ import annotations

import ipaddress
from urllib.request import getproxies


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
