"""Callbacks: events that Coze posts to an address of yours.

    from cozekit.webhooks import AsgiApp, AsyncWebhookReceiver, CallbackBotPublishedEvent,
    audit_passed

    receiver = AsyncWebhookReceiver(verify_token)

    @receiver.on(CallbackBotPublishedEvent)
    async def published(event: CallbackBotPublishedEvent) -> CallbackAudit:
        return audit_passed()

    app = AsgiApp(receiver)

In a framework of your own: `receiver.handle(headers, body)` gives status and body to answer with,
`verify(headers, body, token)` and `parse(body)` are the two steps alone. The verify token is that
of the callback application, from `coze.api_apps.create`.

Source: pages receive_handle_callbacks, agent_callback_messages, agent_delete_callback_messages,
agent_unpublished_callback_messages, billing_callback_message, benefit_plugin_scale_requested,
benefit_plugin_scale_expired.
"""

from __future__ import annotations

from coze_openapi.models.callbacks import CallbackAudit as CallbackAudit
from coze_openapi.models.callbacks import (
    CallbackBenefitPluginScaleExpiredEvent as CallbackBenefitPluginScaleExpiredEvent,
)
from coze_openapi.models.callbacks import (
    CallbackBenefitPluginScaleRequestedEvent as CallbackBenefitPluginScaleRequestedEvent,
)
from coze_openapi.models.callbacks import CallbackBenefitUsageEvent as CallbackBenefitUsageEvent
from coze_openapi.models.callbacks import CallbackBotDeletedEvent as CallbackBotDeletedEvent
from coze_openapi.models.callbacks import CallbackBotPublishedEvent as CallbackBotPublishedEvent
from coze_openapi.models.callbacks import CallbackBotUnpublishedEvent as CallbackBotUnpublishedEvent
from coze_openapi.models.callbacks import (
    CallbackUrlVerificationEvent as CallbackUrlVerificationEvent,
)

from ..errors import WebhookError as WebhookError
from .apps import AsgiApp as AsgiApp
from .apps import WsgiApp as WsgiApp
from .events import CallbackEvent as CallbackEvent
from .events import UnknownEvent as UnknownEvent
from .events import audit_in_review as audit_in_review
from .events import audit_passed as audit_passed
from .events import audit_refused as audit_refused
from .events import challenge_answer as challenge_answer
from .events import parse as parse
from .events import published_bot_id as published_bot_id
from .receiver import Answer as Answer
from .receiver import AsyncWebhookReceiver as AsyncWebhookReceiver
from .receiver import WebhookReceiver as WebhookReceiver
from .signature import sign as sign
from .signature import verify as verify
from .store import AsyncEventStore as AsyncEventStore
from .store import EventStore as EventStore
from .store import MemoryEventStore as MemoryEventStore
from .store import Seen as Seen
