"""Opens and closes the connections of a client: one set per client, event loop and process.

An async connection must be closed in its event loop, so this module also finds the running loop and
schedules work in it.
"""

from __future__ import annotations

import os
import sys
import threading
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ..errors import CozeError

if TYPE_CHECKING:
    import httpx

Loop: TypeAlias = Any
"""An asyncio event loop, or the token of a trio run; hashable."""

_CoroutineFunction: TypeAlias = Callable[[], Awaitable[object]]
# (loop, task, function, guardian): referenced until the task is done or the loop is closed.
_spawned: set[tuple[Any, ...]] = set()


class Connections:
    """The connections of a sync client and its copies, opened at the first call."""

    def __init__(self, user_client: httpx.Client | None, make: Callable[[], httpx.Client]) -> None:
        """Opens nothing.

        Args:
            user_client: The client that the user passed; it is never closed here.
            make: Creates a client if the user passed none.
        """
        self._user_client = user_client
        self._make = make
        self._client = user_client
        self._lock = threading.Lock()
        self._finalizer: weakref.finalize[..., Connections] | None = None
        self.closed = False
        _alive.add(self)

    def get(self) -> httpx.Client:
        """The httpx client.

        Raises:
            CozeError: It is closed.
        """
        client = self._client
        if client is not None and not self.closed and not client.is_closed:
            return client
        with self._lock:
            if self.closed or (self._user_client is not None and self._user_client.is_closed):
                raise closed_error(by_user=not self.closed)
            if self._client is None:
                self._client = self._make()
                self._finalizer = weakref.finalize(self, self._client.close)
            return self._client

    def close(self) -> None:
        """Closes the connections; calls in progress in other threads fail at once."""
        with self._lock:
            self.closed = True
            client = self._client
            if client is None or client is self._user_client:
                return
        from .sockets import hang_up_all

        hang_up_all(client)
        client.close()

    def forget(self) -> None:
        """After a fork, in the child: leaves the connections to the parent. The lock is replaced,
        because a thread of the parent may have held it.
        """
        self._lock = threading.Lock()
        client, self._client = self._client, self._user_client
        if client is None or client is self._user_client:
            return
        if self._finalizer is not None:
            self._finalizer.detach()
        from .sockets import close_inherited

        close_inherited(client)


class _Pool(NamedTuple):
    client: httpx.AsyncClient
    guardian: AsyncGenerator[None, None]
    """Closes the client when the loop shuts down."""
    finalizer: weakref.finalize[..., AsyncConnections]
    """Closes the client when its owner is garbage-collected."""


class AsyncConnections:
    """The connections of an async client and its copies: one set per event loop, closed when that
    loop shuts down.
    """

    def __init__(
        self,
        user_client: httpx.AsyncClient | None,
        make: Callable[[bool], httpx.AsyncClient],
        *,
        shared: bool,
    ) -> None:
        """Opens nothing.

        Args:
            user_client: The client that the user passed, used in every loop; it is never closed
                here.
            make: Creates a client; its argument says whether the event loop is asyncio.
            shared: Whether one client serves all loops, because the user passed a transport.
        """
        self._user_client = user_client
        self._make = make
        self._shared = shared
        self._common: httpx.AsyncClient | None = None
        self._pools: dict[Loop, _Pool] = {}
        self._lock = threading.Lock()
        self.closed = False
        _alive.add(self)

    def get(self) -> httpx.AsyncClient:
        """The httpx client for the running event loop.

        Raises:
            CozeError: It is closed.
        """
        user_client = self._user_client
        if self.closed or (user_client is not None and user_client.is_closed):
            raise closed_error(by_user=not self.closed)
        if user_client is not None:
            return user_client
        loop = current()
        if self._shared:
            return self._open_common(loop)
        pool = self._pools.get(loop)
        return pool.client if pool is not None else self._open(loop)

    def _open_common(self, loop: Loop) -> httpx.AsyncClient:
        with self._lock:
            if self._common is None:
                self._common = self._make(is_asyncio(loop))
            return self._common

    def _open(self, loop: Loop) -> httpx.AsyncClient:
        with self._lock:
            for ended in [known for known in self._pools if is_over(known)]:
                self._pools.pop(ended).finalizer()
            client = self._make(is_asyncio(loop))
            owner_ref = weakref.ref(self)

            async def close_pool() -> None:
                owner = owner_ref()
                if owner is not None:
                    owner.forget_loop(loop)
                await client.aclose()

            guardian = at_shutdown(close_pool)
            finalizer: weakref.finalize[..., Any] = weakref.finalize(
                self, _abandon, loop, client, guardian
            )
            self._pools[loop] = _Pool(client, guardian, finalizer)
            return client

    def forget_loop(self, loop: Loop) -> None:
        """Drops the entry of a loop whose connections are closed.

        Args:
            loop: The loop.
        """
        pool = self._pools.pop(loop, None)
        if pool is not None:
            pool.finalizer.detach()

    async def close(self) -> None:
        """Closes the connections in every loop; calls in progress fail at once."""
        self.closed = True
        current_loop = current()
        if self._common is not None:
            await self._common.aclose()
        while self._pools:
            loop, pool = self._pools.popitem()  # a second closing at the same time finds the others
            pool.finalizer.detach()
            if loop is current_loop:
                await pool.guardian.aclose()
            else:
                spawn(loop, pool.guardian.aclose)

    def forget(self) -> None:
        """After a fork, in the child: leaves the connections to the parent, whose event loops do
        not run here.
        """
        self._lock = threading.Lock()
        for pool in self._pools.values():
            pool.finalizer.detach()
            _inherited.append(pool)
        self._pools.clear()


def _abandon(loop: Loop, client: httpx.AsyncClient, guardian: AsyncGenerator[None, None]) -> None:
    """Closes a client that was dropped. Runs in a finalizer, so it takes no lock."""
    cut = getattr(client._transport, "cut", None)
    if cut is None:
        spawn(loop, guardian.aclose)
        return

    def close() -> None:
        cut()
        # Nothing is left to wait for. The loop would make a task of a guardian that is dropped.
        with suppress(StopIteration, RuntimeError):
            guardian.aclose().send(None)

    try:
        is_here = not loop.is_running() or current() is loop
    except RuntimeError:
        is_here = False
    if is_here:
        close()
    else:
        with suppress(RuntimeError):  # the loop ends in another thread
            loop.call_soon_threadsafe(close)


def closed_error(*, by_user: bool) -> CozeError:
    """The error of a call on a closed client; `by_user` if the user closed the `http_client`."""
    return CozeError(
        "the http_client of this client is closed"
        if by_user
        else "the client is closed; create a new one"
    )


_alive: weakref.WeakSet[Connections | AsyncConnections] = weakref.WeakSet()
# Pools of the parent's event loops: dropping them would warn, closing them needs their loops.
_inherited: list[_Pool] = []


def _after_fork() -> None:
    for connections in list(_alive):
        connections.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def current() -> Loop:
    """The event loop that runs in this thread.

    Raises:
        RuntimeError: No event loop runs.
    """
    # trio comes first, because it may run as a guest of asyncio. A program that has not imported
    # trio is not inside of it.
    trio = sys.modules.get("trio")
    if trio is not None:
        try:
            return trio.lowlevel.current_trio_token()
        except RuntimeError:
            pass
    import asyncio

    return asyncio.get_running_loop()


def is_asyncio(loop: Loop) -> bool:
    """Whether a loop is asyncio rather than trio."""
    return hasattr(loop, "call_soon_threadsafe")


def is_over(loop: Loop) -> bool:
    """Whether a loop has ended."""
    if is_asyncio(loop):
        return bool(loop.is_closed())
    import trio

    try:
        loop.run_sync_soon(_do_nothing, idempotent=True)
    except trio.RunFinishedError:
        return True
    return False


def spawn(
    loop: Loop, function: _CoroutineFunction, fallback: _CoroutineFunction | None = None
) -> None:
    """Schedules a coroutine function in a loop; from any thread, and from finalizers. Does nothing
    if the loop has ended.

    Args:
        loop: The loop.
        function: The coroutine function.
        fallback: Runs instead if the loop shuts down before `function` starts.
    """
    if is_asyncio(loop):
        if not loop.is_closed():
            with suppress(RuntimeError):  # another thread may close it in between
                loop.call_soon_threadsafe(_start, loop, function, fallback)
        return
    import trio

    # trio starts every task, even a cancelled one, so it needs no fallback.
    with suppress(trio.RunFinishedError):
        loop.run_sync_soon(trio.lowlevel.spawn_system_task, _run_and_log, function)


def at_shutdown(function: _CoroutineFunction) -> AsyncGenerator[None, None]:
    """Calls a coroutine function when the running loop shuts down, or when the returned generator
    is closed. Keep a reference to the generator.

    It works because a loop that shuts down closes the async generators that were started in it.
    """

    async def guardian() -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            await function()

    generator = guardian()
    with suppress(StopIteration):
        generator.__anext__().send(None)
    return generator


def _start(loop: Any, function: _CoroutineFunction, fallback: _CoroutineFunction | None) -> None:
    for entry in [entry for entry in _spawned if entry[0].is_closed()]:
        _spawned.discard(entry)
    # A task that asyncio cancels before it starts runs no code; a started async generator does.
    is_shut_down = getattr(loop, "_asyncgens_shutdown_called", False)
    guardian = at_shutdown(fallback) if fallback is not None and not is_shut_down else None
    task = loop.create_task(_Cleanup(function, guardian))
    # A loop that stops before the task has started is closed without it; no reason to complain.
    task._log_destroy_pending = False
    entry = (loop, task, function, guardian)
    _spawned.add(entry)
    task.add_done_callback(lambda done: None if done.cancelled() else _spawned.discard(entry))


class _Cleanup(Coroutine[Any, Any, None]):
    """Makes the coroutine of a cleanup when it starts: a real one would warn if it never does."""

    def __init__(self, *arguments: Any) -> None:
        self._steps = self._run(*arguments)

    @staticmethod
    def _run(*arguments: Any) -> Generator[Any, Any, None]:
        yield from _run_and_log(*arguments).__await__()

    def send(self, value: Any) -> Any:
        return self._steps.send(value)

    def throw(self, *error: Any) -> Any:
        return self._steps.throw(*error)

    def close(self) -> None:
        self._steps.close()

    def __await__(self) -> Generator[Any, Any, None]:
        return self._steps


async def _run_and_log(
    function: _CoroutineFunction, guardian: AsyncGenerator[None, None] | None = None
) -> None:
    """Runs a cleanup function. Nobody awaits it, so errors go to the log."""
    try:
        await function()
        if guardian is not None:
            await guardian.aclose()
    except Exception:
        import logging

        logging.getLogger("cozekit").debug("closing an abandoned connection failed", exc_info=True)


def _do_nothing() -> None:
    pass
