"""Event loops: which one runs here, and doing something in it later. An async connection lives and
dies with its loop.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeAlias

Loop: TypeAlias = Any
"""An asyncio event loop, or the token of a trio run; good as a key."""

_CoroutineFunction: TypeAlias = Callable[[], Awaitable[object]]
# (loop, task, what it uses): held until the task is done, or the loop is closed.
_kept: set[tuple[Any, ...]] = set()


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
