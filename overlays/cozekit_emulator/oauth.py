"""The authorization server: what its endpoints answer. Pages for people are in `oauth_pages.py`,
the memory in `oauth_state.py`.

Peculiar to Coze, and kept: JSON bodies, the secret of a web app as bearer token, `expires_in` as a
moment beside tokens and as a duration beside device codes, errors without the envelope of the other
calls.
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

from . import answers
from .answers import Refusal
from .calls import Call
from .oauth_apps import App
from .oauth_jwt import verified
from .oauth_state import (
    CODE_SECONDS,
    CONSENT_SECONDS,
    DEVICE_SECONDS,
    Access,
    Code,
    Consent,
    Device,
    OAuthRefusal,
    OAuthState,
    invalid,
)

PREFIX = "/api/permission/oauth2"
_DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
_JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""Of user codes; without vowels no words come up (RFC 8628, 6.1)."""
_SPOKEN = {
    "authorization_pending": "the user has not decided yet",
    "slow_down": "asked before the interval was over",
    "access_denied": "the user refused",
    "expired_token": "the device code has ended",
}


def authorize(call: Call) -> Response:
    """Sends the browser to the consent page."""
    state = call.world.oauth
    app = state.app(str(call.arg("client_id")), "web", "pkce")
    if call.arg("response_type") != "code":
        raise invalid("response_type")
    if not app.allows(str(call.arg("redirect_uri"))):
        raise invalid("redirect_uri")
    challenge, method = (
        str(call.arg("code_challenge", "")),
        str(call.arg("code_challenge_method", "plain")),
    )
    if app.kind == "pkce" and not challenge:
        raise invalid("code_challenge")
    if method not in ("S256", "plain"):
        raise invalid("code_challenge_method")
    key = secrets.token_urlsafe(24)
    state.consents[key] = Consent(
        app,
        str(call.arg("redirect_uri")),
        str(call.arg("state")),
        state.now() + CONSENT_SECONDS,
        challenge,
        method,
        str(call.arg("workspace_id", "")),
    )
    return redirect(f"{call.base_url}/oauth/consent?authorize_key={key}", call.logid)


def decide(state: OAuthState, consent: Consent, *, agreed: bool) -> str:
    """Where the browser goes once the person has decided."""
    if agreed:
        code = f"code_{secrets.token_urlsafe(24)}"
        state.codes[code] = Code(consent, state.now() + CODE_SECONDS, secrets.token_hex(8))
        query = {"code": code, "state": consent.state}
    else:
        query = {
            "error": "access_denied",
            "error_description": "the user refused",
            "state": consent.state,
        }
    target = consent.redirect_uri
    return f"{target}{'&' if urlsplit(target).query else '?'}{urlencode(query)}"


def device_code(call: Call) -> Response:
    """The codes of a device; here, and only here, `expires_in` counts seconds from now."""
    state = call.world.oauth
    app = state.app(str(call.arg("client_id")), "device")
    letters = "".join(secrets.choice(_LETTERS) for _ in range(8))
    device = Device(
        app,
        f"{letters[:4]}-{letters[4:]}",
        state.now() + DEVICE_SECONDS,
        state.interval,
        str(call.arg("workspace_id", "")),
    )
    code = secrets.token_urlsafe(30)
    state.devices[code] = device
    found = {
        "device_code": code,
        "user_code": device.user_code,
        "verification_uri": f"{call.base_url}/device",
    }
    # Documented is a whole number; a fraction of a second is there for whoever tests with short
    # waits.
    interval = state.interval if state.interval % 1 else int(state.interval)
    return answers.json_answer(
        {**found, "expires_in": DEVICE_SECONDS, "interval": interval}, call.logid
    )


def token(call: Call) -> Response:
    """Exchanges a grant of any kind."""
    kind = str(call.arg("grant_type"))
    grant = _GRANTS.get(kind)
    if grant is None:
        raise OAuthRefusal("unsupported_grant_type", f"not supported grant type: {kind}")
    return answers.json_answer(grant(call), call.logid)


def account_token(call: Call) -> Response:
    """A token of another account, for a JWT."""
    _only_jwt(call)
    account = str(call.arg("account_id"))
    app, claims = verified(call.world.oauth, _bearer(call), _hosts(call))
    if account not in app.accounts and not call.world.printed(account):
        raise OAuthRefusal(
            "access_deny", f"account {account} has not granted access to the app", 403
        )
    return answers.json_answer(_jwt_token(call, app, claims, account_id=account), call.logid)


def enterprise_token(call: Call) -> Response:
    """A token that manages an enterprise, for a JWT."""
    _only_jwt(call)
    enterprise = str(call.arg("enterprise_id"))
    app, claims = verified(call.world.oauth, _bearer(call), _hosts(call))
    if not app.enterprises:
        raise OAuthRefusal("access_deny", "invalid app type", 403)
    if enterprise not in app.enterprises and not call.world.printed(enterprise):
        raise OAuthRefusal(
            "access_deny", f"enterprise {enterprise} has not granted access to the app", 403
        )
    return answers.json_answer(_jwt_token(call, app, claims, enterprise_id=enterprise), call.logid)


def _only_jwt(call: Call) -> None:
    if call.arg("grant_type") != _JWT:
        raise OAuthRefusal(
            "unsupported_grant_type", f"not supported grant type: {call.arg('grant_type')}"
        )


def _by_code(call: Call) -> dict[str, Any]:
    state = call.world.oauth
    app = _client(call, "authorization_code", "web", "pkce")
    code = state.codes.get(_needed(call, "code"))
    if code is None or code.consent.app is not app or code.ends <= state.now():
        raise invalid("code")
    if code.used:
        # RFC 6749, 4.1.2: somebody else may have the tokens, so they are worth nothing from now on.
        state.revoked.add(code.family)
        raise invalid("code")
    if _needed(call, "redirect_uri") != code.consent.redirect_uri:
        raise invalid("redirect_uri")
    if code.consent.challenge and not _proves(_needed(call, "code_verifier"), code.consent):
        raise invalid("code_verifier")
    code.used = True
    return state.tokens(app, code.family, code.consent.workspace_id)


def _proves(verifier: str, consent: Consent) -> bool:
    made = verifier
    if consent.method == "S256":
        made = (
            base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
            .rstrip(b"=")
            .decode()
        )
    return secrets.compare_digest(made.encode(), consent.challenge.encode())


def _by_refresh(call: Call) -> dict[str, Any]:
    state = call.world.oauth
    app = _client(call, "refresh_token", "web", "pkce", "device")
    refresh = state.refreshes.get(_needed(call, "refresh_token"))
    if (
        refresh is None
        or refresh.client_id != app.client_id
        or refresh.ends <= state.now()
        or refresh.family in state.revoked
    ):
        raise invalid("refresh_token")
    if refresh.used:
        # A thief and the owner cannot be told apart: neither keeps the session (RFC 9700, 4.14).
        state.revoked.add(refresh.family)
        raise invalid("refresh_token")
    refresh.used = True
    return state.tokens(app, refresh.family, refresh.workspace_id)


def _by_device(call: Call) -> dict[str, Any]:
    state = call.world.oauth
    app = _client(call, _DEVICE, "device")
    device = state.devices.get(_needed(call, "device_code"))
    if device is None or device.app is not app or device.decision == "spent":
        raise invalid("device_code")
    now, asked = state.now(), device.asked
    device.asked = now
    if device.ends <= now:
        raise _word(state, "expired_token")
    if device.decision == "refused":
        raise _word(state, "access_denied")
    if asked is not None and now - asked < device.interval:
        device.interval += state.interval
        raise _word(state, "slow_down")
    if not device.decision:
        raise _word(state, "authorization_pending")
    device.decision = "spent"
    return state.tokens(app, secrets.token_hex(8), device.workspace_id)


def _word(state: OAuthState, word: str) -> OAuthRefusal:
    return OAuthRefusal(word, _SPOKEN[word], state.waiting_status, polling=True)


def _by_jwt(call: Call) -> dict[str, Any]:
    app, claims = verified(call.world.oauth, _bearer(call), _hosts(call))
    scope = call.arg("scope")
    if scope is not None and not app.connector_id:
        raise OAuthRefusal("invalid_request", "connector app should bind connector id")
    attribute = ((scope or {}).get("attribute_constraint") or {}).get(
        "connector_bot_chat_attribute"
    )
    bots = tuple(attribute["bot_id_list"]) if attribute else None
    return _jwt_token(call, app, claims, bots=bots)


def _jwt_token(call: Call, app: App, claims: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A token of the app; without a refresh token."""
    seconds = int(call.arg("duration_seconds", 900))
    if not 1 <= seconds <= 86399:
        raise invalid("duration_seconds")
    access = Access(app.client_id, 0, session_name=claims.get("session_name", ""), **more)
    return call.world.oauth.issue("czs", access, seconds)


_GRANTS: dict[str, Callable[[Call], dict[str, Any]]] = {
    "authorization_code": _by_code,
    "refresh_token": _by_refresh,
    _DEVICE: _by_device,
    _JWT: _by_jwt,
}


def _client(call: Call, grant: str, *kinds: str) -> App:
    """The app that asks, of a kind that may use the grant; a web app proves itself by its
    secret.
    """
    app = call.world.oauth.app(_needed(call, "client_id"))
    if app.kind not in kinds:
        raise OAuthRefusal("unsupported_grant_type", f"not supported grant type: {grant}")
    if app.kind == "web" and not secrets.compare_digest(
        _bearer(call).encode(), app.client_secret.encode()
    ):
        raise OAuthRefusal("invalid_client", "invalid client", 401)
    return app


def _needed(call: Call, name: str) -> str:
    value = call.arg(name)
    if not value:
        raise invalid(name)
    return str(value)


def _bearer(call: Call) -> str:
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme == "Bearer" else ""


def _hosts(call: Call) -> frozenset[str]:
    """Names under which this server is known to the caller, with and without a port."""
    parts = urlsplit(call.base_url)
    return frozenset({parts.netloc, parts.hostname or ""})


def redirect(location: str, logid: str) -> Response:
    """Sends a browser elsewhere."""
    return Response(
        b"", 302, {**answers.headers(logid), "Location": location, "Cache-Control": "no-store"}
    )


def refused(refusal: OAuthRefusal, spelling: str, logid: str) -> Response:
    """The answer to a program that is refused."""
    if refusal.polling and spelling == "error":
        body = {"error": refusal.word, "error_description": refusal.text}
    else:
        body = {"error": "", "error_code": refusal.word, "error_message": refusal.text}
    return answers.json_answer(body, logid, refusal.status)


def translated(refusal: Refusal) -> OAuthRefusal:
    """What the check against the description found, in the words of these endpoints: the name of
    the parameter.
    """
    found = re.search(r"(?:body|query|path|header)\.(\w+)", refusal.msg)
    return invalid(found[1] if found else "body")
