"""Streams of workflow runs.

Source: https://www.coze.cn/open/docs/developer_guides/workflow_stream_run
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coze_openapi.errors import describe
from coze_openapi.models.shared import WorkflowInterrupt
from coze_openapi.models.workflows_runs import WorkflowDone, WorkflowError, WorkflowInterruptEvent, WorkflowMessage

from .errors import CozeError, WorkflowFailed
from .losses import LossCheck
from .streams import AsyncEventStream, EventReader, EventStream

if TYPE_CHECKING:
    from coze_openapi.types import Stream

    from .sse import ServerSentEvent

MESSAGE, INTERRUPT, DONE, PING = "Message", "Interrupt", "Done", "PING"


class WorkflowEvent:
    """One event of a workflow run."""

    __slots__ = ("data", "event", "id", "logid")

    def __init__(self, event: str, data: Any, number: int | None, logid: str | None) -> None:
        self.event = event
        """Name of the event, one of `WorkflowEventType` or newer than this package."""
        self.data = data
        """What it carries: a model, plain JSON or text for events that the description does not know."""
        self.id = number
        """Number of the event in its stream, from 0 without holes; None when the stream gives none."""
        self.logid = logid
        """Log id of the stream."""

    @property
    def message(self) -> WorkflowMessage:
        """A piece of the output of a node.

        Raises:
            AttributeError: The event carries none.
        """
        if isinstance(self.data, WorkflowMessage):
            return self.data
        raise AttributeError(f"{self.event} carries no message")

    @property
    def interrupt(self) -> WorkflowInterrupt:
        """Why the run waits; hand its `event_id` and `type` to `stream_resume`.

        Raises:
            AttributeError: The event carries none.
        """
        if isinstance(self.data, WorkflowInterruptEvent) and self.data.interrupt_data is not None:
            return self.data.interrupt_data
        raise AttributeError(f"{self.event} carries no interruption")

    @property
    def debug_url(self) -> str | None:
        """Where the run can be inspected for 7 days; on the last event."""
        return self.data.debug_url if isinstance(self.data, WorkflowDone) else None

    def __repr__(self) -> str:
        return f"WorkflowEvent({self.event!r}, {self.data!r}, id={self.id})"


class WorkflowReader(EventReader[WorkflowEvent]):
    """Bytes of a workflow stream → `WorkflowEvent`."""

    def __init__(self, spec: Stream) -> None:
        super().__init__(spec)
        self._losses = LossCheck()

    def make(self, item: ServerSentEvent, data: Any) -> WorkflowEvent:
        """The typed event."""
        name = PING if item.event.upper() == PING else item.event
        return WorkflowEvent(name, data, _number(item), self.logid)

    def lost(self, item: ServerSentEvent, data: Any) -> str | None:
        """What is missing before an event, by the numbers that workflow streams carry."""
        missing = self._losses.event(_number(item))
        if missing is None and isinstance(data, WorkflowMessage):
            missing = self._losses.piece(data)
        return missing

    def failure(self, event: WorkflowEvent, data: Any) -> CozeError | None:
        """The error that an event stands for; None when it is no failure."""
        if event.event not in self.spec.errors:
            return None
        code, msg = (data.error_code, data.error_message) if isinstance(data, WorkflowError) else (None, str(data))
        assert self.request is not None
        text = describe(self.request, code, msg or "", 200, self.logid)
        number = code if isinstance(code, int) else None
        return WorkflowFailed(text, code=number, msg=msg or "", http_status=200, logid=self.logid, request=self.request)


def _number(item: ServerSentEvent) -> int | None:
    return int(item.id) if item.id is not None and item.id.isdecimal() else None


class WorkflowStream(EventStream[WorkflowEvent]):
    """The open stream of a workflow run. It ends at `Done`, and at `Interrupt` when the run waits for its caller."""


class AsyncWorkflowStream(AsyncEventStream[WorkflowEvent]):
    """The async form of `WorkflowStream`."""
