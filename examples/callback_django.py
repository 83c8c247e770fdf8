"""A callback server with Django, in one file: `pip install cozekit django`.

Set COZE_VERIFY_TOKEN to the verify token of the callback application (`coze.api_apps.create`), run
this where Coze can reach it, then give Coze the URL: `coze.api_apps.update(id,
callback_url="https://…/callback")`. In your own project you only need the receiver, the view and
its line in `urlpatterns`; list your hosts in ALLOWED_HOSTS.
"""

from __future__ import annotations

import os
import sys
from typing import Any
from wsgiref.simple_server import make_server

from django.conf import settings  # type: ignore[import-untyped]
from django.core.wsgi import get_wsgi_application  # type: ignore[import-untyped]
from django.http import HttpRequest, HttpResponse  # type: ignore[import-untyped]
from django.urls import path  # type: ignore[import-untyped]
from django.views.decorators.csrf import csrf_exempt  # type: ignore[import-untyped]
from django.views.decorators.http import require_POST  # type: ignore[import-untyped]

from cozekit.webhooks import (
    CallbackAudit,
    CallbackBotDeletedEvent,
    CallbackBotPublishedEvent,
    CallbackBotUnpublishedEvent,
    WebhookReceiver,
    audit_passed,
    published_bot_id,
)

settings.configure(
    ROOT_URLCONF=__name__, ALLOWED_HOSTS=["127.0.0.1", "localhost"], SECRET_KEY=os.urandom(32).hex()
)
receiver = WebhookReceiver(os.environ["COZE_VERIFY_TOKEN"])


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


def callback(request: HttpRequest) -> HttpResponse:
    """The signature covers the raw body, `request.body`."""
    headers: Any = request.headers
    response = receiver.handle(headers, request.body)
    return HttpResponse(response.body, status=response.status, content_type="application/json")


# Coze sends no CSRF token; the signature replaces it.
urlpatterns = [path("callback", csrf_exempt(require_POST(callback)))]
app: Any = get_wsgi_application()

if __name__ == "__main__":
    with make_server("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8000, app) as server:
        print(f"running on http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()
