"""The result of a chat, from the events of its stream: text, messages, state.

Generic over the models; the roles of the events are in the `StreamSpec`. Generated subclasses bind
both.

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
    """The tool calls that a chat waits for; empty if it does not wait for any."""
    # The state decides, because some responses have an empty `required_action`.
    if chat is None or chat.status not in spec.waiting:
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
        return "\n\n".join(_texts(self.messages, self.spec.answer))

    @property
    def follow_ups(self) -> list[str]:
        """Questions that the bot suggests."""
        return _texts(self.messages, self.spec.follow_up)

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
    def usage(self) -> UsageT | None:
        """Tokens used, if the service says so."""
        usage: UsageT | None = _get(self.chat, "usage")
        return usage

    @property
    def logid(self) -> str | None:
        """Log id of the call that returned the chat."""
        logid: str | None = _get(self.chat, "logid")
        return logid


def _texts(messages: Sequence[Any], types: frozenset[str]) -> list[str]:
    return [text_of(message.content) for message in messages if message.type in types]


def _get(value: Any, name: str) -> Any:
    return getattr(value, name)


class ChatParser(EventParser[Any]):
    """Bytes of a chat stream → events and the result of a chat."""

    def __init__(self, spec: StreamSpec) -> None:
        super().__init__(spec)
        self.chat: Any = None
        self.messages: list[Any] = []
        self.pieces: list[Any] = []
        self.reasoning_pieces: list[Any] = []
        self._delta, self._message, self._state = spec.delta, spec.message, spec.state

    def make(self, name: str, cls: type[Any], data: Any, id_: bytes) -> Any:
        """Creates the typed event and adds it to the result; see `EventParser.make`."""
        if name in self._delta:
            if data.content:
                self.pieces.append(data.content)
            if data.reasoning_content:
                self.reasoning_pieces.append(data.reasoning_content)
        elif name in self._message:
            if not is_empty(data):
                self.messages.append(data)
        elif name in self._state:
            data.set_logid(self.logid)
            # An empty event must not replace the known state.
            if not is_empty(data):
                self.chat = data
        elif cls is UnknownEvent:
            return UnknownEvent(name, data, self.logid, event_number(id_))
        return cls(data, self.logid)

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
        """The result of the chat, if its final state is known; see `EventParser.result`."""
        if self.chat is None:
            raise self.interrupted("the stream ended without the state of the chat")
        if self.chat.status not in self.spec.settled:
            raise self.interrupted(
                f"the stream ended, but the last known state of the chat is {self.chat.status}"
            )
        return cls(chat=self.chat, messages=self.messages)


class _Progress(Generic[ChatT, MessageT, ToolCallT]):
    """The content of a chat stream so far; shared by sync and async streams."""

    spec: ClassVar[StreamSpec]
    _parser: ChatParser

    @property
    def text(self) -> str:
        """The text of the answer so far."""
        return "".join(map(text_of, self._parser.pieces))

    @property
    def reasoning(self) -> str:
        """The reasoning of a reasoning model so far."""
        return "".join(map(text_of, self._parser.reasoning_pieces))

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
        return _texts(self._parser.messages, self.spec.follow_up)

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
