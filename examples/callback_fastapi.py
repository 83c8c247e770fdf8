"""A callback server with FastAPI: `pip install cozekit fastapi uvicorn`.

Set COZE_VERIFY_TOKEN to the verify token of the callback application (`coze.api_apps.create`), run
this where Coze can reach it, then give Coze the URL: `coze.api_apps.update(id,
callback_url="https://…/callback")`.
"""

from __future__ import annotations

import os
import sys

import uvicorn
from fastapi import FastAPI, Request, Response

from cozekit.webhooks import (
    AsyncWebhookReceiver,
    CallbackAudit,
    CallbackBotDeletedEvent,
    CallbackBotPublishedEvent,
    CallbackBotUnpublishedEvent,
    audit_passed,
    published_bot_id,
)

receiver = AsyncWebhookReceiver(os.environ["COZE_VERIFY_TOKEN"])
app = FastAPI()


@receiver.on(CallbackBotPublishedEvent)
async def published(event: CallbackBotPublishedEvent) -> CallbackAudit:
    """Coze waits 10 seconds for the response; only custom channels need a review result in it."""
    print("published", published_bot_id(event), flush=True)
    return audit_passed()


@receiver.on(CallbackBotUnpublishedEvent)
async def unpublished(event: CallbackBotUnpublishedEvent) -> None:
    print("unpublished", event.event and event.event.bot_id, flush=True)


@receiver.on(CallbackBotDeletedEvent)
async def deleted(event: CallbackBotDeletedEvent) -> None:
    print("deleted", event.event and event.event.bot_id, flush=True)


@app.post("/callback")
async def callback(request: Request) -> Response:
    """The signature covers the raw body, so FastAPI must not parse it first."""
    response = await receiver.handle(request.headers, await request.body())
    return Response(response.body, response.status, media_type="application/json")


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]) if len(sys.argv) > 1 else 8000)
