"""`coze.chat`: the generated operations, with typed streams, with tools, and with waiting for the outcome."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

from coze_openapi.api.chat import create as create_operation
from coze_openapi.api.chat import submit_tool_outputs as submit_operation
from coze_openapi.resources.chat import Chats
from coze_openapi.types import DEFAULT

from .chat_outcome import after_cancel, came_too_late, cancel_failed, has_ended, ids_of, raise_unless_good, settled_after
from .chat_rounds import Rounds, options_of
from .chat_stream import ChatReader, ChatResult, ChatStream
from .errors import APIError, ArgumentError, CozeError, PollTimeout
from .following import Following, follow
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


class Chat(Chats):
    """Talk to a bot: stream, run with tools, poll, cancel."""

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
        send = partial(super().stream, **arguments)
        return ChatStream(send, ChatReader(create_operation.STREAM), idle_timeout=idle_timeout, deadline=deadline)

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
        send = partial(super().submit_tool_outputs_stream, **arguments)
        return ChatStream(send, ChatReader(submit_operation.STREAM), idle_timeout=idle_timeout, deadline=deadline)

    @takes(Chats.create)
    def run(
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
        """Asks a bot, runs the local plugins that it calls, and returns its answer; arguments as `create`.

        ```python
        def get_weather(location: str) -> dict[str, object]:
            return {"location": location, "temperature": 21}

        result = coze.chat.run(bot_id="…", user_id="…", additional_messages=[…], tools={"get_weather": get_weather})
        print(result.answer)
        ```

        Args:
            tools: Name of a plugin tool → function. It gets the arguments by name; what it returns goes to the bot, text as it is,
                anything else as JSON. Calls of one round run at the same time. Without tools, a chat that waits is returned.
            max_rounds: How often outputs are handed in.
            on_tool_error: What becomes of an exception, of arguments that are no JSON, and of an unknown tool: `"report"` tells
                the bot, `"raise"` raises `ToolFailed`.
            on_event: Called with each event; as a mapping from event names to functions, with the events of these names.
            stream: Whether to listen to events; otherwise polls.
            idle_timeout: As in `stream`, for each round.
            deadline: As in `stream`, for each round.
            poll_timeout: As in `create_and_poll`, for each round.
            poll_interval: As in `create_and_poll`, for each round.
            arguments: As `create`.

        Returns:
            The final chat, and the messages of all rounds.

        Raises:
            ChatFailed, ChatCanceled: The chat ended so.
            ToolFailed: A tool failed, and `on_tool_error` is `"raise"`.
            TooManyRounds: The bot goes on calling tools.
            StreamInterrupted, StreamTimeout, PollTimeout: Its end did not come.
            ArgumentError: The arguments do not go together.

        Source: https://www.coze.cn/open/docs/developer_guides/chat_submit_tool_outputs
        """
        rounds = Rounds(tools, max_rounds, on_tool_error, arguments)
        options = options_of(arguments)
        if not stream:
            if on_event is not None:
                raise ArgumentError("on_event needs a stream; polling sees no events", argument="on_event")
            polls: dict[str, Any] = {"poll_timeout": poll_timeout, "poll_interval": poll_interval}

            def submit_polled(chat: ChatModel, outputs: Sequence[ToolOutput]) -> ChatResult:
                ids: dict[str, Any] = {**ids_of(chat)}
                return self.submit_tool_outputs_and_poll(**ids, tool_outputs=outputs, **polls, **options)

            return rounds.run(lambda: self.create_and_poll(**polls, **arguments), submit_polled)
        limits: dict[str, Any] = {"idle_timeout": idle_timeout, "deadline": deadline}

        def submit(chat: ChatModel, outputs: Sequence[ToolOutput]) -> ChatResult:
            ids: dict[str, Any] = {**ids_of(chat)}
            opened = self.submit_tool_outputs_stream(**ids, tool_outputs=outputs, **limits, **options)
            return opened.until_done(on_event)

        return rounds.run(lambda: self.stream(**limits, **arguments).until_done(on_event), submit)

    @takes(Chats.create)
    def create_and_poll(
        self,
        *,
        poll_timeout: float = POLL_TIMEOUT,
        poll_interval: float | None = None,
        cancel_on_timeout: bool = False,
        **arguments: Unpack[CreateArguments],
    ) -> ChatResult:
        """Starts a chat, waits for its end and reads its messages; arguments as `create`.

        Ends when the chat is `completed`, or `requires_action` (`result.tool_calls`); every other end is an error.

        Args:
            poll_timeout: Seconds to wait for the end.
            poll_interval: Seconds before the second look, 1 by default; the service asks for no less. Later looks are rarer.
            cancel_on_timeout: Whether a chat that takes longer is cancelled. If it ended in that moment, its end counts.
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
        how = Following.of(poll_timeout, poll_interval, arguments)
        return self._outcome(ids_of(first), how, first, cancel=cancel_on_timeout)

    @takes(Chats.submit_tool_outputs)
    def submit_tool_outputs_and_poll(
        self,
        *,
        poll_timeout: float = POLL_TIMEOUT,
        poll_interval: float | None = None,
        cancel_on_timeout: bool = False,
        **arguments: Unpack[SubmitArguments],
    ) -> ChatResult:
        """Hands over the outputs of local plugins and waits until the chat has ended or calls tools again.

        Args:
            poll_timeout: As in `create_and_poll`.
            poll_interval: As in `create_and_poll`.
            cancel_on_timeout: As in `create_and_poll`.
            arguments: As `submit_tool_outputs`.

        Raises:
            ChatFailed, ChatCanceled, PollTimeout, APIError: As in `create_and_poll`.

        Source: https://www.coze.cn/open/docs/developer_guides/chat_submit_tool_outputs
        """
        self.submit_tool_outputs(**arguments)
        how = Following.of(poll_timeout, poll_interval, arguments)
        ids = {"chat_id": arguments["chat_id"], "conversation_id": arguments["conversation_id"]}
        # What comes next may still be the state before the outputs, which would call the tools again.
        answered = frozenset(look(list(arguments["tool_outputs"]), "*.tool_call_id"))
        return self._outcome(ids, how, None, cancel=cancel_on_timeout, answered=answered)

    def wait(
        self,
        *,
        conversation_id: str,
        chat_id: str,
        poll_timeout: float = POLL_TIMEOUT,
        poll_interval: float | None = None,
        cancel_on_timeout: bool = False,
    ) -> ChatResult:
        """Waits for the end of a chat that runs already, such as one whose stream broke; otherwise as `create_and_poll`.

        Source: https://www.coze.cn/open/docs/developer_guides/retrieve_chat
        """
        how = Following.already(poll_timeout, poll_interval)
        return self._outcome({"chat_id": chat_id, "conversation_id": conversation_id}, how, None, cancel=cancel_on_timeout)

    def cancel(
        self,
        *,
        chat_id: str,
        conversation_id: str,
        extra_headers: Mapping[str, str] | None = None,
        extra_query: Mapping[str, Any] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        timeout: TimeoutInput = DEFAULT,
    ) -> ChatModel:
        """Cancels a running chat.

        A chat that ended just before is no error: it is returned as it ended. Its event stream flows on until it is closed.

        Args:
            chat_id: Id of the chat.
            conversation_id: Id of the conversation it belongs to.
            extra_headers: Option of this call; see `CallOptions`.
            extra_query: As `extra_headers`.
            extra_body: As `extra_headers`.
            timeout: As `extra_headers`.

        Returns:
            The chat: cancelled, or as it had ended.

        Raises:
            ConflictError: It can neither be cancelled nor has it ended (4104), such as one that waits for tool outputs.
            APIError: The service refused the call.

        Source: https://www.coze.cn/open/docs/developer_guides/chat_cancel
        """
        ids: dict[str, Any] = {"chat_id": chat_id, "conversation_id": conversation_id}
        try:
            return super().cancel(**ids, extra_headers=extra_headers, extra_query=extra_query, extra_body=extra_body, timeout=timeout)
        except APIError as error:
            if not came_too_late(error):
                raise
            chat = self.retrieve(**ids, extra_headers=extra_headers, timeout=timeout)
            if not has_ended(chat):
                raise
            return chat

    def _outcome(
        self, ids: dict[str, Any], how: Following, first: ChatModel | None, *, cancel: bool, answered: frozenset[str] = frozenset()
    ) -> ChatResult:
        waiter = create_operation.WAITER._replace(pause=frozenset())
        try:
            wait = follow(self._client, waiter, ids, how, first=first, settled=settled_after(answered))
            chat = cast("ChatModel", wait.last)
        except PollTimeout as late:
            if not cancel:
                raise
            try:
                found = self.cancel(**ids)
            except CozeError as error:
                raise cancel_failed(late, error) from error
            chat = after_cancel(late, found)
        raise_unless_good(chat)
        try:
            listed = self.messages.list(**ids)
        except CozeError as error:
            error.add_note(f"while reading the messages of chat {chat.id} of conversation {chat.conversation_id}, which is {chat.status}")
            raise
        return ChatResult(chat=chat, messages=listed)
