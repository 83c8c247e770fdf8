"""Public base classes of voice sockets, sync and async. Both use the same `_connection`."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, ClassVar, Generic, Self, TypeAlias, TypeVar, overload

from coze_runtime._http.connections import current, is_asyncio
from coze_runtime.models import Model
from coze_runtime.operation import Socket
from coze_runtime.steps import Steps, run_steps, run_steps_async
from coze_runtime.types import DEFAULT, UseDefault

from ..errors import ArgumentError, CozeError
from ._connection import Connection
from ._drivers import TaskDriver, ThreadDriver
from ._event_queue import OVER, Handlers, check_handler
from ._handshake import Handshake, SocketClient, SocketOptions
from ._protocol import matcher

E = TypeVar("E")
M = TypeVar("M")
H = TypeVar("H", bound=Callable[..., object])

Sent: TypeAlias = Coroutine[Any, Any, None]
"""What `send` of an async socket returns."""

logger = logging.getLogger("cozekit")


class BaseSocket:
    """Common part of sync and async sockets; nothing here waits."""

    _spec: ClassVar[Socket]
    _driver_class: ClassVar[type[ThreadDriver] | type[TaskDriver]]

    def __init__(
        self,
        client: SocketClient,
        query: Mapping[str, Any] | None = None,
        options: SocketOptions | None = None,
        handlers: Handlers | None = None,
    ) -> None:
        """Sockets are created by `coze.websockets`; `connect` opens them.

        Args:
            client: The client whose address, token and headers are used.
            query: Query fields of the handshake, by name; None for none.
            options: Settings of the connection: timeouts, limits, reconnection. None uses the
                defaults of `SocketOptions`.
            handlers: Handlers of another socket to copy; None for none.

        Raises:
            ArgumentError: A required query field is empty, or an option is out of range.
        """
        for name in self._spec.required:
            if not str((query or {}).get(name) or "").strip():
                raise ArgumentError(f"{name} must not be empty", argument=name)
        self._client: Any = client
        self._query = query or {}
        self._options = (options or SocketOptions()).checked()
        driver_class: Any = self._driver_class
        self._handlers: Handlers = list(handlers or ())
        self._connection = Connection(
            driver_class(self._options.send_timeout),
            Handshake(client, self._spec, self._query, self._options),
            self._handlers,
        )
        if self._driver_class is ThreadDriver:  # tasks end with their event loop
            weakref.finalize(self, self._connection.abandon).atexit = False

    def _new_socket(self) -> Self:
        """Creates a socket with the same settings and handlers, for a separate request."""
        return type(self)(self._client, self._query, self._options, self._handlers)

    def _leave(self, *, failed: bool) -> Steps[None]:
        """Closes at the end of a block. After an exception nothing is flushed, and errors of
        handlers are only logged.
        """
        try:
            yield from self._connection.close(flush=not failed)
        except Exception as error:
            if not failed:
                raise
            logger.error("a handler failed too", exc_info=error)

    def _fail(self, error: Exception) -> None:
        """Stores an error of a helper; the next wait or `close` raises it."""
        self._connection.fail(error)

    @property
    def state(self) -> str:
        """`new`, `opening`, `open` or `closed`. After a lost connection it is `closed`."""
        return self._connection.state

    @overload
    def on(self, event: type[M]) -> Callable[[Callable[[M], Any]], Callable[[M], Any]]: ...
    @overload
    def on(self, event: str) -> Callable[[H], H]: ...
    def on(self, event: Any) -> Callable[[Any], Any]:
        """Decorator that registers a handler for an event.

        Handlers are called one at a time, in the order of the events, before an iteration gets the
        event. A slow handler makes the server wait. If one raises, the socket and the other
        handlers continue; the next iteration step, wait or `close` raises the exception once.

        Args:
            event: Name of the event, `"*"` for all, `"reconnected"`, or its class; `UnknownEvent`
                for events that this package does not know.

        Raises:
            ArgumentError: The socket has no such event, or the function is not a valid handler.
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

    def __init__(self, socket: BaseSocket, connection: Connection) -> None:
        self._socket = socket  # a socket is closed when nothing refers to it
        self._connection = connection
        self.owner: object = None
        """The iterating thread or task."""
        connection.begin_iteration(self)


class Events(_Iteration[E]):
    """An iteration over the events of a sync socket."""

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> E:
        return self.next_within(DEFAULT)

    def next_within(self, timeout: float | UseDefault | None) -> E:
        """Returns the next event; raises `WebSocketTimeout` after `timeout` seconds."""
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
        """Returns the next event; raises `WebSocketTimeout` after `timeout` seconds."""
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
        """Opens the connection. May be called again after a failure.

        Raises:
            APIConnectionError: The server could not be reached or did not respond in time
                (`open_timeout`).
            APIError: The server rejected the handshake; the class of the error says why.
            WebSocketError: The socket was opened before.
        """
        run_steps(self._connection.open())
        return self

    def send(self, event: Model | Mapping[str, Any]) -> None:
        """Queues an event; the typed methods call this. Events are sent in the order of the calls.

        Waits while `max_queue` events are queued.

        Args:
            event: A model of an event, or plain JSON data for events that have no model.

        Raises:
            ArgumentError: It is not an event of this socket.
            WebSocketError: The socket is not open, or the connection was lost.
            WebSocketTimeout: The queue stayed full for `send_timeout`.
        """
        run_steps(self._connection.send(event))

    def __iter__(self) -> Events[E]:
        """Iterates over the events. Ends when the program closes the socket, or the server does
        after its last event.

        Raises:
            WebSocketError: The server sent an `error` event, raised in order (the program may
                iterate again), or the connection was lost.
            WebSocketTimeout: No event arrived within `idle_timeout`.
        """
        return Events(self, self._connection)

    def wait_for(self, event: Any, *, timeout: float | UseDefault | None = DEFAULT) -> Any:
        """Waits for an event, or returns it if it is already in the queue.

        Earlier events stay in the queue for iterations and other waits, within `max_events` and
        `max_bytes`.

        Args:
            event: Name or class of the event, or several of them in a tuple.
            timeout: Seconds; by default `idle_timeout`. None waits without limit.

        Raises:
            ArgumentError: The socket has no such event.
            WebSocketError: The server sent an `error` event, or the connection is closed.
            WebSocketTimeout: The event did not arrive in time.
        """
        return run_steps(self._connection.wait_for(event, timeout))

    def close(self, *, flush: bool = True) -> None:
        """Closes the socket, within one second even if the server does not respond. May be called
        several times, from several threads, and from a handler.

        Received events stay available. Raises the exception of a handler that failed since the last
        wait.

        Args:
            flush: Whether to send queued events first, as long as the server receives them.
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
        """Opens the connection. May be called again after a failure.

        Raises:
            APIConnectionError: The server could not be reached or did not respond in time
                (`open_timeout`).
            APIError: The server rejected the handshake; the class of the error says why.
            WebSocketError: The socket was opened before.
            CozeError: The event loop is trio; sockets work on asyncio only.
        """
        if not is_asyncio(current()):
            raise CozeError(
                "voice sockets work on asyncio only, not on trio; run this part with asyncio, "
                "or use the sync client in a thread"
            )
        await run_steps_async(self._connection.open())
        return self

    async def send(self, event: Model | Mapping[str, Any]) -> None:
        """Queues an event; the typed methods call this. Events are sent in the order of the calls.

        Waits while `max_queue` events are queued.

        Args:
            event: A model of an event, or plain JSON data for events that have no model.

        Raises:
            ArgumentError: It is not an event of this socket.
            WebSocketError: The socket is not open, or the connection was lost.
            WebSocketTimeout: The queue stayed full for `send_timeout`.
        """
        await run_steps_async(self._connection.send(event))

    def __aiter__(self) -> AsyncEvents[E]:
        """Iterates over the events. Ends when the program closes the socket, or the server does
        after its last event.

        Raises:
            WebSocketError: The server sent an `error` event, raised in order (the program may
                iterate again), or the connection was lost.
            WebSocketTimeout: No event arrived within `idle_timeout`.
        """
        return AsyncEvents(self, self._connection)

    async def wait_for(
        self,
        event: Any,
        *,
        timeout: float | UseDefault | None = DEFAULT,  # noqa: ASYNC109
    ) -> Any:
        """Waits for an event, or returns it if it is already in the queue.

        Earlier events stay in the queue for iterations and other waits, within `max_events` and
        `max_bytes`.

        Args:
            event: Name or class of the event, or several of them in a tuple.
            timeout: Seconds; by default `idle_timeout`. None waits without limit.

        Raises:
            ArgumentError: The socket has no such event.
            WebSocketError: The server sent an `error` event, or the connection is closed.
            WebSocketTimeout: The event did not arrive in time.
        """
        return await run_steps_async(self._connection.wait_for(event, timeout))

    async def close(self, *, flush: bool = True) -> None:
        """Closes the socket, within one second even if the server does not respond. May be called
        several times, from several tasks, and from a handler.

        Received events stay available. Raises the exception of a handler that failed since the last
        wait.

        Args:
            flush: Whether to send queued events first, as long as the server receives them.
        """
        await run_steps_async(self._connection.close(flush=flush))

    async def aclose(self) -> None:
        """The same as `close`, for `contextlib.aclosing`."""
        await self.close()

    async def __aenter__(self) -> Self:
        return await self.connect()

    async def __aexit__(self, *error: Any) -> None:
        await run_steps_async(self._leave(failed=error[1] is not None))
