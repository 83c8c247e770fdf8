"""Keeps a token fresh: it is replaced before it expires or when the service refuses it, once for
everybody, and stored before it is used.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from functools import partial
from typing import Any, TypeAlias, TypeGuard, TypeVar

from coze_runtime.auth import AsyncTokenClient, Auth, SyncTokenClient, TokenClient
from coze_runtime.operation import CallOptions, Request, Response
from coze_runtime.steps import Steps, run_steps, run_steps_async
from coze_runtime.types import Timeout, UseDefault

from ..errors import ArgumentError, CozeError, OAuthError
from ._concurrency import (
    SingleFlight,
    StoreMethods,
    abandoned,
    async_methods,
    call_store,
    launch,
    sync_methods,
)
from ._stores import AnyStore, ForkSafeLock, MemoryStore
from ._token_response import is_transient, read_token
from ._values import SYSTEM, Clock, Token, region_of

T = TypeVar("T")

Reader: TypeAlias = Callable[[Request, Response, float], T]
"""Reads the response to a request; takes the time too."""
_FlightStep: TypeAlias = Callable[[SingleFlight[Token]], Any]

# Seconds. After a failed refresh the present token is used without another attempt at once …
_REST = 5.0
# … and a token that came because another was refused, and is refused itself so soon, is not
# replaced again.
_USELESS = 10.0


def send_token_request(
    client: Any, base_url: str | None, request: Request, read: Reader[Any], clock: Clock
) -> Any:
    """Sends a request to a sign-in endpoint, over the connections of a client. Returns what `read`
    returned; under an async client, something to await.

    Args:
        client: A sync or an async client.
        base_url: Where to send it; None takes the base URL of the client.
        request: The request.
        read: Reads the response.
        clock: Source of the time.
    """
    if base_url not in (None, client.base_url):
        client = client.with_base_url(base_url)
    # Token endpoints respond fast; unless the client says otherwise, half a minute is enough.
    timeout = Timeout(read=30.0) if isinstance(client.timeout, UseDefault) else client.timeout

    def parse(response: Response) -> Any:
        return read(request, response, clock.time())

    return client.execute(request, parse, CallOptions(timeout=timeout))


class RefreshingAuth(Auth):
    """Base of sources whose tokens expire and can be replaced. Safe to share between threads,
    tasks, event loops, clients and forks.

    A subclass says what to send; this class says when, and that it is sent once. A token is
    replaced a tenth of its life, at most a minute, before it expires, or when the service refuses
    it. When that fails while the present token still works, the present token goes on being used.
    """

    renewable = True

    def __init__(
        self, *, base_url: str | None = None, store: AnyStore | None = None, clock: Clock = SYSTEM
    ) -> None:
        """Settings that all such sources share.

        Args:
            base_url: Where tokens are requested; None takes the base URL of the client that needs
                them.
            store: Where tokens are loaded from and saved to; None keeps them in this object.
            clock: Source of the time; replace it in tests only.
        """
        self._base_url = base_url
        self._store: AnyStore = store if store is not None else MemoryStore()
        self._clock = clock
        self._lock = ForkSafeLock()
        self._flight: SingleFlight[Token] | None = None
        self._current: Token | None = None
        # A token that came and could not be saved: it is saved before another one is requested.
        self._unsaved: Token | None = None
        # The refresh token that the service refused for good, with its error.
        self._refused: tuple[str, OAuthError] | None = None
        self._resting_until = 0.0
        # The access token that replaced a refused one, and when it came.
        self._replacement: tuple[str, float] | None = None
        self._home: str | None = None

    @property
    def base_url(self) -> str | None:
        """Where tokens are requested, when it was given; pass the same to the client."""
        return self._base_url

    def _request(self, stored: Token | None, base_url: str) -> Request:
        """What to send for the next token. May take a while: it never runs in the event loop.

        Raises:
            OAuthError: No token can be had without the user.
        """
        raise NotImplementedError

    def token(self, client: SyncTokenClient) -> str:
        """An access token that is valid now, requested or refreshed if needed.

        Args:
            client: Client that needs the token; token requests go over its connections.

        Raises:
            OAuthError: The sign-in was refused, or the user has to sign in again.
            APIConnectionError: The server could not be reached or did not respond in time.
        """
        self._check_host(client)
        return (self._fresh() or self._replace(client, None)).access_token

    async def token_async(self, client: AsyncTokenClient) -> str:
        """An access token that is valid now, requested or refreshed if needed. Never blocks the
        event loop.

        Args:
            client: Client that needs the token; token requests go over its connections.

        Raises:
            OAuthError: The sign-in was refused, or the user has to sign in again.
            APIConnectionError: The server could not be reached or did not respond in time.
        """
        self._check_host(client)
        return (self._fresh() or await self._replace_async(client, None)).access_token

    def renew(self, client: SyncTokenClient, rejected: str) -> bool:
        """Replaces a token that the service refused. Returns False when the last replacement was
        refused just now as well.

        Args:
            client: Client that needs the token; token requests go over its connections.
            rejected: The access token that the service refused.

        Raises:
            OAuthError: The sign-in was refused, or the user has to sign in again.
            APIConnectionError: The server could not be reached or did not respond in time.
        """
        self._check_host(client)
        return self._replaceable(rejected) and bool(self._replace(client, rejected))

    async def renew_async(self, client: AsyncTokenClient, rejected: str) -> bool:
        """Replaces a token that the service refused. Returns False when the last replacement was
        refused just now as well. Never blocks the event loop.

        Args:
            client: Client that needs the token; token requests go over its connections.
            rejected: The access token that the service refused.

        Raises:
            OAuthError: The sign-in was refused, or the user has to sign in again.
            APIConnectionError: The server could not be reached or did not respond in time.
        """
        self._check_host(client)
        return self._replaceable(rejected) and bool(await self._replace_async(client, rejected))

    def _check_host(self, client: TokenClient) -> None:
        """A token goes to the host that it came from and to no other, unless the caller named
        two.
        """
        sign_in, api = self._base_url, client.base_url
        if sign_in is not None:
            ours, theirs = region_of(sign_in), region_of(api)
            if ours and theirs and ours != theirs:
                raise ArgumentError(
                    f"the sign-in is at {sign_in} and the client talks to {api}: a token of "
                    f"{ours} is refused by {theirs}; pass base_url={sign_in!r} to "
                    "the client, or an app of the other site",
                    argument="base_url",
                )
        elif self._home is None:
            self._home = api
        elif self._home != api:
            raise ArgumentError(
                f"this {type(self).__name__} has signed in at {self._home}, the client talks to "
                f"{api}; make one for each",
                argument="auth",
            )

    # What can be said of a token.

    def _fresh(self, rejected: str | None = None) -> Token | None:
        """The present token if it needs no replacement yet."""
        rested = self._clock.time() >= self._resting_until
        return self._current if self._suits(self._current, rejected, with_margin=rested) else None

    def _suits(
        self, token: Token | None, rejected: str | None, *, with_margin: bool
    ) -> TypeGuard[Token]:
        """Whether the service takes a token now or, with its margin, for long enough."""
        if token is None or token.access_token == rejected:
            return False
        return token.remaining(self._clock.time()) > (token.margin() if with_margin else 0.0)

    def _replaceable(self, rejected: str) -> bool:
        last = self._replacement
        return last is None or last[0] != rejected or self._clock.time() - last[1] > _USELESS

    # Single flight: the first to find no fresh token leads, all others wait for what it brings.

    def _replace(self, client: SyncTokenClient, rejected: str | None) -> Token:
        lead = partial(self._lead, client, rejected)
        return run_steps(self._fly(rejected, lead, SingleFlight.wait, in_loop=False))

    async def _replace_async(self, client: AsyncTokenClient, rejected: str | None) -> Token:
        def lead(flight: SingleFlight[Token]) -> Any:
            return launch(partial(self._lead_async, client, rejected, flight), flight)

        steps = self._fly(rejected, lead, SingleFlight.wait_async, in_loop=True)
        return await run_steps_async(steps)

    def _fly(
        self, rejected: str | None, lead: _FlightStep, wait: _FlightStep, *, in_loop: bool
    ) -> Steps[Token]:
        while True:
            with self._lock:
                if (fresh := self._fresh(rejected)) is not None:
                    return fresh
                flight = self._flight
                leads = flight is None or flight.is_inherited
                if flight is None or leads:
                    flight = self._flight = SingleFlight(in_loop=in_loop)
            if leads:
                yield lead(flight)
            elif flight.needs_this_thread and not in_loop:
                if self._suits(self._current, rejected, with_margin=False):
                    return self._current
                raise CozeError(
                    "a sync client waits inside the event loop for a token that this loop is "
                    "fetching; use AsyncCoze there"
                )
            token: Token | None = yield wait(flight)
            if token is not None and token.access_token != rejected:
                return token
            self._end(flight)
            if leads and token is None:
                raise abandoned()

    def _lead(
        self, client: SyncTokenClient, rejected: str | None, flight: SingleFlight[Token]
    ) -> None:
        with self._resolving(flight, rejected), ExitStack() as stack:
            run_steps(self._fetch(sync_methods(self._store, stack), client, rejected))

    async def _lead_async(
        self, client: AsyncTokenClient, rejected: str | None, flight: SingleFlight[Token]
    ) -> None:
        with self._resolving(flight, rejected):
            async with AsyncExitStack() as stack:
                methods = async_methods(self._store, stack)
                await run_steps_async(self._fetch(methods, client, rejected))

    @contextmanager
    def _resolving(self, flight: SingleFlight[Token], rejected: str | None) -> Iterator[None]:
        """Resolves the flight, whatever happens inside. After a failure with the present token, if
        it still works; a new token that could not be stored is not used.
        """
        try:
            yield
        except Exception as error:
            lasting = self._suits(self._current, rejected, with_margin=False)
            unstored = isinstance(error, OAuthError) and error.error == "token_store"
            if lasting and isinstance(error, CozeError) and not unstored:
                self._resting_until = self._clock.time() + _REST
                self._end(flight, self._current)
            else:
                self._end(flight, error=error)
        else:
            self._end(flight, self._current)
        finally:
            self._end(flight)

    def _end(
        self,
        flight: SingleFlight[Token],
        token: Token | None = None,
        error: Exception | None = None,
    ) -> None:
        """Makes room for the next flight and wakes the waiters; with neither token nor error one of
        them leads the next.
        """
        with self._lock:
            if self._flight is flight:
                self._flight = None
        flight.resolve(token, error)

    # What a leader does.

    def _fetch(self, store: StoreMethods, client: Any, rejected: str | None) -> Steps[None]:
        """Brings the next token; the lock of the store is held from reading the old one until the
        new one is written.
        """
        call = partial(call_store, self._store)
        yield from call("lock", store.lock)
        stored = yield from call("load", store.load)
        if stored is not None:
            self._current = stored
        # What another process has brought meanwhile, or what came and could not be stored.
        token = self._unsaved or stored
        if not self._suits(token, rejected, with_margin=True):
            base_url = self._base_url or client.base_url
            request = yield store.run(self._next_request, token, base_url)
            read = partial(read_token, previous=token)
            spent = token.refresh_token if token else None
            try:
                new: Token = yield send_token_request(
                    client, self._base_url, request, read, self._clock
                )
                token = self._unsaved = new
            except OAuthError as error:
                if is_transient(error):
                    raise
                stored = yield from call("load", store.load)
                token = self._rescue(spent, stored, error, rejected)
        if token is self._unsaved:
            yield from call("save", store.save, token)
        self._unsaved = None
        self._current, self._resting_until = token, 0.0
        self._replacement = (token.access_token, self._clock.time()) if rejected else None

    def _next_request(self, newest: Token | None, base_url: str) -> Request:
        if newest is not None and self._refused is not None:
            refresh_token, error = self._refused
            if newest.refresh_token == refresh_token:
                raise copy.copy(error)
        return self._request(newest, base_url)

    def _rescue(
        self, spent: str | None, stored: Token | None, error: OAuthError, rejected: str | None
    ) -> Token:
        """After a refusal: the token that a process without this lock has stored meanwhile. Without
        one, the refusal of the spent refresh token is final.
        """
        if self._suits(stored, rejected, with_margin=True) and stored.refresh_token != spent:
            return stored
        if spent is not None:
            # It will never be accepted again; sending it for every call would be a loop.
            self._refused = (spent, error)
        raise error
