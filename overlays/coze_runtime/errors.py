"""The errors of calls, streams and waits. `cozekit.errors` draws the tree of all.

All of them can be pickled and copied. None contains a token.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from . import publish


class RequestInfo(NamedTuple):
    """The request that failed, without headers, query and body."""

    operation: str
    """Its `operationId`, such as `chat_create`."""
    method: str
    """HTTP method."""
    url: str
    """URL without the query."""
    base_url: str
    """Base URL of the client."""
    page: str = ""
    """URL of the official page of the operation; empty if there is none."""
    call: str = ""
    """How users call the operation, such as `coze.chat.create`; what the text begins with."""


class CozeError(Exception):
    """Base class of every error that this package raises."""

    logid: str | None = None
    """Log id of the call, which Coze support asks for; None when there was no response."""
    request: RequestInfo | None = None
    """The request that failed; None when no request was built."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _restore, (type(self), self.args, self.__dict__.copy())


def _restore(cls: type[CozeError], args: tuple[Any, ...], state: dict[str, Any]) -> CozeError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class ArgumentError(CozeError, ValueError):
    """An argument is invalid. Raised before anything is sent."""

    def __init__(self, message: str, *, argument: str | None = None) -> None:
        """Args:
        message: Text of the error.
        argument: Name of the invalid argument.
        """
        super().__init__(message)
        self.argument = argument
        """Name of the invalid argument."""


class APIError(CozeError):
    """The API returned an error. `code` and `msg` say why, `logid` identifies the call."""

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
        message: Text of the error.
        code: Error code of Coze; None when only the HTTP status shows the failure.
        msg: Error message of the service.
        http_status: HTTP status of the response; None when polling showed the failure.
        logid: Log id of the call, which Coze support asks for.
        debug_url: URL where a failed run can be inspected; only for runs.
        request: The request, without secrets; None when no request was built.
        retry_after: Seconds to wait before the next call, if the server says so.
        """
        super().__init__(message)
        self.code = code
        """Error code of Coze; None when only the HTTP status shows the failure."""
        self.msg = msg
        """Error message of the service."""
        self.http_status = http_status
        """HTTP status of the response; None when polling showed the failure."""
        self.logid = logid
        self.debug_url = debug_url
        """URL where a failed run can be inspected; only for runs."""
        self.request = request
        self.retry_after = retry_after
        """Seconds to wait before the next call, if the server says so."""


class AuthenticationError(APIError):
    """The token is missing, wrong, revoked, or belongs to the other site."""


class TokenExpiredError(AuthenticationError):
    """The token has expired."""


class PermissionDeniedError(APIError):
    """The token lacks the permission for the operation or the workspace, or is unknown."""


class NotFoundError(APIError):
    """The resource does not exist, is not published, or belongs to someone else."""


class InvalidRequestError(APIError):
    """The server rejected an argument: it is missing, malformed or out of range."""


class ConflictError(APIError):
    """The state of the resource does not allow the call."""


class RateLimitError(APIError):
    """Too many requests; `retry_after` has the seconds to wait, if the server says so."""


class QuotaExceededError(APIError):
    """A balance, plan or daily limit is used up; retrying soon does not help.

    Code 4008 also stands for the rate limit of the API: with HTTP status 429 it is a
    `RateLimitError`; otherwise only the message tells the two apart.
    """


class ServerError(APIError):
    """The service, or a gateway in front of it, failed."""


class APIConnectionError(CozeError):
    """The server could not be reached or did not respond in time.

    `__cause__` is the error of the HTTP library. Do not log it: it may show the password of a
    proxy, a query or a body, which this error does not.
    """

    retryable: bool = True

    def __init__(
        self,
        message: str,
        *,
        request: RequestInfo | None = None,
        sent: bool = True,
        retryable: bool = True,
    ) -> None:
        """Args:
        message: Text of the error.
        request: The request, without secrets; None when no request was built.
        sent: Whether the server may have received the request.
        retryable: Whether another attempt may succeed.
        """
        super().__init__(message)
        self.request = request
        self.sent = sent
        """Whether the server may have received the request."""
        self.retryable = retryable
        """Whether another attempt may succeed; False for a certificate that is not trusted, or a
        proxy that refuses.
        """


class APITimeoutError(APIConnectionError):
    """A step of the call (connecting, sending, reading) took longer than its timeout."""


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
        message: Text of the error.
        http_status: HTTP status of the response.
        logid: Log id of the call, which Coze support asks for.
        request: The request, without secrets; None when no request was built.
        body: The first bytes of the body, at most 2,000.
        """
        super().__init__(message)
        self.http_status = http_status
        """HTTP status of the response."""
        self.logid = logid
        self.request = request
        self.body = body
        """The first bytes of the body, at most 2,000."""


class TaskFailed(APIError):
    """A polled task failed: processing documents, copying a resource, exporting bills."""

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
        message: Text of the error.
        ids: Ids that identify the task, such as `task_id`.
        state: The final state of the task.
        last: The last response of the polled operation.
        code: Error code of Coze; None when only the state shows the failure.
        msg: Reason of the failure, if the service gives one.
        http_status: HTTP status of the response; None when the state shows the failure.
        logid: Log id of the call, which Coze support asks for.
        debug_url: Not used by tasks.
        request: The request, without secrets; None when no request was built.
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
        self.ids = ids or {}
        """Ids that identify the task, such as `task_id`."""
        self.state = state
        """The final state of the task."""
        self.last = last
        """The last response of the polled operation."""


class StreamError(CozeError):
    """A stream failed: an event is unreadable or missing, or the stream did not end properly."""

    def __init__(
        self,
        message: str,
        *,
        events: list[Any] | None = None,
        text: str = "",
        chat_id: str | None = None,
        conversation_id: str | None = None,
        execute_id: str | None = None,
        logid: str | None = None,
        request: RequestInfo | None = None,
    ) -> None:
        """Args:
        message: Text of the error.
        events: The last events before the failure.
        text: The text of the answer or output so far.
        chat_id: Id of the chat, if known.
        conversation_id: Id of its conversation, if known.
        execute_id: Id of the run, if known.
        logid: Log id of the stream.
        request: The request, without secrets; None when no request was built.
        """
        super().__init__(message)
        self.events = events or []
        """The last events before the failure: at most 20, or all with `keep_events=True`."""
        self.text = text
        """The text of the answer or output so far, complete."""
        self.chat_id = chat_id
        """Id of the chat; None in streams of runs, and if the stream has not shown it."""
        self.conversation_id = conversation_id
        """Id of its conversation."""
        self.execute_id = execute_id
        """Id of the run; None in streams of chats, and if the stream has not shown it."""
        self.logid = logid
        self.request = request


class StreamInterrupted(StreamError, APIConnectionError):
    """The stream stopped before its last event. The chat or run may still go on at the server;
    retrieve it by its id.
    """

    sent = True


class StreamTimeout(StreamError, APITimeoutError):
    """No event arrived within the idle timeout, or the deadline of the stream passed."""

    sent = True


class PollTimeout(CozeError):
    """The work did not finish within `poll_timeout`. It goes on at the server; `ids` has what you
    need to retrieve it.
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
        message: Text of the error.
        state: The last known state.
        last: The last response of the polled operation.
        ids: Ids that identify the work, such as `chat_id` and `conversation_id`.
        logid: Log id of the last response.
        """
        super().__init__(message)
        self.logid = logid
        self.state = state
        """The last known state."""
        self.last = last
        """The last response of the polled operation."""
        self.ids = ids or {}
        """Ids that identify the work, such as `chat_id` and `conversation_id`."""


class TooManyRounds(CozeError):
    """A chat still asks for tools after `max_rounds`, or a run is still interrupted after
    `max_resumes`. Nothing is undone: `result` has the state so far.
    """

    def __init__(
        self, message: str, *, rounds: int = 0, result: Any = None, logid: str | None = None
    ) -> None:
        """Args:
        message: Text of the error.
        rounds: Number of completed rounds.
        result: The result so far.
        logid: Log id of the last call.
        """
        super().__init__(message)
        self.logid = logid
        self.rounds = rounds
        """Number of completed rounds."""
        self.result = result
        """The result so far, a `ChatResult` or a `WorkflowResult`; the chat or run still waits for
        you.
        """


publish(globals(), "cozekit.errors")
if not TYPE_CHECKING:  # type checkers see that the classes are public
    __all__ = [
        name
        for name, value in globals().items()
        if getattr(value, "__module__", "") == "cozekit.errors"
    ]
