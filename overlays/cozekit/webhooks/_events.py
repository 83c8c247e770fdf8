"""Callback events, the bodies that answer them, and stores that remember handled events."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias, cast

from attrs import define

from coze_openapi.events import callbacks
from coze_openapi.models.callbacks import (
    CallbackAudit,
    CallbackBotPublishedEvent,
    CallbackHeader,
    CallbackUrlVerificationEvent,
)
from coze_openapi.models.connectors_bots import BotAuditStatus
from coze_runtime import publish
from coze_runtime.serialization.convert import read_json, write_json

from ..errors import ArgumentError, WebhookError


@define(frozen=True, kw_only=True)
class UnknownEvent:
    """An event that this version of the package does not know."""

    header: CallbackHeader
    event: Any
    """Content of `event`, as plain JSON data."""


CallbackEvent: TypeAlias = callbacks.Delivered | UnknownEvent


def parse(body: bytes) -> CallbackEvent:
    """Parses the body of a callback. Does not check the signature; see `verify`.

    Args:
        body: The request body.

    Returns:
        The model of the event type, or an UnknownEvent if the package does not know the type.

    Raises:
        WebhookError: `status` 400: the body is not valid JSON, or not a callback.

    Source: receive_handle_callbacks
    """
    try:
        callback = read_json(body)
    except ValueError:
        # Drop the original error: it may quote the body.
        raise WebhookError("the body is not valid JSON", status=400) from None
    header = callback.get("header") if isinstance(callback, dict) else None
    event_type = header.get("event_type") if isinstance(header, dict) else None
    if not isinstance(header, dict) or not isinstance(event_type, str) or not event_type:
        raise WebhookError("the body has no `header.event_type`", status=400)
    if not isinstance(header.get("event_id"), str | None):
        raise WebhookError("`header.event_id` is not a string", status=400)
    model = callbacks.EVENTS.get(event_type)
    if model is None:
        return UnknownEvent(header=CallbackHeader.from_dict(header), event=callback.get("event"))
    if not isinstance(callback.get("event"), dict | None):
        raise WebhookError("`event` is not an object", status=400)
    return cast(CallbackEvent, model.from_dict(callback))


def challenge_answer(event: CallbackUrlVerificationEvent) -> bytes:
    """The response body for a URL verification; send it with status 200 within 3 seconds.

    Args:
        event: The URL verification event.

    Raises:
        WebhookError: `status` 400: the event has no challenge.

    Source: receive_handle_callbacks
    """
    challenge = event.event.challenge if event.event is not None else None
    if not isinstance(challenge, str) or not challenge:
        raise WebhookError("the URL verification has no challenge", status=400)
    return write_json({"challenge": challenge})


def audit_passed() -> CallbackAudit:
    """Approves a published bot. Source: agent_callback_messages"""
    return CallbackAudit(audit_status=BotAuditStatus.APPROVED, reason="")


def audit_refused(reason: str) -> CallbackAudit:
    """Rejects a published bot, so that publishing fails. Source: agent_callback_messages

    Args:
        reason: Why; the publisher sees it.
    """
    return CallbackAudit(audit_status=BotAuditStatus.REJECTED, reason=reason)


def audit_in_review() -> CallbackAudit:
    """Postpones the review of a published bot; report the result with
    `coze.connectors.bots.update`. Source: agent_callback_messages
    """
    return CallbackAudit(audit_status=BotAuditStatus.IN_REVIEW, reason="")


def published_bot_id(event: CallbackBotPublishedEvent) -> str | None:
    """Returns the id of the published bot as text, from whichever field has it, or None.

    Args:
        event: The event.

    Source: agent_callback_messages
    """
    bot = event.event
    bot_id = (bot.bot_id_str or bot.bot_id) if bot is not None else None
    return str(bot_id) if bot_id else None


class Seen(NamedTuple):
    """State of an event in a store."""

    state: Literal["new", "running", "done"]
    """`new`: this call claimed it. `running`: another call is handling it. `done`: it was answered
    with `answer`.
    """
    answer: bytes = b""


class EventStore(Protocol):
    """Remembers events by id, since Coze repeats a delivery until it is answered in time. Several
    processes need a store in a shared database; `begin` must be atomic.
    """

    def begin(self, event_id: str) -> Seen:
        """Claims the event if it is new. An unfinished claim must expire, or a crash would block
        the event.

        Args:
            event_id: Id of the event; the same for each of its deliveries.
        """
        ...

    def finish(self, event_id: str, answer: bytes) -> None:
        """Records that the event was handled; repeated deliveries get the same answer.

        Args:
            event_id: Id of the event.
            answer: Body of the response.
        """
        ...

    def forget(self, event_id: str) -> None:
        """Records that handling failed; the next delivery counts as new.

        Args:
            event_id: Id of the event.
        """
        ...


class AsyncEventStore(Protocol):
    """Async form of `EventStore`."""

    async def begin(self, event_id: str) -> Seen:
        """Claims the event if it is new. An unfinished claim must expire, or a crash would block
        the event.

        Args:
            event_id: Id of the event; the same for each of its deliveries.
        """
        ...

    async def finish(self, event_id: str, answer: bytes) -> None:
        """Records that the event was handled; repeated deliveries get the same answer.

        Args:
            event_id: Id of the event.
            answer: Body of the response.
        """
        ...

    async def forget(self, event_id: str) -> None:
        """Records that handling failed; the next delivery counts as new.

        Args:
            event_id: Id of the event.
        """
        ...


class MemoryEventStore:
    """A thread-safe store in the memory of one process. Drops the oldest events when it is full."""

    def __init__(
        self,
        *,
        max_events: int = 10_000,
        keep: float = 86_400.0,
        lease: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Creates an empty store.

        Args:
            max_events: How many events to remember; at least 1.
            keep: Seconds to remember a handled event; by default a day.
            lease: Seconds after which an unfinished event may be claimed again.
            clock: Returns monotonic time in seconds.

        Raises:
            ArgumentError: `max_events` is below 1.
        """
        if max_events < 1:
            raise ArgumentError("max_events must be at least 1", argument="max_events")
        self._max_events = max_events
        self._keep = keep
        self._lease = lease
        self._clock = clock
        self._lock = threading.Lock()
        self._events: OrderedDict[str, tuple[float, bytes | None]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._events)

    def begin(self, event_id: str) -> Seen:
        """Claims the event if it is new.

        Args:
            event_id: Id of the event; the same for each of its deliveries.
        """
        with self._lock:
            now = self._clock()
            expires, answer = self._events.get(event_id, (now, None))
            if expires > now:
                return Seen("running") if answer is None else Seen("done", answer)
            self._put(event_id, now + self._lease, None)
            return Seen("new")

    def finish(self, event_id: str, answer: bytes) -> None:
        """Records that the event was handled; repeated deliveries get the same answer.

        Args:
            event_id: Id of the event.
            answer: Body of the response.
        """
        with self._lock:
            self._put(event_id, self._clock() + self._keep, answer)

    def forget(self, event_id: str) -> None:
        """Records that handling failed; the next delivery counts as new.

        Args:
            event_id: Id of the event.
        """
        with self._lock:
            self._events.pop(event_id, None)

    def _put(self, event_id: str, expires: float, answer: bytes | None) -> None:
        self._events[event_id] = (expires, answer)
        self._events.move_to_end(event_id)
        while len(self._events) > self._max_events:
            self._events.popitem(last=False)


publish(globals(), "cozekit.webhooks")
