"""Every error that cozekit raises.

    CozeError
    ├── ArgumentError             an invalid argument; nothing was sent (also a ValueError)
    ├── APIError                  the API returned an error: code, msg, logid, http_status, …
    │   ├── AuthenticationError   the token is missing, wrong or revoked
    │   │   └── TokenExpiredError
    │   ├── PermissionDeniedError the token lacks a permission
    │   ├── NotFoundError
    │   ├── InvalidRequestError
    │   ├── ConflictError         the state of the resource does not allow the call
    │   ├── RateLimitError        retry_after
    │   ├── QuotaExceededError    balance, plan or daily limit used up
    │   ├── ServerError
    │   ├── ChatFailed            a chat ended in failure: chat, chat_id, conversation_id
    │   ├── ChatCanceled          a chat was cancelled
    │   ├── WorkflowFailed        a workflow run ended in failure: execute_id
    │   └── TaskFailed            documents, a copy, an export of bills failed: ids, state
    ├── APIConnectionError        the server could not be reached, or did not respond
    │   └── APITimeoutError
    ├── ResponseError             the response does not match the documented schema
    ├── StreamError               a stream failed: events so far
    │   ├── StreamInterrupted     it stopped before its last event (also an APIConnectionError)
    │   └── StreamTimeout         no event in time, or the deadline passed (also an APITimeoutError)
    ├── ToolFailed                a local plugin failed: tool, tool_call_id, chat
    ├── TooManyRounds             a loop reached its maximum of rounds: result
    ├── PollTimeout               polling timed out, the work continues: ids to resume with
    ├── OAuthError                a sign-in failed: error, description
    │   └── OAuthSetupError       a wrong setting (in cozekit.auth; also an ArgumentError)
    ├── WebhookError              a callback request is not valid: status
    └── WebSocketError            a voice socket failed: code, msg
        └── WebSocketTimeout      an event or the handshake took too long (in cozekit.websockets)

All can be pickled and copied; none contains a token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coze_openapi import models  # noqa: F401  # annotations of its errors are looked up here
from coze_openapi.errors import ChatCanceled as ChatCanceled
from coze_openapi.errors import ChatFailed as ChatFailed
from coze_openapi.errors import ToolFailed as ToolFailed
from coze_openapi.errors import WorkflowFailed as WorkflowFailed
from coze_runtime.errors import *  # noqa: F403
from coze_runtime.errors import CozeError as CozeError
from coze_runtime.errors import RequestInfo as RequestInfo


class OAuthError(CozeError):
    """A sign-in failed; `error` is a code of RFC 6749 or RFC 8628."""

    def __init__(
        self,
        message: str,
        *,
        error: str,
        description: str = "",
        http_status: int | None = None,
        logid: str | None = None,
        request: RequestInfo | None = None,
    ) -> None:
        """Args:
        message: Text of the error.
        error: Error code, such as `invalid_grant`.
        description: The server's explanation.
        http_status: Status of the response; None when the error came with a redirect.
        logid: Log id of the call, which the support of Coze asks for.
        request: The request, without secrets; None when none was sent.
        """
        super().__init__(message)
        self.error = error
        """`invalid_grant`, `access_denied`, `expired_token`, `authorization_pending`, `slow_down`,
        …
        """
        self.description = description
        self.http_status = http_status
        self.logid = logid
        self.request = request


class WebhookError(CozeError):
    """A callback request is not valid, or was not sent by Coze."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        """Args:
        message: Text of the error.
        status: HTTP status to answer with.
        """
        super().__init__(message)
        self.status = status
        """HTTP status to answer with."""


class WebSocketError(CozeError):
    """A voice socket failed, or was closed while waiting for an event."""

    def __init__(
        self, message: str, *, code: int | None = None, msg: str = "", logid: str | None = None
    ) -> None:
        """Args:
        message: Text of the error.
        code: Code of the `error` event, or of the close frame.
        msg: The server's explanation.
        logid: Log id of the socket.
        """
        super().__init__(message)
        self.code = code
        """Code of the `error` event, or of the close frame."""
        self.msg = msg
        self.logid = logid


if not TYPE_CHECKING:
    __all__ = [
        name
        for name, value in globals().items()
        if getattr(value, "__module__", "") == "cozekit.errors"
    ]
