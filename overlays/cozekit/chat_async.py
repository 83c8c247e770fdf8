"""`coze.chat`: the generated operations, with typed streams, with tools, and with waiting for the outcome; the async form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from coze_openapi.api.chat import create as create_operation
from coze_openapi.api.chat import submit_tool_outputs as submit_operation
from coze_openapi.resources_async.chat import AsyncChats
from coze_openapi.types import DEFAULT

from .chat_outcome import after_cancel, came_too_late, cancel_failed, has_ended, ids_of, raise_unless_good, settled_after
from .chat_rounds import Rounds, options_of
from .chat_stream import AsyncChatStream, ChatReader, ChatResult
from .errors import APIError, ArgumentError, CozeError, PollTimeout
from .following import Following, follow_async
from .polling import POLL_TIMEOUT, look
from .signatures import takes
from .tools import MAX_ROUNDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Unpack

    from coze_openapi.api.chat.create import Arguments as CreateArguments
    from coze_openapi.api.chat.submit_tool_outputs import Arguments as SubmitArguments
    from coze_openapi.models.chat import Chat as ChatModel
    from coze_openapi.models.chat import ToolOutput
    from coze_openapi.types import TimeoutInput

    from .chat_stream import ChatEvent
    from .listening import Listener
    from .tools import OnToolError, Tools


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
    async def run(
        self,
        *,
        tools: Tools | None = None,
        max_rounds: int = MAX_ROUNDS,
        on_tool_error: OnToolError = "report",
        on_event: Listener[ChatEvent] | None = None,
        stream: bool = True,
        idle_timeout: float | None = None,
        deadline: float | None = None,
        poll_timeout: float = POLL_TIMEOUT,
        poll_interval: float | None = None,
        **arguments: Unpack[CreateArguments],
    ) -> ChatResult:
        """Asks a bot, runs the local plugins that it calls, and returns its answer; as `Chat.run`.

        Tools and listeners may be async functions. Tools of one round run at the same time, those that are not async in threads.
        """
        rounds = Rounds(tools, max_rounds, on_tool_error, arguments)
        options = options_of(arguments)
        if not stream:
            if on_event is not None:
                raise ArgumentError("on_event needs a stream; polling sees no events", argument="on_event")
            polls: dict[str, Any] = {"poll_timeout": poll_timeout, "poll_interval": poll_interval}

            async def submit_polled(chat: ChatModel, outputs: Sequence[ToolOutput]) -> ChatResult:
                ids: dict[str, Any] = {**ids_of(chat)}
                return await self.submit_tool_outputs_and_poll(**ids, tool_outputs=outputs, **polls, **options)

            return await rounds.run_async(lambda: self.create_and_poll(**polls, **arguments), submit_polled)
        limits: dict[str, Any] = {"idle_timeout": idle_timeout, "deadline": deadline}

        async def submit(chat: ChatModel, outputs: Sequence[ToolOutput]) -> ChatResult:
            ids: dict[str, Any] = {**ids_of(chat)}
            opened = self.submit_tool_outputs_stream(**ids, tool_outputs=outputs, **limits, **options)
            return await opened.until_done(on_event)

        return await rounds.run_async(lambda: self.stream(**limits, **arguments).until_done(on_event), submit)

    @takes(AsyncChats.create)
    async def create_and_poll(
        self,
        *,
        poll_timeout: float = POLL_TIMEOUT,
        poll_interval: float | None = None,
        cancel_on_timeout: bool = False,
        **arguments: Unpack[CreateArguments],
    ) -> ChatResult:
        """Starts a chat, waits for its end and reads its messages; as `Chat.create_and_poll`."""
        first = await self.create(**arguments)
        how = Following.of(poll_timeout, poll_interval, arguments)
        return await self._outcome(ids_of(first), how, first, cancel=cancel_on_timeout)

    @takes(AsyncChats.submit_tool_outputs)
    async def submit_tool_outputs_and_poll(
        self,
        *,
        poll_timeout: float = POLL_TIMEOUT,
        poll_interval: float | None = None,
        cancel_on_timeout: bool = False,
        **arguments: Unpack[SubmitArguments],
    ) -> ChatResult:
        """Hands over the outputs of local plugins and waits for what comes; as `Chat.submit_tool_outputs_and_poll`."""
        await self.submit_tool_outputs(**arguments)
        how = Following.of(poll_timeout, poll_interval, arguments)
        ids = {"chat_id": arguments["chat_id"], "conversation_id": arguments["conversation_id"]}
        # What comes next may still be the state before the outputs, which would call the tools again.
        answered = frozenset(look(list(arguments["tool_outputs"]), "*.tool_call_id"))
        return await self._outcome(ids, how, None, cancel=cancel_on_timeout, answered=answered)

    async def wait(
        self,
        *,
        conversation_id: str,
        chat_id: str,
        poll_timeout: float = POLL_TIMEOUT,
        poll_interval: float | None = None,
        cancel_on_timeout: bool = False,
    ) -> ChatResult:
        """Waits for the end of a chat that runs already; as `Chat.wait`."""
        how = Following.already(poll_timeout, poll_interval)
        return await self._outcome({"chat_id": chat_id, "conversation_id": conversation_id}, how, None, cancel=cancel_on_timeout)

    async def cancel(
        self,
        *,
        chat_id: str,
        conversation_id: str,
        extra_headers: Mapping[str, str] | None = None,
        extra_query: Mapping[str, Any] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        timeout: TimeoutInput = DEFAULT,  # noqa: ASYNC109  # an option of every call, passed on
    ) -> ChatModel:
        """Cancels a running chat, or returns it as it had ended; as `Chat.cancel`."""
        ids: dict[str, Any] = {"chat_id": chat_id, "conversation_id": conversation_id}
        try:
            return await super().cancel(**ids, extra_headers=extra_headers, extra_query=extra_query, extra_body=extra_body, timeout=timeout)
        except APIError as error:
            if not came_too_late(error):
                raise
            chat = await self.retrieve(**ids, extra_headers=extra_headers, timeout=timeout)
            if not has_ended(chat):
                raise
            return chat

    async def _outcome(
        self, ids: dict[str, Any], how: Following, first: ChatModel | None, *, cancel: bool, answered: frozenset[str] = frozenset()
    ) -> ChatResult:
        waiter = create_operation.WAITER._replace(pause=frozenset())
        try:
            wait = await follow_async(self._client, waiter, ids, how, first=first, settled=settled_after(answered))
            chat = cast("ChatModel", wait.last)
        except PollTimeout as late:
            if not cancel:
                raise
            try:
                found = await self.cancel(**ids)
            except CozeError as error:
                raise cancel_failed(late, error) from error
            chat = after_cancel(late, found)
        raise_unless_good(chat)
        try:
            listed = await self.messages.list(**ids)
        except CozeError as error:
            error.add_note(f"while reading the messages of chat {chat.id} of conversation {chat.conversation_id}, which is {chat.status}")
            raise
        return ChatResult(chat=chat, messages=listed)
