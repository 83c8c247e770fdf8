"""A callback server with Django, in one file: `pip install cozekit django`.

Set COZE_VERIFY_TOKEN to the verify token of the callback application (`coze.api_apps.create`), run
this where Coze can reach it, then give Coze the address: `coze.api_apps.update(id,
callback_url="https://…/callback")`. In a project of your own only the receiver, the view and its
line in `urlpatterns` are needed; name the hosts in ALLOWED_HOSTS.
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
    """Coze waits 10 seconds for this answer; only channels of your own need the review in it."""
    print("published", published_bot_id(event), flush=True)
    return audit_passed()


@receiver.on(CallbackBotUnpublishedEvent)
def unpublished(event: CallbackBotUnpublishedEvent) -> None:
    print("unpublished", event.event and event.event.bot_id, flush=True)


@receiver.on(CallbackBotDeletedEvent)
def deleted(event: CallbackBotDeletedEvent) -> None:
    print("deleted", event.event and event.event.bot_id, flush=True)


def callback(request: HttpRequest) -> HttpResponse:
    """The signature is over the raw body, `request.body`."""
    headers: Any = request.headers
    answer = receiver.handle(headers, request.body)
    return HttpResponse(answer.body, status=answer.status, content_type="application/json")


# Coze sends no CSRF token; the signature takes its place.
urlpatterns = [path("callback", csrf_exempt(require_POST(callback)))]
app: Any = get_wsgi_application()

if __name__ == "__main__":
    with make_server("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8000, app) as server:
        print(f"running on http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()
