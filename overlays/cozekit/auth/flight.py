"""One request for many waiters, whichever threads, tasks and event loops they live in."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")

PATIENCE = 150.0
"""Seconds after which a waiter gives a flight up for lost; longer than any token request takes."""


class Flight(Generic[T]):
    """An outcome that is on its way. One leader lands it; everybody else waits."""

    def __init__(self, *, in_loop: bool) -> None:
        self.result: T | None = None
        self.error: Exception | None = None
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._wakers: list[Callable[[], object]] = []
        self._loop_thread = threading.get_ident() if in_loop else None

    @property
    def blocks_itself(self) -> bool:
        """Whether waiting in this thread would stop the event loop that the flight needs to
        land.
        """
        return self._loop_thread == threading.get_ident()

    def land(self, result: T | None = None, error: Exception | None = None) -> None:
        """Ends the flight and wakes everybody; without result and error it is abandoned. Later
        calls change nothing.
        """
        with self._lock:
            if self._done.is_set():
                return
            self.result, self.error = result, error
            self._done.set()
            wakers, self._wakers = self._wakers, []
        for wake in wakers:
            # A loop that has ended in the meantime has nobody left to wake.
            with contextlib.suppress(RuntimeError):
                wake()

    def wait(self, patience: float = PATIENCE) -> T | None:
        """The outcome, waited for in this thread; None when the flight was abandoned or did not
        land in time.
        """
        return self._outcome() if self._done.wait(patience) else None

    async def wait_async(self, patience: float = PATIENCE) -> T | None:
        """The outcome, waited for in this task; None when the flight was abandoned or did not land
        in time.
        """
        import anyio

        event = anyio.Event()
        with self._lock:
            if not self._done.is_set():
                self._wakers.append(_waker(event.set))
        if not self._done.is_set():
            with anyio.move_on_after(patience):
                await event.wait()
        return self._outcome() if self._done.is_set() else None

    def _outcome(self) -> T | None:
        if self.error is not None:
            # Each waiter raises its own copy; tracebacks of many threads would pile up on one
            # object.
            raise copy.copy(self.error)
        return self.result


def _on_trio() -> bool:
    trio = sys.modules.get("trio")
    if trio is None:
        return False
    try:
        trio.lowlevel.current_task()
    except RuntimeError:
        return False
    return True


def _waker(function: Callable[[], object]) -> Callable[[], object]:
    """A function that any thread may call, and that runs the given one in this event loop."""
    if _on_trio():
        token = sys.modules["trio"].lowlevel.current_trio_token()
        return lambda: token.run_sync_soon(function)
    loop = asyncio.get_running_loop()
    return lambda: loop.call_soon_threadsafe(function)


_running: set[asyncio.Task[None]] = set()


async def launch(work: Callable[[], Coroutine[Any, Any, None]], flight: Flight[Any]) -> None:
    """Runs the work so that the end of the task that asked for it does not stop it.

    Others wait for it, and half of a refresh would lose the session. The work reports to the flight
    and raises nothing.
    """
    if _on_trio():
        import anyio

        with anyio.CancelScope(shield=True):
            await work()
        return
    # asyncio's own cancellation does not know anyio's shields, so the work gets a task of its own.
    task = asyncio.get_running_loop().create_task(work())
    _running.add(task)

    def ended(done: asyncio.Task[None]) -> None:
        _running.discard(done)
        if not done.cancelled():
            done.exception()
        flight.land()

    task.add_done_callback(ended)
