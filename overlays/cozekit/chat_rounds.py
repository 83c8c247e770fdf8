"""The loop of `chat.run`: ask, run the tools that the bot calls, hand in their outputs, until it has answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .chat_outcome import ids_of
from .errors import ArgumentError, TooManyRounds
from .tools import Naming, OnToolError, Toolbox, Tools

if TYPE_CHECKING:
    from coze_openapi.models.chat import Chat, Message, ToolOutput

    from .chat_stream import ChatResult


class Rounds:
    """Keeps count of the rounds and collects the messages of all of them."""

    def __init__(self, tools: Tools | None, max_rounds: int, on_tool_error: OnToolError, arguments: Mapping[str, Any]) -> None:
        """Checks what can be known beforehand.

        Raises:
            ArgumentError: The arguments cannot work together.
        """
        if max_rounds < 0:
            raise ArgumentError("max_rounds must not be negative", argument="max_rounds")
        if tools and arguments.get("auto_save_history") is False:
            raise ArgumentError("tools need auto_save_history: without it the outputs are refused with 5000", argument="auto_save_history")
        self._toolbox = None if tools is None else Toolbox(tools, on_tool_error)
        self._max = max_rounds
        self._done = 0
        self._messages: dict[str, Message] = {}

    def run(self, begin: Callable[[], ChatResult], submit: Callable[[Chat, Sequence[ToolOutput]], ChatResult]) -> ChatResult:
        """The loop.

        Raises:
            TooManyRounds: The bot still asks for tools after the allowed rounds.
            ToolFailed: A tool failed and failures are raised.
            CozeError: A step failed; once the chat is known, the error tells its ids.
        """
        if self._toolbox is not None:
            self._toolbox.refuse_coroutines()
        result = self._collected(begin())
        while self._toolbox is not None and result.tool_calls:
            self._count(result)
            with self._naming(result.chat):
                result = self._collected(submit(result.chat, self._toolbox.outputs(result.chat)))
        return result

    async def run_async(
        self, begin: Callable[[], Awaitable[ChatResult]], submit: Callable[[Chat, Sequence[ToolOutput]], Awaitable[ChatResult]]
    ) -> ChatResult:
        """The async form of `run`."""
        result = self._collected(await begin())
        while self._toolbox is not None and result.tool_calls:
            self._count(result)
            with self._naming(result.chat):
                result = self._collected(await submit(result.chat, await self._toolbox.outputs_async(result.chat)))
        return result

    def _count(self, result: ChatResult) -> None:
        if self._done >= self._max:
            names = ", ".join(str(call.function.name) for call in result.tool_calls if call.function)
            chat = result.chat
            logid = f", logid {chat.logid}" if chat.logid else ""
            raise TooManyRounds(
                f"chat_create: the bot asks for tools ({names}) after {self._max} rounds "
                f"(chat_id {chat.id}, conversation_id {chat.conversation_id}{logid})",
                rounds=self._done,
                result=result,
                logid=chat.logid,
            )
        self._done += 1

    def _naming(self, chat: Chat) -> Naming:
        return Naming(f"handing in the outputs of round {self._done}", ids_of(chat))

    def _collected(self, result: ChatResult) -> ChatResult:
        """The result with the messages of the rounds before; polls list all of them again, streams only the new ones."""
        for message in result.messages:
            self._messages[message.id or f"#{len(self._messages)}"] = message
        result.messages = list(self._messages.values())
        return result


def options_of(arguments: Mapping[str, Any]) -> Any:
    """The call options among the arguments that hold for the later calls of a loop too."""
    return {name: arguments[name] for name in ("extra_headers", "timeout") if name in arguments}
