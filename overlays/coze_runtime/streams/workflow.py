"""How the events of a workflow run add up: the outputs of its nodes, and what it waits for.

Generic over the models. Which events bring output or an interruption comes out of the description,
as `StreamSpec`; the generator binds both in subclasses.

Source: https://www.coze.cn/open/docs/developer_guides/workflow_stream_run
"""

from __future__ import annotations

from typing import Any, ClassVar, Generic, Self, TypeVar

from attrs import define, evolve, field

from .._publish import publish
from ..errors import APIError
from ..serialization.convert import is_empty
from ..serialization.error_responses import describe
from .event_parser import EventParser, event_number, text_of
from .event_stream import AsyncEventStream, EventStream
from .events import StreamSpec, UnknownEvent
from .sequence import SequenceCheck

EventT = TypeVar("EventT")
InterruptT = TypeVar("InterruptT")
InterruptTypeT = TypeVar("InterruptTypeT")
ParameterT = TypeVar("ParameterT")
UsageT = TypeVar("UsageT")
InterruptionT = TypeVar("InterruptionT")
ResultT = TypeVar("ResultT")


@define(kw_only=True)
class NodeOutput:
    """What one execution of a node put out, its pieces joined."""

    title: str
    text: str = ""
    node_id: str | None = None
    node_execute_uuid: str | None = None
    """Names this execution of the node;
    `coze.workflows.runs.run_histories.execute_nodes.retrieve` takes it.
    """
    is_finished: bool = False


@define(kw_only=True)
class Interruption(Generic[InterruptT, InterruptTypeT, ParameterT]):
    """Why a run waits, with the words that it asked in."""

    interrupt: InterruptT
    node_title: str | None = None
    question: str = ""
    """What the waiting node has put out; empty for runs that do not stream."""
    number: int = 1
    """Its number in the run, from 1."""

    @property
    def event_id(self) -> str | None:
        """Id to resume with."""
        found: str | None = _get(self.interrupt, "event_id")
        return found

    @property
    def type(self) -> InterruptTypeT | None:
        """Kind of the waiting node: 2 question, 5 input, 6 local plugin, 7 plugin with sign-in."""
        found: InterruptTypeT | None = _get(self.interrupt, "type")
        return found

    @property
    def data(self) -> str | None:
        """Details as JSON text; empty for plain questions."""
        found: str | None = _get(self.interrupt, "data")
        return found

    @property
    def required_parameters(self) -> dict[str, ParameterT]:
        """The values that the answer must hold, by name."""
        return _get(self.interrupt, "required_parameters") or {}


@define(kw_only=True)
class WorkflowResult(Generic[InterruptionT, UsageT]):
    """How a workflow run ended, or what it waits for."""

    interruption_type: ClassVar[type[Any]]

    nodes: list[NodeOutput] = field(factory=list)
    """The outputs in the order in which they began; of runs that do not stream, none."""
    output: str = ""
    """What the end node put out, often JSON text; without an end node that streams, what came
    last.
    """
    interruption: InterruptionT | None = None
    """What the run waits for; None when it has ended."""
    debug_url: str | None = None
    """Where the run can be inspected for 7 days."""
    usage: UsageT | None = None
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

    def after(self, earlier: Self) -> Self:
        """The result of a run whose first part ended in `earlier`."""
        self.nodes = [*earlier.nodes, *self.nodes]
        self.usage = _sum(earlier.usage, self.usage)
        self.execute_id = self.execute_id or earlier.execute_id
        now: Any = self.interruption
        before: Any = earlier.interruption
        if now is not None and before is not None:
            now.number = before.number + 1
        return self

    @classmethod
    def of_run(cls, run: Any) -> Self:
        """The result of a run that does not stream, out of what `coze.workflows.runs.create`
        returns.
        """
        waits = run.interrupt_data is not None and bool(run.interrupt_data.event_id)
        return cls(
            output=run.data or "",
            interruption=cls.interruption_type(interrupt=run.interrupt_data) if waits else None,
            debug_url=run.debug_url,
            usage=run.usage,
            execute_id=run.execute_id,
            logid=run.logid,
        )


def _get(value: Any, name: str) -> Any:
    return getattr(value, name)


def _sum(first: Any, second: Any) -> Any:
    """The sum of two counts of tokens."""
    if first is None or second is None:
        return first or second
    names = ("token_count", "output_count", "input_count")
    return type(first)(
        **{name: (_get(first, name) or 0) + (_get(second, name) or 0) for name in names}
    )


class WorkflowParser(EventParser[Any]):
    """Bytes of a workflow stream → events of a run, and what they add up to."""

    numbered = True

    def __init__(self, spec: StreamSpec) -> None:
        super().__init__(spec)
        self._sequence = SequenceCheck()
        self._running: dict[str, NodeOutput] = {}
        self.nodes: list[NodeOutput] = []
        self.pieces: list[Any] = []
        self.debug_url: str | None = None
        self.usage: Any = None
        self.interrupted_by: Any = None

    def make(self, name: str, cls: type[Any], data: Any, id_: bytes) -> Any:
        """The typed event; see `EventParser.make`."""
        number = event_number(id_)
        if name in self.spec.delta:
            self._add(data)
        elif name in self.spec.interrupt:
            self.interrupted_by = data
        elif cls is UnknownEvent:
            return UnknownEvent(name, data, self.logid, number)
        elif name in self.spec.end:
            self.debug_url = getattr(data, "debug_url", None)
        return cls(data, number, self.logid)

    def missing(self, name: str, data: Any, id_: bytes) -> str | None:
        """What is missing before an event, by the numbers that workflow streams carry."""
        lost = self._sequence.event(event_number(id_))
        return self._sequence.piece(data) if lost is None and name in self.spec.delta else lost

    def failure(self, name: str, data: Any) -> APIError:
        """The error that a failed event stands for."""
        code = getattr(data, "error_code", None)
        msg = getattr(data, "error_message", None) or ("" if hasattr(data, "to_dict") else data)
        assert self.request is not None
        return self.spec.failed(
            describe(self.request, code, msg, 200, self.logid),
            code=code if isinstance(code, int) else None,
            msg=msg,
            http_status=200,
            logid=self.logid,
            request=self.request,
        )

    def _add(self, piece: Any) -> None:
        """Joins a piece to its execution: by its uuid, else by the title until the node is
        finished.
        """
        uuid, title = piece.node_execute_uuid, piece.node_title
        if title is None and uuid is None and is_empty(piece):
            return
        key = uuid or f"title {title}"
        node = self._running.get(key)
        if node is None or (uuid is None and node.is_finished):
            node = NodeOutput(title=title or "", node_id=piece.node_id, node_execute_uuid=uuid)
            self._running[key] = node
            self.nodes.append(node)
        text = text_of(piece.content)
        self.pieces.append(text)
        node.text += text
        node.is_finished = node.is_finished or bool(piece.node_is_finish)
        # The count grows with the run; the last one is that of the whole stream.
        self.usage = piece.usage or self.usage

    def result(self, cls: type[Any]) -> Any:
        """What the events so far add up to; a later event does not change it."""
        nodes = [evolve(node) for node in self.nodes]
        waiting = self.interrupted_by
        interruption = None
        if waiting is not None and waiting.interrupt_data is not None:
            title = waiting.node_title
            question = next((node.text for node in reversed(nodes) if node.title == title), "")
            interruption = cls.interruption_type(
                interrupt=waiting.interrupt_data, node_title=title, question=question
            )
        return cls(
            nodes=nodes,
            output=nodes[-1].text if nodes and interruption is None else "",
            interruption=interruption,
            debug_url=self.debug_url,
            usage=self.usage,
            logid=self.logid,
        )


class _Progress(Generic[ResultT]):
    """What a workflow stream has brought so far; both kinds of stream show it."""

    result_type: ClassVar[type[Any]]
    _parser: WorkflowParser

    @property
    def text(self) -> str:
        """What all nodes have put out so far."""
        return "".join(self._parser.pieces)

    @property
    def result(self) -> ResultT:
        """What the events so far add up to, node by node."""
        result: ResultT = self._parser.result(self.result_type)
        return result


class WorkflowStream(_Progress[ResultT], EventStream[EventT, ResultT], Generic[EventT, ResultT]):
    """The open stream of a workflow run. It ends when the run does, or waits for its caller."""

    parser_type = WorkflowParser


class AsyncWorkflowStream(
    _Progress[ResultT], AsyncEventStream[EventT, ResultT], Generic[EventT, ResultT]
):
    """The open stream of a workflow run. It ends when the run does, or waits for its caller."""

    parser_type = WorkflowParser


publish(globals(), "cozekit", "NodeOutput")
