"""Streams of chats, submitted tool outputs and chatflows: events, the text that they add up to, and the final result.

Source: https://www.coze.cn/open/docs/developer_guides/chat_v3
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from attrs import define, field
from msgspec import Struct

from coze_openapi.codec import stamp
from coze_openapi.errors import describe
from coze_openapi.models.chat import Chat, ChatFailure, ChatStatus, ChatStreamDone, ChatStreamError, Message, MessageType, ToolCall
from coze_openapi.models.shared import TokenUsage

from .errors import ChatFailed, CozeError
from .listening import Listener, tell, tell_async
from .reader import text_of
from .streams import AsyncEventStream, EventReader, EventStream

if TYPE_CHECKING:
    from coze_openapi.types import Stream

DELTA = "conversation.message.delta"
MESSAGE_COMPLETED = "conversation.message.completed"
_UNFINISHED = frozenset({None, ChatStatus.CREATED, ChatStatus.IN_PROGRESS})


# A struct, since streams make one for every piece of an answer: that takes half the time of an `__init__` in Python.
class ChatEvent(Struct, eq=False):
    """One event of a chat."""

    event: str
    """Name of the event, one of `ChatEventType` or newer than this package."""
    data: Any
    """What it carries: a `Chat`, a `Message`, plain JSON or text for events that the description does not know."""
    logid: str | None
    """Log id of the stream."""

    @property
    def message(self) -> Message:
        """The message or the piece of one.

        Raises:
            AttributeError: The event carries none.
        """
        if isinstance(self.data, Message):
            return self.data
        raise AttributeError(f"{self.event} carries no message")

    @property
    def chat(self) -> Chat:
        """The chat in its present state.

        Raises:
            AttributeError: The event carries none.
        """
        if isinstance(self.data, Chat):
            return self.data
        raise AttributeError(f"{self.event} carries no chat")

    @property
    def debug_url(self) -> str | None:
        """Where a chatflow can be inspected; on its last event."""
        return self.data.debug_url if isinstance(self.data, ChatStreamDone) else None

    def __repr__(self) -> str:
        return f"ChatEvent({self.event!r}, {self.data!r})"


@define(kw_only=True)
class ChatResult:
    """How a chat ended."""

    chat: Chat
    messages: list[Message] = field(factory=list)
    """The finished messages of the chat: answers, follow-up questions, tool calls and what lies between."""

    @property
    def answer(self) -> str:
        """The text of the answers; several are joined by an empty line. Empty when the chat waits for tool outputs."""
        return "\n\n".join(text_of(message.content) for message in self.messages if message.type == MessageType.ANSWER)

    @property
    def follow_ups(self) -> list[str]:
        """Questions that the bot suggests to ask next."""
        return [text_of(message.content) for message in self.messages if message.type == MessageType.FOLLOW_UP]

    @property
    def reasoning(self) -> str:
        """What a reasoning model thought before it answered."""
        return "".join(text_of(message.reasoning_content) for message in self.messages)

    @property
    def tool_calls(self) -> Sequence[ToolCall]:
        """The tool calls that the chat waits for; hand their outputs in with `chat.submit_tool_outputs`, or let `chat.run` do it."""
        from .tools import pending_calls

        return pending_calls(self.chat)

    @property
    def usage(self) -> TokenUsage | None:
        """Tokens used, when the service tells."""
        return self.chat.usage

    @property
    def logid(self) -> str | None:
        """Log id of the answer that brought the chat."""
        return self.chat.logid


class ChatReader(EventReader[ChatEvent]):
    """Bytes of a chat stream → `ChatEvent`."""

    failing = frozenset({"conversation.chat.failed"})

    def __init__(self, spec: Stream) -> None:
        super().__init__(spec)
        self.chat: Chat | None = None
        self.messages: list[Message] = []
        self.pieces: list[str] = []
        self.thoughts: list[str] = []

    def make(self, name: str, data: Any, id_: bytes) -> ChatEvent:
        """The typed event."""
        if name == DELTA and type(data) is Message:
            if data.content:
                self.pieces.append(data.content)
            if data.reasoning_content:
                self.thoughts.append(data.reasoning_content)
        elif name == MESSAGE_COMPLETED and type(data) is Message:
            self.messages.append(data)
        elif type(data) is Chat:
            stamp(data, self.logid)
            self.chat = data
        return ChatEvent(name, data, self.logid)

    def failure(self, event: ChatEvent, data: Any) -> CozeError | None:
        """The error that an event stands for; None when it is no failure."""
        if not isinstance(data, ChatFailure | ChatStreamError) and event.event not in self.spec.errors:
            return None
        if isinstance(data, ChatFailure) and data.status is not None:
            self.chat = Chat.from_dict(data.to_dict())
            stamp(self.chat, self.logid)
        last = getattr(data, "last_error", None)
        code = getattr(data, "code", None) or getattr(last, "code", None)
        msg = getattr(data, "msg", None) or getattr(last, "msg", None) or f"the stream reports {event.event}"
        return self._chat_failed(code, msg, data)

    def _chat_failed(self, code: Any, msg: str, data: Any) -> ChatFailed:
        number = int(code) if str(code).lstrip("-").isdigit() else None
        assert self.request is not None
        text = describe(self.request, code, msg, 200, self.logid)
        error = ChatFailed(text, code=number, msg=msg, http_status=200, logid=self.logid, request=self.request)
        error.chat_id = getattr(data, "id", None) or (self.chat.id if self.chat else None)
        error.conversation_id = getattr(data, "conversation_id", None) or (self.chat.conversation_id if self.chat else None)
        error.chat = self.chat
        return error

    def result(self) -> ChatResult:
        """The chat as the stream left it.

        Raises:
            StreamInterrupted: No event told how the chat has ended.
        """
        if self.chat is None or self.chat.status in _UNFINISHED:
            status = "was never seen" if self.chat is None else f"was {self.chat.status} when it was last seen"
            raise self.interrupted(f"the stream has ended, but the chat {status}")
        return ChatResult(chat=self.chat, messages=self.messages)


class _Progress:
    """What a chat stream has brought so far; both kinds of stream show it."""

    _reader: ChatReader

    @property
    def text(self) -> str:
        """The text of the answer so far."""
        return "".join(map(text_of, self._reader.pieces))

    @property
    def reasoning(self) -> str:
        """What a reasoning model has thought so far."""
        return "".join(map(text_of, self._reader.thoughts))

    @property
    def messages(self) -> list[Message]:
        """The finished messages so far."""
        return self._reader.messages

    @property
    def chat(self) -> Chat | None:
        """The chat as the last event about it said; None before the first."""
        return self._reader.chat

    @property
    def follow_ups(self) -> list[str]:
        """Questions that the bot suggests to ask next; complete at the end of the stream."""
        return [text_of(message.content) for message in self.messages if message.type == MessageType.FOLLOW_UP]

    @property
    def tool_calls(self) -> Sequence[ToolCall]:
        """The tool calls that the chat waits for; none before the end of the stream."""
        from .tools import pending_calls

        return pending_calls(self._reader.chat) if self._reader.chat is not None else []


class ChatStream(_Progress, EventStream[ChatEvent]):
    """The open stream of a chat. Iterate over its events, or over its text with `text_stream`."""

    _reader: ChatReader

    def text_stream(self) -> Iterator[str]:
        """The answer, piece by piece."""
        for event in self:
            if event.event == DELTA and event.message.content:
                yield text_of(event.message.content)

    def until_done(self, on_event: Listener[ChatEvent] | None = None) -> ChatResult:
        """Reads the stream to its end.

        Args:
            on_event: Called with each event; as a mapping from event names to functions, with the events of these names.

        Returns:
            The final chat with its messages and usage.

        Raises:
            ChatFailed: The chat failed.
            StreamInterrupted: The stream stopped before its last event.
        """
        with self:
            for event in self:
                tell(on_event, event)
        return self._reader.result()


class AsyncChatStream(_Progress, AsyncEventStream[ChatEvent]):
    """The async form of `ChatStream`."""

    _reader: ChatReader

    def text_stream(self) -> AsyncIterator[str]:
        """The answer, piece by piece."""
        return _Texts(self)

    async def until_done(self, on_event: Listener[ChatEvent] | None = None) -> ChatResult:
        """Reads the stream to its end; as `ChatStream.until_done`, and the functions may be async."""
        async with self:
            async for event in self:
                await tell_async(on_event, event)
        return self._reader.result()


# No async generator: one that is left half-read would be finished by the event loop at some later time.
class _Texts:
    def __init__(self, stream: AsyncChatStream) -> None:
        self._stream = stream

    def __aiter__(self) -> _Texts:
        return self

    async def __anext__(self) -> str:
        while True:
            event = await anext(self._stream)
            if event.event == DELTA and event.message.content:
                return text_of(event.message.content)
