"""Executes the plan of a call (`retries.plan`): sends the request, waits, renews the token."""

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

# Bytes; an error envelope is smaller, so larger responses are not decoded twice.
_MAX_ENVELOPE_SIZE = 2048

# The limits of the stream that the current call opens; None for other calls.
_limits: ContextVar[StreamLimits | None] = ContextVar("cozekit_limits", default=None)


@contextmanager
def opening(limits: StreamLimits) -> Iterator[None]:
    """Applies the limits of a stream to the call that opens it, retries included."""
    token = _limits.set(limits if limits.exact else None)
    try:
        yield
    finally:
        _limits.reset(token)


class _Call:
    """A call in progress: its plan, and the outcome of the last attempt."""

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
        self.plan: Generator[Step, Any, None] = plan(
            request.operation,
            settings.retries,
            renewable=settings.auth.renewable and not anonymous,
            can_restart=lambda: all(file.can_restart for file in (request.files or {}).values()),
        )

    def begin(self) -> None:
        """Starts an attempt."""
        self.attempts += 1
        self.outcome, self.error = None, None

    def limited(self, prepared: PreparedRequest) -> PreparedRequest:
        """The request with its timeouts capped to the limits of the stream that it opens."""
        if self._limits is None:
            return prepared
        return prepared._replace(timeout=self._limits.capped(prepared.timeout))

    def may_wait(self, seconds: float) -> bool:
        """Whether a retry after this pause is still within the limits."""
        return self._limits is None or self._limits.allows(seconds)

    def responded(self, outcome: Any) -> None:
        """The attempt got a response, which may be an error."""
        self.outcome = outcome
        self.error = _error_of(outcome)

    def failed(self, error: CozeError) -> None:
        """The attempt got no response, or a stream got an error response."""
        if isinstance(error, APIConnectionError) and self._connections.closed:
            # The HTTP library reports a connection error when its sockets are closed.
            closed_error = CozeError(f"the client was closed during the call ({error})")
            closed_error.request, closed_error.__cause__ = error.request, error
            error = closed_error
        self.error = error

    def result(self) -> Any:
        """Returns the response, even an error, which its parser raises; raises if there is none."""
        error, self.error = self.error, None
        try:
            if self.outcome is None and error is not None:
                raise error
            return self.outcome
        finally:
            del error  # a frame that keeps its own error lives until the garbage collector runs


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
    """Executes a call.

    Args:
        client: The client; sends token requests.
        settings: The settings of the client.
        connections: The connections of the client.
        request: The request.
        options: Options of this call.
        send: Sends the prepared request.
        is_async: Whether the client is async.

    Raises:
        NotFoundError: The server of the client does not have the operation.
        CozeError: The error of the last attempt.
    """
    if settings.server:
        from .other_servers import for_server

        request = for_server(request, settings.server, settings.service)
    call = _Call(settings, connections, request)
    auth = settings.auth
    result: object = None
    while True:
        try:
            step = call.plan.send(result)
        except StopIteration:
            result = None  # this frame must not keep a reference to an error
            return call.result()
        result = None
        if isinstance(step, Send):
            call.token = None
            if not request.operation.anonymous:
                call.token = yield from _ask(auth.token_async if is_async else auth.token, client)
            call.begin()
            prepared = settings.prepare(request, options, call.token)
            # Opening an async stream is cancelled as a whole, so its timeouts need no caps.
            yield from _attempt(
                settings, connections, call, prepared if is_async else call.limited(prepared), send
            )
            result = call.error
        elif isinstance(step, Renew):
            renew = auth.renew_async if is_async else auth.renew
            result = yield from _ask(renew, client, call.token or "")
        else:
            if not call.may_wait(step.seconds):
                return call.result()
            yield step


def _ask(method: Callable[..., Any], *arguments: Any) -> Steps[Any]:
    """The answer of a token source; what a source of the caller raises becomes our error."""
    try:
        return (yield method(*arguments))
    except CozeError:
        raise
    except Exception as error:
        name, problem = method.__qualname__, type(error).__name__
        raise CozeError(f"auth: {problem} was raised in {name}") from error


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
        call.responded((yield send(connections.get(), prepared)))
    except CozeError as error:
        call.failed(error)
    if attempt is not None:
        yield from observer.end(attempt, call.outcome, call.error)


def _error_of(outcome: object) -> CozeError | None:
    """The error in a response, for retries and token renewal; None if only the parser can tell."""
    if not isinstance(outcome, Response):
        return None
    is_small = len(outcome.content) < _MAX_ENVELOPE_SIZE
    if outcome.status >= 400 or (is_small and is_error_envelope(outcome.content)):
        return failure(outcome)
    return None
