"""Every error that cozekit raises.

    CozeError
    ├── ArgumentError             refused before a request was sent (also a ValueError)
    ├── APIError                  the API said no: code, msg, logid, http_status, debug_url, request
    │   ├── AuthenticationError   the token is missing, wrong or withdrawn
    │   │   └── TokenExpiredError
    │   ├── PermissionDeniedError the token may not do this
    │   ├── NotFoundError
    │   ├── InvalidRequestError
    │   ├── ConflictError         the resource is in another state than the call needs
    │   ├── RateLimitError        retry_after
    │   ├── QuotaExceededError    balance, plan or daily limit used up
    │   ├── ServerError
    │   ├── ChatFailed            a chat ended in failure: chat, chat_id, conversation_id
    │   ├── ChatCanceled          somebody cancelled it
    │   ├── WorkflowFailed        a workflow run ended in failure: execute_id
    │   └── TaskFailed            documents, a copy or an export of bills ended in failure: ids, state
    ├── APIConnectionError        no answer: DNS, refused, reset, TLS
    │   └── APITimeoutError
    ├── ResponseError             an answer of another shape than promised
    ├── StreamError               a stream that did not end well: events so far
    │   ├── StreamInterrupted     it stopped before its last event (also an APIConnectionError)
    │   └── StreamTimeout         no event for too long, or the deadline passed (also an APITimeoutError)
    ├── ToolFailed                a local plugin failed: tool, tool_call_id, chat
    ├── TooManyRounds             a loop was not over after its rounds: result
    ├── PollTimeout               the outcome did not come before the deadline: ids to go on with
    ├── OAuthError                a sign-in failed: error, description
    ├── WebhookError              a callback was refused: status
    └── WebSocketError            a voice socket failed: code, msg
        └── WebSocketTimeout      an event or the opening took too long (also an APITimeoutError; in cozekit.websockets)

The names of the lower half are handwritten; those of the upper half come with the generated client. All can be pickled and
copied, and none shows a token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coze_openapi.errors import CODES as CODES
from coze_openapi.errors import APIConnectionError as APIConnectionError
from coze_openapi.errors import APIError as APIError
from coze_openapi.errors import APITimeoutError as APITimeoutError
from coze_openapi.errors import ArgumentError as ArgumentError
from coze_openapi.errors import AuthenticationError as AuthenticationError
from coze_openapi.errors import ConflictError as ConflictError
from coze_openapi.errors import CozeError as CozeError
from coze_openapi.errors import InvalidRequestError as InvalidRequestError
from coze_openapi.errors import NotFoundError as NotFoundError
from coze_openapi.errors import PermissionDeniedError as PermissionDeniedError
from coze_openapi.errors import QuotaExceededError as QuotaExceededError
from coze_openapi.errors import RateLimitError as RateLimitError
from coze_openapi.errors import RequestInfo as RequestInfo
from coze_openapi.errors import ResponseError as ResponseError
from coze_openapi.errors import ServerError as ServerError
from coze_openapi.errors import TokenExpiredError as TokenExpiredError

if TYPE_CHECKING:
    from coze_openapi.models.chat import Chat


class ChatFailed(APIError):
    """A chat ended in failure; `code` and `msg` say why."""

    chat: Chat | None = None
    """The chat as it ended, when the failure came with one."""
    chat_id: str | None = None
    conversation_id: str | None = None


class ChatCanceled(APIError):
    """A chat was cancelled while its outcome was awaited."""

    chat: Chat | None = None
    chat_id: str | None = None
    conversation_id: str | None = None


class WorkflowFailed(APIError):
    """A workflow run ended in failure; `code` and `msg` say why, `debug_url` shows the run."""

    execute_id: str | None = None


class ToolFailed(CozeError):
    """A local plugin could not be run and `on_tool_error` is `"raise"`; the cause is what the function raised.

    The chat still waits for the outputs: hand them in with `chat.submit_tool_outputs`, or cancel it.
    """

    def __init__(self, message: str, *, tool: str = "", tool_call_id: str = "", chat: Chat | None = None) -> None:
        super().__init__(message)
        self.logid = chat.logid if chat is not None else None
        self.tool = tool
        """Name of the tool that the bot asked for."""
        self.tool_call_id = tool_call_id
        self.chat = chat
        """The chat that waits."""
        self.chat_id = chat.id if chat is not None else None
        self.conversation_id = chat.conversation_id if chat is not None else None


class TooManyRounds(CozeError):
    """A loop was not over after the rounds that it was allowed. Nothing was undone: `result` says where it stands."""

    def __init__(self, message: str, *, rounds: int = 0, result: Any = None, logid: str | None = None) -> None:
        super().__init__(message)
        self.logid = logid
        self.rounds = rounds
        self.result = result
        """What came so far: a `ChatResult` or a `WorkflowResult`; the chat or run waits for its caller."""


class TaskFailed(APIError):
    """A task that was waited for ended in failure: documents, a copy, an export of bills."""

    state: Any = None
    """The state that it ended in."""
    last: Any = None
    """The last answer of the polled operation."""

    ids: dict[str, Any]
    """Ids by which the task can be found again."""

    def __init__(self, message: str, *, ids: dict[str, Any] | None = None, state: Any = None, last: Any = None, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.ids, self.state, self.last = ids or {}, state, last


class StreamError(CozeError):
    """A stream that did not end as it should."""

    def __init__(
        self, message: str, *, events: list[Any] | None = None, logid: str | None = None, request: RequestInfo | None = None
    ) -> None:
        super().__init__(message)
        self.events = events or []
        """The events that arrived."""
        self.logid = logid
        self.request = request


class StreamInterrupted(StreamError, APIConnectionError):
    """The stream stopped before its last event: what arrived is incomplete. The chat itself may have gone on; look it up by its id."""

    sent = True


class StreamTimeout(StreamError, APITimeoutError):
    """No event came for the idle timeout, or the deadline of the whole stream passed."""

    sent = True


class PollTimeout(CozeError):
    """The outcome did not come before the deadline. The work goes on at the server: the ids tell where to look."""

    def __init__(
        self,
        message: str,
        *,
        state: str | int | None = None,
        last: Any = None,
        ids: dict[str, str] | None = None,
        logid: str | None = None,
    ) -> None:
        super().__init__(message)
        self.logid = logid
        self.state = state
        """The last state that was seen."""
        self.last = last
        """The last answer of the polled operation."""
        self.ids = ids or {}
        """Ids by which the work can be found again, such as `chat_id` and `conversation_id`."""


class OAuthError(CozeError):
    """A sign-in failed, by the names of RFC 6749 and RFC 8628."""

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
        super().__init__(message)
        self.error = error
        """`invalid_grant`, `access_denied`, `expired_token`, `authorization_pending`, `slow_down`, …"""
        self.description = description
        self.http_status = http_status
        self.logid = logid
        self.request = request


class WebhookError(CozeError):
    """A callback request was refused."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        """HTTP status to answer with."""


class WebSocketError(CozeError):
    """A voice socket failed, or was closed while something was awaited from it."""

    def __init__(self, message: str, *, code: int | None = None, msg: str = "", logid: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        """Code of the `error` event, or of the close frame."""
        self.msg = msg
        self.logid = logid
