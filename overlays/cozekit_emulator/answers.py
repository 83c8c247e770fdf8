"""What the emulator says: the envelope, refusals, and the log id that every answer carries."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import AsyncIterable
from typing import Any

from starlette.responses import Response, StreamingResponse

SERVER = "cozekit-emulator (a local imitation, not Coze)"
"""Value of the `Server` header."""


class Refusal(Exception):
    """The call is answered with a business error.

    `code` is a code of the description (`x-coze-error-codes`), `status` the HTTP status: 200 for
    business errors, as the real service mostly does. `top` holds more fields for the top level of
    the envelope, such as `debug_url`.
    """

    def __init__(self, code: int, msg: str, *, status: int = 200, **top: Any) -> None:
        super().__init__(msg)
        self.code = code
        self.msg = msg
        self.status = status
        self.top = top


def new_logid() -> str:
    """A fresh log id in the form of the official ones: time, then hexadecimal digits."""
    return time.strftime("%Y%m%d%H%M%S", time.gmtime()) + secrets.token_hex(10).upper()


def compact(value: Any) -> str:
    """JSON as the service writes it: no spaces, Chinese and emoji unescaped."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def headers(logid: str) -> dict[str, str]:
    """Headers of every answer."""
    return {"Server": SERVER, "X-Tt-Logid": logid}


def json_answer(body: Any, logid: str, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(compact(body), status, headers(logid), "application/json; charset=utf-8")


def success(fields: dict[str, Any], logid: str) -> Response:
    """The envelope of a call that went well, with further top-level fields."""
    return json_answer({"code": 0, "msg": "", **fields, "detail": {"logid": logid}}, logid)


def refused(refusal: Refusal, logid: str) -> Response:
    """The envelope of a call that failed."""
    body = {"code": refusal.code, "msg": refusal.msg, **refusal.top, "detail": {"logid": logid}}
    return json_answer(body, logid, refusal.status)


def event_stream(pieces: AsyncIterable[bytes], logid: str) -> Response:
    """An event stream; the caller shapes the events (`sse.py`)."""
    return StreamingResponse(
        pieces,
        200,
        {**headers(logid), "Cache-Control": "no-cache"},
        "text/event-stream; charset=utf-8",
    )
