"""Stores as the life of a token uses them: in both forms, and with every failure as an OAuthError."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import CozeError
from .failures import OAuthSetupError
from .model import Token
from .stores import AsyncTokenStore, TokenStore, store_error

if TYPE_CHECKING:
    from .stores import AnyStore

T = TypeVar("T")


@contextmanager
def reported(store: object, what: str) -> Iterator[None]:
    """Turns what a store raises into an OAuthError."""
    try:
        yield
    except CozeError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error.strerror}" if isinstance(error, OSError) else type(error).__name__
        raise store_error(f"the token store {store!r} could not {what} ({reason}); mend it and call again") from error


def _checked(store: object, token: object) -> Token | None:
    if token is None or isinstance(token, Token):
        return token
    raise store_error(f"the token store {store!r} loaded {type(token).__name__} in place of a Token; see Token.from_dict")


class SyncForm:
    """A store for the sync client.

    Raises:
        OAuthSetupError: It has only the async form.
    """

    def __init__(self, store: AnyStore) -> None:
        if not isinstance(store, TokenStore):
            raise OAuthSetupError(f"{type(store).__name__} has no load, save and lock; it works only with AsyncCoze", argument="store")
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
        self._store: AsyncTokenStore = store if isinstance(store, AsyncTokenStore) else _InThreads(store)
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
    """The async form of a store that blocks."""

    def __init__(self, store: TokenStore) -> None:
        self._store = store

    async def load_async(self) -> Token | None:
        return await in_thread(self._store.load)

    async def save_async(self, token: Token) -> None:
        await in_thread(self._store.save, token)

    @asynccontextmanager
    async def lock_async(self) -> AsyncIterator[None]:
        import anyio

        lock = self._store.lock()
        await in_thread(lock.__enter__)
        try:
            yield
        finally:
            with anyio.CancelScope(shield=True):
                await in_thread(lock.__exit__, None, None, None)


async def in_thread(function: Callable[..., T], *arguments: Any) -> T:
    """Calls what may take a while without holding up the event loop."""
    from anyio.to_thread import run_sync

    return await run_sync(function, *arguments)
