"""One local Coze: its state, what it has seen, and which tokens it accepts."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import HTTPConnection

from .callbacks import Dispatcher
from .errors import ApiError
from .http.failures import FailureSwitch
from .openapi.description import load
from .openapi.validation import Validator
from .state.clock import Clock
from .state.oauth import AccessToken
from .state.seed import populate
from .state.store import State

_MAX_REQUESTS = 1000
_MAX_FRAMES = 10_000


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
    """Log id of the response."""


@dataclass(frozen=True, slots=True)
class SeenFrame:
    """An event on a voice socket."""

    socket: str
    """Id of the socket, such as `websockets_chat`."""
    received: bool
    """Whether the client sent it."""
    event: dict[str, Any] = field(repr=False)
    logid: str = ""
    """Log id of the connection."""


class LocalCoze:
    """What requests and voice sockets of one emulator share.

    Args:
        token: The access token that reaches everything.
    """

    def __init__(self, token: str) -> None:
        self.token = token
        self.clock = Clock()
        self.dispatcher = Dispatcher(lambda: self.state)
        self.clock.watch(self.dispatcher.send_due)
        self.description = load()
        self.validator = Validator(self.description)
        self.requests: deque[SeenRequest] = deque(maxlen=_MAX_REQUESTS)
        self.frames: deque[SeenFrame] = deque(maxlen=_MAX_FRAMES)
        self.reset()

    def reset(self) -> None:
        """Forgets resources, tokens, requests and prepared failures, and resets the clock."""
        self.clock.reset()
        self.state = State(self.description, self.clock.time)
        populate(self.state)
        self.failures = FailureSwitch()
        self.requests.clear()
        self.frames.clear()

    def record(self, operation_id: str, request: HTTPConnection, body: bytes = b"") -> None:
        """Remembers a request.

        Args:
            operation_id: Id of the operation or voice socket.
            request: The request.
            body: Its body.
        """
        query = f"?{request.url.query}" if request.url.query else ""
        seen = SeenRequest(
            operation_id,
            request.scope.get("method", "GET"),
            request.scope["raw_path"].decode() + query,
            dict(request.headers),
            body,
            request.scope["logid"],
        )
        self.requests.append(seen)

    def authenticate(self, authorization: str, method: str) -> AccessToken | None:
        """What an issued token reaches; None for the token of the emulator, which reaches
        everything.

        An unknown token is HTTP 401 with 700012006 on GET, and HTTP 200 with 4101 on anything else;
        an expired one is HTTP 401 on both.

        Args:
            authorization: The header `Authorization`.
            method: HTTP method of the request.

        Raises:
            ApiError: The token is unknown or has expired.
        """
        scheme, _, token = authorization.partition(" ")
        if scheme == "Bearer" and token == self.token:
            return None
        access = self.state.oauth.access_token(token) if scheme == "Bearer" else None
        if access is not None and access.expires_at > self.clock.time():
            return access
        if access is not None:
            code = 700012006 if method == "GET" else 4100
            raise ApiError(code, "access token is expired", status=401)
        if method == "GET":
            raise ApiError(700012006, "access token invalid", status=401)
        raise ApiError(4101, "the token you entered is incorrect")
