"""OAuth apps: one of each type exists from the start, and `Emulator.register_app` adds others.

| Constant | Type | For |
|---|---|---|
| `WEB_APP` | `web` | the web flow; its secret is `WEB_SECRET` |
| `PKCE_APP` | `pkce` | the PKCE flow |
| `DEVICE_APP` | `device` | the device flow |
| `JWT_APP` | `jwt` | tokens of the app, an account, the enterprise; `KEY_ID` |
| `CHANNEL_APP` | `jwt` | the same for a channel, whose tokens a `scope` can narrow |
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

ClientType = Literal["web", "pkce", "device", "jwt"]
"""The names that the configuration files of the official SDKs have for the flows."""

WEB_APP = "74000000000000000000000000000301.app.coze"
WEB_SECRET = "local_emulator_secret"  # noqa: S105 -- only this machine reaches the server
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
"""Registered with `WEB_APP` and `PKCE_APP`. An address of this machine without a port matches every
port (RFC 8252, 7.3).
"""

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(slots=True)
class App:
    """A registered app."""

    client_type: ClientType
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
    """Other accounts and organizations that have granted access to the app."""
    enterprises: tuple[str, ...] = ()
    """Enterprises that the app may manage."""
    enabled: bool = True

    @property
    def key_id(self) -> str:
        """Id of the first public key; empty when there is none."""
        return next(iter(self.public_keys), "")

    def allows(self, redirect_uri: str) -> bool:
        """Whether the browser may be sent to an address.

        Args:
            redirect_uri: The address.
        """
        return (
            redirect_uri in self.redirect_uris or _without_port(redirect_uri) in self.redirect_uris
        )

    def config(self, base_url: str) -> dict[str, str]:
        """The content of the configuration file that the console offers for the app.

        Args:
            base_url: Address of the emulator.
        """
        config = {
            "client_type": self.client_type,
            "client_id": self.client_id,
            "coze_www_base": base_url,
            "coze_api_base": base_url,
        }
        if self.client_type == "web":
            config["client_secret"] = self.client_secret
        if self.client_type == "jwt":
            config.update(private_key=self.private_key, public_key_id=self.key_id)
        return config


def _without_port(uri: str) -> str:
    """The address without its port if it is one of this machine; else empty."""
    parts = urlsplit(uri)
    if parts.scheme != "http" or parts.hostname not in _LOOPBACK:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return parts._replace(netloc=host).geturl()


@functools.cache
def private_key() -> str:
    """The private key of the sample apps in PEM form (PKCS#8), made on first use; the same for the
    whole process.

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
    """The public half of a private key.

    Args:
        private: The private key in PEM form.
    """
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(private.encode("ascii"), None).public_key()
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode("ascii")


def samples(account: str, enterprise: str) -> dict[str, App]:
    """The apps that exist from the start, by client id. The JWT apps get their key when it is first
    needed.

    Args:
        account: Account that has granted access to `JWT_APP`.
        enterprise: Enterprise that `JWT_APP` may manage.
    """
    apps = (
        App("web", WEB_APP, "本地网页应用", WEB_SECRET, REDIRECT_URIS),
        App("pkce", PKCE_APP, "本地客户端应用", redirect_uris=REDIRECT_URIS),
        App("device", DEVICE_APP, "本地设备应用"),
        App("jwt", JWT_APP, "本地服务应用", accounts=(account,), enterprises=(enterprise,)),
        App("jwt", CHANNEL_APP, "本地渠道应用", connector_id=CHANNEL),
    )
    return {app.client_id: app for app in apps}


def with_key(app: App) -> App:
    """The app, with the key pair of the sample apps if it is a JWT app and has none.

    Args:
        app: The app.

    Raises:
        ImportError: See `private_key`.
    """
    if app.client_type == "jwt" and not app.public_keys:
        app.private_key = private_key()
        app.public_keys = {KEY_ID: public_key_of(app.private_key)}
    return app
