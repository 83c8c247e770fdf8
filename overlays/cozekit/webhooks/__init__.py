"""Callbacks: events that Coze posts to your server.

    from cozekit.models import CallbackAudit
    from cozekit.webhooks import (
        AsgiApp, AsyncWebhookReceiver, CallbackBotPublishedEvent, audit_passed,
    )

    receiver = AsyncWebhookReceiver(verify_token)

    @receiver.on(CallbackBotPublishedEvent)
    async def published(event: CallbackBotPublishedEvent) -> CallbackAudit:
        return audit_passed()

    app = AsgiApp(receiver)

In a web framework, call `receiver.handle(headers, body)`, which returns the status and body of the
response. It combines `verify(headers, body, token)` and `parse(body)`. The verify token is that of
the callback application, from `coze.api_apps.create`.

Source: pages receive_handle_callbacks, agent_callback_messages, agent_delete_callback_messages,
agent_unpublished_callback_messages, billing_callback_message, benefit_plugin_scale_requested,
benefit_plugin_scale_expired.
"""

from __future__ import annotations

from coze_openapi.models.callbacks import (
    CallbackAudit,
    CallbackBenefitPluginScaleExpiredEvent,
    CallbackBenefitPluginScaleRequestedEvent,
    CallbackBenefitUsageEvent,
    CallbackBotDeletedEvent,
    CallbackBotPublishedEvent,
    CallbackBotUnpublishedEvent,
    CallbackUrlVerificationEvent,
)

from ..errors import WebhookError
from ._apps import AsgiApp, WsgiApp
from ._events import (
    AsyncEventStore,
    CallbackEvent,
    EventStore,
    MemoryEventStore,
    Seen,
    UnknownEvent,
    audit_in_review,
    audit_passed,
    audit_refused,
    challenge_answer,
    parse,
    published_bot_id,
)
from ._receiver import Answer, AsyncReply, AsyncWebhookReceiver, Reply, WebhookReceiver
from ._request import HeadersInput, sign, verify

__all__ = [
    "Answer",
    "AsgiApp",
    "AsyncEventStore",
    "AsyncReply",
    "AsyncWebhookReceiver",
    "CallbackAudit",
    "CallbackBenefitPluginScaleExpiredEvent",
    "CallbackBenefitPluginScaleRequestedEvent",
    "CallbackBenefitUsageEvent",
    "CallbackBotDeletedEvent",
    "CallbackBotPublishedEvent",
    "CallbackBotUnpublishedEvent",
    "CallbackEvent",
    "CallbackUrlVerificationEvent",
    "EventStore",
    "HeadersInput",
    "MemoryEventStore",
    "Reply",
    "Seen",
    "UnknownEvent",
    "WebhookError",
    "WebhookReceiver",
    "WsgiApp",
    "audit_in_review",
    "audit_passed",
    "audit_refused",
    "challenge_answer",
    "parse",
    "published_bot_id",
    "sign",
    "verify",
]
