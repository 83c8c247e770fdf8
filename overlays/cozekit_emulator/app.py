"""The ASGI application: routes out of the description, then for each request token, failure switch,
validation, handler, log id.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.utils import formatdate

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import answers, failures, oauth, oauth_pages
from .answers import Refusal
from .callbacks import Dispatcher
from .calls import Call
from .clock import Clock
from .description import Operation, load
from .handlers import HANDLERS
from .kinds import KINDS
from .oauth_state import Access, OAuthRefusal
from .samples import populate
from .socket_chat import ChatSession
from .socket_speech import SpeechSession
from .socket_transcriptions import InterpretationSession, TranscriptionsSession
from .sockets import SeenFrame, endpoint
from .store import World
from .validation import Validator
from .verbs import stateless

_MAX_SEEN = 1000
_SESSIONS = (SpeechSession, TranscriptionsSession, ChatSession, InterpretationSession)


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """A request as it arrived."""

    operation: str
    """Id of the operation or voice socket; empty when the path is unknown."""
    method: str
    path: str
    """Path and query, still encoded."""
    headers: dict[str, str] = field(repr=False)
    """Names in lower case; includes the token."""
    body: bytes = field(repr=False)
    logid: str = ""
    """Log id of the answer."""


class LocalCoze:
    """The state of one emulator and the way of a request through it."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.clock = Clock()
        self.dispatcher = Dispatcher(self)
        self.clock.watch(self.dispatcher.time_passed)
        self.description = load()
        self.validator = Validator(self.description)
        self.seen: deque[SeenRequest] = deque(maxlen=_MAX_SEEN)
        self.frames: deque[SeenFrame] = deque(maxlen=10 * _MAX_SEEN)
        self.reset()

    def reset(self) -> None:
        """Forgets everything: resources, tokens, requests seen, failures held ready; the clock
        tells the time of this machine.
        """
        self.clock.reset()
        self.world = World(self.description, KINDS, populate, self.token, self.clock.time)
        self.switch = failures.Switch()
        self.seen.clear()
        self.frames.clear()

    async def answer(self, operation: Operation, request: Request) -> Response:
        """Answers one request to a known operation."""
        logid: str = request.scope["logid"]
        try:
            access = (
                None
                if operation.anonymous
                else self.authenticate(request.headers.get("authorization", ""), request.method)
            )
            inputs = await self.validator.read(operation, request)
            call = Call(
                operation,
                inputs,
                self.world,
                logid,
                str(request.base_url).rstrip("/"),
                self.dispatcher,
                request.headers,
            )
            _check_reach(access, call)
            answered = HANDLERS.get(operation.id, stateless)(call)
            found = await answered if inspect.isawaitable(answered) else answered
        except Refusal as refusal:
            if "oauth" not in operation.data["tags"]:
                return answers.refused(refusal, logid)
            return self._no_token(oauth.translated(refusal), request)
        except OAuthRefusal as refusal:
            return self._no_token(refusal, request)
        return found if isinstance(found, Response) else answers.success(found, logid)

    def _no_token(self, refusal: OAuthRefusal, request: Request) -> Response:
        """A page for a browser, JSON for a program."""
        logid: str = request.scope["logid"]
        if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
            return oauth_pages.refused(refusal, logid)
        return oauth.refused(refusal, self.world.oauth.spelling, logid)

    def authenticate(self, authorization: str, method: str) -> Access | None:
        """What an issued token may reach; None for the token of the emulator itself, which reaches
        everything.

        An unknown token is HTTP 401 with 700012006 on GET, and HTTP 200 with 4101 on anything else;
        one that has ended is HTTP 401 on both.

        Raises:
            Refusal: The token is unknown or has ended.
        """
        scheme, _, token = authorization.partition(" ")
        if scheme == "Bearer" and token == self.token:
            return None
        access = self.world.oauth.known(token) if scheme == "Bearer" else None
        if access is not None and access.ends > self.clock.time():
            return access
        if access is not None:
            raise Refusal(
                700012006 if method == "GET" else 4100, "access token is expired", status=401
            )
        if method == "GET":
            raise Refusal(700012006, "access token invalid", status=401)
        raise Refusal(4101, "the token you entered is incorrect")

    def application(self) -> ASGIApp:
        """The whole application."""
        # Literal paths first: `/v1/plugins/mget` is no plugin.
        found = sorted(
            self.description.operations.values(),
            key=lambda item: [part.startswith("{") for part in item.path.split("/")],
        )
        routes: list[BaseRoute] = [
            Route(item.path, self._endpoint(item), methods=[item.method], name=item.id)
            for item in found
        ]
        for session in _SESSIONS:
            path = self.description.sockets[session.socket]["path"]
            routes.append(WebSocketRoute(path, endpoint(self, session), name=session.socket))
        routes += oauth_pages.routes(self)
        app = Starlette(
            routes=routes, exception_handlers={HTTPException: _unknown_path, Exception: _broken}
        )
        return _Gate(self, app)

    def _endpoint(self, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            self.note(operation.id, request, await request.body())
            header = request.headers.get(failures.HEADER)
            try:
                rule = self.switch.rule_for(request.method, request.url.path, operation.id, header)
            except ValueError as error:
                return answers.refused(
                    Refusal(4000, str(error), status=400), request.scope["logid"]
                )
            if rule is None:
                return await self.answer(operation, request)
            return _Spoiled(rule, request, lambda: self.answer(operation, request))

        return serve

    def note(self, operation: str, request: HTTPConnection, body: bytes = b"") -> None:
        """Remembers a request."""
        path = request.scope["raw_path"].decode() + (
            f"?{request.url.query}" if request.url.query else ""
        )
        method = request.scope.get("method", "GET")
        self.seen.append(
            SeenRequest(
                operation, method, path, dict(request.headers), body, request.scope["logid"]
            )
        )


def _check_reach(access: Access | None, call: Call) -> None:
    """A token for one workspace has no permissions of the account, and the scope of a channel's
    token names its bots.

    Raises:
        Refusal: 4101: the token does not reach so far.
    """
    if access is None:
        return
    if access.workspace_id and call.operation.id.startswith("conversations_"):
        raise Refusal(4101, "the token of one workspace has no permissions of the account")
    if (
        access.bots is not None
        and call.arg("bot_id") is not None
        and call.arg("bot_id") not in access.bots
    ):
        raise Refusal(4101, "the scope of the token does not name this bot")


class _Gate:
    """Gives each request its log id and the time of the emulator, and swallows the error by which
    an answer is cut.
    """

    def __init__(self, local: LocalCoze, app: ASGIApp) -> None:
        self.local = local
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["logid"] = answers.new_logid()

        async def dated(message: Message) -> None:
            if message["type"] in (
                "http.response.start",
                "websocket.http.response.start",
                "websocket.accept",
            ):
                date = formatdate(self.local.clock.time(), usegmt=True).encode()
                message = {**message, "headers": [*message.get("headers", ()), (b"date", date)]}
            await send(message)

        try:
            await self._app(scope, receive, dated)
        except failures.Cut:
            return


class _Spoiled(Response):
    """An answer under a failure rule."""

    def __init__(
        self, rule: failures.Rule, request: Request, answer: Callable[[], Awaitable[Response]]
    ) -> None:
        super().__init__()
        self._rule = rule
        self._logid: str = request.scope["logid"]
        self._oauth = request.url.path.startswith(oauth.PREFIX)
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._rule.delay:
            await asyncio.sleep(self._rule.delay)
        if self._rule.keepalive:
            await failures.keep_alive(self._rule, self._logid, receive, send)
            return
        found = (
            failures.response(self._rule, self._logid, oauth=self._oauth)
            if self._rule.answers
            else await self._answer()
        )
        await found(scope, receive, failures.spoiled(send, self._rule, scope))


async def _unknown_path(request: Request, error: Exception) -> Response:
    """Paths and methods that the description does not know."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    refusal = Refusal(4200, f"{request.method} {request.url.path} is not described", status=status)
    return answers.refused(refusal, request.scope["logid"])


async def _broken(request: Request, error: Exception) -> Response:
    """A defect of the emulator itself; says so, instead of looking like Coze."""
    message = f"defect of the local emulator: {type(error).__name__}: {error}"
    return answers.refused(Refusal(5000, message, status=500), request.scope["logid"])
