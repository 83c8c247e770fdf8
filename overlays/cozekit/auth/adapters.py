"""Stores as the life of a token uses them: in both forms, and with every failure as an
OAuthError.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractContextManager,
    AsyncExitStack,
    ExitStack,
    asynccontextmanager,
    contextmanager,
)
from typing import Any, TypeVar

from ..errors import CozeError
from .failures import OAuthSetupError
from .model import Token
from .stores import AnyStore, AsyncTokenStore, TokenStore, store_error

T = TypeVar("T")


@contextmanager
def reported(store: object, what: str) -> Iterator[None]:
    """Turns what a store raises into an OAuthError."""
    try:
        yield
    except CozeError:
        raise
    except Exception as error:
        reason = (
            f"{type(error).__name__}: {error.strerror}"
            if isinstance(error, OSError)
            else type(error).__name__
        )
        raise store_error(
            f"the token store {store!r} could not {what} ({reason}); mend it and call again"
        ) from error


def _checked(store: object, token: object) -> Token | None:
    if token is None or isinstance(token, Token):
        return token
    raise store_error(
        f"the token store {store!r} loaded {type(token).__name__} in place of a Token; see "
        "Token.from_dict"
    )


class SyncForm:
    """A store for the sync client.

    Raises:
        OAuthSetupError: It has only the async form.
    """

    def __init__(self, store: AnyStore) -> None:
        if not isinstance(store, TokenStore):
            raise OAuthSetupError(
                f"{type(store).__name__} has no load, save and lock; it works only with AsyncCoze",
                argument="store",
            )
        self._store = store

    def load(self) -> Token | None:
        """As `TokenStore.load`."""
        with reported(self._store, "load"):
            return _checked(self._store, self._store.load())

    def save(self, token: Token) -> None:
        """As `TokenStore.save`."""
        with reported(self._store, "save"):
            self._store.save(token)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """As `TokenStore.lock`."""
        with ExitStack() as held:
            with reported(self._store, "lock"):
                held.enter_context(self._store.lock())
            yield


class AsyncForm:
    """A store for the async client; one that blocks runs in worker threads."""

    def __init__(self, store: AnyStore) -> None:
        self._store: AsyncTokenStore = (
            store if isinstance(store, AsyncTokenStore) else _InThreads(store)
        )
        self._shown = store

    async def load(self) -> Token | None:
        """As `AsyncTokenStore.load_async`."""
        with reported(self._shown, "load"):
            return _checked(self._shown, await self._store.load_async())

    async def save(self, token: Token) -> None:
        """As `AsyncTokenStore.save_async`."""
        with reported(self._shown, "save"):
            await self._store.save_async(token)

    @asynccontextmanager
    async def lock(self) -> AsyncIterator[None]:
        """As `AsyncTokenStore.lock_async`."""
        async with AsyncExitStack() as held:
            with reported(self._shown, "lock"):
                await held.enter_async_context(self._store.lock_async())
            yield


class _InThreads:
    """The async form of a store that blocks.

    asyncio cancels every task when its loop ends, and a worker thread skips work whose task was
    cancelled. A token that came must be saved and a lock that is held must be freed all the same,
    so both are done in the loop then.
    """

    def __init__(self, store: TokenStore) -> None:
        self._store = store

    async def load_async(self) -> Token | None:
        return await in_thread(self._store.load)

    async def save_async(self, token: Token) -> None:
        await _surely(lambda: self._store.save(token))

    @asynccontextmanager
    async def lock_async(self) -> AsyncIterator[None]:
        held = _Held(self._store.lock())
        try:
            await in_thread(held.take)
            yield
        finally:
            await _surely(held.free)


class _Held:
    """A lock that is freed even if the thread that waits for it gets it when nobody wants it any
    more.
    """

    def __init__(self, lock: AbstractContextManager[object]) -> None:
        self._lock = lock
        self._guard = threading.Lock()
        self._taken = self._given_up = False

    def take(self) -> None:
        self._lock.__enter__()
        with self._guard:
            self._taken = not self._given_up
        if self._given_up:
            self._lock.__exit__(None, None, None)

    def free(self) -> None:
        with self._guard:
            self._given_up, taken, self._taken = True, self._taken, False
        if taken:
            self._lock.__exit__(None, None, None)


async def _surely(function: Callable[[], object]) -> None:
    """Calls the function once, in a worker thread; in this one, when the task is cancelled before
    the thread comes to it.
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
        await in_thread(once)
    finally:
        once()


async def in_thread(function: Callable[..., T], *arguments: Any) -> T:
    """Calls what may take a while without holding up the event loop."""
    from anyio.to_thread import run_sync

    return await run_sync(function, *arguments)
