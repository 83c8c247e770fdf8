"""OAuth apps of the emulator: one of each kind is there from the beginning, and tests register
more.

| Constant | Kind | For |
|---|---|---|
| `WEB_APP` | `web` | the web flow; its secret is `WEB_SECRET` |
| `PKCE_APP` | `pkce` | the PKCE flow |
| `DEVICE_APP` | `device` | the device flow |
| `JWT_APP` | `jwt` | tokens of the app, an account, the enterprise; `KEY_ID` |
| `CHANNEL_APP` | `jwt` | the same for a channel, whose tokens a `scope` can narrow |
"""

from __future__ import annotations

import functools
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypedDict, Unpack, get_args
from urllib.parse import urlsplit

Kind = Literal["web", "pkce", "device", "jwt"]
"""The names that the configuration files of the official SDKs have for the flows."""

WEB_APP = "74000000000000000000000000000301.app.coze"
WEB_SECRET = "local_emulator_secret"  # noqa: S105 -- a well-known value for a server that only this machine reaches
PKCE_APP = "74000000000000000000000000000302.app.coze"
DEVICE_APP = "74000000000000000000000000000303.app.coze"
JWT_APP = "7400000000304"
CHANNEL_APP = "7400000000305"
KEY_ID = "local_emulator_key"
CHANNEL = "7400000000000000306"
"""Id of the channel that `CHANNEL_APP` belongs to."""
REDIRECT_URIS = (
    "http://localhost/callback",
    "http://127.0.0.1/callback",
    "https://example.com/callback",
)
"""Registered with `WEB_APP` and `PKCE_APP`. An address of this machine without a port stands for
every port (RFC 8252, 7.3).
"""

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(slots=True)
class App:
    """A registered app."""

    kind: Kind
    client_id: str
    name: str
    """Shown on the consent page."""
    client_secret: str = field(default="", repr=False)
    """Of web apps; the others have none."""
    redirect_uris: tuple[str, ...] = ()
    public_keys: dict[str, str] = field(default_factory=dict, repr=False)
    """Key id → public key in PEM form, of JWT apps."""
    private_key: str = field(default="", repr=False)
    """Private half of the first public key when the emulator made the pair, PEM."""
    connector_id: str = ""
    """The channel of a channel app."""
    accounts: tuple[str, ...] = ()
    """Other accounts and organizations that let the app in."""
    enterprises: tuple[str, ...] = ()
    """Enterprises that the app may manage."""
    enabled: bool = True

    @property
    def key_id(self) -> str:
        """Id of the first public key; empty when there is none."""
        return next(iter(self.public_keys), "")

    def allows(self, redirect_uri: str) -> bool:
        """Whether the browser may be sent to this address."""
        return (
            redirect_uri in self.redirect_uris or _without_port(redirect_uri) in self.redirect_uris
        )

    def config(self, base_url: str) -> dict[str, str]:
        """The content of the configuration file that the console would give for the app."""
        found = {
            "client_type": self.kind,
            "client_id": self.client_id,
            "coze_www_base": base_url,
            "coze_api_base": base_url,
        }
        if self.kind == "web":
            found["client_secret"] = self.client_secret
        if self.kind == "jwt":
            found.update(private_key=self.private_key, public_key_id=self.key_id)
        return found


def _without_port(uri: str) -> str:
    """The address without its port when it is one of this machine; else nothing that is
    registered.
    """
    parts = urlsplit(uri)
    if parts.scheme != "http" or parts.hostname not in _LOOPBACK:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return parts._replace(netloc=host).geturl()


@functools.cache
def private_key() -> str:
    """The private key of the sample apps in PEM form (PKCS#8); made when it is first asked for, the
    same for the whole process.

    Raises:
        ImportError: PyJWT with cryptography (extra `jwt`) is not installed.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem.decode("ascii")


def public_key_of(private: str) -> str:
    """The public half of a private key, both in PEM form."""
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(private.encode("ascii"), None).public_key()
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode("ascii")


def samples(account: str, enterprise: str) -> dict[str, App]:
    """The apps that are there from the beginning, by client id. The JWT apps get their key when it
    is first needed.

    Args:
        account: Account that lets `JWT_APP` in.
        enterprise: Enterprise that `JWT_APP` may manage.
    """
    found = (
        App("web", WEB_APP, "本地网页应用", WEB_SECRET, REDIRECT_URIS),
        App("pkce", PKCE_APP, "本地客户端应用", redirect_uris=REDIRECT_URIS),
        App("device", DEVICE_APP, "本地设备应用"),
        App("jwt", JWT_APP, "本地服务应用", accounts=(account,), enterprises=(enterprise,)),
        App("jwt", CHANNEL_APP, "本地渠道应用", connector_id=CHANNEL),
    )
    return {app.client_id: app for app in found}


def with_key(app: App) -> App:
    """The app, with a pair of keys if it is a JWT app and has none.

    Raises:
        ImportError: See `private_key`.
    """
    if app.kind == "jwt" and not app.public_keys:
        app.private_key = private_key()
        app.public_keys = {KEY_ID: public_key_of(app.private_key)}
    return app


class AppDetails(TypedDict, total=False):
    """What may be said about a new app."""

    client_id: str
    client_secret: str
    """Of a web app."""
    redirect_uris: Iterable[str]
    """Where browsers may be sent, `REDIRECT_URIS` by default. An http address of this machine
    without a port allows every port.
    """
    public_keys: Mapping[str, str]
    """Key id → public key in PEM form, of a JWT app; by default it gets the pair of the sample
    apps.
    """
    name: str
    """Shown on the consent page."""
    connector_id: str
    """Channel of a channel app."""
    accounts: Iterable[str]
    """Other accounts that let the app in."""
    enterprises: Iterable[str]
    """Enterprises that the app may manage."""
    enabled: bool
    """Whether it works; `app.enabled` changes it later, for its tokens too."""


def new_app(kind: Kind, **details: Unpack[AppDetails]) -> App:
    """An app with made-up values for what is not given; see `Emulator.register_app`."""
    if kind not in get_args(Kind):
        raise ValueError(f"kind is one of {', '.join(get_args(Kind))}, not {kind!r}")
    number = str(secrets.randbelow(10**12) + 7 * 10**12)
    app = App(
        kind,
        details.get("client_id") or (number if kind == "jwt" else f"{number}.app.coze"),
        details.get("name", f"{kind} app"),
        client_secret=details.get("client_secret", secrets.token_urlsafe(24))
        if kind == "web"
        else "",
        redirect_uris=tuple(details.get("redirect_uris", REDIRECT_URIS))
        if kind in ("web", "pkce")
        else (),
        public_keys=dict(details.get("public_keys", {})),
        connector_id=details.get("connector_id", ""),
        accounts=tuple(details.get("accounts", ())),
        enterprises=tuple(details.get("enterprises", ())),
        enabled=details.get("enabled", True),
    )
    return with_key(app)
