"""Local plugins: runs the functions that a bot asks for, and words their results for it.

A function gets the arguments of the call as keyword arguments. What it returns goes to the bot: text as it is, anything else as
JSON. An exception goes to the bot as `{"error": "<class>: <text>"}`, or is raised, as `on_tool_error` says.

Source: https://www.coze.cn/open/docs/developer_guides/chat_submit_tool_outputs
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from coze_openapi.models.chat import Chat, ChatStatus, ToolCall, ToolCallType, ToolOutput
from coze_openapi.types import Model

from .errors import ArgumentError, CozeError, ToolFailed

if TYPE_CHECKING:
    from types import TracebackType

    from anyio.abc import TaskGroup

Tools: TypeAlias = Mapping[str, Callable[..., Any]]
OnToolError: TypeAlias = Literal["report", "raise"]

MAX_ROUNDS = 10
"""How often `chat.run` hands in outputs by default."""
MAX_THREADS = 8
"""Functions of one round that run at the same time in the sync client."""


class Toolbox:
    """The functions that a chat may call, and what becomes of their failures."""

    def __init__(self, tools: Tools, on_error: OnToolError) -> None:
        if on_error not in ("report", "raise"):
            raise ArgumentError(f'on_tool_error must be "report" or "raise", not {on_error!r}', argument="on_tool_error")
        self._tools = tools
        self._raises = on_error == "raise"

    def refuse_coroutines(self) -> None:
        """For the sync client.

        Raises:
            ArgumentError: One of the functions is async.
        """
        for name, function in self._tools.items():
            refuse_coroutine(function, f"the tool {name}", "tools")

    def outputs(self, chat: Chat) -> list[ToolOutput]:
        """Runs the calls that a chat waits for, several at the same time in threads.

        Raises:
            ToolFailed: A call failed and failures are raised; the other calls of the round have ended by then.
        """
        calls = pending_calls(chat)
        if len(calls) == 1:
            return [self._output(chat, calls[0])]
        import contextvars
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(min(MAX_THREADS, len(calls)), thread_name_prefix="cozekit-tool") as pool:
            waiting = [pool.submit(contextvars.copy_context().run, self._output, chat, call) for call in calls]
        return [future.result() for future in waiting]

    async def outputs_async(self, chat: Chat) -> list[ToolOutput]:
        """Runs the calls that a chat waits for at the same time; functions that are not async run in worker threads.

        Raises:
            ToolFailed: A call failed and failures are raised; the other calls of the round are cancelled.
        """
        import anyio

        calls = pending_calls(chat)
        done: dict[int, ToolOutput] = {}
        failures: list[ToolFailed] = []

        async def work(number: int, call: ToolCall, group: TaskGroup) -> None:
            try:
                done[number] = await self._output_async(chat, call)
            except ToolFailed as error:
                failures.append(error)
                group.cancel_scope.cancel()

        async with anyio.create_task_group() as group:
            for number, call in enumerate(calls):
                group.start_soon(work, number, call, group)
        if failures:
            raise failures[0]
        return [done[number] for number in range(len(calls))]

    def _output(self, chat: Chat, call: ToolCall) -> ToolOutput:
        try:
            function, arguments = self._prepared(chat, call)
            return _answer(call, wire_text(function(**arguments)))
        except ToolFailed:
            raise
        except Exception as error:
            return self._failed(chat, call, error)

    async def _output_async(self, chat: Chat, call: ToolCall) -> ToolOutput:
        try:
            function, arguments = self._prepared(chat, call)
            return _answer(call, wire_text(await call_async(function, **arguments)))
        except ToolFailed:
            raise
        except Exception as error:
            return self._failed(chat, call, error)

    def _prepared(self, chat: Chat, call: ToolCall) -> tuple[Callable[..., Any], dict[str, Any]]:
        """The function of a call and its arguments."""
        name = call.function.name if call.function else None
        function = self._tools.get(name or "")
        if function is None:
            if call.type == ToolCallType.REPLY_MESSAGE:
                # A question to the user: an error text would be taken for the user's answer.
                raise _tool_failed(chat, call, f"the bot waits for the user's answer to {name}, and no tool of that name is there")
            raise LookupError(f"there is no tool {name}; known are {', '.join(sorted(self._tools)) or 'none'}")
        text = (call.function.arguments if call.function else None) or "{}"
        try:
            arguments = msgspec.json.decode(text)
        except msgspec.DecodeError as error:
            raise ValueError(f"the arguments are no JSON ({error})") from error
        if not isinstance(arguments, dict):
            raise ValueError(f"the arguments are no JSON object but {type(arguments).__name__}")
        return function, arguments

    def _failed(self, chat: Chat, call: ToolCall, error: Exception) -> ToolOutput:
        if self._raises:
            raise _tool_failed(chat, call, f"{type(error).__name__}: {error}") from error
        return _answer(call, msgspec.json.encode({"error": f"{type(error).__name__}: {error}"}).decode())


def pending_calls(chat: Chat) -> Sequence[ToolCall]:
    """The tool calls that a chat waits for; none when it does not wait. Some answers carry an empty `required_action`."""
    if chat.status != ChatStatus.REQUIRES_ACTION or chat.required_action is None or chat.required_action.submit_tool_outputs is None:
        return []
    return chat.required_action.submit_tool_outputs.tool_calls or []


async def call_async(function: Callable[..., Any], *values: Any, **named: Any) -> Any:
    """Calls a function of either kind; one that is not async runs in a worker thread, so that it cannot block the loop."""
    if _is_async(function):
        return await function(*values, **named)
    from functools import partial

    from anyio import to_thread

    result = await to_thread.run_sync(partial(function, *values, **named))
    return await result if inspect.isawaitable(result) else result


class Naming:
    """Around a step of a loop: what it raises stays what it is, and tells where the work can be found again.

    An error that has attributes of these names gets the ids there; any other tells them in a note, also an exception of the
    program's own functions and Ctrl-C.
    """

    def __init__(self, step: str, ids: Mapping[str, Any]) -> None:
        self._step = step
        self._ids = {name: value for name, value in ids.items() if value is not None}

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if not isinstance(error, Exception | KeyboardInterrupt):
            return  # no error, or a cancelled task
        told = "\n".join(getattr(error, "__notes__", ()))
        if isinstance(error, CozeError):
            told += str(error)
            for name, value in self._ids.items():
                if getattr(error, name, value) is None:
                    setattr(error, name, value)
        if all(f"{name} {value}" in told or f"{name}={value}" in told for name, value in self._ids.items()):
            return
        known = ", ".join(f"{name} {value}" for name, value in self._ids.items())
        with suppress(Exception):  # exceptions of the program may be frozen
            error.add_note(f"while {self._step} ({known})")


def refuse_coroutine(function: Callable[..., Any], what: str, argument: str) -> None:
    """For the sync client.

    Raises:
        ArgumentError: The function is async.
    """
    if _is_async(function):
        raise ArgumentError(f"{what} is an async function; use it with AsyncCoze", argument=argument)


def wire_text(result: Any) -> str:
    """What a function returned, as the wire takes it: text as it is, anything else as JSON."""
    if isinstance(result, str):
        return result
    return msgspec.json.encode(result, enc_hook=_plain).decode()


def _is_async(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004


def _plain(value: Any) -> Any:
    if isinstance(value, Model):
        return value.to_dict()
    raise TypeError(f"JSON cannot hold a {type(value).__name__}")


def _answer(call: ToolCall, output: str) -> ToolOutput:
    return ToolOutput(tool_call_id=call.id or "", output=output)


def _tool_failed(chat: Chat, call: ToolCall, problem: str) -> ToolFailed:
    name = (call.function.name if call.function else None) or ""
    logid = f", logid {chat.logid}" if chat.logid else ""
    text = f"chat_submit_tool_outputs: tool {name}: {problem} (chat_id {chat.id}, conversation_id {chat.conversation_id}{logid})"
    return ToolFailed(text, tool=name, tool_call_id=call.id or "", chat=chat)
