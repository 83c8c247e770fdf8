"""The two sites of Coze, and any other address. A credential of one site is worth nothing at the
other.
"""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import urlsplit

from coze_runtime.auth import TokenClient

from ..errors import ArgumentError

C = TypeVar("C", bound=TokenClient)

CN = "https://api.coze.cn"
COM = "https://api.coze.com"
_SITES = {"coze.cn": "coze.cn (China)", "coze.com": "coze.com (international)"}


def region_of(url: str) -> str | None:
    """`coze.cn` or `coze.com` for an address of one of the two sites; None for any other."""
    host = (urlsplit(url).hostname or "").lower()
    return next((site for site in _SITES if host == site or host.endswith(f".{site}")), None)


def check_regions(sign_in: str, api: str) -> None:
    """Refuses a sign-in at one site for calls to the other.

    Raises:
        ArgumentError: The two addresses belong to different sites.
    """
    one, other = region_of(sign_in), region_of(api)
    if one and other and one != other:
        raise ArgumentError(
            f"the sign-in is at {sign_in} and the client talks to {api}: a token of "
            f"{_SITES[one]} is refused by {_SITES[other]}; "
            f"pass base_url={sign_in!r} to the client, or an app of the other site",
            argument="base_url",
        )


def region_hint(base_url: str) -> str:
    """What to add to an authentication failure: tokens are bound to their site. Empty for addresses
    that are neither of the two.
    """
    site = region_of(base_url)
    if site is None:
        return ""
    other = COM if site == "coze.cn" else CN
    return (
        f"only tokens that {_SITES[site]} issued work here; for a token of the other "
        f"site pass base_url={other!r}"
    )


def audience_of(base_url: str) -> str:
    """The `aud` of a JWT: the host of the API without a scheme, with its port if it has one."""
    return urlsplit(base_url).netloc.rpartition("@")[2]


def at(client: C, base_url: str | None) -> C:
    """The client, sending to another base URL over the same connections."""
    if base_url is None or base_url == client.base_url:
        return client
    return client.with_base_url(base_url)
