"""Checks the JWT with which an app identifies itself: signature, claims, and that it is new."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from ..errors import OAuthError, invalid_oauth_parameter
from ..state.oauth import OAuthState
from ..state.oauth_apps import App

if TYPE_CHECKING:
    from jwt.types import Options

_HOSTS = frozenset({"api.coze.cn", "api.coze.com"})
_CLAIMS = ("exp", "iat", "nbf", "aud", "iss", "sub", "jti")
_NO_CHECKS: dict[str, Any] = dict.fromkeys((f"verify_{claim}" for claim in _CLAIMS), False)
"""The claims are checked here, by the clock of the emulator."""


def redeem(oauth: OAuthState, token: str, hosts: frozenset[str]) -> tuple[App, dict[str, Any]]:
    """The app that signed a JWT, and its claims. The JWT cannot be used again.

    Args:
        oauth: Memory of the authorization server.
        token: The JWT.
        hosts: Names of this server that `aud` may have beside those of Coze.

    Raises:
        OAuthError: `invalid_client`: not signed by a registered key. `invalid_request`: a claim is
            missing or wrong, or the JWT was used before.
    """
    app, claims = _verified(oauth, token)
    _check_times(oauth, claims)
    if claims.get("aud") not in _HOSTS | hosts:
        raise invalid_oauth_parameter("aud")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not jti or (app.client_id, jti) in oauth.used_jtis:
        raise invalid_oauth_parameter("jti")
    if not isinstance(claims.get("session_name", ""), str):
        raise invalid_oauth_parameter("session_name")
    oauth.used_jtis.add((app.client_id, jti))
    return app, claims


def _check_times(oauth: OAuthState, claims: dict[str, Any]) -> None:
    for name in ("exp", "iat"):
        if isinstance(claims.get(name), bool) or not isinstance(claims.get(name), int):
            raise invalid_oauth_parameter(name)
    now, leeway = oauth.now(), oauth.leeway
    if claims["exp"] <= claims["iat"] or claims["exp"] + leeway <= now:
        raise invalid_oauth_parameter("exp")
    if claims["iat"] - leeway > now:
        raise invalid_oauth_parameter("iat")


def _verified(oauth: OAuthState, token: str) -> tuple[App, dict[str, Any]]:
    try:
        import jwt
    except ImportError:
        raise OAuthError(
            "internal_error",
            "the local Coze needs PyJWT to check this: pip install 'cozekit[jwt]'",
            500,
        ) from None
    invalid_client = OAuthError("invalid_client", "invalid client", 401)
    unverified = cast("Options", {**_NO_CHECKS, "verify_signature": False})
    try:
        header = jwt.get_unverified_header(token)
        issuer = jwt.decode(token, options=unverified).get("iss")
    except jwt.InvalidTokenError:
        raise invalid_client from None
    if header.get("alg") != "RS256" or header.get("typ") != "JWT" or not isinstance(issuer, str):
        raise invalid_client
    app = oauth.app(issuer, "jwt")
    key = app.public_keys.get(str(header.get("kid")))
    if key is None:
        raise invalid_client
    try:
        claims: dict[str, Any] = jwt.decode(
            token, key, algorithms=["RS256"], options=cast("Options", _NO_CHECKS)
        )
    except jwt.InvalidTokenError:
        raise invalid_client from None
    return app, claims
