"""The result of a chat, from the events of its stream: text, messages, state.

Generic over the models; the roles of the events are in the `StreamSpec`. Generated subclasses bind
both.

Source: https://www.coze.cn/open/docs/developer_guides/chat_v3
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar, cast

from attrs import define, field

from ..errors import APIError
from ..operation import Response
from ..serialization.convert import get_path, is_empty
from ..serialization.error_responses import describe, number_of
from .event_parser import EventParser, event_number, json_or_text, text_of
from .event_stream import AsyncEventStream, EventStream
from .events import StreamSpec, UnknownEvent, is_one_of

EventT = TypeVar("EventT")
ChatT = TypeVar("ChatT")
MessageT = TypeVar("MessageT")
ToolCallT = TypeVar("ToolCallT")
UsageT = TypeVar("UsageT")
ResultT = TypeVar("ResultT")

_IDS = ("chat_id", "conversation_id")
_NOTHING = object()  # no message id


def pending_calls(chat: Any, spec: StreamSpec) -> Sequence[Any]:
    """The tool calls that a chat waits for; empty if it does not wait for any."""
    # The state decides, because some responses have an empty `required_action`.
    if chat is None or not is_one_of(chat.status, spec.waiting):
        return []
    return get_path(chat, spec.tool_calls) or []


@define(kw_only=True)
class ChatResult(Generic[ChatT, MessageT, ToolCallT, UsageT]):
    """The result of a chat: its final state and its messages."""

    spec: ClassVar[StreamSpec]

    chat: ChatT
    """The chat in its last state."""
    messages: list[MessageT] = field(factory=list)
    """The complete messages of the chat: answers, follow-up questions, tool calls and others."""

    @property
    def answer(self) -> str:
        """The text of the answer; several answers are joined by an empty line. Empty if the chat
        waits for tool outputs.
        """
        return _SEPARATOR.join(_answers(self.messages, self.spec))

    @property
    def follow_ups(self) -> list[str]:
        """Questions that the bot suggests."""
        return _follow_ups(self.messages, self.spec)

    @property
    def reasoning(self) -> str:
        """The reasoning of a reasoning model."""
        return "".join(text_of(_get(message, "reasoning_content")) for message in self.messages)

    @property
    def tool_calls(self) -> Sequence[ToolCallT]:
        """The tool calls that the chat waits for. Submit their outputs with
        `coze.chat.submit_tool_outputs`, or use `coze.chat.run`.
        """
        return pending_calls(self.chat, self.spec)

    @property
    def problem(self) -> str | None:
        """What is wrong with a chat that ended without an error, as a text: it has neither an
        answer nor a usage, so it has probably failed, and the server gives no reason. Else None.
        """
        status = _get(self.chat, "status")
        if (
            self.answer
            or self.usage
            or not is_one_of(status, self.spec.settled - self.spec.waiting)
        ):
            return None
        return (
            f"the chat is {status} without an answer and without usage; the server gives no reason"
        )

    @property
    def usage(self) -> UsageT | None:
        """Tokens used, if the service says so."""
        usage: UsageT | None = _get(self.chat, "usage")
        return usage

    @property
    def logid(self) -> str | None:
        """Log id of the call that returned the chat."""
        logid: str | None = _get(self.chat, "logid")
        return logid


_SEPARATOR = "\n\n"
"""Between the texts of two answers."""


def _is_answer(message: Any, spec: StreamSpec) -> bool:
    """Whether the text of a message is part of the answer. Some servers leave the type out."""
    return is_one_of(message.type, spec.answer) if message.type else message.role != "user"


def _answers(messages: Sequence[Any], spec: StreamSpec) -> list[str]:
    texts = [text_of(message.content) for message in messages if _is_answer(message, spec)]
    return list(filter(None, texts))


def _follow_ups(messages: Sequence[Any], spec: StreamSpec) -> list[str]:
    return [text_of(it.content) for it in messages if is_one_of(it.type, spec.follow_up)]


def _msg_type(message: Any) -> str | None:
    """The `msg_type` of a message whose content is JSON."""
    value = get_path(json_or_text(text_of(message.content)), "msg_type")
    return value if isinstance(value, str) else None


def _get(value: Any, name: str) -> Any:
    return getattr(value, name)


class _AnswerPieces:
    """Tells the pieces of the answer from all others, and several answers apart."""

    def __init__(self, spec: StreamSpec, streamed: list[Any], *, has_begun: bool) -> None:
        self._spec, self._delta = spec, spec.delta
        self._streamed = streamed  # ids of messages that have had deltas
        self._current = streamed[-1] if streamed else _NOTHING
        self._has_begun = has_begun

    def of(self, event: Any) -> str:
        """What an event adds to the answer."""
        message, is_delta = event.data, event.event in self._delta
        if not is_delta and event.event not in self._spec.message:
            return ""
        if not message.content or not _is_answer(message, self._spec):
            return ""
        if is_delta and message.id == self._current:
            return text_of(message.content)
        if is_delta:
            self._streamed.append(message.id)
        elif message.id in self._streamed or None in self._streamed:
            return ""  # its deltas have brought the text
        begins = self._has_begun and message.id != self._current
        self._has_begun, self._current = True, message.id
        return f"{_SEPARATOR if begins else ''}{text_of(message.content)}"


class ChatParser(EventParser[Any]):
    """Bytes of a chat stream → events and the result of a chat."""

    def __init__(self, spec: StreamSpec, *options: Any) -> None:
        super().__init__(spec, *options)
        self.chat: Any = None
        self.messages: list[Any] = []
        self._reasoning: list[Any] = []
        self._reasoning_blocks: list[str] = []
        # The answers that are not complete: message id and text, in the order of their start.
        self._open: list[tuple[Any, list[str]]] = []
        self._owner: Any = None  # id of the message that `pieces` belong to …
        self._current: Any = _NOTHING  # … and whose deltas are added without a look at their type
        self._add = self.pieces.append
        # A tuple, because the value of a field may be of a type that has no hash.
        self._answer = (*spec.answer, None, "")

    def make(self, name: str, cls: type[Any], data: Any, id_: bytes) -> Any:
        """Creates the typed event and adds it to the result; see `EventParser.make`."""
        if name in self.spec.message:
            if not is_empty(data):
                self._complete(data)
        elif name in self.spec.state:
            data.set_logid(self.logid)
            # An empty event must not replace the known state.
            if not is_empty(data):
                self.chat = data
        elif cls is UnknownEvent:
            return UnknownEvent(name, data, self.logid, event_number(id_))
        return cls(data, self.logid)

    def make_delta(self, cls: type[Any], data: Any, id_: bytes) -> Any:
        """Creates the typed event of a delta; see `EventParser.make_delta`."""
        content = data.content
        # Deltas of one message have one type, so only another message is looked at.
        if content and (data.id == self._current or self._begin(data)):
            self._add(content)
        if reasoning := data.reasoning_content:
            self._reasoning.append(reasoning)
        return cls(data, self.logid)

    def _begin(self, delta: Any) -> bool:
        """Returns whether a delta of another message is part of an answer; `pieces` then belong to
        that message.
        """
        if delta.type not in self._answer:
            return False
        if delta.id != self._owner:
            self.join_pieces()
            self._owner = delta.id
        # Deltas without an id may have any type, so each is looked at.
        self._current = _NOTHING if delta.id is None else delta.id
        return True

    def _complete(self, message: Any) -> None:
        """A complete message replaces its deltas."""
        self.join_pieces()
        self._current = _NOTHING
        self.messages.append(message)
        ids = [id_ for id_, _ in self._open]
        if message.id in ids:
            del self._open[ids.index(message.id)]
        elif None in ids and _is_answer(message, self.spec):
            del self._open[ids.index(None)]

    def join_pieces(self) -> None:
        """Joins the last pieces of text; see `EventParser.join_pieces`."""
        if self.pieces:
            blocks = next((text for id_, text in self._open if id_ == self._owner), None)
            if blocks is None:
                blocks = []
                self._open.append((self._owner, blocks))
            blocks.append("".join(map(text_of, self.pieces)))
            self.pieces.clear()
        self._reasoning_blocks.append("".join(map(text_of, self._reasoning)))
        self._reasoning.clear()

    @property
    def text(self) -> str:
        """The text of the answer so far; several answers are joined by an empty line."""
        self.join_pieces()
        unfinished = ["".join(blocks) for _, blocks in self._open]
        return _SEPARATOR.join(_answers(self.messages, self.spec) + unfinished)

    @property
    def reasoning(self) -> str:
        """The reasoning of a reasoning model so far."""
        return "".join((*self._reasoning_blocks, *map(text_of, self._reasoning)))

    def text_pieces(self) -> Callable[[Any], str]:
        """A function from events to pieces of the answer; see `EventParser.text_pieces`."""
        has_begun = bool(self.text)
        return _AnswerPieces(self.spec, [id_ for id_, _ in self._open], has_begun=has_begun).of

    @property
    def ids(self) -> dict[str, Any]:
        """The ids of the chat, from its state, its messages or the request."""
        if self.chat is not None:
            known: list[Mapping[str, Any]] = [
                {"chat_id": self.chat.id, "conversation_id": self.chat.conversation_id}
            ]
        else:
            messages = [event.message for event in reversed(self.events)]
            known = [{name: getattr(it, name, None) for name in _IDS} for it in messages]
        known.append(self.sent)
        return {name: next((ids[name] for ids in known if ids.get(name)), None) for name in _IDS}

    def is_settled(self) -> bool:
        """Whether the chat has shown that it ended, or that it waits."""
        settled = self.chat is not None and is_one_of(self.chat.status, self.spec.settled)
        return settled or self._pauses()

    def _pauses(self) -> bool:
        return any(_msg_type(message) in self.spec.pauses for message in self.messages)

    def failure(self, name: str, data: Any) -> APIError:
        """Creates the error for an event that reports a failure; see `EventParser.failure`."""
        model = self.spec.state_model
        if model is not None and getattr(data, "status", None) is not None:
            self.chat = model.from_dict(data.to_dict())
            self.chat.set_logid(self.logid)
        last = getattr(data, "last_error", None)
        code = getattr(data, "code", None) or getattr(last, "code", None)
        msg = getattr(data, "msg", None) or getattr(last, "msg", None)
        return self._failed(code, msg or f"the stream reported {name}", data)

    def _failed(self, code: Any, msg: str, data: Any) -> APIError:
        assert self.request is not None
        ids = {
            "chat_id": getattr(data, "id", None) or self.ids["chat_id"],
            "conversation_id": getattr(data, "conversation_id", None)
            or self.ids["conversation_id"],
        }
        error: Any = self.spec.failed(
            describe(self.request, code, msg, 200, self.logid, ids),
            code=number_of(code),
            msg=msg,
            http_status=200,
            logid=self.logid,
            debug_url=getattr(data, "debug_url", None),
            request=self.request,
        )
        error.chat, error.text = self.chat, self.text
        error.chat_id, error.conversation_id = ids.values()
        return error  # type: ignore[no-any-return]  # the class is given by the description

    def result(self, cls: type[Any]) -> Any:
        """The result of the chat, if its final state is known; see `EventParser.result`."""
        if self.chat is None:
            raise self.interrupted("the stream ended without the state of the chat")
        status = self.chat.status
        # A state that is not known is final: the server has closed the stream.
        is_final = status and not is_one_of(status, self.spec.running)
        if not is_final and not self._pauses():
            raise self.interrupted(
                f"the stream ended, but the last known state of the chat is {status}"
            )
        return cls(chat=self.chat, messages=self.messages)

    def recovered(self, cls: type[Any], last: Any, then: Any) -> Any:
        """The result after a break; see `EventParser.recovered`."""
        self.chat = last
        known = [message.id for message in self.messages]
        for message in then:
            if message.id not in known and message.role != "user":
                self._complete(message)
        self._open.clear()
        return cls(chat=self.chat, messages=self.messages)


class _Progress(Generic[ChatT, MessageT, ToolCallT]):
    """The content of a chat stream so far; shared by sync and async streams."""

    spec: ClassVar[StreamSpec]
    _parser: ChatParser

    @property
    def text(self) -> str:
        """The text of the answer so far; several answers are joined by an empty line."""
        return self._parser.text

    @property
    def reasoning(self) -> str:
        """The reasoning of a reasoning model so far."""
        return self._parser.reasoning

    @property
    def messages(self) -> list[MessageT]:
        """The complete messages so far."""
        return self._parser.messages

    @property
    def chat(self) -> ChatT | None:
        """The chat in its last known state; None before the first event that has it."""
        chat: ChatT | None = self._parser.chat
        return chat

    @property
    def follow_ups(self) -> list[str]:
        """Questions that the bot suggests; complete at the end of the stream."""
        return _follow_ups(self._parser.messages, self.spec)

    @property
    def tool_calls(self) -> Sequence[ToolCallT]:
        """The tool calls that the chat waits for; empty before the end of the stream."""
        return pending_calls(self._parser.chat, self.spec)


class ChatStream(
    _Progress[ChatT, MessageT, ToolCallT],
    EventStream[EventT, ResultT],
    Generic[EventT, ChatT, MessageT, ToolCallT, ResultT],
):
    """The open stream of a chat. Iterate over its events, or over its text with `text_stream`; or
    call `until_done` to get the result.

    ```python
    with coze.chat.stream(bot_id="7342866812345", user_id="user-1") as stream:
        for text in stream.text_stream():
            print(text, end="")
    ```
    """

    parser_type = ChatParser


class AsyncChatStream(
    _Progress[ChatT, MessageT, ToolCallT],
    AsyncEventStream[EventT, ResultT],
    Generic[EventT, ChatT, MessageT, ToolCallT, ResultT],
):
    """The stream of a chat, opened on first use. Iterate over its events, or over its text with
    `text_stream`; or await `until_done` to get the result.

    ```python
    async with coze.chat.stream(bot_id="7342866812345", user_id="user-1") as stream:
        async for text in stream.text_stream():
            print(text, end="")
    ```
    """

    parser_type = ChatParser


def last_state(response: Response, stream: type[ChatStream[Any, ChatT, Any, Any, Any]]) -> ChatT:
    """The chat at the end of a stream that was read as a whole, because none was asked for.

    Args:
        response: The response.
        stream: The kind of stream.

    Raises:
        APIError: The chat failed.
        StreamInterrupted: The stream stopped before its last event.
    """
    parser = ChatParser(stream.spec, {})
    parser.logid, parser.on_drift = response.logid, response.on_drift
    parser.operation, parser.request = response.operation, response.info
    parser.push(response.content)
    for events in (parser.take(), parser.finish()):
        deque(events, maxlen=0)
    result: Any = parser.result(stream.result_type)
    return cast(ChatT, result.chat)
