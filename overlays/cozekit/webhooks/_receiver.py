"""Handles callback requests: checks, deduplication, handlers, responses."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, ClassVar, Generic, NamedTuple, TypeAlias, TypeVar

from coze_openapi.events.callbacks import EVENTS
from coze_openapi.models.callbacks import (
    CallbackAudit,
    CallbackAuditAnswer,
    CallbackUrlVerificationEvent,
)
from coze_runtime import publish
from coze_runtime.serialization.convert import write_json
from coze_runtime.steps import Steps, reject_async, run_steps, run_steps_async

from ..errors import ArgumentError, WebhookError
from ._events import (
    AsyncEventStore,
    CallbackEvent,
    EventStore,
    MemoryEventStore,
    UnknownEvent,
    challenge_answer,
    parse,
)
from ._request import (
    MAX_AGE,
    HeadersInput,
    check_headers,
    checked_tokens,
    is_unsigned,
    too_large,
    verify,
)

logger = logging.getLogger("cozekit.webhooks")

Reply: TypeAlias = CallbackAudit | None
AsyncReply: TypeAlias = Awaitable[CallbackAudit | None] | CallbackAudit | None

EventT = TypeVar("EventT")
StoreT = TypeVar("StoreT")
ReplyT = TypeVar("ReplyT")


class Answer(NamedTuple):
    """The HTTP response to a callback request."""

    status: int
    body: bytes = b"{}"
    """JSON; send it with the content type `application/json`."""


class _Receiver(Generic[StoreT, ReplyT]):
    """Base class of both receivers; their `handle` runs the steps of `_handle`."""

    _takes_coroutines: ClassVar[bool]

    def __init__(
        self,
        token: str | Iterable[str],
        *,
        store: StoreT | None = None,
        max_age: float | None = MAX_AGE,
        max_body: int = 1 << 20,
        answer_unsigned_check: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Creates a receiver without handlers; register them with `on`.

        Args:
            token: Verify token of the callback application, or several tokens if one URL serves
                several applications.
            store: Remembers events, so that handlers do not run again for a repeated delivery. None
                remembers them in this process. In an `AsyncWebhookReceiver` a sync store must not
                block.
            max_age: Maximum difference in seconds between the timestamp of a delivery and the local
                clock. None disables the check.
            max_body: Maximum size of a body in bytes; by default 1 MiB.
            answer_unsigned_check: Whether to answer a URL verification that is not signed.
            clock: Returns Unix time in seconds.

        Raises:
            ArgumentError: The token is empty.
        """
        self._tokens = checked_tokens(token)
        self._store: Any = MemoryEventStore() if store is None else store
        self._max_age = max_age
        self.max_body = max_body
        """Maximum size of a body; servers can stop reading there."""
        self._answer_unsigned_check = answer_unsigned_check
        self._clock = clock
        self._handlers: dict[type[Any], Callable[[Any], Any]] = {}

    def __repr__(self) -> str:
        events = ", ".join(event.__name__ for event in self._handlers) or "nothing"
        return f"<{type(self).__name__} with handlers for {events}>"

    def on(
        self, event: type[EventT]
    ) -> Callable[[Callable[[EventT], ReplyT]], Callable[[EventT], ReplyT]]:
        """Decorator that registers a handler for events of a class. An `AsyncWebhookReceiver` also
        accepts coroutine functions; a plain function must not block.

        The response is sent after the handler returns, and Coze waits 3 seconds (10 for
        `bot.published`), so leave long work to a queue. If the handler raises, the status is 500
        and Coze delivers the event again.

        Args:
            event: Class of the events; `UnknownEvent` for all that have no class.

        Raises:
            ArgumentError: The class already has a handler, is not an event class, or is the URL
                verification, which the receiver answers itself; or the handler is a coroutine
                function and the receiver is not async.
        """

        def register(handler: Callable[[EventT], ReplyT]) -> Callable[[EventT], ReplyT]:
            self._register(event, handler)
            return handler

        return register

    def _register(self, event: type[Any], handler: Callable[[Any], Any]) -> None:
        if not self._takes_coroutines:
            reject_async(handler, "handler", "handler", "use it with AsyncWebhookReceiver")
        if event is not UnknownEvent and event not in EVENTS.values():
            raise ArgumentError(
                f"{event!r} is not a callback event class; see cozekit.webhooks",
                argument="event",
            )
        if event in self._handlers:
            raise ArgumentError(f"{event.__name__} already has a handler", argument="event")
        if event is CallbackUrlVerificationEvent:
            raise ArgumentError(
                "the receiver answers the URL verification itself", argument="event"
            )
        self._handlers[event] = handler

    def receive(self, headers: HeadersInput, body: bytes) -> CallbackEvent:
        """Verifies and parses a request. Does not detect repeated deliveries.

        Args:
            headers: Headers of the request: a mapping, or pairs of str or bytes.
            body: Raw request body.

        Raises:
            WebhookError: `status` 413: too large. 415: not JSON by its headers, compressed, or not
                UTF-8. 401: not signed by Coze, or too old. 400: not a callback.
        """
        self.check_headers(headers)
        if len(body) > self.max_body:
            raise too_large(self.max_body)
        if self._answer_unsigned_check and is_unsigned(headers):
            # It is undocumented whether Coze signs URL verifications. Answering an unsigned one
            # reveals nothing.
            event = parse(body)
            if isinstance(event, CallbackUrlVerificationEvent):
                return event
        verify(headers, body, self._tokens, max_age=self._max_age, clock=self._clock)
        return parse(body)

    def check_headers(self, headers: HeadersInput) -> None:
        """Checks the headers, before the body is read.

        Args:
            headers: Headers of the request: a mapping, or pairs of str or bytes.

        Raises:
            WebhookError: `status` 415: not JSON, compressed, or a charset other than UTF-8. 413 and
                400: the content length is too large or not a number.
        """
        check_headers(headers, self.max_body)

    def _handle(self, headers: HeadersInput, body: bytes) -> Steps[Answer]:
        try:
            event = self.receive(headers, body)
            if isinstance(event, CallbackUrlVerificationEvent):
                return Answer(200, challenge_answer(event))
        except WebhookError as error:
            return error_answer(error)
        event_type, event_id = event.header.event_type, event.header.event_id
        handler = self._handlers.get(type(event))
        if handler is None:
            logger.debug(
                "the callback %r has no handler; it was acknowledged and ignored", event_type
            )
            return Answer(200)
        if not event_id:
            return (yield from self._run(handler, event))
        seen = yield self._store.begin(event_id)
        if seen.state == "done":
            return Answer(200, seen.answer)
        if seen.state == "running":
            # A 200 would stop the deliveries, but the handler may still fail.
            return Answer(503)
        answer = yield from self._run(handler, event)
        if answer.status == 200:
            yield self._store.finish(event_id, answer.body)
        else:
            yield self._store.forget(event_id)
        return answer

    def _run(self, handler: Callable[[Any], Any], event: CallbackEvent) -> Steps[Answer]:
        try:
            reply = yield handler(event)
            if isinstance(reply, CallbackAudit):
                return Answer(200, write_json(CallbackAuditAnswer(audit=reply).to_dict()))
            return Answer(200)
        except Exception:
            logger.exception(
                "the handler of callback %r failed; Coze will deliver it again",
                event.header.event_type,
            )
            return Answer(500)


class WebhookReceiver(_Receiver[EventStore, Reply]):
    """Receives callbacks in sync programs.

    Source: receive_handle_callbacks
    """

    _takes_coroutines = False

    def handle(self, headers: HeadersInput, body: bytes) -> Answer:
        """Handles a POST request, valid or not, and returns the response. Raises only errors of the
        store.

        Args:
            headers: Headers of the request: a mapping, or pairs of str or bytes.
            body: Raw request body.
        """
        return run_steps(self._handle(headers, body))


class AsyncWebhookReceiver(_Receiver[EventStore | AsyncEventStore, AsyncReply]):
    """Receives callbacks in async programs.

    Source: receive_handle_callbacks
    """

    _takes_coroutines = True

    async def handle(self, headers: HeadersInput, body: bytes) -> Answer:
        """Handles a POST request, valid or not, and returns the response. Raises only errors of the
        store.

        If it is cancelled, the claim on the event expires with the lease of the store.

        Args:
            headers: Headers of the request: a mapping, or pairs of str or bytes.
            body: Raw request body.
        """
        return await run_steps_async(self._handle(headers, body))


def error_answer(error: WebhookError) -> Answer:
    """The response to an invalid request. The reason is logged, without quoting the request, and is
    not sent.
    """
    logger.warning("callback rejected with %d: %s", error.status, error)
    return Answer(error.status)


publish(globals(), "cozekit.webhooks")
