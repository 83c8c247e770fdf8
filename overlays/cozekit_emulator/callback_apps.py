"""The operations on callback applications that do more than keep a record."""

from __future__ import annotations

import secrets

from .answers import Refusal
from .calls import Call
from .store import Record
from .verbs import create, shown


def create_app(call: Call) -> Record:
    """A new application: without an address, with a token of its own."""
    kind = call.arg("app_type")
    needed = {"normal": "name", "connector": "connector_id"}.get(kind)
    if needed is None:
        raise Refusal(
            4000, "Request parameter error: body.app_type is normal or connector", status=400
        )
    if not call.arg(needed):
        raise Refusal(
            4000, f"Request parameter error: body.{needed} is required for {kind}", status=400
        )
    answer: Record = _create(call)  # type: ignore[assignment]
    return answer


def _fresh(call: Call, app: Record) -> None:
    app["verify_token"] = secrets.token_urlsafe(24)
    app["callback_url"] = None
    if app["app_type"] == "connector":
        app["name"] = f"channel {app['connector_id']}"
    else:
        app["connector_id"] = None


_create = create("api_apps", _fresh)


async def update_app(call: Call) -> Record:
    """Changes name and address; the new address must send a challenge back first."""
    app = call.find("api_apps")
    url = call.arg("callback_url")
    if url:
        await call.dispatcher.verify(app, url)
    call.collection("api_apps").change(app, call.inputs.body)
    return shown(call, app)
