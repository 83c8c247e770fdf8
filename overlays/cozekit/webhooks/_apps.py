"""Webhook receivers as ASGI and WSGI applications, served alone or mounted into another
application.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http import HTTPStatus
from typing import Any, TypeAlias
from wsgiref.types import StartResponse, WSGIEnvironment

from coze_runtime import publish

from ..errors import WebhookError
from ._receiver import Answer, AsyncWebhookReceiver, WebhookReceiver, error_answer
from ._request import too_large

_Message: TypeAlias = MutableMapping[str, Any]
_Receive: TypeAlias = Callable[[], Awaitable[_Message]]
_Send: TypeAlias = Callable[[_Message], Awaitable[None]]


class AsgiApp:
    """An ASGI application that receives callbacks on any path; run it with `uvicorn module:app`."""

    def __init__(self, receiver: AsyncWebhookReceiver) -> None:
        """Args:
        receiver: Handles the requests.
        """
        self._receiver = receiver

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Handles one request, or the startup and shutdown of the server."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            answer = await self._answer(scope, receive)
            if answer is None:
                return
            headers = [(name.encode(), value.encode()) for name, value in _headers(answer)]
            if answer.status == 413:
                # The rest of the body is unread, so the connection cannot be reused.
                headers.append((b"connection", b"close"))
            body = b"" if scope["method"] == "HEAD" else answer.body
            start = {"type": "http.response.start", "status": answer.status, "headers": headers}
            await send(start)
            await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: _Message, receive: _Receive) -> Answer | None:
        """Returns None if the client disconnects before the end of the body."""
        try:
            _check_method(scope["method"])
            self._receiver.check_headers(scope["headers"])
            body = await self._body(receive)
        except WebhookError as error:
            return error_answer(error)
        return None if body is None else await self._receiver.handle(scope["headers"], body)

    async def _body(self, receive: _Receive) -> bytes | None:
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            if len(body) > self._receiver.max_body:
                raise too_large(self._receiver.max_body)
            if not message.get("more_body"):
                return bytes(body)


class WsgiApp:
    """A WSGI application that receives callbacks on any path."""

    def __init__(self, receiver: WebhookReceiver) -> None:
        """Args:
        receiver: Handles the requests.
        """
        self._receiver = receiver

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Handles one request."""
        answer = self._answer(environ)
        start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", _headers(answer))
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else answer.body]

    def _answer(self, environ: WSGIEnvironment) -> Answer:
        names = [name for name in environ if name.startswith("HTTP_")]
        names += [name for name in ("CONTENT_TYPE", "CONTENT_LENGTH") if environ.get(name)]
        headers = {
            name.removeprefix("HTTP_").replace("_", "-"): str(environ[name]) for name in names
        }
        try:
            _check_method(environ["REQUEST_METHOD"])
            self._receiver.check_headers(headers)
            body = self._body(environ)
        except WebhookError as error:
            return error_answer(error)
        return self._receiver.handle(headers, body)

    def _body(self, environ: WSGIEnvironment) -> bytes:
        length = environ.get("CONTENT_LENGTH")
        if not length and not environ.get("wsgi.input_terminated"):
            raise WebhookError("the request has no content length", status=411)
        limit = int(length) if length else self._receiver.max_body + 1
        body = bytearray()
        while len(body) < limit and (data := environ["wsgi.input"].read(limit - len(body))):
            body += data
        if length and len(body) < limit:
            raise WebhookError("the body is shorter than its content length", status=400)
        return bytes(body)


async def _lifespan(receive: _Receive, send: _Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _check_method(method: str) -> None:
    if method != "POST":
        raise WebhookError("the method is not POST", status=405)


def _headers(answer: Answer) -> list[tuple[str, str]]:
    headers = [("content-type", "application/json"), ("content-length", str(len(answer.body)))]
    return [*headers, ("allow", "POST")] if answer.status == 405 else headers


publish(globals(), "cozekit.webhooks")
