"""From a request to its answer: what is refused, what is repeated, which handler runs."""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Awaitable, Callable, Generator, Iterable
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar, cast

from coze_openapi.models.callbacks import CallbackAudit, CallbackUrlVerificationEvent

from ..errors import ArgumentError, WebhookError
from .events import CallbackEvent, audit_answer, challenge_answer, parse
from .signature import MAX_AGE, HeadersInput, header_values, is_unsigned, known_tokens, verify
from .store import AsyncEventStore, EventStore, MemoryEventStore

logger = logging.getLogger("cozekit.webhooks")

E = TypeVar("E")
S = TypeVar("S")
Reply: TypeAlias = CallbackAudit | None
AsyncReply: TypeAlias = Awaitable[CallbackAudit | None] | CallbackAudit | None

MAX_BODY = 1 << 20


class Answer(NamedTuple):
    """What to answer with."""

    status: int
    body: bytes = b"{}"
    """JSON; the content type is `application/json`."""


_Steps: TypeAlias = Generator[Callable[[], Any], Any, Answer]


class _Receiver(Generic[S]):
    """What the sync and the async receiver share; the steps are run by their `handle`."""

    def __init__(
        self,
        token: str | Iterable[str],
        *,
        store: S,
        max_age: float | None = MAX_AGE,
        max_body: int = MAX_BODY,
        answer_unsigned_check: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """What both receivers share.

        Args:
            token: Verify token of the callback application, or several of them.
            store: Remembers events that were delivered before.
            max_age: Seconds that a delivery may be old. None switches the check off.
            max_body: Largest body in bytes.
            answer_unsigned_check: Whether an unsigned check of the address is answered.
            clock: Returns Unix time in seconds.
        """
        self._tokens = known_tokens(token)
        self._store: Any = store
        self._max_age = max_age
        self.max_body = max_body
        """Most bytes of a body; servers that read it themselves can stop there."""
        self._answer_unsigned_check = answer_unsigned_check
        self._clock = clock
        self._handlers: dict[type[Any], Callable[[Any], Any]] = {}

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} with handlers for "
            f"{', '.join(one.__name__ for one in self._handlers) or 'nothing'}>"
        )

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
            raise self.too_large()
        if self._answer_unsigned_check and is_unsigned(headers):
            # Whether Coze signs the check of an address is not documented. The answer tells nobody
            # anything, so it is given.
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
        values = header_values(headers)
        media, _, parameters = (values.get("content-type") or [""])[0].lower().partition(";")
        if media.strip() not in ("", "application/json") and not media.strip().endswith("+json"):
            raise WebhookError("the content type is no JSON", status=415)
        charset = [
            part.partition("=")[2].strip(' "')
            for part in parameters.split(";")
            if part.strip().startswith("charset=")
        ]
        if charset and charset[0] not in ("utf-8", "utf8"):
            raise WebhookError("the charset is not UTF-8", status=415)
        if any(
            value.strip().lower() not in ("", "identity")
            for value in values.get("content-encoding", ())
        ):
            raise WebhookError("the body is compressed", status=415)
        for length in values.get("content-length", ()):
            if not (length.isascii() and length.isdigit()):
                raise WebhookError("the content length is no number", status=400)
            if len(length) > 18 or int(length) > self.max_body:
                raise self.too_large()

    def too_large(self) -> WebhookError:
        """The error for a body beyond the limit."""
        return WebhookError(f"the body is larger than {self.max_body} bytes", status=413)

    def _register(self, event: type[Any], handler: Callable[[Any], Any]) -> None:
        if event in self._handlers:
            raise ArgumentError(f"{event.__name__} has a handler already", argument="event")
        if event is CallbackUrlVerificationEvent:
            raise ArgumentError(
                "the check of the address is answered by the receiver itself", argument="event"
            )
        self._handlers[event] = handler

    def _steps(self, headers: HeadersInput, body: bytes) -> _Steps:
        """The way from request to answer; yields what may have to be awaited, and gets its result
        sent back.
        """
        try:
            event = self.receive(headers, body)
            if isinstance(event, CallbackUrlVerificationEvent):
                return Answer(200, challenge_answer(event))
        except WebhookError as error:
            return refused(error)
        handler = self._handlers.get(type(event))
        event_id = event.header.event_id
        if handler is None:
            logger.debug(
                "no handler for the callback %r; it is answered and dropped",
                event.header.event_type,
            )
            return Answer(200)
        if event_id:
            seen = yield lambda: self._store.begin(event_id)
            if seen.state == "done":
                return Answer(200, seen.answer)
            if seen.state == "running":
                # A 200 would end the deliveries although the handler may still fail.
                return Answer(503)
        return (yield from self._run(handler, event, event_id))

    def _run(
        self, handler: Callable[[Any], Any], event: CallbackEvent, event_id: str | None
    ) -> _Steps:
        kind = event.header.event_type
        try:
            result = yield lambda: handler(event)
            answer = audit_answer(result) if isinstance(result, CallbackAudit) else b"{}"
        except Exception:
            logger.exception("the handler of the callback %r failed; Coze delivers it again", kind)
            if event_id:
                yield lambda: self._store.forget(event_id)
            return Answer(500)
        if event_id:
            yield lambda: self._store.finish(event_id, answer)
        return Answer(200, answer)


def refused(error: WebhookError) -> Answer:
    """The answer to a request that is refused. The reason is logged, without anything of the
    request, and not told.
    """
    logger.warning("callback refused with %d: %s", error.status, error)
    return Answer(error.status)


class WebhookReceiver(_Receiver[EventStore]):
    """Takes callbacks in a program without coroutines.

    Source: receive_handle_callbacks
    """

    def __init__(
        self,
        token: str | Iterable[str],
        *,
        store: EventStore | None = None,
        max_age: float | None = MAX_AGE,
        max_body: int = MAX_BODY,
        answer_unsigned_check: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """A receiver without handlers; register them with `on`.

        Args:
            token: Verify token of the callback application; several when one address serves several
                applications.
            store: Remembers events, so that no handler runs twice for a repeated delivery. None
                remembers them in this process.
            max_age: Seconds that a delivery may be old, or ahead of this machine's clock. None
                switches the check off.
            max_body: Largest body in bytes; by default 1 MiB.
            answer_unsigned_check: Whether Coze's check of the address is answered when it is not
                signed.
            clock: Returns Unix time in seconds.

        Raises:
            ArgumentError: The token is empty.
        """
        super().__init__(
            token,
            store=MemoryEventStore() if store is None else store,
            max_age=max_age,
            max_body=max_body,
            answer_unsigned_check=answer_unsigned_check,
            clock=clock,
        )

    def on(self, event: type[E]) -> Callable[[Callable[[E], Reply]], Callable[[E], Reply]]:
        """Registers a function for events of this class; a decorator.

        The answer waits for the function, and Coze waits 3 seconds (10 for `bot.published`), so it
        should only note down what there is to do. When it raises, the answer is 500 and Coze
        delivers the event again.

        Args:
            event: The class of the events; `UnknownEvent` for all that have no class.

        Raises:
            ArgumentError: The class has a handler already, or is that of the check of the address,
                which the receiver answers by itself.
        """

        def register(handler: Callable[[E], Reply]) -> Callable[[E], Reply]:
            if inspect.iscoroutinefunction(handler):
                raise ArgumentError("a coroutine needs an AsyncWebhookReceiver", argument="handler")
            self._register(event, handler)
            return handler

        return register

    def handle(self, headers: HeadersInput, body: bytes) -> Answer:
        """The answer to a POST request; a request that is refused gets one too. Raises nothing but
        errors of the store.

        Args:
            headers: Headers of the request: a mapping, or pairs of str or bytes.
            body: Raw body, byte for byte.
        """
        steps = self._steps(headers, body)
        result: Any = None
        failure: Exception | None = None
        while True:
            try:
                step = steps.throw(failure) if failure else steps.send(result)
            except StopIteration as end:
                return cast(Answer, end.value)
            result, failure = None, None
            try:
                result = step()
            except Exception as error:
                failure = error


class AsyncWebhookReceiver(_Receiver[EventStore | AsyncEventStore]):
    """Takes callbacks in a program with coroutines."""

    def __init__(
        self,
        token: str | Iterable[str],
        *,
        store: EventStore | AsyncEventStore | None = None,
        max_age: float | None = MAX_AGE,
        max_body: int = MAX_BODY,
        answer_unsigned_check: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """A receiver without handlers; register them with `on`.

        Args:
            token: Verify token of the callback application; several when one address serves several
                applications.
            store: Remembers events, so that no handler runs twice for a repeated delivery; a sync
                one must not block. None remembers them in this process.
            max_age: Seconds that a delivery may be old, or ahead of this machine's clock. None
                switches the check off.
            max_body: Largest body in bytes; by default 1 MiB.
            answer_unsigned_check: Whether Coze's check of the address is answered when it is not
                signed.
            clock: Returns Unix time in seconds.

        Raises:
            ArgumentError: The token is empty.
        """
        super().__init__(
            token,
            store=MemoryEventStore() if store is None else store,
            max_age=max_age,
            max_body=max_body,
            answer_unsigned_check=answer_unsigned_check,
            clock=clock,
        )

    def on(
        self, event: type[E]
    ) -> Callable[[Callable[[E], AsyncReply]], Callable[[E], AsyncReply]]:
        """Registers a function or coroutine function for events of this class; a decorator. A plain
        function must not block.

        The answer waits for the function, and Coze waits 3 seconds (10 for `bot.published`), so it
        should only note down what there is to do. When it raises, the answer is 500 and Coze
        delivers the event again.

        Args:
            event: The class of the events; `UnknownEvent` for all that have no class.

        Raises:
            ArgumentError: The class has a handler already, or is that of the check of the address,
                which the receiver answers by itself.
        """

        def register(handler: Callable[[E], AsyncReply]) -> Callable[[E], AsyncReply]:
            self._register(event, handler)
            return handler

        return register

    async def handle(self, headers: HeadersInput, body: bytes) -> Answer:
        """The answer to a POST request; a request that is refused gets one too. Raises nothing but
        errors of the store.

        When it is cancelled, the claim on the event expires with the lease of the store.

        Args:
            headers: Headers of the request: a mapping, or pairs of str or bytes.
            body: Raw body, byte for byte.
        """
        steps = self._steps(headers, body)
        result: Any = None
        failure: Exception | None = None
        while True:
            try:
                step = steps.throw(failure) if failure else steps.send(result)
            except StopIteration as end:
                return cast(Answer, end.value)
            result, failure = None, None
            try:
                result = step()
                if inspect.isawaitable(result):
                    result = await result
            except Exception as error:
                failure = error
