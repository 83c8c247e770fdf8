"""The connection of a socket for coroutines: the two tasks that read and write, how it is made and
how it ends.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import APIConnectionError, CozeError, ServerError, WebSocketError
from .base import CLOSED, FLUSH_PATIENCE, OPEN, BaseSocket, lost, refused_here
from .client import AsyncSocketClient
from .opening import dial_async
from .options import Reconnect
from .wire import Reconnected, decode

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection


class AsyncLink(BaseSocket):
    """What works behind a socket; none of it is for programs."""

    _client: AsyncSocketClient
    _coroutines: ClassVar[bool] = True

    def _prepare_shell(self) -> None:
        self._changed: asyncio.Event | None = None
        self._outbox: deque[str] = deque()
        self._busy = False
        self._connection: ClientConnection | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def _notify(self) -> None:
        """Wakes everybody who waits for a change."""
        changed, self._changed = self._changed, None
        if changed is not None:
            changed.set()

    async def _change(self, timeout: float | None) -> bool:  # noqa: ASYNC109
        """Waits for the next change; False when none came in time."""
        if self._changed is None:
            self._changed = asyncio.Event()
        try:
            async with asyncio.timeout(timeout):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True

    async def _wait_until(self, ready: Callable[[], object], timeout: float | None) -> bool:  # noqa: ASYNC109
        deadline = None if timeout is None else asyncio.get_running_loop().time() + timeout
        while not ready():
            remaining = None if deadline is None else deadline - asyncio.get_running_loop().time()
            if remaining is not None and remaining <= 0:
                return False
            await self._change(remaining)
        return True

    def _fail(self, error: Exception) -> None:
        """Something that works for the program failed; it is told at its next step."""
        self._inbox.fail(error)
        self._notify()

    async def _drain(self) -> bool:
        """Waits until the queue is sent; False when the peer takes nothing."""
        while (self._outbox or self._busy) and self._broken is None:
            if not await self._wait_until(partial(self._progressed, self._written), FLUSH_PATIENCE):
                return False
        return not self._busy

    async def _hang_up(self, *, politely: bool) -> None:
        if self._connection is None:
            return
        if not politely:
            self._connection.transport.abort()
        await self._connection.close()

    async def _dial(self, policy: Reconnect | None) -> tuple[ClientConnection, int]:
        """A connection, and the number of attempts that it took."""
        attempts = policy.attempts if policy else 1
        for attempt in range(1, attempts + 1):
            pause = policy.pause(attempt) if policy else 0.0
            if await self._wait_until(lambda: self._state == CLOSED, pause):
                raise refused_here()
            try:
                return await dial_async(self._plan, self._client), attempt
            except (APIConnectionError, ServerError):
                if attempt >= attempts:
                    raise
        raise WebSocketError("Reconnect.attempts must be at least 1")

    async def _read(self) -> None:
        try:
            await self._read_all()
        finally:
            # Also when the loop ends and nobody has closed the socket.
            if self._connection is not None:
                self._connection.transport.abort()

    async def _read_all(self) -> None:
        from websockets.exceptions import ConnectionClosed

        while True:
            try:
                frame = await self._receive()
            except ConnectionClosed as closed:
                if self._state == OPEN and await self._redial(closed):
                    continue
                self._over(self._failed_redial or lost(self._spec, closed, self._fault), closed)
                self._notify()
                return
            await self._deliver(
                decode(frame, self._spec, self._client.settings.on_drift), len(frame)
            )

    async def _receive(self) -> bytes:
        connection = self._connection
        assert connection is not None
        pong: Any = None
        while True:
            try:
                async with asyncio.timeout(
                    self._options.ping_interval if pong is None else self._options.ping_timeout
                ):
                    return bytes(await connection.recv(decode=False))
            except TimeoutError:
                if pong is None:
                    pong = await self._ping(connection)
                elif pong.done():
                    pong = None
                else:
                    self._fault = f"no answer to a ping within {self._options.ping_timeout} s"
                    connection.transport.abort()

    async def _ping(self, connection: ClientConnection) -> Any:
        try:
            async with asyncio.timeout(self._options.send_timeout):
                return await connection.ping()
        except TimeoutError:
            self._fault = f"the network took no data for {self._options.send_timeout} s"
            connection.transport.abort()
            return None

    async def _redial(self, closed: Any) -> bool:
        policy = self._options.reconnect
        if policy is None or not policy.after(closed.rcvd.code if closed.rcvd else None):
            return False
        try:
            connection, attempts = await self._dial(policy)
        except CozeError as error:
            self._failed_redial = error
            return False
        if self._state != OPEN:
            await connection.close()
            return False
        self._connection, self._fault = connection, None
        self._generation += 1
        if self._settings_frame is not None:
            self._outbox.appendleft(self._settings_frame)
        self._notify()
        await self._deliver(Reconnected(attempts=attempts), 0)
        return True

    async def _deliver(self, event: Any, size: int) -> None:
        for handler in self._handlers.of(event):
            try:
                found = handler(event)
                if inspect.isawaitable(found):
                    await found
            except Exception as error:
                self._fail(error)
        await self._wait_until(lambda: self._inbox.has_room or self._state == CLOSED, None)
        self._inbox.put(event, size)
        self._notify()

    async def _write(self) -> None:
        from websockets.exceptions import ConnectionClosed

        while True:
            await self._wait_until(
                lambda: self._outbox or self._state == CLOSED or self._broken is not None, None
            )
            if not self._outbox or self._broken is not None:
                return
            frame, generation, connection = (
                self._outbox.popleft(),
                self._generation,
                self._connection,
            )
            assert connection is not None
            self._busy = True
            try:
                async with asyncio.timeout(self._options.send_timeout):
                    await connection.send(frame)
            except (ConnectionClosed, OSError) as error:  # a TimeoutError is an OSError
                if isinstance(error, TimeoutError):
                    self._fault = f"the network took no data for {self._options.send_timeout} s"
                    connection.transport.abort()
                if self._state != CLOSED:  # else no connection follows that could take it
                    self._outbox.appendleft(frame)
                self._busy = False
                # The reader meets the same end and says what follows: another connection, or the
                # end of the socket.
                await self._wait_until(partial(self._moved_on, generation), None)
                continue
            self._busy = False
            self._written += 1
            self._notify()
