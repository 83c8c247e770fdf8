"""Responses: the envelope of results and errors, event streams, and the headers that all carry."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from ..errors import ApiError

SERVER = "cozekit-emulator (a local imitation, not Coze)"
"""Value of the `Server` header."""

Event = tuple[str, Any]
"""Name and payload of a server-sent event."""
EventFormat = Callable[[int, str, Any], bytes]
"""Number, name and payload of an event → its bytes."""


def new_logid() -> str:
    """A fresh log id in the form of the official ones: time, then hexadecimal digits."""
    return time.strftime("%Y%m%d%H%M%S", time.gmtime()) + secrets.token_hex(10).upper()


def compact_json(value: Any) -> str:
    """JSON as the service writes it: no spaces, Chinese and emoji unescaped."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def headers(logid: str) -> dict[str, str]:
    """Headers of every response."""
    return {"Server": SERVER, "X-Tt-Logid": logid}


def json_response(body: Any, logid: str, status: int = 200) -> Response:
    """A JSON response."""
    return Response(compact_json(body), status, headers(logid), "application/json; charset=utf-8")


def success(fields: Mapping[str, Any], logid: str) -> Response:
    """The envelope of a request that succeeded, with further top-level fields."""
    return json_response({"code": 0, "msg": "", **fields, "detail": {"logid": logid}}, logid)


def failure(error: ApiError, logid: str) -> Response:
    """The envelope of a request that failed."""
    body = {"code": error.code, "msg": error.msg, **error.fields, "detail": {"logid": logid}}
    return json_response(body, logid, error.status)


def redirect(location: str, logid: str) -> Response:
    """Sends a browser to another address."""
    target = {"Location": location, "Cache-Control": "no-store"}
    return Response(b"", 302, {**headers(logid), **target})


def event_stream(events: Iterator[Event], event_format: EventFormat, logid: str) -> Response:
    """An event stream, one piece per event."""
    return _EventStream(events, event_format, logid)


class _EventStream(StreamingResponse):
    def __init__(self, events: Iterator[Event], event_format: EventFormat, logid: str) -> None:
        self._events = events
        super().__init__(
            self._pieces(event_format),
            200,
            {**headers(logid), "Cache-Control": "no-cache"},
            "text/event-stream; charset=utf-8",
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            # A connection that ends stops the traffic, not the work.
            for _ in self._events:
                pass

    async def _pieces(self, event_format: EventFormat) -> AsyncIterator[bytes]:
        for number, (name, data) in enumerate(self._events):
            yield event_format(number, name, data)
            await asyncio.sleep(0)


def chat_event(_: int, name: str, data: Any) -> bytes:
    """`/v3/chat`: no `id`, no space after the colon; `done` holds a JSON string."""
    return f"event:{name}\ndata:{compact_json(data)}\n\n".encode()


def chatflow_event(_: int, name: str, data: Any) -> bytes:
    """`/v1/workflows/chat`: no `id`, one space after the colon."""
    return f"event: {name}\ndata: {compact_json(data)}\n\n".encode()


def workflow_event(number: int, name: str, data: Any) -> bytes:
    """`/v1/workflow/stream_run`: `id` counts all events of the stream from 0; the heartbeat has
    empty data.
    """
    payload = "" if data is None else compact_json(data)
    return f"id: {number}\nevent: {name}\ndata: {payload}\n\n".encode()
