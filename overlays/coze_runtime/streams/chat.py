"""How the events of a chat add up: the text, the finished messages, the state, the result.

Generic over the models. Which events bring a piece, a message or a state comes out of the
description, as `StreamSpec`; the generator binds both in subclasses.

Source: https://www.coze.cn/open/docs/developer_guides/chat_v3
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

from attrs import define, field

from ..errors import APIError
from ..serialization.convert import get_path, is_empty
from ..serialization.error_responses import describe, number_of
from .event_parser import EventParser, event_number, text_of
from .event_stream import AsyncEventStream, EventStream
from .events import StreamSpec, UnknownEvent

EventT = TypeVar("EventT")
ChatT = TypeVar("ChatT")
MessageT = TypeVar("MessageT")
ToolCallT = TypeVar("ToolCallT")
UsageT = TypeVar("UsageT")
ResultT = TypeVar("ResultT")


def pending_calls(chat: Any, spec: StreamSpec) -> Sequence[Any]:
    """The tool calls that a chat waits for; none when it does not wait. Some responses carry an
    empty `required_action`.
    """
    found = get_path(chat, spec.tool_calls) if chat is not None and is_waiting(chat, spec) else None
    return found or []


def is_waiting(chat: Any, spec: StreamSpec) -> bool:
    """Whether a chat waits for its caller."""
    return chat.status in spec.waiting


@define(kw_only=True)
class ChatResult(Generic[ChatT, MessageT, ToolCallT, UsageT]):
    """How a chat ended."""

    spec: ClassVar[StreamSpec]

    chat: ChatT
    messages: list[MessageT] = field(factory=list)
    """The finished messages of the chat: answers, follow-up questions, tool calls and what lies
    between.
    """

    @property
    def answer(self) -> str:
        """The text of the answers; several are joined by an empty line. Empty when the chat waits
        for tool outputs.
        """
        return "\n\n".join(_texts(self.messages, self.spec.answer))

    @property
    def follow_ups(self) -> list[str]:
        """Questions that the bot suggests to ask next."""
        return _texts(self.messages, self.spec.follow_up)

    @property
    def reasoning(self) -> str:
        """What a reasoning model thought before it answered."""
        return "".join(text_of(_get(message, "reasoning_content")) for message in self.messages)

    @property
    def tool_calls(self) -> Sequence[ToolCallT]:
        """The tool calls that the chat waits for; hand their outputs in with
        `coze.chat.submit_tool_outputs`, or let `coze.chat.run` do it.
        """
        return pending_calls(self.chat, self.spec)

    @property
    def usage(self) -> UsageT | None:
        """Tokens used, when the service tells."""
        found: UsageT | None = _get(self.chat, "usage")
        return found

    @property
    def logid(self) -> str | None:
        """Log id of the response that brought the chat."""
        found: str | None = _get(self.chat, "logid")
        return found


def _texts(messages: Sequence[Any], types: frozenset[str]) -> list[str]:
    return [text_of(message.content) for message in messages if message.type in types]


def _get(value: Any, name: str) -> Any:
    return getattr(value, name)


class ChatParser(EventParser[Any]):
    """Bytes of a chat stream → events of a chat, and what they add up to."""

    def __init__(self, spec: StreamSpec) -> None:
        super().__init__(spec)
        self.chat: Any = None
        self.messages: list[Any] = []
        self.pieces: list[Any] = []
        self.thoughts: list[Any] = []
        self._delta, self._message, self._state = spec.delta, spec.message, spec.state

    def make(self, name: str, cls: type[Any], data: Any, id_: bytes) -> Any:
        """The typed event; see `EventParser.make`."""
        if name in self._delta:
            if data.content:
                self.pieces.append(data.content)
            if data.reasoning_content:
                self.thoughts.append(data.reasoning_content)
        elif name in self._message:
            if not is_empty(data):
                self.messages.append(data)
        elif name in self._state:
            data.set_logid(self.logid)
            # An event that says nothing does not make what is known unknown.
            if not is_empty(data):
                self.chat = data
        elif cls is UnknownEvent:
            return UnknownEvent(name, data, self.logid, event_number(id_))
        return cls(data, self.logid)

    def failure(self, name: str, data: Any) -> APIError:
        """The error that a failed event stands for."""
        model = self.spec.state_model
        if model is not None and getattr(data, "status", None) is not None:
            self.chat = model.from_dict(data.to_dict())
            self.chat.set_logid(self.logid)
        last = getattr(data, "last_error", None)
        code = getattr(data, "code", None) or getattr(last, "code", None)
        msg = getattr(data, "msg", None) or getattr(last, "msg", None)
        return self._failed(code, msg or f"the stream reports {name}", data)

    def _failed(self, code: Any, msg: str, data: Any) -> APIError:
        assert self.request is not None
        error: Any = self.spec.failed(
            describe(self.request, code, msg, 200, self.logid),
            code=number_of(code),
            msg=msg,
            http_status=200,
            logid=self.logid,
            request=self.request,
        )
        chat = self.chat
        error.chat = chat
        error.chat_id = getattr(data, "id", None) or (chat.id if chat else None)
        error.conversation_id = getattr(data, "conversation_id", None) or (
            chat.conversation_id if chat else None
        )
        return error  # type: ignore[no-any-return]  # the class is given by the description

    def result(self, cls: type[Any]) -> Any:
        """The chat, once it is known how it ended, with its messages; see `EventParser.result`."""
        if self.chat is None:
            raise self.interrupted("the stream has ended, but the chat was never seen")
        if self.chat.status not in self.spec.settled:
            raise self.interrupted(
                f"the stream has ended, but the chat was {self.chat.status} when it was last seen"
            )
        return cls(chat=self.chat, messages=self.messages)


class _Progress(Generic[ChatT, MessageT, ToolCallT]):
    """What a chat stream has brought so far; both kinds of stream show it."""

    spec: ClassVar[StreamSpec]
    _parser: ChatParser

    @property
    def text(self) -> str:
        """The text of the answer so far."""
        return "".join(map(text_of, self._parser.pieces))

    @property
    def reasoning(self) -> str:
        """What a reasoning model has thought so far."""
        return "".join(map(text_of, self._parser.thoughts))

    @property
    def messages(self) -> list[MessageT]:
        """The finished messages so far."""
        return self._parser.messages

    @property
    def chat(self) -> ChatT | None:
        """The chat as the last event about it said; None before the first."""
        found: ChatT | None = self._parser.chat
        return found

    @property
    def follow_ups(self) -> list[str]:
        """Questions that the bot suggests to ask next; complete at the end of the stream."""
        return _texts(self._parser.messages, self.spec.follow_up)

    @property
    def tool_calls(self) -> Sequence[ToolCallT]:
        """The tool calls that the chat waits for; none before the end of the stream."""
        return pending_calls(self._parser.chat, self.spec)


class ChatStream(
    _Progress[ChatT, MessageT, ToolCallT],
    EventStream[EventT, ResultT],
    Generic[EventT, ChatT, MessageT, ToolCallT, ResultT],
):
    """The open stream of a chat. Iterate over its events, or over its text with `text_stream`."""

    parser_type = ChatParser


class AsyncChatStream(
    _Progress[ChatT, MessageT, ToolCallT],
    AsyncEventStream[EventT, ResultT],
    Generic[EventT, ChatT, MessageT, ToolCallT, ResultT],
):
    """The open stream of a chat. Iterate over its events, or over its text with `text_stream`."""

    parser_type = ChatParser
