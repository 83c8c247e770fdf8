"""`coze.chat`: the generated operations, with typed streams and with waiting for the outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coze_openapi.api.chat import create as create_operation
from coze_openapi.api.chat import submit_tool_outputs as submit_operation
from coze_openapi.models.chat import Chat as ChatModel
from coze_openapi.models.chat import ChatStatus
from coze_openapi.resources.chat import Chats
from coze_openapi.resources_async.chat import AsyncChats

from .chat_stream import AsyncChatStream, ChatReader, ChatResult, ChatStream
from .errors import APIError, ChatCanceled, ChatFailed
from .polling import Wait, run, run_async
from .signatures import takes

if TYPE_CHECKING:
    from typing import Unpack

    from coze_openapi.api.chat.create import Arguments as CreateArguments
    from coze_openapi.api.chat.submit_tool_outputs import Arguments as SubmitArguments

POLL_TIMEOUT = 600.0
"""Seconds that `create_and_poll` waits by default."""


class Chat(Chats):
    """Talk to a bot: stream, poll, cancel, answer tool calls."""

    __slots__ = ()

    @takes(Chats.stream)
    def stream(
        self, *, idle_timeout: float | None = None, deadline: float | None = None, **arguments: Unpack[CreateArguments]
    ) -> ChatStream:
        """Starts a chat and streams what the bot does; arguments as `create`.

        ```python
        with coze.chat.stream(bot_id="…", user_id="…", additional_messages=[messages.user_text("Hi")]) as stream:
            for piece in stream.text_stream():
                print(piece, end="")
        ```

        Args:
            idle_timeout: Seconds without an event until `StreamTimeout`; keep-alives do not count. By default the read timeout.
            deadline: Seconds for the whole stream, until `StreamTimeout`.
            arguments: As `create`.

        Returns:
            The open stream; it ends by itself at the last event.

        Raises:
            APIError: The service refused the chat.

        Source: https://www.coze.cn/open/docs/developer_guides/chat_v3
        """
        source = super().stream(**arguments)
        return ChatStream(source, ChatReader(create_operation.STREAM), idle_timeout=idle_timeout, deadline=deadline)

    @takes(Chats.submit_tool_outputs_stream)
    def submit_tool_outputs_stream(
        self, *, idle_timeout: float | None = None, deadline: float | None = None, **arguments: Unpack[SubmitArguments]
    ) -> ChatStream:
        """Hands over the outputs of local plugins and streams how the chat goes on; arguments as `submit_tool_outputs`.

        Args:
            idle_timeout: As in `stream`.
            deadline: As in `stream`.
            arguments: As `submit_tool_outputs`.

        Source: https://www.coze.cn/open/docs/developer_guides/chat_submit_tool_outputs
        """
        source = super().submit_tool_outputs_stream(**arguments)
        return ChatStream(source, ChatReader(submit_operation.STREAM), idle_timeout=idle_timeout, deadline=deadline)

    @takes(Chats.create)
    def create_and_poll(
        self, *, poll_timeout: float = POLL_TIMEOUT, poll_interval: float | None = None, **arguments: Unpack[CreateArguments]
    ) -> ChatResult:
        """Starts a chat, waits for its end and reads its messages; arguments as `create`.

        Wraps `create`, `retrieve` and `messages.list`. Ends when the chat is `completed`, or `requires_action` (then
        `result.chat.required_action` names the tool calls); every other end is an error.

        Args:
            poll_timeout: Seconds to wait for the end.
            poll_interval: Seconds before the second look, 1 by default; the service asks for no less. Later looks are rarer.
            arguments: As `create`.

        Returns:
            The chat, its messages and its answer.

        Raises:
            ChatFailed, ChatCanceled: The chat ended so.
            PollTimeout: It did not end in time; the error holds its ids.
            APIError: The service refused the chat.

        Source: https://www.coze.cn/open/docs/developer_guides/retrieve_chat
        """
        first = self.create(**arguments)
        wait: Wait[ChatModel] = Wait(create_operation.WAITER, timeout=poll_timeout, interval=poll_interval, ids=_ids(first))
        chat = run(wait, lambda: self.retrieve(conversation_id=first.conversation_id, chat_id=first.id), first)
        _raise_unless_good(chat)
        listed = self.messages.list(conversation_id=chat.conversation_id, chat_id=chat.id)
        return ChatResult(chat=chat, messages=listed)


class AsyncChat(AsyncChats):
    """The async form of `Chat`."""

    __slots__ = ()

    @takes(AsyncChats.stream)
    def stream(
        self, *, idle_timeout: float | None = None, deadline: float | None = None, **arguments: Unpack[CreateArguments]
    ) -> AsyncChatStream:
        """Starts a chat and streams what the bot does; as `Chat.stream`. The request is sent on first use."""
        source = super().stream(**arguments)
        return AsyncChatStream(source, ChatReader(create_operation.STREAM), idle_timeout=idle_timeout, deadline=deadline)

    @takes(AsyncChats.submit_tool_outputs_stream)
    def submit_tool_outputs_stream(
        self, *, idle_timeout: float | None = None, deadline: float | None = None, **arguments: Unpack[SubmitArguments]
    ) -> AsyncChatStream:
        """Hands over the outputs of local plugins and streams how the chat goes on; as `Chat.submit_tool_outputs_stream`."""
        source = super().submit_tool_outputs_stream(**arguments)
        return AsyncChatStream(source, ChatReader(submit_operation.STREAM), idle_timeout=idle_timeout, deadline=deadline)

    @takes(AsyncChats.create)
    async def create_and_poll(
        self, *, poll_timeout: float = POLL_TIMEOUT, poll_interval: float | None = None, **arguments: Unpack[CreateArguments]
    ) -> ChatResult:
        """Starts a chat, waits for its end and reads its messages; as `Chat.create_and_poll`."""
        first = await self.create(**arguments)
        wait: Wait[ChatModel] = Wait(create_operation.WAITER, timeout=poll_timeout, interval=poll_interval, ids=_ids(first))
        chat = await run_async(wait, lambda: self.retrieve(conversation_id=first.conversation_id, chat_id=first.id), first)
        _raise_unless_good(chat)
        listed = await self.messages.list(conversation_id=chat.conversation_id, chat_id=chat.id)
        return ChatResult(chat=chat, messages=listed)


def _ids(chat: ChatModel) -> dict[str, str]:
    return {"chat_id": chat.id, "conversation_id": chat.conversation_id}


def _raise_unless_good(chat: ChatModel) -> None:
    """A chat that ended, and not well, is an error."""
    if chat.status == ChatStatus.CANCELED:
        raise _ended(ChatCanceled, chat, "the chat was cancelled")
    if chat.status == ChatStatus.FAILED or (chat.last_error is not None and chat.last_error.code):
        raise _ended(ChatFailed, chat, "the chat failed")


def _ended(kind: type[ChatFailed | ChatCanceled], chat: ChatModel, problem: str) -> APIError:
    code, msg = (chat.last_error.code, chat.last_error.msg) if chat.last_error else (None, None)
    text = f"{problem}: code {code}: {msg or ''}" if code else problem
    error = kind(
        f"chat_create: {text} (chat_id {chat.id}, conversation_id {chat.conversation_id}, logid {chat.logid})",
        code=code,
        msg=msg or problem,
    )
    error.logid = chat.logid
    error.chat, error.chat_id, error.conversation_id = chat, chat.id, chat.conversation_id
    return error
