"""What the authorization server remembers: consents, codes, devices, tokens; and what it answers.

Lifetimes that the official pages leave open are those of the RFCs. All of them go by the clock of
the emulator.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from . import oauth_apps
from .oauth_apps import App

ACCESS_SECONDS = 900
"""Life of an access token, unless a JWT asks for another."""
REFRESH_SECONDS = 30 * 86400
CODE_SECONDS = 600
CONSENT_SECONDS = 600
DEVICE_SECONDS = 300
INTERVAL = 5
"""Seconds between two questions of a device; `slow_down` adds as many."""
LEEWAY = 60.0
"""Seconds by which the clock of a signer may differ."""


class OAuthRefusal(Exception):
    """The authorization server says no: with `error_code` and `error_message`, or for devices with
    `error`.
    """

    def __init__(self, word: str, text: str, status: int = 400, *, polling: bool = False) -> None:
        super().__init__(f"{word}: {text}")
        self.word = word
        self.text = text
        self.status = status
        self.polling = polling


def invalid(parameter: str) -> OAuthRefusal:
    """A parameter is missing or wrong."""
    return OAuthRefusal("invalid_request", f"invalid request: {parameter}")


@dataclass(slots=True)
class Consent:
    """What a person is asked for, on the way from the authorize address to the code."""

    app: App
    redirect_uri: str
    state: str
    ends: float
    challenge: str = ""
    method: str = "plain"
    workspace_id: str = ""


@dataclass(slots=True)
class Code:
    """An authorization code."""

    consent: Consent
    ends: float
    family: str
    used: bool = False


@dataclass(slots=True)
class Device:
    """A device that waits for its user."""

    app: App
    user_code: str
    ends: float
    interval: float
    workspace_id: str = ""
    decision: Literal["", "agreed", "refused", "spent"] = ""
    asked: float | None = None
    """When it last asked."""


@dataclass(slots=True)
class Access:
    """An access token that was issued."""

    client_id: str
    ends: float
    family: str = ""
    workspace_id: str = ""
    """Set for tokens that reach one workspace only."""
    account_id: str = ""
    enterprise_id: str = ""
    session_name: str = ""
    bots: tuple[str, ...] | None = None
    """The bots that the `scope` left; None for all."""


@dataclass(slots=True)
class Refresh:
    """A refresh token that was issued."""

    client_id: str
    ends: float
    family: str
    workspace_id: str = ""
    used: bool = False


@dataclass(slots=True)
class OAuthState:
    """The memory of the authorization server. What is documented in no source can be set:
    `spelling`, `waiting_status`, `leeway`.
    """

    now: Callable[[], float] = field(repr=False)
    apps: dict[str, App] = field(default_factory=dict)
    spelling: Literal["error", "error_code"] = "error"
    """The field in which a waiting device finds its word: as the page has it, or as most official
    clients read it.
    """
    waiting_status: int = 400
    """HTTP status of `authorization_pending` and the like."""
    leeway: float = LEEWAY
    interval: float = INTERVAL
    consents: dict[str, Consent] = field(default_factory=dict, repr=False)
    codes: dict[str, Code] = field(default_factory=dict, repr=False)
    devices: dict[str, Device] = field(default_factory=dict, repr=False)
    access: dict[str, Access] = field(default_factory=dict, repr=False)
    refreshes: dict[str, Refresh] = field(default_factory=dict, repr=False)
    jtis: set[tuple[str, str]] = field(default_factory=set, repr=False)
    revoked: set[str] = field(default_factory=set, repr=False)
    """Families of tokens whose refresh token or code was used twice."""

    def app(self, client_id: str, *kinds: str) -> App:
        """A registered app that is enabled and of one of the kinds.

        Raises:
            OAuthRefusal: It is not.
        """
        app = self.apps.get(client_id)
        if app is None:
            raise OAuthRefusal("invalid_client", "invalid client", 401)
        if not app.enabled:
            raise OAuthRefusal(
                "access_deny", f"app {app.name} is currently deactivated by the owner", 403
            )
        if kinds and app.kind not in kinds:
            raise OAuthRefusal("access_deny", "invalid app type", 403)
        return oauth_apps.with_key(app)

    def tokens(self, app: App, family: str, workspace_id: str = "") -> dict[str, Any]:
        """A new pair for a user, with `expires_in` as the moment of the end."""
        refresh = f"refresh_{secrets.token_urlsafe(24)}"
        self.refreshes[refresh] = Refresh(
            app.client_id, self.now() + REFRESH_SECONDS, family, workspace_id
        )
        access = Access(app.client_id, 0, family, workspace_id)
        return {**self.issue("czu", access, ACCESS_SECONDS), "refresh_token": refresh}

    def issue(self, prefix: str, access: Access, seconds: int) -> dict[str, Any]:
        """An access token alone."""
        access.ends = int(self.now()) + seconds
        token = f"{prefix}_{secrets.token_urlsafe(24)}"
        self.access[token] = access
        return {"access_token": token, "token_type": "Bearer", "expires_in": int(access.ends)}

    def known(self, token: str) -> Access | None:
        """An access token that was issued and not revoked; it may have ended."""
        access = self.access.get(token)
        if access is None or access.family in self.revoked:
            return None
        app = self.apps.get(access.client_id)
        return access if app is not None and app.enabled else None

    def device_of(self, user_code: str) -> Device | None:
        """The waiting device with a user code, however the user writes it."""
        wanted = _plain(user_code)
        found = [
            item
            for item in self.devices.values()
            if _plain(item.user_code) == wanted and not item.decision
        ]
        return next((item for item in found if item.ends > self.now()), None)


def _plain(user_code: str) -> str:
    return "".join(letter for letter in user_code.upper() if letter.isalnum())
