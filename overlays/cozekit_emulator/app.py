"""The ASGI application: routes out of the description, then for each request token, failure switch, validation, handler, log id."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from . import answers, failures
from .answers import Refusal
from .calls import Call
from .description import Operation, load
from .handlers import HANDLERS
from .kinds import KINDS
from .samples import populate
from .store import World
from .validation import Validator
from .verbs import stateless

_MAX_SEEN = 1000


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """A request as it arrived."""

    operation: str
    """Id of the operation; empty when the path is unknown."""
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
        self.description = load()
        self.seen: deque[SeenRequest] = deque(maxlen=_MAX_SEEN)
        self.reset()
        self._validator = Validator(self.description)

    def reset(self) -> None:
        """Forgets everything: resources, requests seen, failures held ready."""
        self.world = World(self.description, KINDS, populate, self.token)
        self.switch = failures.Switch()
        self.seen.clear()

    async def answer(self, operation: Operation, request: Request) -> Response:
        """Answers one request to a known operation."""
        logid: str = request.scope["logid"]
        try:
            self._authenticate(operation, request)
            inputs = await self._validator.read(operation, request)
            call = Call(operation, inputs, self.world, logid, str(request.base_url).rstrip("/"))
            found = HANDLERS.get(operation.id, stateless)(call)
        except Refusal as refusal:
            return answers.refused(refusal, logid)
        return found if isinstance(found, Response) else answers.success(found, logid)

    def _authenticate(self, operation: Operation, request: Request) -> None:
        """A wrong token is HTTP 401 with 700012006 on GET, and HTTP 200 with 4101 on anything else."""
        if operation.anonymous or request.headers.get("authorization", "") == f"Bearer {self.token}":
            return
        if request.method == "GET":
            raise Refusal(700012006, "access token invalid", status=401)
        raise Refusal(4101, "the token you entered is incorrect")

    def application(self) -> ASGIApp:
        """The whole application."""
        # Literal paths first: `/v1/plugins/mget` is no plugin.
        found = sorted(self.description.operations.values(), key=lambda item: [part.startswith("{") for part in item.path.split("/")])
        routes = [Route(item.path, self._endpoint(item), methods=[item.method], name=item.id) for item in found]
        app = Starlette(routes=routes, exception_handlers={HTTPException: _unknown_path, Exception: _broken})
        return _Gate(self, app)

    def _endpoint(self, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            await self._note(operation.id, request)
            header = request.headers.get(failures.HEADER)
            try:
                rule = self.switch.rule_for(request.method, request.url.path, operation.id, header)
            except ValueError as error:
                return answers.refused(Refusal(4000, str(error), status=400), request.scope["logid"])
            if rule is None:
                return await self.answer(operation, request)
            return _Spoiled(rule, request, lambda: self.answer(operation, request))

        return endpoint

    async def _note(self, operation: str, request: Request) -> None:
        path = request.scope["raw_path"].decode() + (f"?{request.url.query}" if request.url.query else "")
        body = await request.body()
        self.seen.append(SeenRequest(operation, request.method, path, dict(request.headers), body, request.scope["logid"]))


class _Gate:
    """Gives each request its log id and swallows the error by which an answer is cut."""

    def __init__(self, local: LocalCoze, app: ASGIApp) -> None:
        self.local = local
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["logid"] = answers.new_logid()
        try:
            await self._app(scope, receive, send)
        except failures.Cut:
            return


class _Spoiled(Response):
    """An answer under a failure rule."""

    def __init__(self, rule: failures.Rule, request: Request, answer: Callable[[], Awaitable[Response]]) -> None:
        super().__init__()
        self._rule = rule
        self._logid: str = request.scope["logid"]
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._rule.delay:
            await asyncio.sleep(self._rule.delay)
        if self._rule.keepalive:
            await failures.keep_alive(self._rule, self._logid, receive, send)
            return
        found = failures.response(self._rule, self._logid) if self._rule.answers else await self._answer()
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
