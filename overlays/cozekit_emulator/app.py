"""The ASGI application: routes out of the description, and the way of a request through token,
failure rule, validation and handler.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from email.utils import formatdate

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .errors import ApiError, OAuthError
from .handlers import HANDLERS
from .http import failures, responses
from .http.request import ApiRequest
from .http.response_fields import documented_response
from .local_coze import LocalCoze
from .oauth import endpoints, pages
from .openapi.description import Operation
from .operations import databases
from .sockets.chat import ChatSession
from .sockets.session import socket_endpoint
from .sockets.speech import SpeechSession
from .sockets.transcription import InterpretationSession, TranscriptionsSession
from .state.oauth import AccessToken

SESSIONS = (SpeechSession, TranscriptionsSession, ChatSession, InterpretationSession)
_DATED = ("http.response.start", "websocket.http.response.start", "websocket.accept")


def application(local: LocalCoze) -> ASGIApp:
    """The application of a local Coze.

    Args:
        local: The local Coze.
    """
    # Literal paths first: `/v1/plugins/mget` is not the plugin `mget`.
    operations = sorted(
        local.description.operations.values(),
        key=lambda operation: [part.startswith("{") for part in operation.path.split("/")],
    )
    routes: list[BaseRoute] = [
        Route(operation.path, _endpoint(local, operation), methods=[operation.method])
        for operation in operations
    ]
    for session in SESSIONS:
        path = local.description.sockets[session.socket]["path"]
        routes.append(WebSocketRoute(path, socket_endpoint(local, session)))
    routes += pages.routes(lambda: local.state.oauth)
    routes += databases.routes(lambda: local.state)
    app = Starlette(
        routes=routes,
        exception_handlers={HTTPException: _unknown_path, Exception: _internal_error},
    )
    return _Middleware(local, app)


def _endpoint(local: LocalCoze, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        local.record(operation.id, request, await request.body())
        header = request.headers.get(failures.HEADER)
        try:
            rule = local.failures.rule_for(request.method, request.url.path, operation.id, header)
        except ValueError as error:
            api_error = ApiError(4000, str(error), status=400)
            return responses.failure(api_error, request.scope["logid"])
        if rule is None:
            return await _respond(local, operation, request)
        return _FailingResponse(rule, request, lambda: _respond(local, operation, request))

    return endpoint


async def _respond(local: LocalCoze, operation: Operation, request: Request) -> Response:
    """The response of an operation."""
    logid: str = request.scope["logid"]
    try:
        access = None
        if not operation.anonymous:
            authorization = request.headers.get("authorization", "")
            access = local.authenticate(authorization, request.method)
        api_request = ApiRequest(
            operation,
            await local.validator.read(operation, request),
            local.state,
            logid,
            str(request.base_url).rstrip("/"),
            local.dispatcher,
            request.headers,
        )
        _check_scope(access, api_request)
        result = HANDLERS.get(operation.id, documented_response)(api_request)
        if inspect.isawaitable(result):
            result = await result
    except ApiError as error:
        if "oauth" not in operation.data["tags"]:
            return responses.failure(error, logid)
        return _oauth_failure(local, endpoints.as_oauth_error(error), request)
    except OAuthError as error:
        return _oauth_failure(local, error, request)
    return result if isinstance(result, Response) else responses.success(result, logid)


def _check_scope(access: AccessToken | None, request: ApiRequest) -> None:
    """A token for one workspace has no permissions of the account, and the scope of a channel's
    token names its bots.

    Raises:
        ApiError: 4101: the token does not reach the operation or the bot.
    """
    if access is None:
        return
    if access.workspace_id and request.operation.id.startswith("conversations_"):
        raise ApiError(4101, "the token of one workspace has no permissions of the account")
    bot_id = request.arg("bot_id")
    if access.bot_ids is not None and bot_id is not None and bot_id not in access.bot_ids:
        raise ApiError(4101, "the scope of the token does not name this bot")


def _oauth_failure(local: LocalCoze, error: OAuthError, request: Request) -> Response:
    """A page for a browser, JSON for a program."""
    logid: str = request.scope["logid"]
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        return pages.error_page(error, logid)
    return endpoints.error_response(error, local.state.oauth.error_field, logid)


class _Middleware:
    """Gives each request its log id and each response the time of the emulator; ends quietly when a
    rule cuts the connection.
    """

    def __init__(self, local: LocalCoze, app: ASGIApp) -> None:
        self._local = local
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["logid"] = responses.new_logid()

        async def send_dated(message: Message) -> None:
            if message["type"] in _DATED:
                date = formatdate(self._local.clock.time(), usegmt=True).encode()
                message = {**message, "headers": [*message.get("headers", ()), (b"date", date)]}
            await send(message)

        try:
            await self._app(scope, receive, send_dated)
        except failures.ConnectionCut:
            return


class _FailingResponse(Response):
    """A response under a failure rule."""

    def __init__(
        self,
        rule: failures.FailureRule,
        request: Request,
        respond: Callable[[], Awaitable[Response]],
    ) -> None:
        super().__init__()
        self._rule = rule
        self._logid: str = request.scope["logid"]
        self._is_oauth = request.url.path.startswith(endpoints.PREFIX)
        self._respond = respond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._rule.delay:
            await asyncio.sleep(self._rule.delay)
        if self._rule.keepalive:
            await failures.keep_alive(self._rule, self._logid, receive, send)
            return
        if self._rule.replaces_response:
            response = failures.failure_response(self._rule, self._logid, oauth=self._is_oauth)
        else:
            response = await self._respond()
        await response(scope, receive, failures.failing_send(send, self._rule))


async def _unknown_path(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    message = f"{request.method} {request.url.path} is not described"
    return responses.failure(ApiError(4200, message, status=status), request.scope["logid"])


async def _internal_error(request: Request, error: Exception) -> Response:
    # Says that the emulator is wrong, so that nobody looks for the reason at Coze.
    message = f"defect of the local emulator: {type(error).__name__}: {error}"
    return responses.failure(ApiError(5000, message, status=500), request.scope["logid"])
