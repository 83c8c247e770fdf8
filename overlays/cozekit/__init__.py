"""Client of the Coze (扣子) Open API.

`Coze` and `AsyncCoze` are the clients, `messages` builds what a chat is asked with, `auth` holds
the ways to sign in, `models` what is sent and received, `events` what streams bring, and `errors`
every error. Every name is loaded when it is first used.
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
    from .async_client import AsyncCoze as AsyncCoze
    from .client import Coze as Coze
    from .errors import APIConnectionError as APIConnectionError
    from .errors import APIError as APIError
    from .errors import APITimeoutError as APITimeoutError
    from .errors import ArgumentError as ArgumentError
    from .errors import AuthenticationError as AuthenticationError
    from .errors import ChatCanceled as ChatCanceled
    from .errors import ChatFailed as ChatFailed
    from .errors import ConflictError as ConflictError
    from .errors import CozeError as CozeError
    from .errors import InvalidRequestError as InvalidRequestError
    from .errors import NotFoundError as NotFoundError
    from .errors import OAuthError as OAuthError
    from .errors import PermissionDeniedError as PermissionDeniedError
    from .errors import PollTimeout as PollTimeout
    from .errors import QuotaExceededError as QuotaExceededError
    from .errors import RateLimitError as RateLimitError
    from .errors import ResponseError as ResponseError
    from .errors import ServerError as ServerError
    from .errors import StreamError as StreamError
    from .errors import StreamInterrupted as StreamInterrupted
    from .errors import StreamTimeout as StreamTimeout
    from .errors import TaskFailed as TaskFailed
    from .errors import TokenExpiredError as TokenExpiredError
    from .errors import ToolFailed as ToolFailed
    from .errors import TooManyRounds as TooManyRounds
    from .errors import WebhookError as WebhookError
    from .errors import WebSocketError as WebSocketError
    from .errors import WorkflowFailed as WorkflowFailed

# Names by the module that holds them; a module is loaded when one of its names is first used.
_NAMES = {
    "coze_openapi.streams": "AsyncChatStream AsyncWorkflowStream ChatResult ChatStream "
    "Interruption WorkflowResult WorkflowStream",
    "coze_openapi.events": "ChatEvent WorkflowEvent",
    "coze_runtime.calls.hooks": "OutgoingRequest ReceivedResponse",
    "coze_runtime.calls.raw": "RawResponse",
    "coze_runtime.calls.retries": "Retry RetryPolicy",
    "coze_runtime.streams.events": "UnknownEvent",
    "coze_runtime.streams.speech": "AsyncSpeechStream SpeechStream",
    "coze_runtime.streams.workflow": "NodeOutput",
    "coze_runtime.types": "DEFAULT NULL Drift Timeout UploadProgress",
    "cozekit.async_client": "AsyncCoze",
    "cozekit.client": "Coze",
    "cozekit.errors": "APIConnectionError APIError APITimeoutError ArgumentError "
    "AuthenticationError ChatCanceled ChatFailed ConflictError CozeError "
    "InvalidRequestError NotFoundError OAuthError PermissionDeniedError "
    "PollTimeout QuotaExceededError RateLimitError ResponseError ServerError "
    "StreamError StreamInterrupted StreamTimeout TaskFailed TokenExpiredError "
    "ToolFailed TooManyRounds WebhookError WebSocketError WorkflowFailed",
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names.split()}
_SUBMODULES = (
    "audio",
    "auth",
    "documents",
    "errors",
    "events",
    "messages",
    "models",
    "resources",
    "rtc",
    "types",
    "webhooks",
    "websockets",
)


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in _SUBMODULES:
        return import_module(f".{name}", __name__)
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES, *_SUBMODULES})
