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
    from coze_openapi.streams import *  # noqa: F403
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
    from coze_runtime import lazy

    __getattr__, __dir__ = lazy(
        globals(),
        {
            # A star import includes the modules that programs use as `messages.user_text(…)`. The
            # names of the others (`types`, `errors`, …) often collide, so they must be imported
            # explicitly.
            "cozekit": "databases documents events messages models",
            "._client": "AsyncCoze Coze",
            "coze_openapi.streams": "*",
            ".errors": "*",
            "coze_openapi.events": "ChatEvent WorkflowEvent",
            "coze_runtime.calls.hooks": "OutgoingRequest ReceivedResponse",
            "coze_runtime.calls.raw": "RawResponse",
            "coze_runtime.calls.retries": "Retry RetryPolicy",
            "coze_runtime.streams.events": "UnknownEvent",
            "coze_runtime.streams.speech": "AsyncSpeechStream SpeechStream",
            "coze_runtime.streams.workflow": "NodeOutput",
            "coze_runtime.types": "DEFAULT NULL Drift Timeout UploadProgress",
        },
        submodules="audio auth databases documents errors events messages models resources rtc "
        "types webhooks websockets",
    )
