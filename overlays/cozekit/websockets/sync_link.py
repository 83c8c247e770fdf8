"""The connection of a socket for threads: the two threads that read and write, how it is made and
how it ends.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import APIConnectionError, CozeError, ServerError, WebSocketError
from .base import CLOSED, FLUSH_PATIENCE, OPEN, BaseSocket, lost, refused_here
from .client import SyncSocketClient
from .opening import dial
from .options import Reconnect
from .wire import Reconnected, decode

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection


class SyncLink(BaseSocket):
    """What works behind a socket; none of it is for programs."""

    _client: SyncSocketClient
    _coroutines: ClassVar[bool] = False

    def _prepare_shell(self) -> None:
        self._cond = threading.Condition()
        self._outbox: deque[str] = deque()
        self._busy = False
        self._connection: ClientConnection | None = None
        self._threads: list[threading.Thread] = []

    def _wake(self) -> None:
        with self._cond:
            self._cond.notify_all()

    def _fail(self, error: Exception) -> None:
        """Something that works for the program failed; it is told at its next step."""
        with self._cond:
            self._inbox.fail(error)
            self._cond.notify_all()

    def _drain(self) -> bool:
        """Waits until the queue is sent; False when the peer takes nothing."""
        while (self._outbox or self._busy) and self._broken is None:
            if not self._cond.wait_for(partial(self._progressed, self._written), FLUSH_PATIENCE):
                return False
        return not self._busy

    def _hang_up(self, *, politely: bool) -> None:
        connection = self._connection
        if connection is None:
            return
        if not politely:
            self._cut(connection)
        connection.close()

    @staticmethod
    def _cut(connection: ClientConnection) -> None:
        """Ends the TCP connection under whoever reads or writes."""
        import socket

        with contextlib.suppress(OSError):  # it is gone already
            connection.socket.shutdown(socket.SHUT_RDWR)

    def _dial(self, policy: Reconnect | None) -> tuple[ClientConnection, int]:
        """A connection, and the number of attempts that it took."""
        attempts = policy.attempts if policy else 1
        for attempt in range(1, attempts + 1):
            with self._cond:
                pause = policy.pause(attempt) if policy else 0.0
                if self._cond.wait_for(lambda: self._state == CLOSED, pause):
                    raise refused_here()
            try:
                return dial(self._plan, self._client), attempt
            except (APIConnectionError, ServerError):
                if attempt >= attempts:
                    raise
        raise WebSocketError("Reconnect.attempts must be at least 1")

    def _read(self) -> None:
        from websockets.exceptions import ConnectionClosed

        while True:
            try:
                frame = self._receive()
            except ConnectionClosed as closed:
                if self._state == OPEN and self._redial(closed):
                    continue
                with self._cond:
                    self._over(self._failed_redial or lost(self._spec, closed, self._fault), closed)
                    self._cond.notify_all()
                return
            self._deliver(decode(frame, self._spec, self._client.settings.on_drift), len(frame))

    def _receive(self) -> bytes:
        connection = self._connection
        assert connection is not None
        pong: threading.Event | None = None
        while True:
            try:
                limit = self._options.ping_interval if pong is None else self._options.ping_timeout
                return bytes(connection.recv(timeout=limit, decode=False))
            except TimeoutError:
                if pong is None:
                    pong = connection.ping()
                elif pong.is_set():
                    pong = None
                else:
                    self._fault = f"no answer to a ping within {self._options.ping_timeout} s"
                    self._cut(connection)

    def _redial(self, closed: Any) -> bool:
        policy = self._options.reconnect
        if policy is None or not policy.after(closed.rcvd.code if closed.rcvd else None):
            return False
        try:
            connection, attempts = self._dial(policy)
        except CozeError as error:
            self._failed_redial = error
            return False
        with self._cond:
            if self._state != OPEN:
                connection.close()
                return False
            self._connection, self._fault = connection, None
            self._generation += 1
            if self._settings_frame is not None:
                self._outbox.appendleft(self._settings_frame)
            self._cond.notify_all()
        self._deliver(Reconnected(attempts=attempts), 0)
        return True

    def _deliver(self, event: Any, size: int) -> None:
        for handler in self._handlers.of(event):
            try:
                self._refuse_awaitable(handler(event))
            except Exception as error:
                self._fail(error)
        with self._cond:
            self._cond.wait_for(lambda: self._inbox.has_room or self._state == CLOSED)
            self._inbox.put(event, size)
            self._cond.notify_all()

    def _write(self) -> None:
        from websockets.exceptions import ConnectionClosed

        while True:
            with self._cond:
                self._cond.wait_for(
                    lambda: self._outbox or self._state == CLOSED or self._broken is not None
                )
                if not self._outbox or self._broken is not None:
                    return
                frame, generation, connection = (
                    self._outbox.popleft(),
                    self._generation,
                    self._connection,
                )
                self._busy = True
            assert connection is not None
            try:
                connection.send(frame)
            except (ConnectionClosed, OSError):
                with self._cond:
                    self._busy = False
                    if self._state != CLOSED:  # else no connection follows that could take it
                        self._outbox.appendleft(frame)
                    # The reader meets the same end and says what follows: another connection, or
                    # the end of the socket.
                    self._cond.wait_for(partial(self._moved_on, generation))
                continue
            with self._cond:
                self._busy = False
                self._written += 1
                self._cond.notify_all()
