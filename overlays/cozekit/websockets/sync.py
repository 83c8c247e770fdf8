"""A voice socket for threads: one reads and calls the handlers, one writes. Both are daemons, a
program never waits for them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from coze_runtime.models import Model
from coze_runtime.types import DEFAULT, UseDefault

from ..errors import CozeError
from .base import CLOSED, NEW, OPEN, OPENING, refused_here
from .inbox import OVER, PENDING
from .sync_link import SyncLink
from .wire import WebSocketTimeout

E = TypeVar("E")

logger = logging.getLogger("cozekit")


class Events(Generic[E]):
    """An iteration over the events of a socket."""

    def __init__(self, socket: SyncSocket[E]) -> None:
        self._socket = socket
        self.owner: object = None
        """The thread that iterates."""
        socket._inbox.readers.add(self)

    def __iter__(self) -> Events[E]:
        return self

    def __del__(self) -> None:
        # Nobody waits for this iteration any more, so the reader need not either.
        self._socket._inbox.readers.discard(self)
        self._socket._wake()

    def __next__(self) -> E:
        return self.next_within(DEFAULT)

    def next_within(self, timeout: float | UseDefault | None) -> E:
        """The next event; `WebSocketTimeout` when it does not come within so many seconds."""
        self.owner = threading.current_thread()
        found = self._socket._next(timeout)
        if found is OVER:
            raise StopIteration
        event: E = found
        return event


class SyncSocket(SyncLink, Generic[E]):
    """A voice socket; may be shared by threads. Use it in a `with` block, or call `connect` and
    `close`.
    """

    def connect(self) -> Self:
        """Opens the connection. After a failure it may be called again.

        Raises:
            APIConnectionError: The server cannot be reached, or did not answer within
                `open_timeout`.
            APIError: It refused the handshake; the class says why.
            WebSocketError: The socket was opened before.
        """
        with self._cond:
            self._begin_opening()
        try:
            connection = self._dial(self._options.reconnect)[0]
        except BaseException:
            with self._cond:
                self._state = NEW if self._state == OPENING else self._state
            raise
        with self._cond:
            self._connection = connection
            if self._state != OPENING:  # closed by another thread meanwhile
                connection.close()
                raise refused_here()
            self._state = OPEN
        for work in (self._read, self._write):
            thread = threading.Thread(
                target=work, name=f"cozekit-{self._spec.socket.id}", daemon=True
            )
            self._threads.append(thread)
            thread.start()
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
        frame = self._encoded(event)
        with self._cond:
            self._cond.wait_for(
                lambda: self._may_queue(len(self._outbox)), self._options.send_timeout
            )
            self._check_sendable(len(self._outbox))
            self._outbox.append(frame)
            self._inbox.sent()
            self._cond.notify_all()

    def __iter__(self) -> Events[E]:
        """The events in their order. Ends when the socket is closed here, or by the server after it
        has said everything.

        Raises:
            WebSocketError: The server sent an `error` event, raised at its place, after which the
                iteration may be taken up again; or the connection was lost.
            WebSocketTimeout: No event came for `idle_timeout`.
        """
        return Events(self)

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
        match = self._matcher(event)
        with self._cond, self._inbox.waiter(threading.current_thread()) as since:
            return self._wait(lambda: self._inbox.take(match, since), timeout)

    def close(self, *, flush: bool = True) -> None:
        """Ends the socket, within one second even when the peer is silent. May be called twice, and
        from a handler.

        Events that arrived may still be taken. The exception of a handler that failed since the
        last wait is raised here.

        Args:
            flush: Whether what is queued is sent before, as long as the peer takes it.
        """
        with self._cond:
            if self._state != OPEN:
                self._state = CLOSED
                self._inbox.finish(refused_here(), wanted=True)
                self._cond.notify_all()
                return
            self._state = CLOSED
            if not flush:
                self._outbox.clear()
            self._cond.notify_all()
            flushed = self._drain()
            self._outbox.clear()
            self._inbox.finish(refused_here(), wanted=True)
            self._cond.notify_all()
        self._hang_up(politely=flushed)
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(0.1)
        if failure := self._inbox.failure():
            raise failure

    def __enter__(self) -> Self:
        return self.connect()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
            return
        try:
            self.close(flush=False)
        except Exception as failure:
            logger.error("a handler failed as well", exc_info=failure)

    def _next(self, timeout: float | UseDefault | None) -> Any:
        with self._cond:
            since = self._inbox.surfaced
            return self._wait(lambda: self._inbox.next(since), timeout)

    def _wait(self, poll: Callable[[], Any], timeout: float | UseDefault | None) -> Any:
        if self._threads and threading.current_thread() is self._threads[0]:
            raise CozeError(
                "a handler cannot wait for events of its own socket: no event is read before it "
                "returns"
            )
        limit = self._options.idle_timeout if isinstance(timeout, UseDefault) else timeout
        deadline = None if limit is None else time.monotonic() + limit
        self._cond.notify_all()  # a wait makes room
        while True:
            self._check_opened()
            found = poll()
            if found is not PENDING:
                self._cond.notify_all()
                return found
            remaining = None if deadline is None else deadline - time.monotonic()
            if remaining is not None and remaining <= 0:
                raise WebSocketTimeout(
                    f"{self._spec.socket.id}: the awaited event did not come within {limit} s"
                )
            self._cond.wait(remaining)
