"""A voice socket for coroutines, on asyncio: one task reads and calls the handlers, one writes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from coze_runtime._http.connections import current, is_asyncio
from coze_runtime.models import Model
from coze_runtime.types import DEFAULT, UseDefault

from ..errors import CozeError
from .async_link import AsyncLink
from .base import CLOSED, NEW, OPEN, OPENING, refused_here
from .inbox import OVER, PENDING
from .wire import WebSocketTimeout

E = TypeVar("E")

logger = logging.getLogger("cozekit")


class AsyncEvents(Generic[E]):
    """An iteration over the events of a socket."""

    def __init__(self, socket: AsyncSocket[E]) -> None:
        self._socket = socket
        self.owner: object = None
        """The task that iterates."""
        socket._inbox.readers.add(self)

    def __aiter__(self) -> AsyncEvents[E]:
        return self

    def __del__(self) -> None:
        # Nobody waits for this iteration any more, so the reader need not either.
        self._socket._inbox.readers.discard(self)
        self._socket._notify()

    async def __anext__(self) -> E:
        return await self.next_within(DEFAULT)

    async def next_within(self, timeout: float | UseDefault | None) -> E:  # noqa: ASYNC109
        """The next event; `WebSocketTimeout` when it does not come within so many seconds."""
        self.owner = asyncio.current_task()
        found = await self._socket._next(timeout)
        if found is OVER:
            raise StopAsyncIteration
        event: E = found
        return event


class AsyncSocket(AsyncLink, Generic[E]):
    """A voice socket for one event loop of asyncio. Use it in an `async with` block, or await
    `connect` and `close`.
    """

    async def connect(self) -> Self:
        """Opens the connection. After a failure it may be called again.

        Raises:
            APIConnectionError: The server cannot be reached, or did not answer within
                `open_timeout`.
            APIError: It refused the handshake; the class says why.
            WebSocketError: The socket was opened before.
            CozeError: This is trio; the sockets work on asyncio only.
        """
        if not is_asyncio(current()):
            raise CozeError(
                "voice sockets work on asyncio only, not on trio; run this part with asyncio, "
                "or use the sync client in a thread"
            )
        self._begin_opening()
        try:
            connection = (await self._dial(self._options.reconnect))[0]
        except BaseException:
            self._state = NEW if self._state == OPENING else self._state
            raise
        if self._state != OPENING:  # closed by another task meanwhile
            await connection.close()
            raise refused_here()
        self._connection = connection
        self._state = OPEN
        self._tasks = [
            asyncio.create_task(work(), name=f"cozekit-{self._spec.socket.id}")
            for work in (self._read, self._write)
        ]
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
        frame = self._encoded(event)
        await self._wait_until(
            lambda: self._may_queue(len(self._outbox)), self._options.send_timeout
        )
        self._check_sendable(len(self._outbox))
        self._outbox.append(frame)
        self._inbox.sent()
        self._notify()

    def __aiter__(self) -> AsyncEvents[E]:
        """The events in their order. Ends when the socket is closed here, or by the server after it
        has said everything.

        Raises:
            WebSocketError: The server sent an `error` event, raised at its place, after which the
                iteration may be taken up again; or the connection was lost.
            WebSocketTimeout: No event came for `idle_timeout`.
        """
        return AsyncEvents(self)

    async def wait_for(self, event: Any, *, timeout: float | UseDefault | None = DEFAULT) -> Any:  # noqa: ASYNC109
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
        match = self._matcher(event)
        with self._inbox.waiter(asyncio.current_task()) as since:
            return await self._wait(lambda: self._inbox.take(match, since), timeout)

    async def close(self, *, flush: bool = True) -> None:
        """Ends the socket, within one second even when the peer is silent. May be called twice, and
        from a handler.

        Events that arrived may still be taken. The exception of a handler that failed since the
        last wait is raised here.

        Args:
            flush: Whether what is queued is sent before, as long as the peer takes it.
        """
        if self._state != OPEN:
            self._state = CLOSED
            self._inbox.finish(refused_here(), wanted=True)
            self._notify()
            return
        self._state = CLOSED
        if not flush:
            self._outbox.clear()
        self._notify()
        try:
            flushed = await self._drain()
            self._finish()
            await self._hang_up(politely=flushed)
        finally:
            # Also when this task was cancelled: nothing may stay behind.
            self._finish()
            others = [task for task in self._tasks if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            if self._connection is not None:
                self._connection.transport.abort()
        if others:
            # A handler that will not end is left behind.
            await asyncio.wait(others, timeout=0.1)
        if failure := self._inbox.failure():
            raise failure

    async def __aenter__(self) -> Self:
        return await self.connect()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            await self.close()
            return
        try:
            await self.close(flush=False)
        except Exception as failure:
            logger.error("a handler failed as well", exc_info=failure)

    def _finish(self) -> None:
        self._outbox.clear()
        self._inbox.finish(refused_here(), wanted=True)
        self._notify()

    async def _next(self, timeout: float | UseDefault | None) -> Any:  # noqa: ASYNC109
        since = self._inbox.surfaced
        return await self._wait(lambda: self._inbox.next(since), timeout)

    async def _wait(self, poll: Callable[[], Any], timeout: float | UseDefault | None) -> Any:  # noqa: ASYNC109
        if self._tasks and asyncio.current_task() is self._tasks[0]:
            raise CozeError(
                "a handler cannot wait for events of its own socket: no event is read before it "
                "returns"
            )
        limit = self._options.idle_timeout if isinstance(timeout, UseDefault) else timeout
        found: Any = PENDING

        def ready() -> bool:
            nonlocal found
            self._check_opened()
            found = poll()
            return found is not PENDING

        self._notify()  # a wait makes room
        if not await self._wait_until(ready, limit):
            raise WebSocketTimeout(
                f"{self._spec.socket.id}: the awaited event did not come within {limit} s"
            )
        self._notify()
        return found
