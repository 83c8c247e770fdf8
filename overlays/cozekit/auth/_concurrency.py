"""Shares one token refresh among all threads, tasks and event loops, and makes blocking token
stores safe to use from tasks that may be cancelled.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import copy
import os
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

WAIT_TIMEOUT = 150.0
"""Seconds to wait for another caller's refresh; longer than any token request takes."""


class SingleFlight(Generic[T]):
    """A result that several callers wait for while one of them, the leader, produces it."""

    def __init__(self, *, in_loop: bool) -> None:
        self._future: concurrent.futures.Future[T | None] = concurrent.futures.Future()
        self._loop_thread = threading.get_ident() if in_loop else None
        self._process = os.getpid()

    @property
    def is_inherited(self) -> bool:
        """Whether the leader is a thread of the parent process: after a fork it never resolves."""
        return self._process != os.getpid()

    @property
    def needs_this_thread(self) -> bool:
        """Whether waiting in this thread would block the event loop that resolves it."""
        return self._loop_thread == threading.get_ident()

    def resolve(self, result: T | None = None, error: Exception | None = None) -> None:
        """Sets the outcome and wakes all waiters. Without result and error the flight is abandoned.
        Later calls do nothing.
        """
        with contextlib.suppress(concurrent.futures.InvalidStateError):
            if error is None:
                self._future.set_result(result)
            else:
                self._future.set_exception(error)

    def wait(self, timeout: float = WAIT_TIMEOUT) -> T | None:
        """Blocks this thread until the flight is resolved. Returns None if it was abandoned or did
        not finish in time.
        """
        concurrent.futures.wait([self._future], timeout)
        return self._outcome()

    async def wait_async(self, timeout: float = WAIT_TIMEOUT) -> T | None:  # noqa: ASYNC109
        """Suspends this task until the flight is resolved. Returns None if it was abandoned or did
        not finish in time.
        """
        import anyio

        event = anyio.Event()
        wake = _threadsafe_callback(event.set)
        self._future.add_done_callback(lambda _: wake())
        with anyio.move_on_after(timeout):
            await event.wait()
        return self._outcome()

    def _outcome(self) -> T | None:
        if not self._future.done():
            return None
        if error := self._future.exception():
            # Each waiter raises a copy; a shared exception would collect the tracebacks of all
            # threads.
            own = copy.copy(error)
            own.__cause__ = error.__cause__
            raise own
        return self._future.result()


def _threadsafe_callback(function: Callable[[], object]) -> Callable[[], None]:
    """Returns a function that any thread may call to run `function` in the current event loop."""
    from coze_runtime._http.connections import current, is_asyncio

    loop = current()
    schedule = loop.call_soon_threadsafe if is_asyncio(loop) else loop.run_sync_soon

    def wake() -> None:
        # If the loop has closed meanwhile, no task is waiting any more.
        with contextlib.suppress(RuntimeError):
            schedule(function)

    return wake


_running: set[asyncio.Task[None]] = set()


async def launch(work: Callable[[], Coroutine[Any, Any, None]], flight: SingleFlight[Any]) -> None:
    """Runs the work to its end even if the calling task is cancelled: others wait for it, and an
    interrupted refresh would lose the session.

    Args:
        work: Coroutine function that resolves the flight and does not raise.
        flight: Abandoned if the work is stopped anyway.
    """
    from coze_runtime._http.connections import current, is_asyncio

    if not is_asyncio(current()):
        import anyio

        with anyio.CancelScope(shield=True):
            await work()
        return
    # asyncio cancellation ignores anyio shields, so the work runs in a separate task.
    task = asyncio.get_running_loop().create_task(work())
    _running.add(task)

    def on_done(finished: asyncio.Task[None]) -> None:
        _running.discard(finished)
        error = None if finished.cancelled() else finished.exception()
        if error is None:
            flight.resolve()
        else:
            flight.resolve(error=abandoned(error))

    task.add_done_callback(on_done)


def abandoned(cause: BaseException | None = None) -> CozeError:
    """The error for a token request that ended without a token and without an error of ours."""
    error = CozeError("the token request was abandoned")
    error.__cause__ = cause
    return error


async def run_in_thread(function: Callable[..., T], *arguments: Any) -> T:
    """Calls a function that may block, in a worker thread."""
    from anyio.to_thread import run_sync

    return await run_sync(function, *arguments)


async def run_even_if_cancelled(function: Callable[[], object]) -> None:
    """Calls the function exactly once: in a worker thread or, if the task is cancelled before the
    worker starts it, in this thread.

    asyncio cancels all tasks when its loop closes, and a worker thread skips work whose task was
    cancelled.
    """
    lock, started = threading.Lock(), False

    def once() -> None:
        nonlocal started
        with lock:
            if started:
                return
            started = True
            function()

    try:
        await run_in_thread(once)
    finally:
        once()


class CancellableLock:
    """Async form of a blocking lock. It is released even if the worker thread acquires it after the
    task was cancelled.

    Args:
        make_lock: Returns the lock; may block.
    """

    def __init__(self, make_lock: Callable[[], AbstractContextManager[object]]) -> None:
        self._make_lock = make_lock
        self._stack = ExitStack()
        self._guard = threading.Lock()
        self._held = self._cancelled = False

    async def __aenter__(self) -> None:
        try:
            await run_in_thread(self._enter)
        except BaseException:
            await run_even_if_cancelled(self._exit)
            raise

    async def __aexit__(self, *_: object) -> None:
        await run_even_if_cancelled(self._exit)

    def _enter(self) -> None:
        self._stack.enter_context(self._make_lock())
        with self._guard:
            self._held = not self._cancelled
        if self._cancelled:
            self._stack.close()

    def _exit(self) -> None:
        with self._guard:
            self._cancelled, held, self._held = True, self._held, False
        if held:
            self._stack.close()


class StoreMethods(NamedTuple):
    """The operations of a store that a refresh needs. The functions return results in sync code and
    awaitables in async code.
    """

    load: Callable[[], Any]
    save: Callable[[Token], Any]
    lock: Callable[[], Any]
    run: Callable[..., Any]
    """Calls a function that may block."""


def sync_methods(store: AnyStore, stack: ExitStack) -> StoreMethods:
    """Store operations for the sync client. Closing the stack releases the lock.

    Raises:
        OAuthSetupError: The store has only async methods.
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
    """Store operations for the async client; a blocking store runs in worker threads. Closing the
    stack releases the lock.
    """
    async_store = store if isinstance(store, AsyncTokenStore) else BlockingStore(store)
    return StoreMethods(
        async_store.load_async,
        async_store.save_async,
        lambda: stack.enter_async_context(async_store.lock_async()),
        run_in_thread,
    )


class BlockingStore:
    """Async form of a blocking store. Cancelling the task neither loses a new token nor leaves the
    lock held.
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
        """Acquires `lock` in a worker thread."""
        return CancellableLock(self._store.lock)


def call_store(
    store: AnyStore, verb: str, method: Callable[..., Any], *arguments: Any
) -> Steps[Any]:
    """Calls a method of a store and turns its exceptions into an OAuthError."""
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
