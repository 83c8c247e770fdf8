"""What a callback says: its events as models, and the answers to them."""

from __future__ import annotations

from typing import Any, TypeAlias, cast

import msgspec
from attrs import define

from coze_openapi.events import callbacks
from coze_openapi.models.callbacks import (
    CallbackAudit,
    CallbackAuditAnswer,
    CallbackBotPublishedEvent,
    CallbackHeader,
    CallbackUrlVerificationEvent,
)
from coze_openapi.models.connectors_bots import BotAuditStatus

from ..errors import WebhookError


@define(frozen=True, kw_only=True)
class UnknownEvent:
    """An event newer than this package."""

    header: CallbackHeader
    event: Any
    """What came under `event`, as plain JSON data."""


CallbackEvent: TypeAlias = callbacks.Delivered | UnknownEvent

EVENTS = callbacks.EVENTS
"""`header.event_type` → model."""


def parse(body: bytes) -> CallbackEvent:
    """The event in the body of a callback. It says nothing about who sent it; see `verify`.

    Args:
        body: The request body.

    Returns:
        The model of the event type; an UnknownEvent when this package does not know the type yet.

    Raises:
        WebhookError: `status` 400: no JSON in UTF-8, or not of the shape of a callback.

    Source: receive_handle_callbacks
    """
    try:
        raw = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # The text of the error is left out: it may quote the body.
        raise WebhookError("the body is no JSON in UTF-8", status=400) from None
    header = raw.get("header") if isinstance(raw, dict) else None
    kind = header.get("event_type") if isinstance(header, dict) else None
    if not isinstance(header, dict) or not isinstance(kind, str) or not kind:
        raise WebhookError("the body has no `header.event_type`", status=400)
    known = CallbackHeader.from_dict(header)
    if not isinstance(known.event_id, str | None):
        raise WebhookError("`header.event_id` is no text", status=400)
    model = EVENTS.get(kind)
    if model is None:
        return UnknownEvent(header=known, event=raw.get("event"))
    if not isinstance(raw.get("event"), dict | None):
        raise WebhookError("`event` is no object", status=400)
    return cast(CallbackEvent, model.from_dict(raw))


def challenge_answer(event: CallbackUrlVerificationEvent) -> bytes:
    """The body that answers the check of an address, with status 200 and within 3 seconds.

    Raises:
        WebhookError: `status` 400: the event holds no challenge.

    Source: receive_handle_callbacks
    """
    challenge = event.event.challenge if event.event is not None else None
    if not isinstance(challenge, str) or not challenge:
        raise WebhookError("the check of the address holds no challenge", status=400)
    return msgspec.json.encode({"challenge": challenge})


def audit_passed() -> CallbackAudit:
    """The review of a published bot: passed. Source: agent_callback_messages"""
    return CallbackAudit(audit_status=BotAuditStatus.APPROVED, reason="")


def audit_refused(reason: str) -> CallbackAudit:
    """The review of a published bot: refused, and why. Publishing fails. Source:
    agent_callback_messages
    """
    return CallbackAudit(audit_status=BotAuditStatus.REJECTED, reason=reason)


def audit_in_review() -> CallbackAudit:
    """The review of a published bot takes longer; report its result by
    `coze.connectors.bots.update`. Source: agent_callback_messages
    """
    return CallbackAudit(audit_status=BotAuditStatus.IN_REVIEW, reason="")


def audit_answer(audit: CallbackAudit) -> bytes:
    """The body that answers `bot.published` on an own channel, within 10 seconds."""
    return msgspec.json.encode(CallbackAuditAnswer(audit=audit).to_dict())


def published_bot_id(event: CallbackBotPublishedEvent) -> str | None:
    """Id of the bot that was published, whichever of its names and types came; None when there is
    none.

    Source: agent_callback_messages
    """
    bot = event.event
    found = (bot.bot_id_str or bot.bot_id) if bot is not None else None
    return str(found) if found else None
