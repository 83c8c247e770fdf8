"""Event loops: which one runs here, and doing something in it later. An async connection lives and dies with its loop."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, TypeAlias

Loop: TypeAlias = Any
"""An asyncio event loop, or the token of a trio run; good as a key."""

_tasks: set[Any] = set()


def current() -> Loop:
    """The loop that runs in this thread.

    Raises:
        RuntimeError: None does.
    """
    # A program that has not imported trio cannot be inside of it; asked first, because trio may run as a guest of asyncio.
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


def spawn(loop: Loop, function: Callable[[], Awaitable[object]]) -> None:
    """Runs a coroutine function in a loop, soon; from any thread, and from a finalizer. Nothing happens when the loop is over."""
    if is_asyncio(loop):
        if not loop.is_closed():
            try:
                loop.call_soon_threadsafe(_start, loop, function)
            except RuntimeError:
                pass  # it was closed by another thread in between
        return
    import trio

    try:
        loop.run_sync_soon(trio.lowlevel.spawn_system_task, _contained, function)
    except trio.RunFinishedError:
        pass


def at_end(function: Callable[[], Awaitable[object]]) -> AsyncGenerator[None, None]:
    """Calls a coroutine function when the loop that runs here shuts down, or when the result of this function is closed.

    Loops end the async generators that were begun in them and are not finished; this is one. Keep it until then.
    """

    async def guardian() -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            await function()

    found = guardian()
    try:
        found.__anext__().send(None)
    except StopIteration:
        pass
    return found


def _start(loop: Any, function: Callable[[], Awaitable[object]]) -> None:
    task = loop.create_task(_contained(function))
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


async def _contained(function: Callable[[], Awaitable[object]]) -> None:
    """Cleaning up has nobody to report to."""
    try:
        await function()
    except Exception:
        import logging

        logging.getLogger("cozekit").debug("closing an abandoned connection failed", exc_info=True)


def _nothing() -> None:
    pass
