"""Typed client of the Coze (扣子) Open API: every documented operation, sync and async.

    from cozekit import Coze, messages

    with Coze() as coze:  # the token comes from COZE_API_TOKEN
        question = [messages.user_text("What is the weather in Hangzhou?")]
        with coze.chat.stream(bot_id="…", user_id="…", additional_messages=question) as stream:
            for piece in stream.text_stream():
                print(piece, end="")

`AsyncCoze` has the same methods for `async` and `await`. Every error is a `CozeError`.

    models, events        what is sent and received; events of streams
    messages, documents   builders of chat messages and of knowledge documents
    databases             builders of filters and rows of databases
    errors                all exceptions
    auth                  ways to sign in: OAuth, JWT, token stores
    websockets, rtc       voice sockets, events of real-time calls
    audio                 WAV, G.711, audio in real time
    webhooks              callbacks of the platform
    resources, types      classes for annotations: `resources.Bots`, `types.Page`, …
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coze_runtime import __version__ as __version__

if TYPE_CHECKING:
    from coze_openapi.events import ChatEvent as ChatEvent
    from coze_openapi.events import WorkflowEvent as WorkflowEvent
    from coze_openapi.streams import AsyncChatStream as AsyncChatStream
    from coze_openapi.streams import AsyncWorkflowStream as AsyncWorkflowStream
    from coze_openapi.streams import ChatResult as ChatResult
    from coze_openapi.streams import ChatStream as ChatStream
    from coze_openapi.streams import Interruption as Interruption
    from coze_openapi.streams import WorkflowResult as WorkflowResult
    from coze_openapi.streams import WorkflowStream as WorkflowStream
    from coze_runtime.calls.hooks import OutgoingRequest as OutgoingRequest
    from coze_runtime.calls.hooks import ReceivedResponse as ReceivedResponse
    from coze_runtime.calls.raw import RawResponse as RawResponse
    from coze_runtime.calls.retries import Retry as Retry
    from coze_runtime.calls.retries import RetryPolicy as RetryPolicy
    from coze_runtime.streams.events import UnknownEvent as UnknownEvent
    from coze_runtime.streams.speech import AsyncSpeechStream as AsyncSpeechStream
    from coze_runtime.streams.speech import SpeechStream as SpeechStream
    from coze_runtime.streams.workflow import NodeOutput as NodeOutput
    from coze_runtime.types import DEFAULT as DEFAULT
    from coze_runtime.types import NULL as NULL
    from coze_runtime.types import Drift as Drift
    from coze_runtime.types import Timeout as Timeout
    from coze_runtime.types import UploadProgress as UploadProgress

    from . import audio as audio
    from . import auth as auth
    from . import databases as databases
    from . import documents as documents
    from . import errors as errors
    from . import events as events
    from . import messages as messages
    from . import models as models
    from . import resources as resources
    from . import rtc as rtc
    from . import types as types
    from . import webhooks as webhooks
    from . import websockets as websockets
    from ._client import AsyncCoze as AsyncCoze
    from ._client import Coze as Coze
    from .errors import *  # noqa: F403
else:
    from ._lazy import lazy

    __getattr__, __dir__, __all__ = lazy(
        globals(),
        {
            "._client": "AsyncCoze Coze".split(),
            ".errors": "APIConnectionError APIError APITimeoutError ArgumentError "
            "AuthenticationError ChatCanceled ChatFailed ConflictError CozeError "
            "InvalidRequestError NotFoundError OAuthError PermissionDeniedError PollTimeout "
            "QuotaExceededError RateLimitError RequestInfo ResponseError ServerError StreamError "
            "StreamInterrupted StreamTimeout TaskFailed TokenExpiredError ToolFailed "
            "TooManyRounds WebSocketError WebhookError WorkflowFailed".split(),
            "coze_openapi.events": "ChatEvent WorkflowEvent".split(),
            "coze_openapi.streams": "AsyncChatStream AsyncWorkflowStream ChatResult ChatStream "
            "Interruption WorkflowResult WorkflowStream".split(),
            "coze_runtime.calls.hooks": "OutgoingRequest ReceivedResponse".split(),
            "coze_runtime.calls.raw": ["RawResponse"],
            "coze_runtime.calls.retries": "Retry RetryPolicy".split(),
            "coze_runtime.streams.events": ["UnknownEvent"],
            "coze_runtime.streams.speech": "AsyncSpeechStream SpeechStream".split(),
            "coze_runtime.streams.workflow": ["NodeOutput"],
            "coze_runtime.types": "DEFAULT NULL Drift Timeout UploadProgress".split(),
        },
        submodules="audio auth databases documents errors events messages models resources rtc "
        "types webhooks websockets".split(),
    )
    # A star import includes the modules that programs use as `messages.user_text(…)`. The names of
    # the others (`types`, `errors`, …) often collide, so they must be imported explicitly.
    __all__ += ["databases", "documents", "events", "messages", "models"]
