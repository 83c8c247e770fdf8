"""Carries out the plan of a call (`retries.plan`): sends, waits and renews the token as it says."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from ..errors import APIConnectionError, CozeError
from ..operation import CallOptions, Request, Response
from ..serialization.error_responses import failure, is_error_envelope
from ..steps import Steps
from .hooks import Attempt
from .retries import Renew, Send, Step, plan

if TYPE_CHECKING:
    from .._http import PreparedRequest
    from .._http.connections import AsyncConnections, Connections
    from .deadlines import StreamLimits
    from .settings import Settings

# Bytes; an error envelope is smaller, so larger answers are not looked into twice.
_ENVELOPE_SIZE = 2048

# The limits of the stream that the present call opens; None for every other call.
_limits: ContextVar[StreamLimits | None] = ContextVar("cozekit_limits", default=None)


@contextmanager
def opening(limits: StreamLimits) -> Iterator[None]:
    """Puts the call that opens a stream under its limits, repetitions included."""
    token = _limits.set(limits if limits.exact else None)
    try:
        yield
    finally:
        _limits.reset(token)


class _Call:
    """One call on its way: its steps, and what came of the last sending."""

    def __init__(
        self, settings: Settings, connections: Connections | AsyncConnections, request: Request
    ) -> None:
        anonymous = request.operation.anonymous
        self.token: str | None = None
        self.outcome: Any = None
        self.error: CozeError | None = None
        self.attempts = 0
        self._connections = connections
        self._limits = _limits.get()
        self._positions = _positions(request)
        self.steps: Generator[Step, Any, None] = plan(
            request.operation,
            settings.retries,
            renewable=settings.auth.renewable and not anonymous,
            rewindable=self._positions is not None,
        )

    def begin(self) -> None:
        """Before each sending: files go back to where they were."""
        self.attempts += 1
        self.outcome, self.error = None, None
        for content, position in self._positions or ():
            content.seek(position)

    def limited(self, prepared: PreparedRequest) -> PreparedRequest:
        """The request with timeouts that end with the limits of the stream it opens, if it opens
        one.
        """
        if self._limits is None:
            return prepared
        return prepared._replace(timeout=self._limits.capped(prepared.timeout))

    def may_wait(self, seconds: float) -> bool:
        """Whether a repetition after such a pause can still be in time."""
        return self._limits is None or self._limits.allows(seconds)

    def answered(self, outcome: Any) -> None:
        """A response came; it may be an error."""
        self.outcome = outcome
        self.error = _error_of(outcome)

    def failed(self, error: CozeError) -> None:
        """No response came, or one that was an error from the start."""
        if isinstance(error, APIConnectionError) and self._connections.closed:
            # Whatever the HTTP library says when its sockets are taken away; a repetition would say
            # this.
            closed = CozeError(f"the client was closed during the call ({error})")
            closed.request, closed.__cause__ = error.request, error
            error = closed
        self.error = error

    def result(self) -> Any:
        """A response goes on to its parser, even an error; without one the error is raised."""
        if self.outcome is None and self.error is not None:
            raise self.error
        return self.outcome


def execute(
    client: Any,
    settings: Settings,
    connections: Connections | AsyncConnections,
    request: Request,
    options: CallOptions,
    send: Callable[[Any, PreparedRequest], Any],
    *,
    is_async: bool = False,
) -> Steps[Any]:
    """Carries out one call.

    Args:
        client: What token requests go through.
        settings: How the request is prepared and repeated.
        connections: Where it is sent.
        request: The call.
        options: Options of this call.
        send: Sends the prepared request.
        is_async: Whether the client is async.

    Raises:
        CozeError: What the last sending met.
    """
    call = _Call(settings, connections, request)
    auth = settings.auth
    answer: object = None
    while True:
        try:
            step = call.steps.send(answer)
        except StopIteration:
            return call.result()
        answer = None
        if isinstance(step, Send):
            call.token = None
            if not request.operation.anonymous:
                call.token = yield auth.token_async(client) if is_async else auth.token(client)
            call.begin()
            prepared = settings.prepare(request, options, call.token)
            # Async streams need no limits here: their opening is cancelled as a whole.
            yield from _attempt(
                settings, connections, call, prepared if is_async else call.limited(prepared), send
            )
            answer = call.error
        elif isinstance(step, Renew):
            renew = auth.renew_async if is_async else auth.renew
            answer = yield renew(client, call.token or "")
        else:
            if not call.may_wait(step.seconds):
                return call.result()
            yield step


def _attempt(
    settings: Settings,
    connections: Connections | AsyncConnections,
    call: _Call,
    prepared: PreparedRequest,
    send: Callable[[Any, PreparedRequest], Any],
) -> Steps[None]:
    observer = settings.observer
    attempt: Attempt | None = None
    if observer.active:
        attempt = yield from observer.begin(prepared, call.attempts)
        prepared = attempt.prepared
    try:
        call.answered((yield send(connections.get(), prepared)))
    except CozeError as error:
        call.failed(error)
    if attempt is not None:
        yield from observer.end(attempt, call.outcome, call.error)


def _error_of(outcome: object) -> CozeError | None:
    """The error in a response, as far as repeating and renewing care; parsing raises the others."""
    if not isinstance(outcome, Response):
        return None
    small = len(outcome.content) < _ENVELOPE_SIZE
    if outcome.status >= 400 or (small and is_error_envelope(outcome.content)):
        return failure(outcome)
    return None


def _positions(request: Request) -> list[tuple[Any, int]] | None:
    """Open files of the request and where they are; None when one of them cannot be sent twice."""
    found = []
    for part in (request.files or {}).values():
        content = part[1]
        if hasattr(content, "read"):
            if not (hasattr(content, "seekable") and content.seekable()):
                return None
            found.append((content, content.tell()))
    return found
