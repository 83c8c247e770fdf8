"""A receiver as a program of its own or mounted into another one: ASGI and WSGI, without a
framework.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http import HTTPStatus
from typing import Any, TypeAlias
from wsgiref.types import StartResponse, WSGIEnvironment

from ..errors import WebhookError
from .receiver import Answer, AsyncWebhookReceiver, WebhookReceiver, refused

_Message: TypeAlias = MutableMapping[str, Any]
_Receive: TypeAlias = Callable[[], Awaitable[_Message]]
_Send: TypeAlias = Callable[[_Message], Awaitable[None]]

_NOT_ALLOWED = WebhookError("the method is not POST", status=405)


def _headers(answer: Answer) -> list[tuple[str, str]]:
    found = [("content-type", "application/json"), ("content-length", str(len(answer.body)))]
    if answer.status == 405:
        found.append(("allow", "POST"))
    return found


class AsgiApp:
    """An ASGI application that takes callbacks at whatever path it is mounted; `uvicorn module:app`
    serves it.
    """

    def __init__(self, receiver: AsyncWebhookReceiver) -> None:
        self._receiver = receiver

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """One request, or the start and end of the server."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            answer = await self._answer(scope, receive)
            if answer is not None:
                headers = [(name.encode(), value.encode()) for name, value in _headers(answer)]
                if answer.status == 413:
                    # The rest of the body is not read, so the connection cannot serve another
                    # request.
                    headers.append((b"connection", b"close"))
                await send(
                    {"type": "http.response.start", "status": answer.status, "headers": headers}
                )
                await send(
                    {
                        "type": "http.response.body",
                        "body": b"" if scope["method"] == "HEAD" else answer.body,
                    }
                )

    async def _answer(self, scope: _Message, receive: _Receive) -> Answer | None:
        """None when the sender went away before it had sent everything."""
        try:
            if scope["method"] != "POST":
                raise _NOT_ALLOWED
            self._receiver.check_headers(scope["headers"])
            body = await self._body(receive)
        except WebhookError as error:
            return refused(error)
        return None if body is None else await self._receiver.handle(scope["headers"], body)

    async def _body(self, receive: _Receive) -> bytes | None:
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            if len(body) > self._receiver.max_body:
                raise self._receiver.too_large()
            if not message.get("more_body"):
                return bytes(body)


async def _lifespan(receive: _Receive, send: _Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


class WsgiApp:
    """A WSGI application that takes callbacks at whatever path it is mounted."""

    def __init__(self, receiver: WebhookReceiver) -> None:
        self._receiver = receiver

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """One request."""
        answer = self._answer(environ)
        start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", _headers(answer))
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else answer.body]

    def _answer(self, environ: WSGIEnvironment) -> Answer:
        headers = {
            name[5:].replace("_", "-"): str(value)
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        headers |= {
            name.replace("_", "-"): str(environ[name])
            for name in ("CONTENT_TYPE", "CONTENT_LENGTH")
            if environ.get(name)
        }
        try:
            if environ["REQUEST_METHOD"] != "POST":
                raise _NOT_ALLOWED
            self._receiver.check_headers(headers)
            body = self._body(environ)
        except WebhookError as error:
            return refused(error)
        return self._receiver.handle(headers, body)

    def _body(self, environ: WSGIEnvironment) -> bytes:
        length = environ.get("CONTENT_LENGTH")
        if not length and not environ.get("wsgi.input_terminated"):
            raise WebhookError("the request does not say how long it is", status=411)
        wanted = int(length) if length else self._receiver.max_body + 1
        body = bytearray()
        while len(body) < wanted:
            piece = environ["wsgi.input"].read(wanted - len(body))
            if not piece:
                break
            body += piece
        if length and len(body) < wanted:
            raise WebhookError("the body ends early", status=400)
        return bytes(body)
