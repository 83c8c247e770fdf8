"""From a request to its answer: checks, repeated deliveries, handlers."""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, ClassVar, Generic, NamedTuple, TypeAlias, TypeVar

from msgspec.json import encode

from coze_openapi.models.callbacks import (
    CallbackAudit,
    CallbackAuditAnswer,
    CallbackUrlVerificationEvent,
)
from coze_runtime._publish import publish
from coze_runtime.steps import Steps, run_steps, run_steps_async

from ..errors import ArgumentError, WebhookError
from ._events import (
    AsyncEventStore,
    CallbackEvent,
    EventStore,
    MemoryEventStore,
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
    """What to answer with."""

    status: int
    body: bytes = b"{}"
    """JSON; the content type is `application/json`."""


class _Receiver(Generic[StoreT, ReplyT]):
    """What both receivers share: one text of steps, run by their `handle`."""

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
        """A receiver without handlers; register them with `on`.

        Args:
            token: Verify token of the callback application; several when one address serves several
                applications.
            store: Remembers events, so that no handler runs twice for a repeated delivery. None
                remembers them in this process. Without coroutines it must not block in an
                `AsyncWebhookReceiver`.
            max_age: Maximum age of a delivery in seconds; it may be as far ahead of the local
                clock. None switches the check off.
            max_body: Maximum size of a body in bytes; by default 1 MiB.
            answer_unsigned_check: Whether to answer Coze's check of the address when it is not
                signed.
            clock: Returns Unix time in seconds.

        Raises:
            ArgumentError: The token is empty.
        """
        self._tokens = checked_tokens(token)
        self._store: Any = MemoryEventStore() if store is None else store
        self._max_age = max_age
        self.max_body = max_body
        """Maximum size of a body; servers that read it themselves can stop there."""
        self._answer_unsigned_check = answer_unsigned_check
        self._clock = clock
        self._handlers: dict[type[Any], Callable[[Any], Any]] = {}

    def __repr__(self) -> str:
        events = ", ".join(event.__name__ for event in self._handlers) or "nothing"
        return f"<{type(self).__name__} with handlers for {events}>"

    def on(
        self, event: type[EventT]
    ) -> Callable[[Callable[[EventT], ReplyT]], Callable[[EventT], ReplyT]]:
        """Registers a function for events of this class; a decorator. An `AsyncWebhookReceiver`
        takes coroutine functions too; a plain function must not block it.

        The answer waits for the function, and Coze waits 3 seconds (10 for `bot.published`), so the
        function should only note down what there is to do. When it raises, the answer is 500 and
        Coze delivers the event again.

        Args:
            event: The class of the events; `UnknownEvent` for all that have no class.

        Raises:
            ArgumentError: The class has a handler already; it is the check of the address, which
                the receiver answers itself; or the function is a coroutine function and the
                receiver is not async.
        """

        def register(handler: Callable[[EventT], ReplyT]) -> Callable[[EventT], ReplyT]:
            self._register(event, handler)
            return handler

        return register

    def _register(self, event: type[Any], handler: Callable[[Any], Any]) -> None:
        if inspect.iscoroutinefunction(handler) and not self._takes_coroutines:
            raise ArgumentError("a coroutine needs an AsyncWebhookReceiver", argument="handler")
        if event in self._handlers:
            raise ArgumentError(f"{event.__name__} has a handler already", argument="event")
        if event is CallbackUrlVerificationEvent:
            raise ArgumentError(
                "the receiver itself answers the check of the address", argument="event"
            )
        self._handlers[event] = handler

    def receive(self, headers: HeadersInput, body: bytes) -> CallbackEvent:
        """The event of a request that is valid and signed by Coze. Repeated deliveries are not
        detected here.

        Args:
            headers: Headers of the request: a mapping, or pairs of str or bytes.
            body: Raw body, byte for byte.

        Raises:
            WebhookError: `status` 413: too large. 415: not JSON by its headers, compressed, or a
                charset other than UTF-8. 401: not signed by Coze, or too old. 400: not a callback.
        """
        self.check_headers(headers)
        if len(body) > self.max_body:
            raise too_large(self.max_body)
        if self._answer_unsigned_check and is_unsigned(headers):
            # It is not documented whether Coze signs the check of an address. The answer reveals
            # nothing, so it is given.
            event = parse(body)
            if isinstance(event, CallbackUrlVerificationEvent):
                return event
        verify(headers, body, self._tokens, max_age=self._max_age, clock=self._clock)
        return parse(body)

    def check_headers(self, headers: HeadersInput) -> None:
        """Checks what can be checked before the body is read.

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
            return refusal(error)
        event_type, event_id = event.header.event_type, event.header.event_id
        handler = self._handlers.get(type(event))
        if handler is None:
            logger.debug("the callback %r has no handler; it is answered and dropped", event_type)
            return Answer(200)
        if not event_id:
            return (yield from self._run(handler, event))
        seen = yield self._store.begin(event_id)
        if seen.state == "done":
            return Answer(200, seen.answer)
        if seen.state == "running":
            # A 200 would end the deliveries although the handler may still fail.
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
                return Answer(200, encode(CallbackAuditAnswer(audit=reply).to_dict()))
            return Answer(200)
        except Exception:
            logger.exception(
                "the handler of the callback %r failed; Coze delivers it again",
                event.header.event_type,
            )
            return Answer(500)


class WebhookReceiver(_Receiver[EventStore, Reply]):
    """Takes callbacks in a program without coroutines.

    Source: receive_handle_callbacks
    """

    _takes_coroutines = False

    def handle(self, headers: HeadersInput, body: bytes) -> Answer:
        """The answer to a POST request, also to one that is not valid. Raises nothing but errors of
        the store.

        Args:
            headers: Headers of the request: a mapping, or pairs of str or bytes.
            body: Raw body, byte for byte.
        """
        return run_steps(self._handle(headers, body))


class AsyncWebhookReceiver(_Receiver[EventStore | AsyncEventStore, AsyncReply]):
    """Takes callbacks in a program with coroutines.

    Source: receive_handle_callbacks
    """

    _takes_coroutines = True

    async def handle(self, headers: HeadersInput, body: bytes) -> Answer:
        """The answer to a POST request, also to one that is not valid. Raises nothing but errors of
        the store.

        When it is cancelled, the claim on the event expires with the lease of the store.

        Args:
            headers: Headers of the request: a mapping, or pairs of str or bytes.
            body: Raw body, byte for byte.
        """
        return await run_steps_async(self._handle(headers, body))


def refusal(error: WebhookError) -> Answer:
    """The answer to a request that is not valid. The reason is logged, without anything of the
    request, and not part of the answer.
    """
    logger.warning("callback refused with %d: %s", error.status, error)
    return Answer(error.status)


publish(globals(), "cozekit.webhooks")
