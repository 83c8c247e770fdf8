"""Callback applications: creating one, and checking its address."""

from __future__ import annotations

import secrets

from ..errors import invalid_parameter
from ..http.crud import server_defaults
from ..http.request import ApiRequest
from ..http.response_fields import record_response
from ..state.store import Record

_NAME_FIELDS = {"normal": "name", "connector": "connector_id"}
"""Type of an application → the field that it requires."""


def create_app(request: ApiRequest) -> Record:
    """A new application: without an address, with a verify token."""
    app_type = request.arg("app_type")
    required = _NAME_FIELDS.get(app_type)
    if required is None:
        raise invalid_parameter("body.app_type is normal or connector", status=400)
    if not request.arg(required):
        raise invalid_parameter(f"body.{required} is required for {app_type}", status=400)
    apps = request.collection("api_apps")
    fields = {**server_defaults(request, apps), **request.arguments}
    if app_type == "connector":
        fields["name"] = f"channel {fields['connector_id']}"
    else:
        fields["connector_id"] = None
    fields.update(verify_token=secrets.token_urlsafe(24), callback_url=None)
    return record_response(request, apps.add(fields))


async def update_app(request: ApiRequest) -> Record:
    """Changes name and address; a new address must first return a challenge."""
    app = request.find("api_apps")
    url = request.arg("callback_url")
    if url:
        await request.dispatcher.verify(app, url)
    request.collection("api_apps").change(app, request.inputs.body)
    return record_response(request, app)
