"""Sign-in, as far as it answers without pages: codes and tokens from the examples, and the token that the emulator accepts."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.responses import Response

from . import answers
from .calls import Call
from .verbs import stateless

EXPIRES_IN = 3600
"""Seconds from now to the expiry of an issued token; the answer holds the moment itself, as Unix seconds."""


def authorize(call: Call) -> Response:
    """Consents at once and sends the browser back with a code."""
    target = str(call.arg("redirect_uri"))
    query = urlencode({"code": f"code_{call.world.new_id()}", "state": call.arg("state")})
    location = f"{target}{'&' if '?' in target else '?'}{query}"
    return Response(b"", 302, {**answers.headers(call.logid), "Location": location})


def token(call: Call) -> Response:
    """The emulator's own token; without an envelope, as these endpoints answer."""
    issued = {
        "access_token": call.world.token,
        "token_type": "Bearer",
        "expires_in": call.world.now() + EXPIRES_IN,
        "refresh_token": f"refresh_{call.world.new_id()}",
    }
    return answers.json_answer(issued, call.logid)


def device_code(call: Call) -> Response:
    """The example; the first question for the token already succeeds."""
    return answers.json_answer({**stateless(call), "verification_uri": f"{call.base_url}/device"}, call.logid)
