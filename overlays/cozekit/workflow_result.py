"""What a workflow run came to: the output of its nodes, and what it waits for.

Source: https://www.coze.cn/open/docs/developer_guides/workflow_stream_run
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from attrs import define, field

from coze_openapi.models.shared import TokenUsage, WorkflowInterrupt, WorkflowInterruptType, WorkflowParameter
from coze_openapi.models.workflows_runs import WorkflowDone, WorkflowInterruptEvent, WorkflowMessage, WorkflowRunResult

from .reader import text_of

if TYPE_CHECKING:
    from .workflow_stream import WorkflowEvent


@define(kw_only=True)
class NodeOutput:
    """What one execution of a node put out, its pieces joined."""

    title: str
    text: str = ""
    node_id: str | None = None
    node_execute_uuid: str | None = None
    """Names this execution of the node; `run_histories.execute_nodes.retrieve` takes it."""
    is_finished: bool = False


@define(kw_only=True)
class Interruption:
    """Why a run waits, with the words that it asked in."""

    interrupt: WorkflowInterrupt
    node_title: str | None = None
    question: str = ""
    """What the waiting node has put out; empty for runs that do not stream."""
    number: int = 1
    """Its number in the run, from 1."""

    @property
    def event_id(self) -> str | None:
        """Id to resume with."""
        return self.interrupt.event_id

    @property
    def type(self) -> WorkflowInterruptType | None:
        """Kind of the waiting node: 2 question, 5 input, 6 local plugin, 7 plugin with sign-in."""
        return self.interrupt.type

    @property
    def data(self) -> str | None:
        """Details as JSON text; empty for plain questions."""
        return self.interrupt.data

    @property
    def required_parameters(self) -> dict[str, WorkflowParameter]:
        """The values that the answer must hold, by name."""
        return self.interrupt.required_parameters or {}


@define(kw_only=True)
class WorkflowResult:
    """How a workflow run ended, or what it waits for."""

    nodes: list[NodeOutput] = field(factory=list)
    """The outputs in the order in which they began; of runs that do not stream, none."""
    output: str = ""
    """What the end node put out, often JSON text; without an end node that streams, what came last."""
    interruption: Interruption | None = None
    """What the run waits for; None when it has ended."""
    debug_url: str | None = None
    """Where the run can be inspected for 7 days."""
    usage: TokenUsage | None = None
    """Tokens used; of a run that was resumed, the sum of all its parts."""
    execute_id: str | None = None
    """Id of the run; streams do not tell it."""
    logid: str | None = None

    @property
    def texts(self) -> dict[str, str]:
        """Title of each node → everything that it put out."""
        found: dict[str, str] = {}
        for node in self.nodes:
            found[node.title] = found.get(node.title, "") + node.text
        return found

    def after(self, earlier: WorkflowResult) -> WorkflowResult:
        """The result of a run whose first part ended in `earlier`."""
        self.nodes = [*earlier.nodes, *self.nodes]
        self.usage = _sum(earlier.usage, self.usage)
        self.execute_id = self.execute_id or earlier.execute_id
        if self.interruption is not None and earlier.interruption is not None:
            self.interruption.number = earlier.interruption.number + 1
        return self


def of_events(events: Iterable[WorkflowEvent], logid: str | None) -> WorkflowResult:
    """What the events of one stream add up to."""
    result = WorkflowResult(logid=logid)
    running: dict[str, NodeOutput] = {}
    for event in events:
        data = event.data
        if isinstance(data, WorkflowMessage):
            _add(result, running, data)
        elif isinstance(data, WorkflowDone):
            result.debug_url = data.debug_url
        elif isinstance(data, WorkflowInterruptEvent) and data.interrupt_data is not None:
            question = next((node.text for node in reversed(result.nodes) if node.title == data.node_title), "")
            result.interruption = Interruption(interrupt=data.interrupt_data, node_title=data.node_title, question=question)
    if result.nodes and result.interruption is None:
        result.output = result.nodes[-1].text
    return result


def of_run(run: WorkflowRunResult) -> WorkflowResult:
    """The result of a run that does not stream."""
    waits = run.interrupt_data is not None and bool(run.interrupt_data.event_id)
    return WorkflowResult(
        output=run.data or "",
        interruption=Interruption(interrupt=run.interrupt_data) if waits and run.interrupt_data is not None else None,
        debug_url=run.debug_url,
        usage=run.usage,
        execute_id=run.execute_id,
        logid=run.logid,
    )


def _add(result: WorkflowResult, running: dict[str, NodeOutput], piece: WorkflowMessage) -> None:
    """Joins a piece to its execution: by its uuid, else by the title until the node is finished."""
    key = piece.node_execute_uuid or f"title {piece.node_title}"
    node = running.get(key)
    if node is None or (piece.node_execute_uuid is None and node.is_finished):
        node = running[key] = NodeOutput(title=piece.node_title or "", node_id=piece.node_id, node_execute_uuid=piece.node_execute_uuid)
        result.nodes.append(node)
    node.text += text_of(piece.content)
    node.is_finished = node.is_finished or bool(piece.node_is_finish)
    # The count grows with the run; the last one is that of the whole stream.
    result.usage = piece.usage or result.usage


def _sum(first: TokenUsage | None, second: TokenUsage | None) -> TokenUsage | None:
    if first is None or second is None:
        return first or second
    return TokenUsage(
        token_count=(first.token_count or 0) + (second.token_count or 0),
        output_count=(first.output_count or 0) + (second.output_count or 0),
        input_count=(first.input_count or 0) + (second.input_count or 0),
    )
