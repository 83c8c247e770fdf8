"""Checks the JWT with which an app proves itself: signature, claims, and that it comes for the
first time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from .oauth_apps import App
from .oauth_state import OAuthRefusal, OAuthState, invalid

if TYPE_CHECKING:
    from jwt.types import Options

_HOSTS = frozenset({"api.coze.cn", "api.coze.com"})
_CHECKS = (
    "verify_exp",
    "verify_iat",
    "verify_nbf",
    "verify_aud",
    "verify_iss",
    "verify_sub",
    "verify_jti",
)
_NO_CHECKS: dict[str, Any] = dict.fromkeys(_CHECKS, False)
"""The claims are checked here, by the clock of the emulator."""


def verified(state: OAuthState, token: str, hosts: frozenset[str]) -> tuple[App, dict[str, Any]]:
    """The app that signed, and its claims. The JWT is spent.

    Args:
        state: Memory of the server.
        token: The JWT.
        hosts: Names of this server that `aud` may have beside those of Coze.

    Raises:
        OAuthRefusal: `invalid_client`: not signed by a registered key. `invalid_request`: a claim
            is missing or wrong, or the JWT was exchanged before.
    """
    app, claims = _signed(state, token)
    for name in ("exp", "iat"):
        if isinstance(claims.get(name), bool) or not isinstance(claims.get(name), int):
            raise invalid(name)
    now, leeway = state.now(), state.leeway
    if claims["exp"] <= claims["iat"] or claims["exp"] + leeway <= now:
        raise invalid("exp")
    if claims["iat"] - leeway > now:
        raise invalid("iat")
    if claims.get("aud") not in _HOSTS | hosts:
        raise invalid("aud")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not jti or (app.client_id, jti) in state.jtis:
        raise invalid("jti")
    if not isinstance(claims.get("session_name", ""), str):
        raise invalid("session_name")
    state.jtis.add((app.client_id, jti))
    return app, claims


def _signed(state: OAuthState, token: str) -> tuple[App, dict[str, Any]]:
    try:
        import jwt
    except ImportError:
        raise OAuthRefusal(
            "internal_error",
            "the local Coze needs PyJWT to check this: pip install 'cozekit[jwt]'",
            500,
        ) from None
    refusal = OAuthRefusal("invalid_client", "invalid client", 401)
    try:
        header = jwt.get_unverified_header(token)
        issuer = jwt.decode(
            token, options=cast("Options", {**_NO_CHECKS, "verify_signature": False})
        ).get("iss")
    except jwt.InvalidTokenError:
        raise refusal from None
    if header.get("alg") != "RS256" or header.get("typ") != "JWT" or not isinstance(issuer, str):
        raise refusal
    app = state.app(issuer, "jwt")
    key = app.public_keys.get(str(header.get("kid")))
    if key is None:
        raise refusal
    try:
        claims: dict[str, Any] = jwt.decode(
            token, key, algorithms=["RS256"], options=cast("Options", _NO_CHECKS)
        )
    except jwt.InvalidTokenError:
        raise refusal from None
    return app, claims
