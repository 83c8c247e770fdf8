"""Carries out the plan of a call (`retries.plan`): sends, waits and renews the token as it says, sync and async."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any, TypeVar, cast

from coze_openapi import codec
from coze_openapi.errors import APIConnectionError, CozeError
from coze_openapi.types import CallOptions, Request, Response

from .hooks import Attempt
from .retries import Renew, Send, Step, Wait, plan
from .watch import current_watch

if TYPE_CHECKING:
    from coze_openapi import _http

    from .client import AsyncCoze, Coze

T = TypeVar("T")

# Bytes; an error envelope is smaller, so larger answers are not looked into twice.
_ENVELOPE_SIZE = 2048


class _Call:
    """One call on its way: its steps, and what came of the last sending."""

    def __init__(self, client: Coze | AsyncCoze, request: Request) -> None:
        anonymous = request.operation.anonymous
        self.token: str | None = None
        self.outcome: Any = None
        self.error: CozeError | None = None
        self.attempts = 0
        self._client = client
        self._watch = current_watch()
        self._positions = _positions(request)
        renewable = client._auth.renewable and not anonymous
        rewindable = self._positions is not None
        self.steps: Generator[Step, Any, None] = plan(request.operation, client._retries, renewable=renewable, rewindable=rewindable)

    def begin(self) -> None:
        """Before each sending: files go back to where they were."""
        self.attempts += 1
        self.outcome, self.error = None, None
        for content, position in self._positions or ():
            content.seek(position)

    def limited(self, wire: _http.Wire) -> _http.Wire:
        """The request with timeouts that end with the limits of the stream it opens, if it opens one.

        Async streams need none: their opening is cancelled as a whole.
        """
        return wire if self._watch is None else wire._replace(timeout=self._watch.capped(wire.timeout))

    def may_wait(self, seconds: float) -> bool:
        """Whether a repetition after such a pause can still be in time."""
        return self._watch is None or self._watch.allows(seconds)

    def came(self, outcome: Any) -> None:
        """An answer came; it may say no."""
        self.outcome = outcome
        self.error = _error_of(outcome)

    def failed(self, error: CozeError) -> None:
        """No answer came, or one that was an error from the start."""
        if isinstance(error, APIConnectionError) and self._client._connections.closed:
            # Whatever the HTTP library says when its sockets are taken away; a repetition would say this.
            closed = CozeError(f"the client was closed during the call ({error})")
            closed.request, closed.__cause__ = error.request, error
            error = closed
        self.error = error

    def result(self) -> Any:
        """An answer goes on to its parser, even one that says no; without an answer the error is raised."""
        if self.outcome is None and self.error is not None:
            raise self.error
        return self.outcome


def drive(client: Coze, request: Request, options: CallOptions, act: Callable[[_http.HTTPClient, _http.Wire], T]) -> T:
    """Carries out one call; `act` sends the prepared request.

    Raises:
        CozeError: What the last sending met.
    """
    call = _Call(client, request)
    answer: object = None
    while True:
        try:
            step = call.steps.send(answer)
        except StopIteration:
            found: T = call.result()
            return found
        answer = None
        if isinstance(step, Send):
            call.token = None if request.operation.anonymous else client._auth.token(client)
            call.begin()
            _send(client, call, call.limited(client._prepare(request, options, call.token)), act)
            answer = call.error
        elif isinstance(step, Renew):
            answer = client._auth.renew(client, call.token or "")
        elif isinstance(step, Wait):
            if not call.may_wait(step.seconds):
                return cast(T, call.result())
            client._retries.wait(step.seconds)


def _send(client: Coze, call: _Call, wire: _http.Wire, act: Callable[[_http.HTTPClient, _http.Wire], Any]) -> None:
    observer = client._observer
    attempt: Attempt | None = None
    if observer.active:
        attempt = observer.begin(wire, call.attempts)
        wire = attempt.wire
    try:
        call.came(act(client._connection(), wire))
    except CozeError as error:
        call.failed(error)
    if attempt is not None:
        observer.end(attempt, call.outcome, call.error)


async def drive_async(
    client: AsyncCoze, request: Request, options: CallOptions, act: Callable[[_http.AsyncHTTPClient, _http.Wire], Awaitable[T]]
) -> T:
    """The async form of `drive`."""
    call = _Call(client, request)
    answer: object = None
    while True:
        try:
            step = call.steps.send(answer)
        except StopIteration:
            found: T = call.result()
            return found
        answer = None
        if isinstance(step, Send):
            call.token = None if request.operation.anonymous else await client._auth.token_async(client)
            call.begin()
            await _send_async(client, call, client._prepare(request, options, call.token), act)
            answer = call.error
        elif isinstance(step, Renew):
            answer = await client._auth.renew_async(client, call.token or "")
        elif isinstance(step, Wait):
            if not call.may_wait(step.seconds):
                return cast(T, call.result())
            await client._retries.wait_async(step.seconds)


async def _send_async(
    client: AsyncCoze, call: _Call, wire: _http.Wire, act: Callable[[_http.AsyncHTTPClient, _http.Wire], Awaitable[Any]]
) -> None:
    observer = client._observer
    attempt: Attempt | None = None
    if observer.active:
        attempt = await observer.begin_async(wire, call.attempts)
        wire = attempt.wire
    try:
        call.came(await act(client._connection(), wire))
    except CozeError as error:
        call.failed(error)
    if attempt is not None:
        await observer.end_async(attempt, call.outcome, call.error)


def _error_of(outcome: object) -> CozeError | None:
    """The error in an answer that came, as far as repeating and renewing care; parsing raises the others."""
    if not isinstance(outcome, Response):
        return None
    if outcome.status >= 400 or (len(outcome.content) < _ENVELOPE_SIZE and codec.says_no(outcome.content)):
        return codec.failure(outcome)
    return None


def _positions(request: Request) -> list[tuple[Any, int]] | None:
    """Open files of the request and where they stand; None when one of them cannot be sent a second time."""
    found = []
    for part in (request.files or {}).values():
        content = part[1]
        if hasattr(content, "read"):
            if not (hasattr(content, "seekable") and content.seekable()):
                return None
            found.append((content, content.tell()))
    return found
