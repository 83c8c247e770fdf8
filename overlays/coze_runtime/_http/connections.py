"""Who opens and closes the connections of a client: once per client, per event loop and per
process. An async connection lives and dies with its loop, so this module also knows which loop runs
here, and does things in it later.
"""

from __future__ import annotations

import os
import sys
import threading
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ..errors import CozeError

if TYPE_CHECKING:
    import httpx

Loop: TypeAlias = Any
"""An asyncio event loop, or the token of a trio run; good as a key."""

_CoroutineFunction: TypeAlias = Callable[[], Awaitable[object]]
# (loop, task, what it uses): held until the task is done, or the loop is closed.
_kept: set[tuple[Any, ...]] = set()


class Connections:
    """Connections of a sync client, opened at its first call. Copies of the client share them."""

    def __init__(self, given: httpx.Client | None, make: Callable[[], httpx.Client]) -> None:
        self._given = given
        self._make = make
        self._client = given
        self._lock = threading.Lock()
        self._finalizer: weakref.finalize[..., Connections] | None = None
        self.closed = False
        _alive.add(self)

    def get(self) -> httpx.Client:
        """The client of the HTTP library.

        Raises:
            CozeError: It was closed.
        """
        client = self._client
        if client is not None and not self.closed and not client.is_closed:
            return client
        with self._lock:
            if self.closed or (self._given is not None and self._given.is_closed):
                raise closed_error(given=not self.closed)
            if self._client is None:
                self._client = self._make()
                self._finalizer = weakref.finalize(self, self._client.close)
            return self._client

    def close(self) -> None:
        """Closes what was opened here. Whoever waits for an answer in another thread gets an error
        at once.
        """
        with self._lock:
            self.closed = True
            client = self._client
            if client is None or client is self._given:
                return
        from .sockets import hang_up_all

        hang_up_all(client)
        client.close()

    def forget(self) -> None:
        """In a child process: leaves the connections to the parent. Locks are new, since a thread
        of the parent may hold one.
        """
        self._lock = threading.Lock()
        client, self._client = self._client, self._given
        if client is None or client is self._given:
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
    """Closes the client when its owner is dropped without `close`."""


class AsyncConnections:
    """Connections of an async client: one set for each event loop that it is used in, closed when
    that loop ends.
    """

    def __init__(
        self,
        given: httpx.AsyncClient | None,
        make: Callable[[bool], httpx.AsyncClient],
        *,
        shared: bool,
    ) -> None:
        """Nothing is opened.

        Args:
            given: A client of the caller's, used in every loop.
            make: Makes a client; told whether the loop is one of asyncio.
            shared: Whether one client serves all loops, because its transport is the caller's.
        """
        self._given = given
        self._make = make
        self._shared = shared
        self._common: httpx.AsyncClient | None = None
        self._pools: dict[Loop, _Pool] = {}
        self._lock = threading.Lock()
        self.closed = False
        _alive.add(self)

    def get(self) -> httpx.AsyncClient:
        """The client of the HTTP library for the loop that runs here.

        Raises:
            CozeError: It was closed.
        """
        given = self._given
        if self.closed or (given is not None and given.is_closed):
            raise closed_error(given=not self.closed)
        if given is not None:
            return given
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
            for old in [known for known in self._pools if is_over(known)]:
                self._pools.pop(old).finalizer.detach()
            client = self._make(is_asyncio(loop))
            itself = weakref.ref(self)

            async def end() -> None:
                owner = itself()
                if owner is not None:
                    owner.forget_loop(loop)
                await client.aclose()

            guardian = at_end(end)
            finalizer: weakref.finalize[..., Any] = weakref.finalize(
                self, spawn, loop, guardian.aclose
            )
            finalizer.atexit = False
            self._pools[loop] = _Pool(client, guardian, finalizer)
            return client

    def forget_loop(self, loop: Loop) -> None:
        """The connections of this loop have been closed with it."""
        pool = self._pools.pop(loop, None)
        if pool is not None:
            pool.finalizer.detach()

    async def close(self) -> None:
        """Closes what was opened here, in every loop; calls under way get an error at once."""
        self.closed = True
        here = current()
        if self._common is not None:
            await self._common.aclose()
        for loop, pool in list(self._pools.items()):
            if loop is here:
                await pool.guardian.aclose()
            else:
                spawn(loop, pool.guardian.aclose)

    def forget(self) -> None:
        """In a child process: leaves the connections to the parent, whose event loop does not exist
        here.
        """
        self._lock = threading.Lock()
        for pool in self._pools.values():
            pool.finalizer.detach()
            _inherited.append(pool)
        self._pools.clear()


def closed_error(*, given: bool) -> CozeError:
    """What a call on a closed client raises."""
    return CozeError(
        "the http_client of this client is closed"
        if given
        else "the client is closed; make a new one"
    )


_alive: weakref.WeakSet[Connections | AsyncConnections] = weakref.WeakSet()
# Sockets of the parent's event loop: dropping them would warn, closing them needs the loop.
_inherited: list[_Pool] = []


def _after_fork() -> None:
    for connections in list(_alive):
        connections.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def current() -> Loop:
    """The loop that runs in this thread.

    Raises:
        RuntimeError: None does.
    """
    # A program that has not imported trio cannot be inside of it; asked first, because trio may run
    # as a guest of asyncio.
    trio = sys.modules.get("trio")
    if trio is not None:
        try:
            return trio.lowlevel.current_trio_token()
        except RuntimeError:
            pass
    import asyncio

    return asyncio.get_running_loop()


def is_asyncio(loop: Loop) -> bool:
    """Whether it is an asyncio loop; the other kind is trio."""
    return hasattr(loop, "call_soon_threadsafe")


def is_over(loop: Loop) -> bool:
    """Whether nothing can run in it any more."""
    if is_asyncio(loop):
        return bool(loop.is_closed())
    import trio

    try:
        loop.run_sync_soon(_nothing, idempotent=True)
    except trio.RunFinishedError:
        return True
    return False


def spawn(
    loop: Loop, function: _CoroutineFunction, at_last: _CoroutineFunction | None = None
) -> None:
    """Runs a coroutine function in a loop, soon; from any thread, and from a finalizer. Nothing
    happens when the loop is over.

    Args:
        loop: Where it shall run.
        function: What shall run.
        at_last: What to run in its place when the loop shuts down before it comes to that.
    """
    if is_asyncio(loop):
        if not loop.is_closed():
            with suppress(RuntimeError):  # another thread may close it in between
                loop.call_soon_threadsafe(_start, loop, function, at_last)
        return
    import trio

    # Trio begins every task, also one that is cancelled.
    with suppress(trio.RunFinishedError):
        loop.run_sync_soon(trio.lowlevel.spawn_system_task, _contained, function)


def at_end(function: _CoroutineFunction) -> AsyncGenerator[None, None]:
    """Calls a coroutine function when the loop that runs here shuts down, or when the result of
    this function is closed.

    Loops end the async generators that were begun in them and are not finished; this is one. Keep
    it until then.
    """

    async def guardian() -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            await function()

    found = guardian()
    with suppress(StopIteration):
        found.__anext__().send(None)
    return found


def _start(loop: Any, function: _CoroutineFunction, at_last: _CoroutineFunction | None) -> None:
    for entry in [entry for entry in _kept if entry[0].is_closed()]:
        _kept.discard(entry)
    # asyncio cancels a task that has not begun without a word to it, but not an async generator
    # that has.
    shut_down = getattr(loop, "_asyncgens_shutdown_called", False)
    guardian = at_end(at_last) if at_last is not None and not shut_down else None
    task = loop.create_task(_contained(function, guardian))
    entry = (loop, task, function, guardian)
    _kept.add(entry)
    task.add_done_callback(lambda done: None if done.cancelled() else _kept.discard(entry))


async def _contained(
    function: _CoroutineFunction, guardian: AsyncGenerator[None, None] | None = None
) -> None:
    """Cleaning up has nobody to report to."""
    try:
        await function()
        if guardian is not None:
            await guardian.aclose()
    except Exception:
        import logging

        logging.getLogger("cozekit").debug("closing an abandoned connection failed", exc_info=True)


def _nothing() -> None:
    pass
