"""Drivers that run a connection in threads or in tasks. Both have the same methods: those of
`ThreadDriver` block, those of `TaskDriver` that wait are coroutines. Imports `websockets` on first
use.
"""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias, TypeVar

from coze_runtime._http.sockets import shut_down
from coze_runtime.steps import Steps, run_steps, run_steps_async

from ._handshake import HandshakeRefused

T = TypeVar("T")

Network: TypeAlias = Any
"""A connection of the package `websockets`."""

# Seconds that closing waits for reader and writer, in case a handler does not return.
_STOP_TIMEOUT = 0.1


class ThreadDriver:
    """One thread reads and calls the handlers, one writes. Both are daemons and do not keep the
    program alive.
    """

    coroutines = False
    """Whether handlers may be coroutine functions."""

    def __init__(self, send_timeout: float | None) -> None:
        self._send_timeout = send_timeout
        self._changed = threading.Condition()
        self._workers: list[threading.Thread] = []

    @contextmanager
    def change(self) -> Iterator[None]:
        """Holds the lock during a change of the state, and wakes all waiters."""
        with self._changed:
            try:
                yield
            finally:
                self._changed.notify_all()

    def _wake(self) -> None:
        with self.change():
            pass

    def until(self, action: Callable[[], T], limit: float | None = None) -> T:
        """Repeats an action after each change until its result is true or `limit` seconds have
        passed; returns the last result.
        """
        with self.change():
            return self._changed.wait_for(action, limit)

    def current(self) -> object:
        """The current thread."""
        return threading.current_thread()

    def is_reader(self) -> bool:
        """Whether the caller is the reader, which also runs the handlers."""
        return self.current() in self._workers[:1]

    def connect(self, url: str, settings: dict[str, Any]) -> Future[Network]:
        """Opens a connection in another thread, since nothing can wake a thread that connects."""
        connect, connection_class = _sync_client()
        attempt: Future[Network] = Future()
        attempt.set_running_or_notify_cancel()

        def work() -> None:
            try:
                network = connect(url, create_connection=connection_class, **settings).__enter__()
                # A peer that stops receiving must not block the writer forever. If the server has
                # already closed the connection, the first read reports it.
                with suppress(OSError):
                    network.socket.settimeout(self._send_timeout)
                attempt.set_result(network)
            except BaseException as error:
                attempt.set_exception(error)
            self._wake()

        threading.Thread(target=work, name="cozekit-connect", daemon=True).start()
        return attempt

    def receive(self, network: Network, limit: float | None) -> bytes:
        """Returns the next frame; raises TimeoutError after `limit` seconds."""
        return bytes(network.recv(timeout=limit, decode=False))

    def send(self, network: Network, frame: str) -> None:
        """Sends a frame."""
        network.send(frame)

    def ping(self, network: Network) -> Callable[[], bool]:
        """Pings the server; returns a function that tells whether the pong has arrived."""
        pong: threading.Event = network.ping()
        return pong.is_set

    def abort(self, network: Network) -> None:
        """Closes the TCP connection at once, even during reads and writes."""
        shut_down(network.socket)

    def close(self, network: Network) -> None:
        """Closes the connection with a closing handshake."""
        network.close()

    def start(self, name: str, *workers: Callable[[], Steps[None]]) -> None:
        """Starts the reader and the writer."""
        for worker in workers:
            thread = threading.Thread(
                target=lambda steps=worker: run_steps(steps()), name=name, daemon=True
            )
            self._workers.append(thread)
            thread.start()

    def cancel(self) -> None:
        """Does nothing: reader and writer end with the connection."""

    def join(self) -> None:
        """Waits briefly for the reader and the writer to end."""
        for thread in self._workers:
            # A handler may close the socket before the writer has started.
            if thread is not self.current() and thread.is_alive():
                thread.join(_STOP_TIMEOUT)


class TaskDriver:
    """One task of asyncio reads and calls the handlers, one writes."""

    coroutines = True
    """Whether handlers may be coroutine functions."""

    def __init__(self, send_timeout: float | None) -> None:
        self._send_timeout = send_timeout
        self._changed = asyncio.Event()
        self._workers: list[asyncio.Task[None]] = []

    @contextmanager
    def change(self) -> Iterator[None]:
        """Wakes all waiters. Needs no lock: no other task runs between two awaits."""
        try:
            yield
        finally:
            self._changed.set()
            self._changed = asyncio.Event()

    def _wake(self, _: object) -> None:
        with self.change():
            pass

    async def until(self, action: Callable[[], T], limit: float | None = None) -> T:
        """Repeats an action after each change until its result is true or `limit` seconds have
        passed; returns the last result.
        """
        deadline = None if limit is None else asyncio.get_running_loop().time() + limit
        with self.change():
            while not (result := action()):
                try:
                    async with asyncio.timeout_at(deadline):
                        await self._changed.wait()
                except TimeoutError:
                    return action()
            return result

    def current(self) -> object:
        """The current task."""
        return asyncio.current_task()

    def is_reader(self) -> bool:
        """Whether the caller is the reader, which also runs the handlers."""
        return self.current() in self._workers[:1]

    def connect(self, url: str, settings: dict[str, Any]) -> asyncio.Future[Network]:
        """Opens a connection in another task."""
        connect, connection_class = _async_client()
        # Without a write buffer an event counts as sent only when the network has it, so closing
        # loses none.
        attempt: asyncio.Future[Network] = asyncio.ensure_future(
            connect(url, create_connection=connection_class, write_limit=0, **settings)
        )
        attempt.add_done_callback(self._wake)
        return attempt

    async def receive(self, network: Network, limit: float | None) -> bytes:
        """Returns the next frame; raises TimeoutError after `limit` seconds."""
        async with asyncio.timeout(limit):
            return bytes(await network.recv(decode=False))

    async def send(self, network: Network, frame: str) -> None:
        """Sends a frame."""
        async with asyncio.timeout(self._send_timeout):
            await network.send(frame)

    async def ping(self, network: Network) -> Callable[[], bool]:
        """Pings the server; returns a function that tells whether the pong has arrived."""
        async with asyncio.timeout(self._send_timeout):
            pong: asyncio.Future[Any] = await network.ping()
        return pong.done

    def abort(self, network: Network) -> None:
        """Closes the TCP connection at once, even during reads and writes."""
        network.transport.abort()

    async def close(self, network: Network) -> None:
        """Closes the connection with a closing handshake."""
        try:
            await network.close()
        finally:
            network.transport.abort()

    def start(self, name: str, *workers: Callable[[], Steps[None]]) -> None:
        """Starts the reader and the writer."""
        self._workers = [
            asyncio.create_task(run_steps_async(worker()), name=name) for worker in workers
        ]

    def cancel(self) -> None:
        """Cancels the reader and the writer."""
        for task in self._others():
            task.cancel()

    async def join(self) -> None:
        """Waits briefly for the reader and the writer to end."""
        if others := self._others():
            await asyncio.wait(others, timeout=_STOP_TIMEOUT)

    def _others(self) -> list[asyncio.Task[None]]:
        return [task for task in self._workers if task is not asyncio.current_task()]


Driver: TypeAlias = ThreadDriver | TaskDriver


@functools.cache
def _sync_client() -> tuple[Any, type[Any]]:
    """`connect` of `websockets` for threads, and a connection class that follows no redirects."""
    from websockets.exceptions import InvalidStatus
    from websockets.sync.client import ClientConnection, connect

    class _Connection(ClientConnection):
        def handshake(self, *arguments: Any, **named: Any) -> None:
            try:
                super().handshake(*arguments, **named)
            except InvalidStatus as error:
                raise HandshakeRefused(error.response) from None

    return connect, _Connection


@functools.cache
def _async_client() -> tuple[Any, type[Any]]:
    """`connect` of `websockets` for tasks, and a connection class that follows no redirects."""
    from websockets.asyncio.client import ClientConnection, connect
    from websockets.exceptions import InvalidStatus

    class _Connection(ClientConnection):
        async def handshake(self, *arguments: Any, **named: Any) -> None:
            try:
                await super().handshake(*arguments, **named)
            except InvalidStatus as error:
                raise HandshakeRefused(error.response) from None

    return connect, _Connection
