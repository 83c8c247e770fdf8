"""Pages for users: consent to an app, and the code of a device. Plain HTML that a test can read as
well.
"""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..errors import OAuthError
from ..http import responses
from ..state.oauth import Consent, OAuthState
from .endpoints import redirect_uri_after

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>{title}</title>
<style>body{{font:1.1em/1.5 system-ui,sans-serif;max-width:32em;margin:12vh auto;padding:0 1em}}
button,input{{font:inherit;padding:.3em 1em}}small{{color:#666}}</style></head>
<body><h1>{title}</h1>{body}<p><small>Local emulator, not Coze.</small></p></body></html>
"""
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors "
    "'none'",
}
_BUTTONS = (
    '<p><button name="decision" value="agree">Agree</button> <button '
    'name="decision" value="refuse">Refuse</button></p></form>'
)


def error_page(error: OAuthError, logid: str) -> Response:
    """The page of a sign-in that is not possible; the browser is not redirected."""
    message, code = html.escape(error.message), html.escape(error.code)
    body = f"<p>{message}</p><p><code>{code}</code></p>"
    return _page("Sign-in is not possible", body, logid, error.status)


def routes(current_oauth: Callable[[], OAuthState]) -> list[Route]:
    """The addresses of the pages.

    Args:
        current_oauth: Gives the memory of the authorization server, which a reset replaces.
    """
    handlers = {"/oauth/consent": _consent_page, "/device": _device_page}
    return [
        Route(path, _endpoint(current_oauth, handler), methods=["GET", "POST"])
        for path, handler in handlers.items()
    ]


_PageHandler = Callable[[OAuthState, Request, dict[str, str]], Response]


def _endpoint(
    current_oauth: Callable[[], OAuthState], handler: _PageHandler
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        fields: dict[str, Any] = dict(request.query_params)
        if request.method == "POST":
            async with request.form() as form:
                fields.update(form)
        try:
            return handler(current_oauth(), request, fields)
        except OAuthError as error:
            return error_page(error, request.scope["logid"])

    return endpoint


def _page(title: str, body: str, logid: str, status: int = 200) -> Response:
    text = _PAGE.format(title=html.escape(title), body=body)
    headers = {**responses.headers(logid), **_HEADERS}
    return Response(text, status, headers, "text/html; charset=utf-8")


def _consent_page(oauth: OAuthState, request: Request, fields: dict[str, str]) -> Response:
    logid, key = request.scope["logid"], fields.get("authorize_key", "")
    consent = oauth.consents.get(key)
    if consent is None or consent.expires_at <= oauth.now():
        raise OAuthError("access_deny", "login session invalid", 403)
    if request.method != "POST":
        title = f"Let {consent.app.name} use your account?"
        return _page(title, _consent_form(consent, key), logid)
    agreed = _decision(fields)
    del oauth.consents[key]
    return responses.redirect(redirect_uri_after(oauth, consent, agreed=agreed), logid)


def _consent_form(consent: Consent, key: str) -> str:
    scope = (
        f"workspace <b>{html.escape(consent.workspace_id)}</b> only"
        if consent.workspace_id
        else "all your workspaces"
    )
    return (
        f"<p>The app will reach {scope}. Afterwards you go back to "
        f"<b>{html.escape(consent.redirect_uri)}</b>.</p>"
        '<form method="post" action="/oauth/consent"><input type="hidden" name="authorize_key" '
        f'value="{html.escape(key)}">{_BUTTONS}'
    )


def _device_page(oauth: OAuthState, request: Request, fields: dict[str, str]) -> Response:
    logid, code = request.scope["logid"], fields.get("user_code", "")
    if request.method != "POST":
        form = (
            '<form method="post" action="/device"><p><label>Code shown by the device<br>'
            f'<input name="user_code" value="{html.escape(code)}" autocomplete="off" '
            f"required></label></p>{_BUTTONS}"
        )
        return _page("Sign in a device", form, logid)
    device = oauth.device_of(code)
    if device is None:
        link = '<p><a href="/device">Enter another code</a></p>'
        return _page("This code is unknown or has expired", link, logid, 404)
    agreed = _decision(fields)
    device.decision = "agreed" if agreed else "refused"
    name = html.escape(device.app.name)
    outcome = f"{name} is signed in; go back to the device." if agreed else f"{name} was refused."
    return _page("Done", f"<p>{outcome}</p>", logid)


def _decision(fields: dict[str, str]) -> bool:
    decision = fields.get("decision")
    if decision not in ("agree", "refuse"):
        raise OAuthError("invalid_request", "invalid request: decision")
    return decision == "agree"
