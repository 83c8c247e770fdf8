"""The endpoints of the authorization server.

Peculiar to Coze, and kept: JSON bodies, the secret of a web app as bearer token, `expires_in` as a
moment beside tokens and as a duration beside device codes, errors without the envelope of the other
operations.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.responses import Response

from ..errors import ApiError, OAuthError, invalid_oauth_parameter
from ..http import responses
from ..http.request import ApiRequest
from ..state.oauth import (
    CODE_SECONDS,
    CONSENT_SECONDS,
    DEVICE_SECONDS,
    AccessToken,
    AuthorizationCode,
    Consent,
    Device,
    OAuthState,
)
from ..state.oauth_apps import App
from .jwt_assertion import redeem

PREFIX = "/api/permission/oauth2"
_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_USER_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""Without vowels, so that they form no words (RFC 8628, 6.1)."""
_POLLING_ERRORS = {
    "authorization_pending": "the user has not decided yet",
    "slow_down": "polled before the interval was over",
    "access_denied": "the user refused",
    "expired_token": "the device code has expired",
}


def authorize(request: ApiRequest) -> Response:
    """Sends the browser to the consent page."""
    oauth = request.state.oauth
    app = oauth.app(str(request.arg("client_id")), "web", "pkce")
    if request.arg("response_type") != "code":
        raise invalid_oauth_parameter("response_type")
    if not app.allows(str(request.arg("redirect_uri"))):
        raise invalid_oauth_parameter("redirect_uri")
    challenge = str(request.arg("code_challenge", ""))
    challenge_method = str(request.arg("code_challenge_method", "plain"))
    if app.client_type == "pkce" and not challenge:
        raise invalid_oauth_parameter("code_challenge")
    if challenge_method not in ("S256", "plain"):
        raise invalid_oauth_parameter("code_challenge_method")
    key = secrets.token_urlsafe(24)
    oauth.consents[key] = Consent(
        app,
        str(request.arg("redirect_uri")),
        str(request.arg("state")),
        oauth.now() + CONSENT_SECONDS,
        challenge,
        challenge_method,
        str(request.arg("workspace_id", "")),
    )
    url = f"{request.base_url}/oauth/consent?authorize_key={key}"
    return responses.redirect(url, request.logid)


def redirect_uri_after(oauth: OAuthState, consent: Consent, *, agreed: bool) -> str:
    """The address to which the browser goes back once the user has decided.

    Args:
        oauth: Memory of the authorization server.
        consent: What the user was asked for.
        agreed: The decision.
    """
    if agreed:
        code = f"code_{secrets.token_urlsafe(24)}"
        expires_at = oauth.now() + CODE_SECONDS
        oauth.codes[code] = AuthorizationCode(consent, expires_at, secrets.token_hex(8))
        query = {"code": code, "state": consent.state}
    else:
        query = {
            "error": "access_denied",
            "error_description": "the user refused",
            "state": consent.state,
        }
    separator = "&" if urlsplit(consent.redirect_uri).query else "?"
    return f"{consent.redirect_uri}{separator}{urlencode(query)}"


def device_code(request: ApiRequest) -> Response:
    """The codes of a device; here, and only here, `expires_in` counts seconds from now."""
    oauth = request.state.oauth
    app = oauth.app(str(request.arg("client_id")), "device")
    letters = "".join(secrets.choice(_USER_CODE_LETTERS) for _ in range(8))
    user_code, code = f"{letters[:4]}-{letters[4:]}", secrets.token_urlsafe(30)
    expires_at, workspace_id = oauth.now() + DEVICE_SECONDS, str(request.arg("workspace_id", ""))
    oauth.devices[code] = Device(app, user_code, expires_at, oauth.interval, workspace_id)
    body = {
        "device_code": code,
        "user_code": user_code,
        "verification_uri": f"{request.base_url}/device",
        "expires_in": DEVICE_SECONDS,
        # The page has an integer; a fraction is for tests with short waits.
        "interval": oauth.interval if oauth.interval % 1 else int(oauth.interval),
    }
    return responses.json_response(body, request.logid)


def token(request: ApiRequest) -> Response:
    """Exchanges a grant of any type."""
    grant = _GRANTS.get(str(request.arg("grant_type")))
    if grant is None:
        raise _unsupported_grant(request.arg("grant_type"))
    return responses.json_response(grant(request), request.logid)


def account_token(request: ApiRequest) -> Response:
    """A token of another account, for a JWT."""
    app, claims = _redeemed_jwt(request)
    account_id = str(request.arg("account_id"))
    if account_id not in app.accounts and not request.state.is_documented_id(account_id):
        raise OAuthError(
            "access_deny", f"account {account_id} has not granted access to the app", 403
        )
    access = _app_access(app, claims)
    access.account_id = account_id
    return responses.json_response(_app_token(request, access), request.logid)


def enterprise_token(request: ApiRequest) -> Response:
    """A token that manages an enterprise, for a JWT."""
    app, claims = _redeemed_jwt(request)
    enterprise_id = str(request.arg("enterprise_id"))
    if not app.enterprises:
        raise OAuthError("access_deny", "invalid app type", 403)
    if enterprise_id not in app.enterprises and not request.state.is_documented_id(enterprise_id):
        raise OAuthError(
            "access_deny", f"enterprise {enterprise_id} has not granted access to the app", 403
        )
    access = _app_access(app, claims)
    access.enterprise_id = enterprise_id
    return responses.json_response(_app_token(request, access), request.logid)


def _unsupported_grant(grant_type: Any) -> OAuthError:
    return OAuthError("unsupported_grant_type", f"not supported grant type: {grant_type}")


def _code_grant(request: ApiRequest) -> dict[str, Any]:
    oauth = request.state.oauth
    app = _client(request, "web", "pkce")
    code = oauth.codes.get(_required(request, "code"))
    if code is None or code.consent.app is not app or code.expires_at <= oauth.now():
        raise invalid_oauth_parameter("code")
    if code.used:
        # RFC 6749, 4.1.2: somebody else may have the tokens, so all of them are revoked.
        oauth.revoked_families.add(code.family)
        raise invalid_oauth_parameter("code")
    consent = code.consent
    if _required(request, "redirect_uri") != consent.redirect_uri:
        raise invalid_oauth_parameter("redirect_uri")
    if consent.challenge and not _is_verifier(_required(request, "code_verifier"), consent):
        raise invalid_oauth_parameter("code_verifier")
    code.used = True
    return oauth.issue_tokens(app, code.family, consent.workspace_id)


def _is_verifier(verifier: str, consent: Consent) -> bool:
    challenge = verifier.encode()
    if consent.challenge_method == "S256":
        challenge = base64.urlsafe_b64encode(hashlib.sha256(challenge).digest()).rstrip(b"=")
    return secrets.compare_digest(challenge, consent.challenge.encode())


def _refresh_grant(request: ApiRequest) -> dict[str, Any]:
    oauth = request.state.oauth
    app = _client(request, "web", "pkce", "device")
    refresh = oauth.refresh_tokens.get(_required(request, "refresh_token"))
    if (
        refresh is None
        or refresh.client_id != app.client_id
        or refresh.expires_at <= oauth.now()
        or refresh.family in oauth.revoked_families
    ):
        raise invalid_oauth_parameter("refresh_token")
    if refresh.used:
        # A thief and the owner cannot be told apart: neither keeps the session (RFC 9700, 4.14).
        oauth.revoked_families.add(refresh.family)
        raise invalid_oauth_parameter("refresh_token")
    refresh.used = True
    return oauth.issue_tokens(app, refresh.family, refresh.workspace_id)


def _device_grant(request: ApiRequest) -> dict[str, Any]:
    oauth = request.state.oauth
    app = _client(request, "device")
    device = oauth.devices.get(_required(request, "device_code"))
    if device is None or device.app is not app or device.decision == "used":
        raise invalid_oauth_parameter("device_code")
    now, polled_at = oauth.now(), device.polled_at
    device.polled_at = now
    if device.expires_at <= now:
        raise _polling_error(oauth, "expired_token")
    if device.decision == "refused":
        raise _polling_error(oauth, "access_denied")
    if polled_at is not None and now - polled_at < device.interval:
        device.interval += oauth.interval
        raise _polling_error(oauth, "slow_down")
    if not device.decision:
        raise _polling_error(oauth, "authorization_pending")
    device.decision = "used"
    return oauth.issue_tokens(app, secrets.token_hex(8), device.workspace_id)


def _polling_error(oauth: OAuthState, code: str) -> OAuthError:
    return OAuthError(code, _POLLING_ERRORS[code], oauth.polling_status, polling=True)


def _jwt_grant(request: ApiRequest) -> dict[str, Any]:
    app, claims = _redeemed_jwt(request)
    scope = request.arg("scope")
    if scope is not None and not app.connector_id:
        raise OAuthError("invalid_request", "connector app should bind connector id")
    constraint = (scope or {}).get("attribute_constraint") or {}
    attribute = constraint.get("connector_bot_chat_attribute")
    access = _app_access(app, claims)
    if attribute:
        access.bot_ids = tuple(attribute["bot_id_list"])
    return _app_token(request, access)


def _redeemed_jwt(request: ApiRequest) -> tuple[App, dict[str, Any]]:
    """The app that signed the JWT of a request, and its claims."""
    if request.arg("grant_type") != _JWT_GRANT:
        raise _unsupported_grant(request.arg("grant_type"))
    parts = urlsplit(request.base_url)
    hosts = frozenset({parts.netloc, parts.hostname or ""})
    return redeem(request.state.oauth, _bearer_token(request), hosts)


def _app_access(app: App, claims: dict[str, Any]) -> AccessToken:
    return AccessToken(app.client_id, 0, session_name=claims.get("session_name", ""))


def _app_token(request: ApiRequest, access: AccessToken) -> dict[str, Any]:
    """A token of an app, which has no refresh token."""
    seconds = int(request.arg("duration_seconds", 900))
    if not 1 <= seconds <= 86399:
        raise invalid_oauth_parameter("duration_seconds")
    return request.state.oauth.issue_access("czs", access, seconds)


_GRANTS: dict[str, Callable[[ApiRequest], dict[str, Any]]] = {
    "authorization_code": _code_grant,
    "refresh_token": _refresh_grant,
    _DEVICE_GRANT: _device_grant,
    _JWT_GRANT: _jwt_grant,
}


def _client(request: ApiRequest, *client_types: str) -> App:
    """The app that asks, of a type that may use the grant; a web app must send its secret."""
    app = request.state.oauth.app(_required(request, "client_id"))
    if app.client_type not in client_types:
        raise _unsupported_grant(request.arg("grant_type"))
    secret = _bearer_token(request).encode()
    if app.client_type == "web" and not secrets.compare_digest(secret, app.client_secret.encode()):
        raise OAuthError("invalid_client", "invalid client", 401)
    return app


def _required(request: ApiRequest, name: str) -> str:
    value = request.arg(name)
    if not value:
        raise invalid_oauth_parameter(name)
    return str(value)


def _bearer_token(request: ApiRequest) -> str:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme == "Bearer" else ""


def error_response(error: OAuthError, error_field: str, logid: str) -> Response:
    """The error as a program gets it.

    Args:
        error: The error.
        error_field: The field that tells a polling device to wait.
        logid: Log id of the response.
    """
    if error.polling and error_field == "error":
        body = {"error": error.code, "error_description": error.message}
    else:
        body = {"error": "", "error_code": error.code, "error_message": error.message}
    return responses.json_response(body, logid, error.status)


def as_oauth_error(error: ApiError) -> OAuthError:
    """The OAuth error for a parameter that does not fit the description.

    Args:
        error: What the check against the description found.
    """
    field = re.search(r"(?:body|query|path|header)\.(\w+)", error.msg)
    return invalid_oauth_parameter(field[1] if field else "body")
