"""Local plugins: runs the functions that a bot asks for, and words their results for it.

A function gets the arguments of the call as keyword arguments. What it returns goes to the bot:
text as it is, anything else as JSON. An exception goes to the bot as `{"error": "<class>:
<text>"}`, or is raised, as `on_tool_error` says.

Source: https://www.coze.cn/open/docs/developer_guides/chat_submit_tool_outputs
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any

import msgspec

from ..errors import ArgumentError, CozeError
from ..models import Model
from ..streams.chat import pending_calls
from ..streams.events import StreamSpec
from ..types import OnToolError, Tools

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

MAX_THREADS = 8
"""Functions of one round that run at the same time in the sync client."""


class Toolbox:
    """The functions that a chat may call, and what becomes of their failures."""

    def __init__(self, tools: Tools, on_error: OnToolError, spec: StreamSpec) -> None:
        if on_error not in ("report", "raise"):
            raise ArgumentError(
                f'on_tool_error must be "report" or "raise", not {on_error!r}',
                argument="on_tool_error",
            )
        self._tools = tools
        self._spec = spec
        self._raises = on_error == "raise"

    def refuse_coroutines(self) -> None:
        """For the sync client.

        Raises:
            ArgumentError: One of the functions is async.
        """
        for name, function in self._tools.items():
            refuse_coroutine(function, f"the tool {name}", "tools")

    def outputs(self, chat: Any) -> list[dict[str, str]]:
        """Runs the calls that a chat waits for, several at the same time in threads.

        Raises:
            ToolFailed: A call failed and failures are raised; the other calls of the round have
                ended by then.
        """
        calls = pending_calls(chat, self._spec)
        if len(calls) == 1:
            return [self._output(chat, calls[0])]
        import contextvars
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(
            min(MAX_THREADS, len(calls)), thread_name_prefix="cozekit-tool"
        ) as pool:
            waiting = [
                pool.submit(contextvars.copy_context().run, self._output, chat, call)
                for call in calls
            ]
        return [future.result() for future in waiting]

    async def outputs_async(self, chat: Any) -> list[dict[str, str]]:
        """Runs the calls that a chat waits for at the same time; functions that are not async run
        in worker threads.

        Raises:
            ToolFailed: A call failed and failures are raised; the other calls of the round are
                cancelled.
        """
        import anyio

        calls = pending_calls(chat, self._spec)
        done: dict[int, dict[str, str]] = {}
        failures: list[CozeError] = []

        async def work(number: int, call: Any, group: TaskGroup) -> None:
            try:
                done[number] = await self._output_async(chat, call)
            except self._spec.tool_failed as error:
                failures.append(error)
                group.cancel_scope.cancel()

        async with anyio.create_task_group() as group:
            for number, call in enumerate(calls):
                group.start_soon(work, number, call, group)
        if failures:
            raise failures[0]
        return [done[number] for number in range(len(calls))]

    def _output(self, chat: Any, call: Any) -> dict[str, str]:
        try:
            function, arguments = self._prepared(chat, call)
            return _answer(call, wire_text(function(**arguments)))
        except self._spec.tool_failed:
            raise
        except Exception as error:
            return self._failed(chat, call, error)

    async def _output_async(self, chat: Any, call: Any) -> dict[str, str]:
        try:
            function, arguments = self._prepared(chat, call)
            return _answer(call, wire_text(await call_async(function, **arguments)))
        except self._spec.tool_failed:
            raise
        except Exception as error:
            return self._failed(chat, call, error)

    def _prepared(self, chat: Any, call: Any) -> tuple[Callable[..., Any], dict[str, Any]]:
        """The function of a call and its arguments."""
        name = call.function.name if call.function else None
        function = self._tools.get(name or "")
        if function is None:
            if call.type in self._spec.questions:
                # A question to the user: an error text would be taken for the user's answer.
                raise self._tool_failed(
                    chat,
                    call,
                    f"the bot waits for the user's answer to {name}, and no tool of that name "
                    "is there",
                )
            raise LookupError(
                f"there is no tool {name}; known are {', '.join(sorted(self._tools)) or 'none'}"
            )
        text = (call.function.arguments if call.function else None) or "{}"
        try:
            arguments = msgspec.json.decode(text)
        except msgspec.DecodeError as error:
            raise ValueError(f"the arguments are no JSON ({error})") from error
        if not isinstance(arguments, dict):
            raise ValueError(f"the arguments are no JSON object but {type(arguments).__name__}")
        return function, arguments

    def _tool_failed(self, chat: Any, call: Any, problem: str) -> CozeError:
        name = (call.function.name if call.function else None) or ""
        logid = f", logid {chat.logid}" if chat.logid else ""
        error: Any = self._spec.tool_failed(
            f"tool {name}: {problem} "
            f"(chat_id {chat.id}, conversation_id {chat.conversation_id}{logid})"
        )
        error.tool, error.tool_call_id, error.logid = name, call.id or "", chat.logid
        error.chat, error.chat_id, error.conversation_id = chat, chat.id, chat.conversation_id
        return error  # type: ignore[no-any-return]  # the class is given by the description

    def _failed(self, chat: Any, call: Any, error: Exception) -> dict[str, str]:
        if self._raises:
            raise self._tool_failed(chat, call, f"{type(error).__name__}: {error}") from error
        return _answer(
            call, msgspec.json.encode({"error": f"{type(error).__name__}: {error}"}).decode()
        )


async def call_async(function: Callable[..., Any], *values: Any, **named: Any) -> Any:
    """Calls a function of either kind; one that is not async runs in a worker thread, so that it
    cannot block the loop.
    """
    if _is_async(function):
        return await function(*values, **named)
    from functools import partial

    from anyio import to_thread

    result = await to_thread.run_sync(partial(function, *values, **named))
    return await result if inspect.isawaitable(result) else result


def asking(
    function: Callable[..., Any], what: str, argument: str, *, is_async: bool
) -> Callable[..., Any]:
    """How a function of the program is called: in the async client one that is not async runs in a
    worker thread.

    Raises:
        ArgumentError: The function is async, and the client is not.
    """
    if is_async:
        from functools import partial

        return partial(call_async, function)
    refuse_coroutine(function, what, argument)
    return function


class Naming:
    """Around a step of a loop: what it raises stays what it is, and tells where the work can be
    found again.

    An error that has attributes of these names gets the ids there; any other tells them in a note,
    also an exception of the program's own functions and Ctrl-C.
    """

    def __init__(self, step: str, ids: Mapping[str, Any]) -> None:
        self._step = step
        self._ids = {name: value for name, value in ids.items() if value is not None}

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not isinstance(error, Exception | KeyboardInterrupt):
            return  # no error, or a cancelled task
        told = "\n".join(getattr(error, "__notes__", ()))
        if isinstance(error, CozeError):
            told += str(error)
            for name, value in self._ids.items():
                if getattr(error, name, value) is None:
                    setattr(error, name, value)
        if all(
            f"{name} {value}" in told or f"{name}={value}" in told
            for name, value in self._ids.items()
        ):
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
        raise ArgumentError(
            f"{what} is an async function; use it with AsyncCoze", argument=argument
        )


def wire_text(result: Any) -> str:
    """What a function returned, as the wire takes it: text as it is, anything else as JSON."""
    if isinstance(result, str):
        return result
    return msgspec.json.encode(result, enc_hook=_plain).decode()


def _is_async(function: Callable[..., Any]) -> bool:
    called = getattr(function, "__call__", None)  # noqa: B004  # an object with an async `__call__`
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called)


def _plain(value: Any) -> Any:
    if isinstance(value, Model):
        return value.to_dict()
    raise TypeError(f"JSON cannot hold a {type(value).__name__}")


def _answer(call: Any, output: str) -> dict[str, str]:
    return {"tool_call_id": call.id or "", "output": output}
