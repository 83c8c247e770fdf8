"""What lets one refresh serve everybody: one request for many waiters, whichever threads, tasks and
event loops they live in, and stores that block for tasks that may be cancelled.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import copy
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    ExitStack,
)
from typing import Any, Generic, NamedTuple, TypeVar

from coze_runtime.steps import Steps

from ..errors import CozeError
from ._stores import AnyStore, AsyncTokenStore, TokenStore, store_error
from ._token_response import OAuthSetupError
from ._values import Token

T = TypeVar("T")

PATIENCE = 150.0
"""Seconds after which a waiter gives a flight up for lost; longer than any token request takes."""


class SingleFlight(Generic[T]):
    """An outcome that is on its way. One leader resolves it; everybody else waits."""

    def __init__(self, *, in_loop: bool) -> None:
        self._future: concurrent.futures.Future[T | None] = concurrent.futures.Future()
        self._loop_thread = threading.get_ident() if in_loop else None
        self._process = os.getpid()

    @property
    def is_inherited(self) -> bool:
        """Whether its leader is a thread of the parent process, which will never resolve it
        here.
        """
        return self._process != os.getpid()

    @property
    def needs_this_thread(self) -> bool:
        """Whether waiting in this thread would stop the event loop that resolves it."""
        return self._loop_thread == threading.get_ident()

    def resolve(self, result: T | None = None, error: Exception | None = None) -> None:
        """Wakes everybody; without result and error the flight is abandoned. Later calls change
        nothing.
        """
        with contextlib.suppress(concurrent.futures.InvalidStateError):
            if error is None:
                self._future.set_result(result)
            else:
                self._future.set_exception(error)

    def wait(self, patience: float = PATIENCE) -> T | None:
        """Waits in this thread for the outcome; None when the flight was abandoned or not resolved
        in time.
        """
        concurrent.futures.wait([self._future], patience)
        return self._outcome()

    async def wait_async(self, patience: float = PATIENCE) -> T | None:
        """Waits in this task for the outcome; None when the flight was abandoned or not resolved in
        time.
        """
        import anyio

        event = anyio.Event()
        wake = _in_this_loop(event.set)
        self._future.add_done_callback(lambda _: wake())
        with anyio.move_on_after(patience):
            await event.wait()
        return self._outcome()

    def _outcome(self) -> T | None:
        if not self._future.done():
            return None
        if error := self._future.exception():
            # Each waiter raises its own copy; tracebacks of many threads would pile up on one
            # object.
            own = copy.copy(error)
            own.__cause__ = error.__cause__
            raise own
        return self._future.result()


def _on_trio() -> bool:
    trio = sys.modules.get("trio")
    if trio is None:
        return False
    try:
        trio.lowlevel.current_task()
    except RuntimeError:
        return False
    return True


def _in_this_loop(function: Callable[[], object]) -> Callable[[], None]:
    """A function that any thread may call, and that runs the given one in this event loop."""
    schedule: Callable[[Callable[[], object]], object]
    if _on_trio():
        schedule = sys.modules["trio"].lowlevel.current_trio_token().run_sync_soon
    else:
        schedule = asyncio.get_running_loop().call_soon_threadsafe

    def wake() -> None:
        # A loop that has ended in the meantime has nobody left to wake.
        with contextlib.suppress(RuntimeError):
            schedule(function)

    return wake


_running: set[asyncio.Task[None]] = set()


async def launch(work: Callable[[], Coroutine[Any, Any, None]], flight: SingleFlight[Any]) -> None:
    """Runs the work so that the end of the task that asked for it does not stop it: others wait for
    it, and half of a refresh would lose the session.

    Args:
        work: Resolves the flight and raises nothing.
        flight: Is abandoned when the work is stopped all the same.
    """
    if _on_trio():
        import anyio

        with anyio.CancelScope(shield=True):
            await work()
        return
    # asyncio's own cancellation does not know anyio's shields, so the work gets a separate task.
    task = asyncio.get_running_loop().create_task(work())
    _running.add(task)

    def ended(done: asyncio.Task[None]) -> None:
        _running.discard(done)
        error = None if done.cancelled() else done.exception()
        if error is None:
            flight.resolve()
        else:
            flight.resolve(error=abandoned(error))

    task.add_done_callback(ended)


def abandoned(cause: BaseException | None = None) -> CozeError:
    """The error for a token request that ended without a token and without an error of ours."""
    error = CozeError("the token request was abandoned")
    error.__cause__ = cause
    return error


async def run_in_thread(function: Callable[..., T], *arguments: Any) -> T:
    """Calls what may take a while without blocking the event loop."""
    from anyio.to_thread import run_sync

    return await run_sync(function, *arguments)


async def run_even_if_cancelled(function: Callable[[], object]) -> None:
    """Calls the function once, in a worker thread; in this one, when the task is cancelled before
    the thread comes to it.

    asyncio cancels every task when its loop ends, and a worker thread skips work whose task was
    cancelled.
    """
    guard, begun = threading.Lock(), False

    def once() -> None:
        nonlocal begun
        with guard:
            if begun:
                return
            begun = True
            function()

    try:
        await run_in_thread(once)
    finally:
        once()


class CancellableLock:
    """A blocking lock for a task: it is released even if the thread that waits for it gets it after
    the task was cancelled.

    Args:
        make: Returns the lock; may block.
    """

    def __init__(self, make: Callable[[], AbstractContextManager[object]]) -> None:
        self._make = make
        self._stack = ExitStack()
        self._guard = threading.Lock()
        self._held = self._given_up = False

    async def __aenter__(self) -> None:
        try:
            await run_in_thread(self._enter)
        except BaseException:
            await run_even_if_cancelled(self._exit)
            raise

    async def __aexit__(self, *_: object) -> None:
        await run_even_if_cancelled(self._exit)

    def _enter(self) -> None:
        self._stack.enter_context(self._make())
        with self._guard:
            self._held = not self._given_up
        if self._given_up:
            self._stack.close()

    def _exit(self) -> None:
        with self._guard:
            self._given_up, held, self._held = True, self._held, False
        if held:
            self._stack.close()


class StoreMethods(NamedTuple):
    """What a refresh calls of a store: functions that return in sync code, and something to await
    in async code.
    """

    load: Callable[[], Any]
    save: Callable[[Token], Any]
    lock: Callable[[], Any]
    run: Callable[..., Any]
    """Calls a function that may block."""


def sync_methods(store: AnyStore, stack: ExitStack) -> StoreMethods:
    """A store for the sync client; the end of the stack releases the lock.

    Raises:
        OAuthSetupError: The store has only the async form.
    """
    if not isinstance(store, TokenStore):
        raise OAuthSetupError(
            f"{type(store).__name__} has no load, save and lock; it works only with AsyncCoze",
            argument="store",
        )

    def run(function: Callable[..., T], *arguments: Any) -> T:
        return function(*arguments)

    return StoreMethods(store.load, store.save, lambda: stack.enter_context(store.lock()), run)


def async_methods(store: AnyStore, stack: AsyncExitStack) -> StoreMethods:
    """A store for the async client; one that blocks runs in worker threads. The end of the stack
    releases the lock.
    """
    form = store if isinstance(store, AsyncTokenStore) else BlockingStore(store)
    return StoreMethods(
        form.load_async,
        form.save_async,
        lambda: stack.enter_async_context(form.lock_async()),
        run_in_thread,
    )


class BlockingStore:
    """The async form of a store that blocks. A token that came is saved, and a lock that is held is
    released, although the task was cancelled.
    """

    def __init__(self, store: TokenStore) -> None:
        self._store = store

    async def load_async(self) -> Token | None:
        """Calls `load` in a worker thread."""
        return await run_in_thread(self._store.load)

    async def save_async(self, token: Token) -> None:
        """Calls `save` in a worker thread."""
        await run_even_if_cancelled(lambda: self._store.save(token))

    def lock_async(self) -> AbstractAsyncContextManager[object]:
        """Holds `lock`, for which a worker thread waits."""
        return CancellableLock(self._store.lock)


def call_store(
    store: AnyStore, verb: str, method: Callable[..., Any], *arguments: Any
) -> Steps[Any]:
    """Calls one of the methods of a store; what it raises becomes an OAuthError."""
    try:
        result = yield method(*arguments)
    except CozeError:
        raise
    except Exception as error:
        reason = type(error).__name__
        if isinstance(error, OSError):
            reason = f"{reason}: {error.strerror}"
        raise store_error(
            f"the token store {store!r} could not {verb} ({reason}); fix it and call again"
        ) from error
    if verb == "load" and not isinstance(result, Token | None):
        raise store_error(
            f"the token store {store!r} loaded {type(result).__name__} in place of a Token; see "
            "Token.from_dict"
        )
    return result
