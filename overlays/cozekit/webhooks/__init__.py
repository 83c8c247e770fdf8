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

from typing import TYPE_CHECKING

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
from coze_openapi.models.callbacks import (
    CallbackBotUnpublishedEvent as CallbackBotUnpublishedEvent,
)
from coze_openapi.models.callbacks import (
    CallbackUrlVerificationEvent as CallbackUrlVerificationEvent,
)

from ..errors import WebhookError as WebhookError
from ._apps import AsgiApp as AsgiApp
from ._apps import WsgiApp as WsgiApp
from ._events import AsyncEventStore as AsyncEventStore
from ._events import CallbackEvent as CallbackEvent
from ._events import EventStore as EventStore
from ._events import MemoryEventStore as MemoryEventStore
from ._events import Seen as Seen
from ._events import UnknownEvent as UnknownEvent
from ._events import audit_in_review as audit_in_review
from ._events import audit_passed as audit_passed
from ._events import audit_refused as audit_refused
from ._events import challenge_answer as challenge_answer
from ._events import parse as parse
from ._events import published_bot_id as published_bot_id
from ._receiver import Answer as Answer
from ._receiver import AsyncReply as AsyncReply
from ._receiver import AsyncWebhookReceiver as AsyncWebhookReceiver
from ._receiver import Reply as Reply
from ._receiver import WebhookReceiver as WebhookReceiver
from ._request import HeadersInput as HeadersInput
from ._request import sign as sign
from ._request import verify as verify

if not TYPE_CHECKING:  # type checkers read the imports above
    __all__ = [name for name in globals() if name[0] != "_"]
    __all__ = [name for name in __all__ if name not in ("TYPE_CHECKING", "annotations")]
