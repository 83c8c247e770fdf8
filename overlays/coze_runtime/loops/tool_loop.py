"""Sends a message to a bot, runs the tools that it calls and submits their outputs, until it has
answered.

`run` is the steps of a generated method of the chat resource.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import ArgumentError, TooManyRounds
from ..operation import CallOptions, later_options
from ..steps import Steps
from ..streams.events import StreamSpec, check_listener
from ..types import Listener, OnToolError, Tools
from .toolbox import ErrorIds, Toolbox


class _Rounds:
    """Counts the rounds and collects their messages."""

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
                "tools need auto_save_history; without it the service rejects the outputs (5000)",
                argument="auto_save_history",
            )
        self.toolbox = None if tools is None else Toolbox(tools, on_tool_error, spec)
        self._max_rounds = max_rounds
        self._count = 0
        self._messages: dict[str, Any] = {}

    def starts_next(self, result: Any) -> bool:
        """Whether the bot asks for tools; counts the round.

        Raises:
            TooManyRounds: It still does after `max_rounds`.
        """
        if self.toolbox is None or not result.tool_calls:
            return False
        if self._count >= self._max_rounds:
            names = ", ".join(
                str(call.function.name) for call in result.tool_calls if call.function
            )
            chat = result.chat
            logid = f", logid {chat.logid}" if chat.logid else ""
            raise TooManyRounds(
                f"the bot asks for tools ({names}) after {self._max_rounds} rounds "
                f"(chat_id {chat.id}, conversation_id {chat.conversation_id}{logid})",
                rounds=self._count,
                result=result,
                logid=chat.logid,
            )
        self._count += 1
        return True

    def error_ids(self, chat: Any) -> ErrorIds:
        """Adds the ids of the chat to errors raised in the block."""
        return ErrorIds(f"submitting the outputs of round {self._count}", _ids(chat))

    def collected(self, result: Any) -> Any:
        """The result with the messages of earlier rounds. Polling lists those again, streaming does
        not.
        """
        for message in result.messages:
            self._messages[message.id or f"#{len(self._messages)}"] = message
        result.messages = list(self._messages.values())
        return result


def _ids(chat: Any) -> dict[str, Any]:
    return {"chat_id": chat.id, "conversation_id": chat.conversation_id}


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
    """The steps of `coze.chat.run`; see there for the parameters."""
    rounds = _Rounds(spec, arguments, tools, max_rounds, on_tool_error)
    check_listener(on_event)
    if not stream and on_event is not None:
        raise ArgumentError("on_event needs stream=True", argument="on_event")
    polls = {"poll_timeout": poll_timeout, "poll_interval": poll_interval}
    limits = {"idle_timeout": idle_timeout, "deadline": deadline}
    later = later_options(options)._asdict()
    toolbox = rounds.toolbox
    if toolbox is not None and not is_async:
        toolbox.reject_async_tools()
    if stream:
        opened = chat.stream(**arguments, **limits, **options._asdict())
        result = yield opened.until_done(on_event)
    else:
        result = yield chat.create_and_poll(**arguments, **polls, **options._asdict())
    result = rounds.collected(result)
    while toolbox is not None and rounds.starts_next(result):
        with rounds.error_ids(result.chat):
            outputs = toolbox.outputs_async if is_async else toolbox.outputs
            submission = {**_ids(result.chat), "tool_outputs": (yield outputs(result.chat))}
            if stream:
                opened = chat.submit_tool_outputs_stream(**submission, **limits, **later)
                result = yield opened.until_done(on_event)
            else:
                result = yield chat.submit_tool_outputs_and_poll(**submission, **polls, **later)
            result = rounds.collected(result)
    return result
