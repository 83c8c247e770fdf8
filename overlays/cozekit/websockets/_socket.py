"""A voice socket as programs see it, sync and async side by side. What works behind it is the same
for both: `_connection`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, ClassVar, Generic, Self, TypeAlias, TypeVar, overload

from coze_runtime._http.connections import current, is_asyncio
from coze_runtime.models import Model
from coze_runtime.steps import Steps, run_steps, run_steps_async
from coze_runtime.types import DEFAULT, UseDefault

from ..errors import ArgumentError, CozeError
from ._connection import Connection
from ._drivers import TaskDriver, ThreadDriver
from ._event_queue import OVER, Handlers, check_handler
from ._handshake import AsyncSocketClient, Handshake, SocketOptions, SyncSocketClient
from ._protocol import SocketSpec, matcher

E = TypeVar("E")
M = TypeVar("M")
H = TypeVar("H", bound=Callable[..., object])

Sent: TypeAlias = Coroutine[Any, Any, None]
"""What `send` of an async socket returns."""

logger = logging.getLogger("cozekit")


class BaseSocket:
    """What both kinds of sockets have; nothing here waits."""

    _spec: ClassVar[SocketSpec]
    _driver_class: ClassVar[type[ThreadDriver] | type[TaskDriver]]

    def __init__(
        self,
        client: SyncSocketClient | AsyncSocketClient,
        query: Mapping[str, Any] | None = None,
        options: SocketOptions | None = None,
        handlers: Handlers | None = None,
    ) -> None:
        """Nothing is opened before `connect`; sockets are made by `coze.websockets`.

        Args:
            client: The client whose address, token and headers are used.
            query: Query fields of the handshake, by name; None for none.
            options: Settings of the connection: timeouts, limits, reconnection. None takes the
                defaults of `SocketOptions`.
            handlers: Functions to call with events, as another socket has them; None for none.

        Raises:
            ArgumentError: A required query field is empty, or an option is out of range.
        """
        for name in self._spec.socket.required:
            if not str((query or {}).get(name) or "").strip():
                raise ArgumentError(f"{name} must not be empty", argument=name)
        self._client: Any = client
        self._query = query or {}
        self._options = (options or SocketOptions()).checked()
        driver_class: Any = self._driver_class
        self._handlers: Handlers = list(handlers or ())
        self._connection = Connection(
            driver_class(client, self._options.send_timeout),
            Handshake(client, self._spec, self._query, self._options),
            self._handlers,
        )

    def _another(self) -> Self:
        """A socket with the same settings and handlers: a connection serves one request."""
        return type(self)(self._client, self._query, self._options, self._handlers)

    def _leave(self, *, failed: bool) -> Steps[None]:
        """The end of a block; after a failure nothing is flushed, and no other error hides it."""
        try:
            yield from self._connection.close(flush=not failed)
        except Exception as error:
            if not failed:
                raise
            logger.error("a handler failed as well", exc_info=error)

    def _fail(self, error: Exception) -> None:
        """Something that works for the program failed; its next step raises the error."""
        self._connection.fail(error)

    @property
    def state(self) -> str:
        """`new`, `opening`, `open` or `closed`. A lost connection leaves the socket closed."""
        return self._connection.state

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
        match = matcher(event, self._spec)

        def register(handler: H) -> H:
            check_handler(handler, coroutines=self._driver_class.coroutines)
            self._handlers.append((match, handler))
            return handler

        return register

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.state}>"


class _Iteration(Generic[E]):
    """An iteration over the events of a socket."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.owner: object = None
        """The thread or task that iterates."""
        connection.begin_iteration(self)


class Events(_Iteration[E]):
    """An iteration over the events of a sync socket."""

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> E:
        return self.next_within(DEFAULT)

    def next_within(self, timeout: float | UseDefault | None) -> E:
        """The next event; `WebSocketTimeout` when it does not come within `timeout` seconds."""
        event: Any = run_steps(self._connection.next(self, timeout))
        if event is OVER:
            raise StopIteration
        return event  # type: ignore[no-any-return]


class AsyncEvents(_Iteration[E]):
    """An iteration over the events of an async socket."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> E:
        return await self.next_within(DEFAULT)

    async def next_within(self, timeout: float | UseDefault | None) -> E:  # noqa: ASYNC109
        """The next event; `WebSocketTimeout` when it does not come within `timeout` seconds."""
        event: Any = await run_steps_async(self._connection.next(self, timeout))
        if event is OVER:
            raise StopAsyncIteration
        return event  # type: ignore[no-any-return]


class SyncSocket(BaseSocket, Generic[E]):
    """A voice socket; may be shared by threads. Use it in a `with` block, or call `connect` and
    `close`.
    """

    _driver_class = ThreadDriver

    def connect(self) -> Self:
        """Opens the connection. After a failure it may be called again.

        Raises:
            APIConnectionError: The server could not be reached or did not respond in time
                (`open_timeout`).
            APIError: The server rejected the handshake; the class says why.
            WebSocketError: The socket was opened before.
        """
        run_steps(self._connection.open())
        return self

    def send(self, event: Model | Mapping[str, Any]) -> None:
        """Queues an event; the typed methods end here. Events go out in the order of the calls.

        Waits while `max_queue` events are queued.

        Args:
            event: A model of an event, or plain JSON data for an event newer than this package.

        Raises:
            ArgumentError: It is not an event of this socket.
            WebSocketError: The socket is not open, or the connection was lost.
            WebSocketTimeout: The queue stayed full for `send_timeout`.
        """
        run_steps(self._connection.send(event))

    def __iter__(self) -> Events[E]:
        """The events in their order. Ends when the socket is closed here, or by the server after
        its last event.

        Raises:
            WebSocketError: The server sent an `error` event, raised at its place, after which the
                iteration may be taken up again; or the connection was lost.
            WebSocketTimeout: No event came for `idle_timeout`.
        """
        return Events(self._connection)

    def wait_for(self, event: Any, *, timeout: float | UseDefault | None = DEFAULT) -> Any:
        """Waits for an event; one that has arrived before and was not taken counts.

        The events before it stay for an iteration or another wait, as far as `max_events` and
        `max_bytes` allow.

        Args:
            event: Name or class of the event, or several of them in a tuple.
            timeout: Seconds; by default `idle_timeout`, None waits without limit.

        Raises:
            ArgumentError: The socket has no such event.
            WebSocketError: The server sent an `error` event, or the connection is or gets closed.
            WebSocketTimeout: It did not come in time.
        """
        return run_steps(self._connection.wait_for(event, timeout))

    def close(self, *, flush: bool = True) -> None:
        """Ends the socket, within one second even when the peer is silent. May be called several
        times, from several threads, and from a handler.

        Events that arrived may still be taken. The exception of a handler that failed since the
        last wait is raised here.

        Args:
            flush: Whether what is queued is sent before, as long as the peer takes it.
        """
        run_steps(self._connection.close(flush=flush))

    def __enter__(self) -> Self:
        return self.connect()

    def __exit__(self, *error: Any) -> None:
        run_steps(self._leave(failed=error[1] is not None))


class AsyncSocket(BaseSocket, Generic[E]):
    """A voice socket for one event loop of asyncio. Use it in an `async with` block, or await
    `connect` and `close`.
    """

    _driver_class = TaskDriver

    async def connect(self) -> Self:
        """Opens the connection. After a failure it may be called again.

        Raises:
            APIConnectionError: The server could not be reached or did not respond in time
                (`open_timeout`).
            APIError: The server rejected the handshake; the class says why.
            WebSocketError: The socket was opened before.
            CozeError: This is trio; the sockets work on asyncio only.
        """
        if not is_asyncio(current()):
            raise CozeError(
                "voice sockets work on asyncio only, not on trio; run this part with asyncio, "
                "or use the sync client in a thread"
            )
        await run_steps_async(self._connection.open())
        return self

    async def send(self, event: Model | Mapping[str, Any]) -> None:
        """Queues an event; the typed methods end here. Events go out in the order of the calls.

        Waits while `max_queue` events are queued.

        Args:
            event: A model of an event, or plain JSON data for an event newer than this package.

        Raises:
            ArgumentError: It is not an event of this socket.
            WebSocketError: The socket is not open, or the connection was lost.
            WebSocketTimeout: The queue stayed full for `send_timeout`.
        """
        await run_steps_async(self._connection.send(event))

    def __aiter__(self) -> AsyncEvents[E]:
        """The events in their order. Ends when the socket is closed here, or by the server after
        its last event.

        Raises:
            WebSocketError: The server sent an `error` event, raised at its place, after which the
                iteration may be taken up again; or the connection was lost.
            WebSocketTimeout: No event came for `idle_timeout`.
        """
        return AsyncEvents(self._connection)

    async def wait_for(
        self,
        event: Any,
        *,
        timeout: float | UseDefault | None = DEFAULT,  # noqa: ASYNC109
    ) -> Any:
        """Waits for an event; one that has arrived before and was not taken counts.

        The events before it stay for an iteration or another wait, as far as `max_events` and
        `max_bytes` allow.

        Args:
            event: Name or class of the event, or several of them in a tuple.
            timeout: Seconds; by default `idle_timeout`, None waits without limit.

        Raises:
            ArgumentError: The socket has no such event.
            WebSocketError: The server sent an `error` event, or the connection is or gets closed.
            WebSocketTimeout: It did not come in time.
        """
        return await run_steps_async(self._connection.wait_for(event, timeout))

    async def close(self, *, flush: bool = True) -> None:
        """Ends the socket, within one second even when the peer is silent. May be called several
        times, from several tasks, and from a handler.

        Events that arrived may still be taken. The exception of a handler that failed since the
        last wait is raised here.

        Args:
            flush: Whether what is queued is sent before, as long as the peer takes it.
        """
        await run_steps_async(self._connection.close(flush=flush))

    async def __aenter__(self) -> Self:
        return await self.connect()

    async def __aexit__(self, *error: Any) -> None:
        await run_steps_async(self._leave(failed=error[1] is not None))
