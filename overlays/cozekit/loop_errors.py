"""How loops and waits over several calls end when they do not end well: tool calls, interrupted runs, tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coze_openapi.errors import APIError, CozeError

if TYPE_CHECKING:
    from coze_openapi.models.chat import Chat


class ToolFailed(CozeError):
    """A local plugin could not be run and `on_tool_error` is `"raise"`; the cause is what the function raised.

    The chat still waits for the outputs: hand them in with `chat.submit_tool_outputs`, or cancel it.
    """

    def __init__(self, message: str, *, tool: str = "", tool_call_id: str = "", chat: Chat | None = None) -> None:
        super().__init__(message)
        self.tool = tool
        """Name of the tool that the bot asked for."""
        self.tool_call_id = tool_call_id
        self.chat = chat
        """The chat that waits."""
        self.chat_id = chat.id if chat is not None else None
        self.conversation_id = chat.conversation_id if chat is not None else None


class TooManyRounds(CozeError):
    """A loop was not over after the rounds that it was allowed. Nothing was undone: `result` says where it stands."""

    def __init__(self, message: str, *, rounds: int = 0, result: Any = None) -> None:
        super().__init__(message)
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
