"""Sign-in by hand: addresses, verifiers and JWTs as a program of its own would make them."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import jwt

from cozekit_emulator import oauth_apps

TOKEN = "/api/permission/oauth2/token"
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
REDIRECT = "https://example.com/callback"
SECRET = {"Authorization": f"Bearer {oauth_apps.WEB_SECRET}"}


def authorize_url(base_url: str, client_id: str, workspace_id: str = "", **more: str) -> str:
    """The address that opens the consent page."""
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": REDIRECT,
        "state": "s t&=",
        **more,
    }
    part = f"workspace_id/{workspace_id}/" if workspace_id else ""
    return f"{base_url}/api/permission/oauth2/{part}authorize?{urlencode(query)}"


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def code_of(url: str) -> str:
    return query_of(url)["code"]


def challenge(verifier: str) -> str:
    return (
        base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    )


def claims(base_url: str, client_id: str = oauth_apps.JWT_APP, **changes: Any) -> dict[str, Any]:
    """Good claims, changed; None leaves one out."""
    now = int(time.time())
    found = {
        "iss": client_id,
        "aud": urlsplit(base_url).netloc,
        "iat": now,
        "exp": now + 600,
        "jti": secrets.token_hex(16),
        **changes,
    }
    return {name: value for name, value in found.items() if value is not None}


def signed(
    base_url: str,
    client_id: str = oauth_apps.JWT_APP,
    *,
    key: str = "",
    kid: str = oauth_apps.KEY_ID,
    **changes: Any,
) -> str:
    """A JWT."""
    head = {"kid": kid}
    return jwt.encode(
        claims(base_url, client_id, **changes), key or oauth_apps.private_key(), "RS256", head
    )


def exchange(
    base_url: str, body: dict[str, Any], headers: dict[str, str] | None = None, path: str = TOKEN
) -> httpx.Response:
    """Asks a sign-in endpoint."""
    return httpx.post(f"{base_url}{path}", json=body, headers=headers, trust_env=False)
