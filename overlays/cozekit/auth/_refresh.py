"""Keeps a token valid: replaces it before it expires or when the service rejects it, once for all
callers, and stores the new token before using it.
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
"""Reads a response: takes the request, the response and the current time."""
_FlightStep: TypeAlias = Callable[[SingleFlight[Token]], Any]

# Seconds after a failed refresh in which no other is tried while the current token is still valid.
_RETRY_DELAY = 5.0
# Seconds in which a rejected replacement is not replaced again: another token would not help.
_RENEWAL_COOLDOWN = 10.0


def send_token_request(
    client: Any, base_url: str | None, request: Request, read: Reader[Any], clock: Clock
) -> Any:
    """Sends a request to a sign-in endpoint over the connections of a client. Returns the result of
    `read`; with an async client, an awaitable of it.

    Args:
        client: A sync or an async client.
        base_url: Where to send it; None uses the base URL of the client.
        request: The request.
        read: Reads the response.
        clock: Source of the time.
    """
    if base_url not in (None, client.base_url):
        client = client.with_base_url(base_url)
    # Token endpoints respond fast: 30 seconds are enough unless the client sets a timeout.
    timeout = Timeout(read=30.0) if isinstance(client.timeout, UseDefault) else client.timeout

    def parse(response: Response) -> Any:
        return read(request, response, clock.time())

    return client.execute(request, parse, CallOptions(timeout=timeout))


class RefreshingAuth(Auth):
    """Base class of token sources whose tokens expire and can be replaced. Safe to share between
    threads, tasks, event loops, clients and forked processes.

    A subclass builds the request; this class decides when to send it, and sends it once for all
    callers. A token is replaced when a tenth of its lifetime is left, at most a minute before it
    expires, or when the service rejects it. If that fails, the current token is used for as long as
    it is valid.
    """

    renewable = True

    def __init__(
        self, *, base_url: str | None = None, store: AnyStore | None = None, clock: Clock = SYSTEM
    ) -> None:
        """Stores the settings that all such sources share.

        Args:
            base_url: Base URL for token requests; None uses that of the client that needs the
                token.
            store: Loads and saves tokens; None keeps them in this object.
            clock: Source of the time; replace it in tests only.
        """
        self._base_url = base_url
        self._store: AnyStore = store if store is not None else MemoryStore()
        self._clock = clock
        self._lock = ForkSafeLock()
        self._flight: SingleFlight[Token] | None = None
        self._current: Token | None = None
        # A new token that could not be saved yet; it is saved before another one is requested.
        self._unsaved: Token | None = None
        # The refresh token that the service rejected for good, and the error.
        self._rejected_refresh: tuple[str, OAuthError] | None = None
        self._retry_at = 0.0
        # The access token that replaced a rejected one, and when it arrived.
        self._replacement: tuple[str, float] | None = None
        self._first_base_url: str | None = None

    @property
    def base_url(self) -> str | None:
        """Base URL for token requests, if one was passed; pass the same to the client."""
        return self._base_url

    def _request(self, stored: Token | None, base_url: str) -> Request:
        """Builds the request for the next token. May block: it never runs in the event loop.

        Raises:
            OAuthError: The user has to sign in first.
        """
        raise NotImplementedError

    def token(self, client: SyncTokenClient) -> str:
        """Returns a valid access token; requests or refreshes one if needed.

        Args:
            client: Client that needs the token; token requests go over its connections.

        Raises:
            OAuthError: The server rejected the sign-in, or the user has to sign in again.
            APIConnectionError: The server could not be reached or did not respond in time.
        """
        self._check_host(client)
        return (self._fresh_token() or self._replace(client, None)).access_token

    async def token_async(self, client: AsyncTokenClient) -> str:
        """Returns a valid access token; requests or refreshes one if needed. Never blocks the
        event loop.

        Args:
            client: Client that needs the token; token requests go over its connections.

        Raises:
            OAuthError: The server rejected the sign-in, or the user has to sign in again.
            APIConnectionError: The server could not be reached or did not respond in time.
        """
        self._check_host(client)
        return (self._fresh_token() or await self._replace_async(client, None)).access_token

    def renew(self, client: SyncTokenClient, rejected: str) -> bool:
        """Replaces a token that the service rejected. Returns False if that token itself just
        replaced a rejected one: another would not help.

        Args:
            client: Client that needs the token; token requests go over its connections.
            rejected: The access token that the service rejected.

        Raises:
            OAuthError: The server rejected the sign-in, or the user has to sign in again.
            APIConnectionError: The server could not be reached or did not respond in time.
        """
        self._check_host(client)
        return self._may_replace(rejected) and bool(self._replace(client, rejected))

    async def renew_async(self, client: AsyncTokenClient, rejected: str) -> bool:
        """Replaces a token that the service rejected. Returns False if that token itself just
        replaced a rejected one: another would not help. Never blocks the event loop.

        Args:
            client: Client that needs the token; token requests go over its connections.
            rejected: The access token that the service rejected.

        Raises:
            OAuthError: The server rejected the sign-in, or the user has to sign in again.
            APIConnectionError: The server could not be reached or did not respond in time.
        """
        self._check_host(client)
        return self._may_replace(rejected) and bool(await self._replace_async(client, rejected))

    def _check_host(self, client: TokenClient) -> None:
        """Checks that the token is sent only to the host that issued it, unless the caller passed a
        separate base URL for each.
        """
        sign_in, api = self._base_url, client.base_url
        if sign_in is not None:
            sign_in_site, api_site = region_of(sign_in), region_of(api)
            if sign_in_site and api_site and sign_in_site != api_site:
                raise ArgumentError(
                    f"the sign-in is at {sign_in} but the client uses {api}: a token of "
                    f"{sign_in_site} is rejected by {api_site}; pass "
                    f"base_url={sign_in!r} to the client, or an app of the other site",
                    argument="base_url",
                )
        elif self._first_base_url is None:
            self._first_base_url = api
        elif self._first_base_url != api:
            raise ArgumentError(
                f"this {type(self).__name__} signed in at {self._first_base_url}, but the client "
                f"uses {api}; create one for each",
                argument="auth",
            )

    # State of the current token.

    def _fresh_token(self, rejected: str | None = None) -> Token | None:
        """The current token if it does not need to be replaced yet."""
        may_retry = self._clock.time() >= self._retry_at
        usable = self._is_usable(self._current, rejected, with_margin=may_retry)
        return self._current if usable else None

    def _is_usable(
        self, token: Token | None, rejected: str | None, *, with_margin: bool
    ) -> TypeGuard[Token]:
        """Whether a token is valid now or, with its margin, still valid for long enough."""
        if token is None or token.access_token == rejected:
            return False
        return token.remaining(self._clock.time()) > (token.margin() if with_margin else 0.0)

    def _may_replace(self, rejected: str) -> bool:
        last = self._replacement
        return (
            last is None or last[0] != rejected or self._clock.time() - last[1] > _RENEWAL_COOLDOWN
        )

    # Single flight: the first caller without a fresh token leads, all others wait for its token.

    def _replace(self, client: SyncTokenClient, rejected: str | None) -> Token:
        lead = partial(self._lead, client, rejected)
        return run_steps(self._share_flight(rejected, lead, SingleFlight.wait, in_loop=False))

    async def _replace_async(self, client: AsyncTokenClient, rejected: str | None) -> Token:
        def lead(flight: SingleFlight[Token]) -> Any:
            return launch(partial(self._lead_async, client, rejected, flight), flight)

        steps = self._share_flight(rejected, lead, SingleFlight.wait_async, in_loop=True)
        return await run_steps_async(steps)

    def _share_flight(
        self, rejected: str | None, lead: _FlightStep, wait: _FlightStep, *, in_loop: bool
    ) -> Steps[Token]:
        while True:
            with self._lock:
                if (fresh := self._fresh_token(rejected)) is not None:
                    return fresh
                flight, leads = self._join_or_lead(in_loop=in_loop)
            if leads:
                yield lead(flight)
            elif flight.needs_this_thread and not in_loop:
                return self._token_without_waiting(rejected)
            token: Token | None = yield wait(flight)
            if token is not None and token.access_token != rejected:
                return token
            self._end_flight(flight)
            if leads and token is None:
                raise abandoned()

    def _join_or_lead(self, *, in_loop: bool) -> tuple[SingleFlight[Token], bool]:
        """The flight on its way, or a new one and True: the caller leads it. Needs the lock."""
        flight = self._flight
        if flight is not None and not flight.is_inherited:
            return flight, False
        self._flight = flight = SingleFlight(in_loop=in_loop)
        return flight, True

    def _token_without_waiting(self, rejected: str | None) -> Token:
        if self._is_usable(self._current, rejected, with_margin=False):
            return self._current
        raise CozeError(
            "a sync client inside an event loop waits for a token that the same loop is fetching; "
            "use AsyncCoze there"
        )

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
        """Resolves the flight with the new token or, after a failure, with the current one if it is
        still valid. A new token that could not be stored is not used.
        """
        try:
            yield
        except Exception as error:
            still_valid = self._is_usable(self._current, rejected, with_margin=False)
            store_failed = isinstance(error, OAuthError) and error.error == "token_store"
            if still_valid and isinstance(error, CozeError) and not store_failed:
                self._retry_at = self._clock.time() + _RETRY_DELAY
                self._end_flight(flight, self._current)
            else:
                self._end_flight(flight, error=error)
        else:
            self._end_flight(flight, self._current)
        finally:
            self._end_flight(flight)

    def _end_flight(
        self,
        flight: SingleFlight[Token],
        token: Token | None = None,
        error: Exception | None = None,
    ) -> None:
        """Removes the flight and wakes the waiters; without token and error one of them leads the
        next flight.
        """
        with self._lock:
            if self._flight is flight:
                self._flight = None
        flight.resolve(token, error)

    # The work of the leader.

    def _fetch(self, store: StoreMethods, client: Any, rejected: str | None) -> Steps[None]:
        """Gets the next token. Holds the lock of the store from loading the old token until the new
        one is saved.
        """
        call = partial(call_store, self._store)
        yield from call("lock", store.lock)
        stored = yield from call("load", store.load)
        if stored is not None:
            self._current = stored
        # A new token that could not be saved, or one that another process refreshed meanwhile.
        token = self._unsaved or stored
        if not self._is_usable(token, rejected, with_margin=True):
            base_url = self._base_url or client.base_url
            request = yield store.run(self._next_request, token, base_url)
            read = partial(read_token, previous=token)
            sent_refresh_token = token.refresh_token if token else None
            try:
                new: Token = yield send_token_request(
                    client, self._base_url, request, read, self._clock
                )
                token = self._unsaved = new
            except OAuthError as error:
                if is_transient(error):
                    raise
                stored = yield from call("load", store.load)
                token = self._recover(sent_refresh_token, stored, error, rejected)
        if token is self._unsaved:
            yield from call("save", store.save, token)
        self._unsaved = None
        self._current, self._retry_at = token, 0.0
        self._replacement = (token.access_token, self._clock.time()) if rejected else None

    def _next_request(self, token: Token | None, base_url: str) -> Request:
        if token is not None and self._rejected_refresh is not None:
            refresh_token, error = self._rejected_refresh
            if token.refresh_token == refresh_token:
                raise copy.copy(error)
        return self._request(token, base_url)

    def _recover(
        self,
        sent_refresh_token: str | None,
        stored: Token | None,
        error: OAuthError,
        rejected: str | None,
    ) -> Token:
        """After the server rejected a refresh token: returns the token that another process stored
        meanwhile without the lock, or else raises the error.
        """
        if (
            self._is_usable(stored, rejected, with_margin=True)
            and stored.refresh_token != sent_refresh_token
        ):
            return stored
        if sent_refresh_token is not None:
            # It will never be accepted again, so it is not sent again.
            self._rejected_refresh = (sent_refresh_token, error)
        raise error
