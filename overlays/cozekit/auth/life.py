"""The life of a token: kept, renewed before it ends, renewed once for everybody, and stored before
it is used.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from coze_runtime.auth import AsyncTokenClient, Auth, SyncTokenClient, TokenClient
from coze_runtime.operation import CallOptions, Request, Response
from coze_runtime.types import Timeout, UseDefault

from ..errors import ArgumentError, CozeError, OAuthError
from .adapters import AsyncForm, SyncForm, in_thread
from .clock import SYSTEM, Clock
from .failures import is_passing, token_of
from .flight import Flight, launch
from .model import Token
from .regions import at, check_regions
from .stores import AnyStore, MemoryStore

# Seconds. After a failed renewal the present token is used without asking again at once …
_REST = 5.0
# … and a token that came because another was refused, and is refused itself so soon, is not
# replaced again.
_USELESS = 10.0


def token_options(client: TokenClient) -> CallOptions:
    """Token endpoints answer fast; unless the client says otherwise, half a minute of silence is
    enough.
    """
    given = client.timeout
    return CallOptions(timeout=Timeout(read=30.0) if isinstance(given, UseDefault) else given)


class RenewedAuth(Auth):
    """Base of sources whose tokens end and can be replaced. Safe to share between threads, tasks,
    event loops and clients.

    A subclass says what to send; this class says when, and that it is sent once. A token is
    replaced a tenth of its life, at most a minute, before it ends, or when the service refuses it.
    When a replacement fails while the present token still works, the present token goes on being
    used.
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
        self._lock = threading.Lock()
        self._flight: Flight[Token] | None = None
        self._current: Token | None = None
        self._unsaved: Token | None = None
        self._refused: tuple[str, OAuthError] | None = None
        self._resting_until = 0.0
        self._replacement: tuple[str, float] | None = None
        self._home: str | None = None

    @property
    def base_url(self) -> str | None:
        """Where tokens are asked for, when it was given; pass the same to the client."""
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
        self._belongs(client)
        return (self._good() or self._next(client, None)).access_token

    async def token_async(self, client: AsyncTokenClient) -> str:
        """An access token that is valid now, requested or refreshed if needed. Never blocks the
        event loop.

        Args:
            client: Client that needs the token; token requests go over its connections.

        Raises:
            OAuthError: The sign-in was refused, or the user has to sign in again.
            APIConnectionError: The server could not be reached or did not respond in time.
        """
        self._belongs(client)
        return (self._good() or await self._next_async(client, None)).access_token

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
        self._belongs(client)
        return self._replaceable(rejected) and bool(self._next(client, rejected))

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
        self._belongs(client)
        return self._replaceable(rejected) and bool(await self._next_async(client, rejected))

    def _belongs(self, client: TokenClient) -> None:
        """A token goes to the host that it came from and to no other, unless the caller
        named two.
        """
        if self._base_url is not None:
            check_regions(self._base_url, client.base_url)
        elif self._home is None:
            self._home = client.base_url
        elif self._home != client.base_url:
            raise ArgumentError(
                f"this {type(self).__name__} has signed in at {self._home}, the client talks to "
                f"{client.base_url}; make one for each",
                argument="auth",
            )

    def _good(self, rejected: str | None = None) -> Token | None:
        token = self._current
        if token is None or token.access_token == rejected:
            return None
        now = self._clock.time()
        left = token.remaining(now)
        return token if left > token.margin() or (left > 0 and now < self._resting_until) else None

    def _lasting(self, rejected: str | None) -> Token | None:
        """The present token while the service still takes it, its margin included."""
        token = self._current
        usable = (
            token is not None
            and token.access_token != rejected
            and token.remaining(self._clock.time()) > 0
        )
        return token if usable else None

    def _replaceable(self, rejected: str) -> bool:
        last = self._replacement
        return last is None or last[0] != rejected or self._clock.time() - last[1] > _USELESS

    # Single flight: the first to find no good token leads, all others wait for what it brings.

    def _join(self, rejected: str | None, *, in_loop: bool) -> tuple[Token | Flight[Token], bool]:
        """The good token, if there is one by now; else the flight that will bring it, and whether
        the caller leads it.
        """
        with self._lock:
            found = self._good(rejected)
            if found is not None:
                return found, False
            leads = self._flight is None
            if self._flight is None:
                self._flight = Flight(in_loop=in_loop)
            return self._flight, leads

    def _next(self, client: SyncTokenClient, rejected: str | None) -> Token:
        while True:
            flight, leads = self._join(rejected, in_loop=False)
            if not isinstance(flight, Flight):
                return flight
            if leads:
                try:
                    self._land(flight, rejected, self._fetch(client, rejected))
                except Exception as error:
                    self._fail(flight, rejected, error)
                finally:
                    self._end(flight)
            elif flight.blocks_itself:
                return self._without_waiting(rejected)
            found = flight.wait()
            if found is not None and found.access_token != rejected:
                return found
            self._end(flight)

    async def _next_async(self, client: AsyncTokenClient, rejected: str | None) -> Token:
        while True:
            flight, leads = self._join(rejected, in_loop=True)
            if not isinstance(flight, Flight):
                return flight
            if leads:
                await launch(partial(self._lead_async, flight, client, rejected), flight)
            found = await flight.wait_async()
            if found is not None and found.access_token != rejected:
                return found
            self._end(flight)

    async def _lead_async(
        self, flight: Flight[Token], client: AsyncTokenClient, rejected: str | None
    ) -> None:
        try:
            self._land(flight, rejected, await self._fetch_async(client, rejected))
        except Exception as error:
            self._fail(flight, rejected, error)
        finally:
            self._end(flight)

    def _land(self, flight: Flight[Token], rejected: str | None, token: Token) -> None:
        self._current, self._resting_until = token, 0.0
        self._replacement = (token.access_token, self._clock.time()) if rejected else None
        self._end(flight, token)

    def _fail(self, flight: Flight[Token], rejected: str | None, error: Exception) -> None:
        """Lands the present token, if it still works, else the error; a new token that could not be
        stored is not used.
        """
        lasting = self._lasting(rejected)
        if (
            lasting is None
            or not isinstance(error, CozeError)
            or (isinstance(error, OAuthError) and error.error == "token_store")
        ):
            self._end(flight, error=error)
        else:
            self._resting_until = self._clock.time() + _REST
            self._end(flight, lasting)

    def _end(
        self, flight: Flight[Token], token: Token | None = None, error: Exception | None = None
    ) -> None:
        """Makes room for the next flight and wakes the waiters; with neither token nor error they
        lead anew.
        """
        with self._lock:
            if self._flight is flight:
                self._flight = None
        flight.land(token, error)

    def _without_waiting(self, rejected: str | None) -> Token:
        lasting = self._lasting(rejected)
        if lasting is None:
            raise CozeError(
                "a sync client waits inside the event loop for a token that this loop is "
                "fetching; use AsyncCoze there"
            )
        return lasting

    # What a leader does, with the lock of the store held from reading the old token until the new
    # one is written.

    def _fetch(self, client: SyncTokenClient, rejected: str | None) -> Token:
        store, there = SyncForm(self._store), at(client, self._base_url)
        with store.lock():
            asked = self._decide(store.load(), rejected, there.base_url)
            if isinstance(asked, _Question):
                try:
                    found = self._unsaved = there.execute(
                        asked.request, asked.parse, token_options(client)
                    )
                except OAuthError as error:
                    found = self._rescued(asked, store.load(), error, rejected)
            else:
                found = asked
            if found is self._unsaved:
                store.save(found)
                self._unsaved = None
        return found

    async def _fetch_async(self, client: AsyncTokenClient, rejected: str | None) -> Token:
        store, there = AsyncForm(self._store), at(client, self._base_url)
        async with store.lock():
            asked = await in_thread(self._decide, await store.load(), rejected, there.base_url)
            if isinstance(asked, _Question):
                try:
                    found = self._unsaved = await there.execute(
                        asked.request, asked.parse, token_options(client)
                    )
                except OAuthError as error:
                    found = self._rescued(asked, await store.load(), error, rejected)
            else:
                found = asked
            if found is self._unsaved:
                await store.save(found)
                self._unsaved = None
        return found

    def _decide(
        self, stored: Token | None, rejected: str | None, base_url: str
    ) -> Token | _Question:
        """The token that another process has brought meanwhile, or one that came and could not be
        stored; else what to ask.
        """
        newest = self._unsaved or stored
        if newest is not None:
            self._current = newest
        if newest is not None and self._fits(newest, rejected):
            return newest
        if (
            newest is not None
            and self._refused is not None
            and newest.refresh_token == self._refused[0]
        ):
            raise copy.copy(self._refused[1])
        request = self._request(newest, base_url)

        def parse(response: Response) -> Token:
            return token_of(request, response, self._clock.time(), newest)

        return _Question(request, parse, newest.refresh_token if newest else None)

    def _fits(self, token: Token, rejected: str | None) -> bool:
        return (
            token.access_token != rejected and token.remaining(self._clock.time()) > token.margin()
        )

    def _rescued(
        self, question: _Question, stored: Token | None, error: OAuthError, rejected: str | None
    ) -> Token:
        """After a refusal: the token that a process without this lock has stored. Without one, the
        refusal is final.
        """
        if is_passing(error):
            raise error
        if (
            stored is not None
            and stored.refresh_token != question.refresh_token
            and self._fits(stored, rejected)
        ):
            return stored
        if question.refresh_token is not None:
            # It will never be accepted again; asking with it for every call would be a loop.
            self._refused = (question.refresh_token, error)
        raise error


class _Question(NamedTuple):
    """A token request, what reads its answer, and the refresh token that it spends."""

    request: Request
    parse: Callable[[Response], Token]
    refresh_token: str | None
