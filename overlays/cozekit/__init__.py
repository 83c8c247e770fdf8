"""Client of the Coze (扣子) Open API.

`Coze` and `AsyncCoze` are the clients, `messages` builds what a chat is asked with, `auth` holds the ways to sign in, and
`errors` every error. Models and enums are in `coze_openapi.models`. Every name is loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coze_openapi import __version__ as __version__

if TYPE_CHECKING:
    from coze_openapi.types import DEFAULT as DEFAULT
    from coze_openapi.types import NULL as NULL
    from coze_openapi.types import Drift as Drift
    from coze_openapi.types import Timeout as Timeout
    from coze_openapi.uploads import Tracked as Tracked

    from . import audio as audio
    from . import auth as auth
    from . import documents as documents
    from . import errors as errors
    from . import messages as messages
    from . import rtc as rtc
    from . import webhooks as webhooks
    from . import websockets as websockets
    from .async_client import AsyncCoze as AsyncCoze
    from .chat_stream import AsyncChatStream as AsyncChatStream
    from .chat_stream import ChatEvent as ChatEvent
    from .chat_stream import ChatResult as ChatResult
    from .chat_stream import ChatStream as ChatStream
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
    from .retries import Retry as Retry
    from .retries import RetryPolicy as RetryPolicy
    from .workflow_result import Interruption as Interruption
    from .workflow_result import NodeOutput as NodeOutput
    from .workflow_result import WorkflowResult as WorkflowResult
    from .workflow_stream import AsyncWorkflowStream as AsyncWorkflowStream
    from .workflow_stream import WorkflowEvent as WorkflowEvent
    from .workflow_stream import WorkflowStream as WorkflowStream

# Names by the module that holds them; a module is loaded when one of its names is first used.
_NAMES = {
    "coze_openapi.types": "DEFAULT NULL Drift Timeout",
    "coze_openapi.uploads": "Tracked",
    "cozekit.chat_stream": "AsyncChatStream ChatEvent ChatResult ChatStream",
    "cozekit.async_client": "AsyncCoze",
    "cozekit.client": "Coze",
    "cozekit.errors": (
        "APIConnectionError APIError APITimeoutError ArgumentError AuthenticationError ChatCanceled ChatFailed ConflictError CozeError "
        "InvalidRequestError NotFoundError OAuthError PermissionDeniedError PollTimeout QuotaExceededError RateLimitError ResponseError "
        "ServerError StreamError StreamInterrupted StreamTimeout TaskFailed TokenExpiredError TooManyRounds ToolFailed WebhookError "
        "WebSocketError WorkflowFailed"
    ),
    "cozekit.retries": "Retry RetryPolicy",
    "cozekit.workflow_result": "Interruption NodeOutput WorkflowResult",
    "cozekit.workflow_stream": "AsyncWorkflowStream WorkflowEvent WorkflowStream",
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names.split()}
_SUBMODULES = ("audio", "auth", "documents", "errors", "messages", "rtc", "webhooks", "websockets")


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
