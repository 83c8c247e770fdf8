"""A callback server with Flask: `pip install cozekit flask`.

Set COZE_VERIFY_TOKEN to the verify token of the callback application (`coze.api_apps.create`), run
this where Coze can reach it, then give Coze the URL: `coze.api_apps.update(id,
callback_url="https://…/callback")`. In production, use a WSGI server such as gunicorn instead of
`app.run`.
"""

from __future__ import annotations

import os
import sys

from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from cozekit.webhooks import (
    CallbackAudit,
    CallbackBotDeletedEvent,
    CallbackBotPublishedEvent,
    CallbackBotUnpublishedEvent,
    WebhookReceiver,
    WsgiApp,
    audit_passed,
    published_bot_id,
)

receiver = WebhookReceiver(os.environ["COZE_VERIFY_TOKEN"])
app = Flask(__name__)


@receiver.on(CallbackBotPublishedEvent)
def published(event: CallbackBotPublishedEvent) -> CallbackAudit:
    """Coze waits 10 seconds for the response; only custom channels need a review result in it."""
    print("published", published_bot_id(event), flush=True)
    return audit_passed()


@receiver.on(CallbackBotUnpublishedEvent)
def unpublished(event: CallbackBotUnpublishedEvent) -> None:
    print("unpublished", event.event and event.event.bot_id, flush=True)


@receiver.on(CallbackBotDeletedEvent)
def deleted(event: CallbackBotDeletedEvent) -> None:
    print("deleted", event.event and event.event.bot_id, flush=True)


@app.get("/")
def home() -> str:
    return "callbacks go to /callback"


# The receiver reads the raw body, which the signature covers, before Flask does.
app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/callback": WsgiApp(receiver)})  # type: ignore[method-assign]

if __name__ == "__main__":
    app.run(port=int(sys.argv[1]) if len(sys.argv) > 1 else 8000)
