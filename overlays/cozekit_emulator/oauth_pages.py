"""Pages for people: consent to an app, and the code of a device. Plain HTML that a test can read as
well.
"""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import answers, oauth
from .oauth_state import Consent, OAuthRefusal, OAuthState

if TYPE_CHECKING:
    from .app import LocalCoze

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>body{{font:1.1em/1.5 system-ui,sans-serif;max-width:32em;margin:12vh auto;padding:0 1em}}
button,input{{font:inherit;padding:.3em 1em}}small{{color:#666}}</style></head>
<body><h1>{title}</h1>{body}<p><small>Local emulator, not Coze.</small></p></body></html>
"""  # noqa: E501
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


def page(title: str, body: str, logid: str, status: int = 200) -> Response:
    """A page; `body` is HTML."""
    text = _PAGE.format(title=html.escape(title), body=body)
    return Response(
        text, status, {**answers.headers(logid), **_HEADERS}, "text/html; charset=utf-8"
    )


def refused(refusal: OAuthRefusal, logid: str) -> Response:
    """The page for a person whose app asked wrongly; the browser goes nowhere."""
    said = f"<p>{html.escape(refusal.text)}</p><p><code>{html.escape(refusal.word)}</code></p>"
    return page("Sign-in is not possible", said, logid, refusal.status)


def routes(local: LocalCoze) -> list[Route]:
    """The addresses of the pages."""
    return [
        Route("/oauth/consent", _guarded(local, _consent), methods=["GET", "POST"]),
        Route("/device", _guarded(local, _device), methods=["GET", "POST"]),
    ]


_Page = Callable[[OAuthState, Request, dict[str, str]], Response]


def _guarded(local: LocalCoze, handler: _Page) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        fields: dict[str, Any] = dict(request.query_params)
        if request.method == "POST":
            async with request.form() as form:
                fields.update(form)
        try:
            return handler(local.world.oauth, request, fields)
        except OAuthRefusal as refusal:
            return refused(refusal, request.scope["logid"])

    return endpoint


def _consent(state: OAuthState, request: Request, fields: dict[str, str]) -> Response:
    logid, key = request.scope["logid"], fields.get("authorize_key", "")
    consent = state.consents.get(key)
    if consent is None or consent.ends <= state.now():
        raise OAuthRefusal("access_deny", "login session invalid", 403)
    if request.method != "POST":
        return page(f"Let {consent.app.name} use your account?", _question(consent, key), logid)
    agreed = _decision(fields)
    del state.consents[key]
    return oauth.redirect(oauth.decide(state, consent, agreed=agreed), logid)


def _question(consent: Consent, key: str) -> str:
    reach = (
        f"workspace <b>{html.escape(consent.workspace_id)}</b> only"
        if consent.workspace_id
        else "all your workspaces"
    )
    return (
        f"<p>The app will reach {reach}. Afterwards you go back to "
        f"<b>{html.escape(consent.redirect_uri)}</b>.</p>"
        '<form method="post" action="/oauth/consent"><input type="hidden" name="authorize_key" '
        f'value="{html.escape(key)}">{_BUTTONS}'
    )


def _device(state: OAuthState, request: Request, fields: dict[str, str]) -> Response:
    logid, code = request.scope["logid"], fields.get("user_code", "")
    if request.method != "POST":
        form = (
            '<form method="post" action="/device"><p><label>Code shown by the device<br>'
            f'<input name="user_code" value="{html.escape(code)}" autocomplete="off" '
            f"required></label></p>{_BUTTONS}"
        )
        return page("Sign in a device", form, logid)
    device = state.device_of(code)
    if device is None:
        return page(
            "This code is unknown or has ended",
            '<p><a href="/device">Enter another code</a></p>',
            logid,
            404,
        )
    agreed = _decision(fields)
    device.decision = "agreed" if agreed else "refused"
    name = html.escape(device.app.name)
    said = f"{name} is signed in; go back to the device." if agreed else f"{name} was refused."
    return page("Done", f"<p>{said}</p>", logid)


def _decision(fields: dict[str, str]) -> bool:
    decision = fields.get("decision")
    if decision not in ("agree", "refuse"):
        raise OAuthRefusal("invalid_request", "invalid request: decision")
    return decision == "agree"
