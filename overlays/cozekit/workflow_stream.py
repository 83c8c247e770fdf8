"""Streams of workflow runs.

Source: https://www.coze.cn/open/docs/developer_guides/workflow_stream_run
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from coze_openapi.errors import describe
from coze_openapi.models.shared import WorkflowInterrupt
from coze_openapi.models.workflows_runs import WorkflowDone, WorkflowError, WorkflowInterruptEvent, WorkflowMessage

from .errors import CozeError, WorkflowFailed
from .listening import Listener, tell, tell_async
from .losses import LossCheck
from .reader import text_of
from .streams import AsyncEventStream, EventReader, EventStream
from .workflow_result import WorkflowResult, of_events

if TYPE_CHECKING:
    from coze_openapi.types import Stream

MESSAGE, INTERRUPT, DONE, PING = "Message", "Interrupt", "Done", "PING"


class WorkflowEvent(Struct, eq=False):
    """One event of a workflow run."""

    event: str
    """Name of the event, one of `WorkflowEventType` or newer than this package."""
    data: Any
    """What it carries: a model, plain JSON or text for events that the description does not know."""
    id: int | None
    """Number of the event in its stream, from 0 without holes; None when the stream gives none."""
    logid: str | None
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

    def make(self, name: str, data: Any, id_: bytes) -> WorkflowEvent:
        """The typed event."""
        return WorkflowEvent(PING if name.upper() == PING else name, data, _number(id_), self.logid)

    def lost(self, data: Any, id_: bytes) -> str | None:
        """What is missing before an event, by the numbers that workflow streams carry."""
        missing = self._losses.event(_number(id_))
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


def _number(id_: bytes) -> int | None:
    return int(id_) if id_.isdigit() else None


class _Progress:
    """What a workflow stream has brought so far; both kinds of stream show it."""

    _reader: WorkflowReader

    @property
    def text(self) -> str:
        """What all nodes have put out so far."""
        return "".join(text_of(event.data.content) for event in self._reader.events if isinstance(event.data, WorkflowMessage))

    @property
    def result(self) -> WorkflowResult:
        """What the events so far add up to, node by node."""
        return of_events(self._reader.events, self._reader.logid)


class WorkflowStream(_Progress, EventStream[WorkflowEvent]):
    """The open stream of a workflow run. It ends at `Done`, and at `Interrupt` when the run waits for its caller."""

    _reader: WorkflowReader

    def text_stream(self) -> Iterator[str]:
        """What the nodes put out, piece by piece."""
        for event in self:
            if isinstance(event.data, WorkflowMessage) and event.data.content:
                yield text_of(event.data.content)

    def until_done(self, on_event: Listener[WorkflowEvent] | None = None) -> WorkflowResult:
        """Reads the stream to its end.

        Args:
            on_event: Called with each event; as a mapping from event names to functions, with the events of these names.

        Returns:
            The outputs of the nodes, and what the run waits for when it was interrupted.

        Raises:
            WorkflowFailed: The run failed.
            StreamInterrupted: The stream stopped before its last event.
        """
        with self:
            for event in self:
                tell(on_event, event)
        return self.result


class AsyncWorkflowStream(_Progress, AsyncEventStream[WorkflowEvent]):
    """The async form of `WorkflowStream`."""

    _reader: WorkflowReader

    def text_stream(self) -> AsyncIterator[str]:
        """What the nodes put out, piece by piece."""
        return _Texts(self)

    async def until_done(self, on_event: Listener[WorkflowEvent] | None = None) -> WorkflowResult:
        """Reads the stream to its end; as `WorkflowStream.until_done`, and the functions may be async."""
        async with self:
            async for event in self:
                await tell_async(on_event, event)
        return self.result


# No async generator: one that is left half-read would be finished by the event loop at some later time.
class _Texts:
    def __init__(self, stream: AsyncWorkflowStream) -> None:
        self._stream = stream

    def __aiter__(self) -> _Texts:
        return self

    async def __anext__(self) -> str:
        while True:
            event = await anext(self._stream)
            if isinstance(event.data, WorkflowMessage) and event.data.content:
                return text_of(event.data.content)
