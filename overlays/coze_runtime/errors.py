"""The errors of calls, streams and waits. `cozekit.errors` draws the whole tree.

    CozeError
    ├── ArgumentError             refused before a request was sent (also a ValueError)
    ├── APIError                  the API returned an error: code, msg, logid, http_status, …
    │   ├── AuthenticationError   the token is missing, wrong or withdrawn
    │   │   └── TokenExpiredError
    │   ├── PermissionDeniedError the token may not do this
    │   ├── NotFoundError
    │   ├── InvalidRequestError
    │   ├── ConflictError         the resource is in another state than the call needs
    │   ├── RateLimitError        retry_after
    │   ├── QuotaExceededError    balance, plan or daily limit used up
    │   ├── ServerError
    │   └── TaskFailed            a task that was waited for ended in failure: ids, state
    ├── APIConnectionError        no response: DNS, refused, reset, TLS
    │   └── APITimeoutError
    ├── ResponseError             a response that does not match the documented schema
    ├── StreamError               a stream that did not end well: events so far
    │   ├── StreamInterrupted     it stopped before its last event (also an APIConnectionError)
    │   └── StreamTimeout         no event in time, or the deadline passed (also an APITimeoutError)
    ├── TooManyRounds             a loop was not over after its rounds: result
    └── PollTimeout               the outcome did not come before the deadline: ids to go on with

All can be pickled and copied, and none shows a token.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ._publish import publish


class RequestInfo(NamedTuple):
    """The request that failed, without headers and body."""

    operation: str
    method: str
    url: str
    base_url: str
    page: str = ""
    """Address of the official page of the operation."""


class CozeError(Exception):
    """Base of every error that this package raises."""

    logid: str | None = None
    """Log id of the call, when an answer came; support asks for it."""
    request: RequestInfo | None = None
    """The request that failed, when one was built."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _restore, (type(self), self.args, self.__dict__.copy())


def _restore(cls: type[CozeError], args: tuple[Any, ...], state: dict[str, Any]) -> CozeError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class ArgumentError(CozeError, ValueError):
    """An argument was refused before any request was sent."""

    def __init__(self, message: str, *, argument: str | None = None) -> None:
        """Args:
        message: The text.
        argument: Name of the argument that was refused.
        """
        super().__init__(message)
        self.argument = argument


class APIError(CozeError):
    """The API returned an error; `code` says why."""

    def __init__(
        self,
        message: str,
        *,
        code: int | None = None,
        msg: str = "",
        http_status: int | None = None,
        logid: str | None = None,
        debug_url: str | None = None,
        request: RequestInfo | None = None,
        retry_after: float | None = None,
    ) -> None:
        """Args:
        message: The text.
        code: Code of the platform; None when only the HTTP status tells of the failure.
        msg: What the service said.
        http_status: Status of the response; None where an event of a stream told the failure.
        logid: Log id of the call, which the support of Coze asks for.
        debug_url: Where a failed run can be looked at; only for runs.
        request: The request, without secrets; None when none was made.
        retry_after: Seconds to wait before the next call, where the server names them.
        """
        super().__init__(message)
        self.code = code
        self.msg = msg
        self.http_status = http_status
        self.logid = logid
        self.debug_url = debug_url
        self.request = request
        self.retry_after = retry_after


class AuthenticationError(APIError):
    """The token is missing, unknown, withdrawn, or of the other region."""


class TokenExpiredError(AuthenticationError):
    """The token was good and is no longer."""


class PermissionDeniedError(APIError):
    """The token lacks the permission of the operation or the workspace of the resource, or is
    unknown.
    """


class NotFoundError(APIError):
    """The resource does not exist, is not published, or belongs to somebody else."""


class InvalidRequestError(APIError):
    """An argument is missing, malformed or beyond its limit."""


class ConflictError(APIError):
    """The resource is in another state than the call needs."""


class RateLimitError(APIError):
    """Too many requests; `retry_after` holds the seconds to wait when the server names them."""


class QuotaExceededError(APIError):
    """A balance, a plan or a daily limit is used up; waiting seconds does not help."""


class ServerError(APIError):
    """The service or a gateway before it failed."""


class APIConnectionError(CozeError):
    """The server could not be reached or did not respond in time."""

    def __init__(
        self, message: str, *, request: RequestInfo | None = None, sent: bool = True
    ) -> None:
        """Args:
        message: The text.
        request: The request, without secrets; None when none was made.
        sent: Whether the server may have received the request.
        """
        super().__init__(message)
        self.request = request
        self.sent = sent
        """Whether the server may have received the request."""


class APITimeoutError(APIConnectionError):
    """A step of the call took longer than its timeout."""


class ResponseError(CozeError):
    """The response does not match the documented schema: it is not valid JSON, has another content
    type, or lacks data.
    """

    def __init__(
        self,
        message: str,
        *,
        http_status: int | None = None,
        logid: str | None = None,
        request: RequestInfo | None = None,
        body: bytes = b"",
    ) -> None:
        """Args:
        message: The text.
        http_status: Status of the response.
        logid: Log id of the call, which the support of Coze asks for.
        request: The request, without secrets; None when none was made.
        body: The first bytes of the body.
        """
        super().__init__(message)
        self.http_status = http_status
        self.logid = logid
        self.request = request
        self.body = body
        """The first bytes of the answer."""


class TaskFailed(APIError):
    """A task that was waited for ended in failure: documents, a copy, an export of bills."""

    def __init__(
        self,
        message: str,
        *,
        ids: dict[str, Any] | None = None,
        state: Any = None,
        last: Any = None,
        code: int | None = None,
        msg: str = "",
        http_status: int | None = None,
        logid: str | None = None,
        debug_url: str | None = None,
        request: RequestInfo | None = None,
        retry_after: float | None = None,
    ) -> None:
        """Args:
        message: The text.
        ids: Ids by which the task can be found again.
        state: The state that it ended in.
        last: The last response of the polled operation.
        code: Code of the platform; None when the state alone tells of the failure.
        msg: What the service said.
        http_status: Status of the response; None where the state tells of the failure.
        logid: Log id of the call, which the support of Coze asks for.
        debug_url: Not used by tasks.
        request: The request, without secrets; None when none was made.
        retry_after: Not used by tasks.
        """
        super().__init__(
            message,
            code=code,
            msg=msg,
            http_status=http_status,
            logid=logid,
            debug_url=debug_url,
            request=request,
            retry_after=retry_after,
        )
        self.ids, self.state, self.last = ids or {}, state, last


class StreamError(CozeError):
    """A stream that did not end as it should."""

    def __init__(
        self,
        message: str,
        *,
        events: list[Any] | None = None,
        logid: str | None = None,
        request: RequestInfo | None = None,
    ) -> None:
        """Args:
        message: The text.
        events: The events that arrived.
        logid: Log id of the stream.
        request: The request, without secrets; None when none was made.
        """
        super().__init__(message)
        self.events = events or []
        """The events that arrived."""
        self.logid = logid
        self.request = request


class StreamInterrupted(StreamError, APIConnectionError):
    """The stream stopped before its last event: what arrived is incomplete. The chat itself may
    have gone on; look it up by its id.
    """

    sent = True


class StreamTimeout(StreamError, APITimeoutError):
    """No event came for the idle timeout, or the deadline of the whole stream passed."""

    sent = True


class PollTimeout(CozeError):
    """The outcome did not come before the deadline. The work goes on at the server: the ids tell
    where to look.
    """

    def __init__(
        self,
        message: str,
        *,
        state: str | int | None = None,
        last: Any = None,
        ids: dict[str, str] | None = None,
        logid: str | None = None,
    ) -> None:
        """Args:
        message: The text.
        state: The last state that was seen.
        last: The last response of the polled operation.
        ids: Ids by which the work can be found again.
        logid: Log id of the last response.
        """
        super().__init__(message)
        self.logid = logid
        self.state = state
        """The last state that was seen."""
        self.last = last
        """The last answer of the polled operation."""
        self.ids = ids or {}
        """Ids by which the work can be found again, such as `chat_id` and `conversation_id`."""


class TooManyRounds(CozeError):
    """A loop was not over after the rounds that it was allowed. Nothing was undone: `result` says
    where it stands.
    """

    def __init__(
        self, message: str, *, rounds: int = 0, result: Any = None, logid: str | None = None
    ) -> None:
        """Args:
        message: The text.
        rounds: How many rounds were made.
        result: What came so far.
        logid: Log id of the last call.
        """
        super().__init__(message)
        self.logid = logid
        self.rounds = rounds
        self.result = result
        """What came so far: a `ChatResult` or a `WorkflowResult`; the chat or run waits for its
        caller.
        """


publish(globals(), "cozekit.errors")
