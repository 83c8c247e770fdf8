"""Asks a bot, runs the tools that it calls and hands in their outputs, until it has answered.

`run` is the steps of the generated method of the chat resource, whose other methods it uses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import ArgumentError, TooManyRounds
from ..operation import CallOptions
from ..steps import Steps
from ..streams.events import StreamSpec
from ..types import Listener, OnToolError, Tools
from .toolbox import Naming, Toolbox


class _Rounds:
    """Keeps count of the rounds and collects the messages of all of them."""

    def __init__(
        self,
        spec: StreamSpec,
        arguments: Mapping[str, Any],
        tools: Tools | None,
        max_rounds: int,
        on_tool_error: OnToolError,
    ) -> None:
        if max_rounds < 0:
            raise ArgumentError("max_rounds must not be negative", argument="max_rounds")
        if tools and arguments.get("auto_save_history") is False:
            raise ArgumentError(
                "tools need auto_save_history: without it the outputs are refused with 5000",
                argument="auto_save_history",
            )
        self.toolbox = None if tools is None else Toolbox(tools, on_tool_error, spec)
        self._max = max_rounds
        self._done = 0
        self._messages: dict[str, Any] = {}

    def go_on(self, result: Any) -> bool:
        """Whether there are outputs to hand in.

        Raises:
            TooManyRounds: After the allowed rounds there still are.
        """
        if self.toolbox is None or not result.tool_calls:
            return False
        if self._done >= self._max:
            names = ", ".join(
                str(call.function.name) for call in result.tool_calls if call.function
            )
            chat = result.chat
            logid = f", logid {chat.logid}" if chat.logid else ""
            raise TooManyRounds(
                f"the bot asks for tools ({names}) after {self._max} rounds "
                f"(chat_id {chat.id}, conversation_id {chat.conversation_id}{logid})",
                rounds=self._done,
                result=result,
                logid=chat.logid,
            )
        self._done += 1
        return True

    def naming(self, chat: Any) -> Naming:
        """Around a round: its errors tell where the chat can be found again."""
        return Naming(f"handing in the outputs of round {self._done}", ids_of(chat))

    def collected(self, result: Any) -> Any:
        """The result with the messages of the rounds before; polls list all of them again, streams
        only the new ones.
        """
        for message in result.messages:
            self._messages[message.id or f"#{len(self._messages)}"] = message
        result.messages = list(self._messages.values())
        return result


def ids_of(chat: Any) -> dict[str, Any]:
    """What a chat is found again by."""
    return {"chat_id": chat.id, "conversation_id": chat.conversation_id}


def later(options: CallOptions) -> dict[str, Any]:
    """The options of the first call that hold for the later calls of a loop too."""
    return {"extra_headers": options.extra_headers, "timeout": options.timeout}


def run(
    chat: Any,
    spec: StreamSpec,
    arguments: Mapping[str, Any],
    options: CallOptions,
    *,
    tools: Tools | None,
    max_rounds: int,
    on_tool_error: OnToolError,
    on_event: Listener[Any] | None,
    stream: bool,
    idle_timeout: float | None,
    deadline: float | None,
    poll_timeout: float,
    poll_interval: float | None,
    is_async: bool,
) -> Steps[Any]:
    """Asks a bot and runs its tools; see the generated method."""
    rounds = _Rounds(spec, arguments, tools, max_rounds, on_tool_error)
    if not stream and on_event is not None:
        raise ArgumentError("on_event needs a stream; polling sees no events", argument="on_event")
    polls = {"poll_timeout": poll_timeout, "poll_interval": poll_interval}
    limits = {"idle_timeout": idle_timeout, "deadline": deadline}
    toolbox = rounds.toolbox
    if toolbox is not None and not is_async:
        toolbox.refuse_coroutines()
    if stream:
        opened = chat.stream(**arguments, **limits, **options._asdict())
        result = yield opened.until_done(on_event)
    else:
        result = yield chat.create_and_poll(**arguments, **polls, **options._asdict())
    result = rounds.collected(result)
    while toolbox is not None and rounds.go_on(result):
        with rounds.naming(result.chat):
            outputs = toolbox.outputs_async if is_async else toolbox.outputs
            handed = {**ids_of(result.chat), "tool_outputs": (yield outputs(result.chat))}
            if stream:
                opened = chat.submit_tool_outputs_stream(**handed, **limits, **later(options))
                following = yield opened.until_done(on_event)
            else:
                following = yield chat.submit_tool_outputs_and_poll(
                    **handed, **polls, **later(options)
                )
            result = rounds.collected(following)
    return result
