"""The result of a workflow run, from the events of its stream: outputs of its nodes, interruption.

Generic over the models; the roles of the events are in the `StreamSpec`. Generated subclasses bind
both.

Source: https://www.coze.cn/open/docs/developer_guides/workflow_stream_run
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Generic, Self, TypeVar

from attrs import define, evolve, field

from .. import publish
from ..errors import APIError
from ..serialization.convert import get_path, is_empty
from ..serialization.error_responses import describe, execute_id_in, number_of
from .event_parser import EventParser, event_number, json_or_text, text_of
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
    """The output of one execution of a node."""

    title: str
    """Title of the node."""
    text: str = ""
    """The output so far, its pieces joined."""
    node_id: str | None = None
    """Id of the node."""
    node_execute_uuid: str | None = None
    """Id of this execution, for `coze.workflows.runs.run_histories.execute_nodes.retrieve`."""
    is_finished: bool = False
    """Whether the output is complete."""


@define(kw_only=True)
class Interruption(Generic[InterruptT, InterruptTypeT, ParameterT]):
    """An interruption: the run waits for an answer."""

    interrupt: InterruptT
    """The data of the interruption."""
    node_title: str | None = None
    """Title of the waiting node; None for runs that do not stream."""
    question: str = ""
    """The question of the waiting node: its output, or else the text in `data`."""
    number: int = 1
    """Number of the interruption in the run, from 1."""

    @property
    def event_id(self) -> str | None:
        """Id to resume the run with."""
        event_id: str | None = _get(self.interrupt, "event_id")
        return event_id

    @property
    def type(self) -> InterruptTypeT | None:
        """Type of the waiting node: 2 question, 5 input, 6 local plugin, 7 plugin with sign-in."""
        type_: InterruptTypeT | None = _get(self.interrupt, "type")
        return type_

    @property
    def data(self) -> str | None:
        """Details as JSON text; may be empty for plain questions."""
        data: str | None = _get(self.interrupt, "data")
        return data

    @property
    def required_parameters(self) -> dict[str, ParameterT]:
        """The values that the answer must contain, by name."""
        return _get(self.interrupt, "required_parameters") or {}


@define(kw_only=True)
class WorkflowResult(Generic[InterruptionT, UsageT]):
    """The result of a workflow run, or what it waits for."""

    interruption_type: ClassVar[type[Any]]

    nodes: list[NodeOutput] = field(factory=list)
    """The outputs of the nodes in the order of their start; empty for runs that do not stream."""
    output: str = ""
    """The output of the end node, often JSON text. In streams, the last output if the end node does
    not stream; empty if the run is interrupted.
    """
    interruption: InterruptionT | None = None
    """What the run waits for; None if it has ended."""
    debug_url: str | None = None
    """URL where the run can be inspected for 7 days."""
    usage: UsageT | None = None
    """Tokens used; for a resumed run, the sum of all its parts."""
    execute_id: str | None = None
    """Id of the run. Streams show it in their last event."""
    logid: str | None = None
    """Log id of the call."""

    @property
    def texts(self) -> dict[str, str]:
        """Title of each node → its whole output."""
        texts: dict[str, str] = {}
        for node in self.nodes:
            texts[node.title] = texts.get(node.title, "") + node.text
        return texts

    def after(self, earlier: Self) -> Self:
        """Adds the result of an earlier part of the run, and returns this result.

        Args:
            earlier: The result before the run was resumed.
        """
        self.nodes = [*earlier.nodes, *self.nodes]
        self.usage = _sum(earlier.usage, self.usage)
        self.execute_id = self.execute_id or earlier.execute_id
        interruption: Any = self.interruption
        previous: Any = earlier.interruption
        if interruption is not None and previous is not None:
            interruption.number = previous.number + 1
        return self

    @classmethod
    def of_run(cls, run: Any, output: str | None) -> Self:
        """Creates the result of a run that does not stream.

        Args:
            run: The result of `coze.workflows.runs.create`, or the record of a run.
            output: The output of its end node.
        """
        interrupt: Any = run.interrupt_data
        interruption: Any = None
        if interrupt is not None and interrupt.event_id:
            question = question_in(interrupt.data)
            interruption = cls.interruption_type(interrupt=interrupt, question=question)
        return cls(
            output=output or "",
            interruption=interruption,
            debug_url=run.debug_url,
            usage=run.usage,
            execute_id=run.execute_id,
            logid=run.logid,
        )


def _get(value: Any, name: str) -> Any:
    return getattr(value, name)


def _sum(first: Any, second: Any) -> Any:
    """The sum of two token usages."""
    if first is None or second is None:
        return first or second
    names = ("token_count", "output_count", "input_count")
    return type(first)(
        **{name: (_get(first, name) or 0) + (_get(second, name) or 0) for name in names}
    )


def question_in(text: object) -> str:
    """The question in a text, which may be JSON: an object with `content`, or with `messages` that
    have it.
    """
    if not isinstance(text, str):
        return ""
    data = json_or_text(text)
    contents = get_path(data, "messages.*.content") or [get_path(data, "content")]
    questions = [content for content in contents if isinstance(content, str)]
    return "\n\n".join(questions) or text


class _Node:
    """A node whose output arrives in pieces."""

    def __init__(self, piece: Any) -> None:
        self.output = NodeOutput(
            title=piece.node_title or "",
            node_id=piece.node_id,
            node_execute_uuid=piece.node_execute_uuid,
        )
        self.blocks: list[str] = []
        self.pieces: list[str] = []


class WorkflowParser(EventParser[Any]):
    """Bytes of a workflow stream → events and the result of a run."""

    def __init__(self, spec: StreamSpec, *options: Any) -> None:
        super().__init__(spec, *options)
        self._sequence = SequenceCheck()
        self._nodes_by_key: dict[str, _Node] = {}
        self._nodes: list[_Node] = []
        self._blocks: list[str] = []
        self.debug_url: str | None = None
        self.usage: Any = None
        self.interrupted_by: Any = None

    def make(self, name: str, cls: type[Any], data: Any, id_: bytes) -> Any:
        """Creates the typed event and adds it to the result; see `EventParser.make`."""
        number = event_number(id_)
        if cls is UnknownEvent:
            return UnknownEvent(name, data, self.logid, number)
        if name in self.spec.interrupt:
            self.interrupted_by = data
        self.debug_url = getattr(data, "debug_url", None) or self.debug_url
        return cls(data, number, self.logid)

    def make_delta(self, cls: type[Any], data: Any, id_: bytes) -> Any:
        """Creates the typed event of a piece of output; see `EventParser.make_delta`."""
        self._add(data)
        return cls(data, event_number(id_), self.logid)

    def missing(self, name: str, data: Any, id_: bytes) -> str | None:
        """What is missing before an event, by its numbers; see `EventParser.missing`."""
        problem = self._sequence.event(event_number(id_))
        if problem is None and name in self.spec.delta:
            return self._sequence.piece(data)
        return problem

    def failure(self, name: str, data: Any) -> APIError:
        """Creates the error for an event that reports a failure; see `EventParser.failure`."""
        code = getattr(data, "error_code", None)
        msg = getattr(data, "error_message", None) or ("" if hasattr(data, "to_dict") else data)
        assert self.request is not None
        error: Any = self.spec.failed(
            describe(self.request, code, msg, 200, self.logid, self.ids),
            code=number_of(code),
            msg=msg,
            http_status=200,
            logid=self.logid,
            debug_url=self.debug_url,
            request=self.request,
        )
        error.text, error.execute_id = self.text, self.ids["execute_id"]
        return error  # type: ignore[no-any-return]  # the class is given by the description

    def join_pieces(self) -> None:
        """Joins the last pieces of text; see `EventParser.join_pieces`."""
        self._blocks.append("".join(self.pieces))
        self.pieces.clear()
        for node in self._nodes:
            node.blocks.append("".join(node.pieces))
            node.pieces.clear()

    def _add(self, piece: Any) -> None:
        """Adds a piece to the output of its execution, which is found by its uuid, or else by the
        title of a node that is not finished.
        """
        uuid, title = piece.node_execute_uuid, piece.node_title
        if title is None and uuid is None and is_empty(piece):
            return
        key = f"uuid {uuid}" if uuid else f"title {title}"
        node = self._nodes_by_key.get(key)
        if node is None or (uuid is None and node.output.is_finished):
            node = self._nodes_by_key[key] = _Node(piece)
            self._nodes.append(node)
        text = text_of(piece.content)
        self.pieces.append(text)
        node.pieces.append(text)
        node.output.is_finished = node.output.is_finished or bool(piece.node_is_finish)
        # The usage is cumulative: the last one is that of the whole stream.
        self.usage = piece.usage or self.usage

    @property
    def text(self) -> str:
        """The output of all nodes so far."""
        self.join_pieces()
        return "".join(self._blocks)

    def text_pieces(self) -> Callable[[Any], str]:
        """A function from events to pieces of output; see `EventParser.text_pieces`."""
        delta = self.spec.delta
        return lambda event: text_of(event.data.content) if event.event in delta else ""

    @property
    def ids(self) -> dict[str, Any]:
        """The id of the run. A run that was resumed has it in the id of its interruption."""
        resumed = str(self.sent.get("event_id") or "").partition("/")[0]
        return {"execute_id": execute_id_in(self.debug_url) or resumed or None}

    @property
    def nodes(self) -> list[NodeOutput]:
        """The outputs of the nodes so far; later events do not change them."""
        self.join_pieces()
        return [evolve(node.output, text="".join(node.blocks)) for node in self._nodes]

    def result(self, cls: type[Any]) -> Any:
        """The result so far; later events do not change it. See `EventParser.result`."""
        nodes, event = self.nodes, self.interrupted_by
        interruption = None
        if event is not None and event.interrupt_data is not None:
            title = event.node_title
            own = next((node.text for node in reversed(nodes) if node.title == title), "")
            last = nodes[-1].text if nodes else ""
            interruption = cls.interruption_type(
                interrupt=event.interrupt_data,
                node_title=title,
                question=question_in(own or event.interrupt_data.data or last),
            )
        return cls(
            nodes=nodes,
            output=nodes[-1].text if nodes and interruption is None else "",
            interruption=interruption,
            debug_url=self.debug_url,
            usage=self.usage,
            logid=self.logid,
            **self.ids,
        )

    def recovered(self, cls: type[Any], last: Any, then: Any) -> Any:
        """The result after a break; see `EventParser.recovered`."""
        result = cls.of_run(last, _end_output(last.output))
        result.nodes = self.nodes
        return result


def _end_output(output: str | None) -> str:
    """The output of the end node in the record of a run: JSON with the outputs by name, or text."""
    return text_of(get_path(json_or_text(output or ""), "Output")) or output or ""


class _Progress(Generic[ResultT]):
    """The content of a workflow stream so far; shared by sync and async streams."""

    result_type: ClassVar[type[Any]]
    _parser: WorkflowParser

    @property
    def text(self) -> str:
        """The output of all nodes so far."""
        return self._parser.text

    @property
    def result(self) -> ResultT:
        """The result so far, node by node."""
        result: ResultT = self._parser.result(self.result_type)
        return result


class WorkflowStream(_Progress[ResultT], EventStream[EventT, ResultT], Generic[EventT, ResultT]):
    """The open stream of a workflow run, until the run ends or is interrupted. Iterate over its
    events, or over its text with `text_stream`; or call `until_done` to get the result.

    ```python
    with coze.workflows.runs.stream(workflow_id="7342866812345") as stream:
        print(stream.until_done().output)
    ```
    """

    parser_type = WorkflowParser


class AsyncWorkflowStream(
    _Progress[ResultT], AsyncEventStream[EventT, ResultT], Generic[EventT, ResultT]
):
    """The stream of a workflow run, until the run ends or is interrupted; opened on first use.
    Iterate over its events, or over its text with `text_stream`; or await `until_done` to get the
    result.

    ```python
    async with coze.workflows.runs.stream(workflow_id="7342866812345") as stream:
        print((await stream.until_done()).output)
    ```
    """

    parser_type = WorkflowParser


publish(globals(), "cozekit", "NodeOutput")
