"""What sync and async sockets have in common: state, checks, and what becomes of them in
the end.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self, TypeVar, overload

from coze_runtime.models import Model

from ..errors import ArgumentError, CozeError, WebSocketError
from .client import AsyncSocketClient, SyncSocketClient
from .handlers import Handlers, matcher
from .inbox import Inbox
from .opening import Plan
from .options import SocketOptions
from .wire import Spec, WebSocketTimeout, encode

M = TypeVar("M")
H = TypeVar("H", bound=Callable[..., object])

NEW, OPENING, OPEN, CLOSED = "new", "opening", "open", "closed"

# Seconds without progress after which closing gives up on what is queued.
FLUSH_PATIENCE = 0.25


class BaseSocket:
    """State of a socket."""

    _spec: ClassVar[Spec]
    _coroutines: ClassVar[bool]

    def __init__(
        self,
        client: SyncSocketClient | AsyncSocketClient,
        query: Mapping[str, Any] | None = None,
        options: SocketOptions | None = None,
    ) -> None:
        """Nothing is opened before `connect`; sockets are made by `coze.websockets`.

        Args:
            client: The client whose address, token and headers are used.
            query: Query fields of the handshake, by name; None for none.
            options: Settings of the connection: timeouts, limits, reconnection. None takes the
                defaults of `SocketOptions`.

        Raises:
            ArgumentError: A required query field is empty, or an option is out of range.
        """
        for name in self._spec.socket.required:
            if not str((query or {}).get(name) or "").strip():
                raise ArgumentError(f"{name} must not be empty", argument=name)
        self._client: Any = client
        self._options = (options or SocketOptions()).checked()
        self._plan = Plan(client, self._spec, query or {}, self._options)
        self._inbox = Inbox(self._options, self._spec.socket)
        self._handlers = Handlers(self._spec, coroutines=self._coroutines)
        self._state = NEW
        self._broken: CozeError | None = None
        self._failed_redial: CozeError | None = None
        self._fault: str | None = None
        self._settings_frame: str | None = None
        self._written = 0
        self._generation = 0
        self._prepare_shell()

    def _prepare_shell(self) -> None:
        raise NotImplementedError

    def _fresh(self) -> Self:
        """Another socket with the same settings and handlers: a connection serves one request."""
        other = type(self)(self._client, self._plan.query, self._options)
        other._handlers = self._handlers.copy()
        other._inbox.handled = bool(self._handlers)
        return other

    @property
    def state(self) -> str:
        """`new`, `opening`, `open` or `closed`. A lost connection leaves the socket closed."""
        return self._state if self._broken is None else CLOSED

    @overload
    def on(self, event: type[M]) -> Callable[[Callable[[M], Any]], Callable[[M], Any]]: ...
    @overload
    def on(self, event: str) -> Callable[[H], H]: ...
    def on(self, event: Any) -> Callable[[Any], Any]:
        """Registers a function for an event; a decorator.

        Handlers are called in the order of the events, one at a time, before an iteration sees the
        event. A slow one makes the server wait. When one fails, the others and the socket go on;
        the exception is raised once, by the next wait, step of an iteration, or `close`.

        Args:
            event: Name of the event, `"*"` for all, `"reconnected"`, or its class; `UnknownEvent`
                for those newer than this package.

        Raises:
            ArgumentError: The socket has no such event, or the function cannot be a handler.
        """
        matcher(event, self._spec)

        def register(handler: H) -> H:
            self._handlers.add(event, handler)
            self._inbox.handled = True
            return handler

        return register

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.state}>"

    def _matcher(self, event: Any) -> Callable[[Any], bool]:
        return matcher(event, self._spec)

    def _begin_opening(self) -> None:
        if self._state != NEW:
            raise WebSocketError(f"the socket is {self.state}; make a new one for another session")
        self._state = OPENING

    def _check_opened(self) -> None:
        if self._state in (NEW, OPENING):
            raise WebSocketError(
                "the socket is not open; use it in a `with` block, or call `connect`"
            )

    def _encoded(self, event: Model | Mapping[str, Any]) -> str:
        frame = encode(event, self._spec)
        kind = event.event_type if isinstance(event, Model) else event["event_type"]  # type: ignore[attr-defined]
        if kind == self._spec.socket.settings:
            self._settings_frame = frame
        return frame

    def _may_queue(self, queued: int) -> bool:
        return queued < self._options.max_queue or self._state != OPEN or self._broken is not None

    def _check_sendable(self, queued: int) -> None:
        if self._state == CLOSED:
            raise refused_here()
        if self._broken is not None:
            raise self._broken.with_traceback(None)
        self._check_opened()
        if queued >= self._options.max_queue:
            raise WebSocketTimeout(
                f"{self._spec.socket.id}: {queued} events wait to be sent, and none went for "
                f"{self._options.send_timeout} s"
            )

    def _moved_on(self, generation: int) -> bool:
        return self._generation != generation or self._broken is not None

    def _progressed(self, written: int) -> bool:
        return self._written != written or self._broken is not None

    def _over(self, end: CozeError, closed: Any) -> None:
        """The connection ended. It is no loss when the program closed it, or the server did,
        normally, after its last event.
        """
        code = closed.rcvd.code if closed.rcvd else None
        known = (
            end
            if isinstance(end, WebSocketError)
            else WebSocketError(f"the connection could not be made anew: {end}")
        )
        if known is not end:
            known.__cause__ = end
        self._inbox.finish(known, wanted=code == 1000 and self._inbox.settled)
        self._broken = known

    def _refuse_awaitable(self, found: object) -> None:
        if inspect.isawaitable(found):
            if inspect.iscoroutine(found):
                found.close()
            raise ArgumentError(
                "a handler of a sync socket returned a coroutine; use AsyncCoze", argument="handler"
            )


def refused_here() -> WebSocketError:
    """What a closed socket says."""
    return WebSocketError("the socket was closed by this program")


def lost(spec: Spec, closed: Any, fault: str | None) -> WebSocketError:
    """The error for a connection that ended."""
    frame = closed.rcvd
    code, reason = (frame.code, frame.reason) if frame else (None, "")
    if frame is None:
        sent = closed.sent
        cause = (
            fault
            or (f"{sent.code} {sent.reason}".strip() if sent else "")
            or str(closed.__cause__ or "it broke off")
        )
        return WebSocketError(
            f"{spec.socket.id}: the connection was lost: {cause}", code=sent.code if sent else None
        )
    return WebSocketError(
        f"{spec.socket.id}: the server closed the socket, code {code} {reason}".rstrip(),
        code=code,
        msg=reason,
    )
