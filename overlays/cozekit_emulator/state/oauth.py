"""What the authorization server remembers: consents, codes, devices and tokens.

Lifetimes that the official pages leave open are those of the RFCs. All of them go by the clock of
the emulator.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from ..errors import OAuthError
from . import oauth_apps
from .oauth_apps import App

ACCESS_SECONDS = 900
"""Lifetime of an access token, unless a JWT asks for another."""
REFRESH_SECONDS = 30 * 86400
CODE_SECONDS = 600
CONSENT_SECONDS = 600
DEVICE_SECONDS = 300
INTERVAL = 5
"""Seconds between two polls of a device; `slow_down` adds as many."""
LEEWAY = 60.0
"""Seconds by which the clock of a signer may differ."""


@dataclass(slots=True)
class Consent:
    """What a user is asked for, from the authorization request to the code."""

    app: App
    redirect_uri: str
    state: str
    expires_at: float
    challenge: str = ""
    challenge_method: str = "plain"
    workspace_id: str = ""


@dataclass(slots=True)
class AuthorizationCode:
    """A code that the browser brings back to the app."""

    consent: Consent
    expires_at: float
    family: str
    used: bool = False


@dataclass(slots=True)
class Device:
    """A device that waits for its user."""

    app: App
    user_code: str
    expires_at: float
    interval: float
    workspace_id: str = ""
    decision: Literal["", "agreed", "refused", "used"] = ""
    polled_at: float | None = None


@dataclass(slots=True)
class AccessToken:
    """An access token that was issued."""

    client_id: str
    expires_at: float
    family: str = ""
    workspace_id: str = ""
    """Set if the token reaches one workspace only."""
    account_id: str = ""
    enterprise_id: str = ""
    session_name: str = ""
    bot_ids: tuple[str, ...] | None = None
    """The bots that its `scope` names; None for all."""


@dataclass(slots=True)
class RefreshToken:
    """A refresh token that was issued."""

    client_id: str
    expires_at: float
    family: str
    workspace_id: str = ""
    used: bool = False


@dataclass(slots=True)
class OAuthState:
    """The memory of the authorization server. What is not documented can be set: `error_field`,
    `polling_status`, `leeway`.
    """

    now: Callable[[], float] = field(repr=False)
    apps: dict[str, App] = field(default_factory=dict)
    error_field: Literal["error", "error_code"] = "error"
    """The field that tells a polling device to wait: `error` as the page has it, or `error_code` as
    most official clients read it.
    """
    polling_status: int = 400
    """HTTP status of `authorization_pending` and the like."""
    leeway: float = LEEWAY
    interval: float = INTERVAL
    consents: dict[str, Consent] = field(default_factory=dict, repr=False)
    codes: dict[str, AuthorizationCode] = field(default_factory=dict, repr=False)
    devices: dict[str, Device] = field(default_factory=dict, repr=False)
    access_tokens: dict[str, AccessToken] = field(default_factory=dict, repr=False)
    refresh_tokens: dict[str, RefreshToken] = field(default_factory=dict, repr=False)
    used_jtis: set[tuple[str, str]] = field(default_factory=set, repr=False)
    revoked_families: set[str] = field(default_factory=set, repr=False)
    """Families of tokens whose code or refresh token was used twice."""

    def app(self, client_id: str, *client_types: str) -> App:
        """A registered app.

        Args:
            client_id: Id of the app.
            client_types: The types that it may have; any when none is given.

        Raises:
            OAuthError: It is unknown, disabled or of another type.
        """
        app = self.apps.get(client_id)
        if app is None:
            raise OAuthError("invalid_client", "invalid client", 401)
        if not app.enabled:
            raise OAuthError(
                "access_deny", f"app {app.name} is currently deactivated by the owner", 403
            )
        if client_types and app.client_type not in client_types:
            raise OAuthError("access_deny", "invalid app type", 403)
        return oauth_apps.with_key(app)

    def issue_tokens(self, app: App, family: str, workspace_id: str = "") -> dict[str, Any]:
        """An access token and a refresh token for a user.

        Args:
            app: The app that gets them.
            family: Joins the tokens that follow from one consent.
            workspace_id: The workspace that they reach; all when empty.
        """
        refresh = f"refresh_{secrets.token_urlsafe(24)}"
        self.refresh_tokens[refresh] = RefreshToken(
            app.client_id, self.now() + REFRESH_SECONDS, family, workspace_id
        )
        access = AccessToken(app.client_id, 0, family, workspace_id)
        return {**self.issue_access("czu", access, ACCESS_SECONDS), "refresh_token": refresh}

    def issue_access(self, prefix: str, access: AccessToken, seconds: int) -> dict[str, Any]:
        """An access token without a refresh token. Its `expires_in` is a moment, as the service has
        it.

        Args:
            prefix: Prefix of the token.
            access: What the token reaches.
            seconds: Its lifetime.
        """
        access.expires_at = int(self.now()) + seconds
        token = f"{prefix}_{secrets.token_urlsafe(24)}"
        self.access_tokens[token] = access
        return {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": int(access.expires_at),
        }

    def access_token(self, token: str) -> AccessToken | None:
        """An access token that was issued and not revoked; it may have expired.

        Args:
            token: The token.
        """
        access = self.access_tokens.get(token)
        if access is None or access.family in self.revoked_families:
            return None
        app = self.apps.get(access.client_id)
        return access if app is not None and app.enabled else None

    def device_of(self, user_code: str) -> Device | None:
        """The waiting device with a user code.

        Args:
            user_code: The code, in whatever case and with whatever separators.
        """
        letters = _alphanumeric(user_code)
        for device in self.devices.values():
            waits = not device.decision and device.expires_at > self.now()
            if waits and _alphanumeric(device.user_code) == letters:
                return device
        return None


def _alphanumeric(user_code: str) -> str:
    return "".join(letter for letter in user_code.upper() if letter.isalnum())
