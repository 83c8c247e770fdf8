"""Local plugins: runs the functions that a bot calls and formats their results.

A function gets the arguments of the call as keyword arguments. Its result is sent to the bot:
strings as they are, everything else as JSON. Depending on `on_tool_error`, an exception is sent to
the bot as `{"error": "<class>: <text>"}` or raised.

Source: https://www.coze.cn/open/docs/developer_guides/chat_submit_tool_outputs
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..errors import ArgumentError, CozeError
from ..models import Model
from ..serialization.convert import read_json, write_json
from ..steps import is_async_function, reject_async
from ..streams.chat import pending_calls
from ..streams.events import StreamSpec
from ..types import OnToolError, Tools

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

_logger = logging.getLogger("cozekit")

MAX_THREADS = 8
"""Most functions that run in parallel in the sync client."""


class Toolbox:
    """The functions that a chat may call."""

    def __init__(self, tools: Tools, on_error: OnToolError, spec: StreamSpec) -> None:
        if on_error not in ("report", "raise"):
            raise ArgumentError(
                f'on_tool_error must be "report" or "raise", not {on_error!r}',
                argument="on_tool_error",
            )
        if not isinstance(tools, Mapping):
            raise ArgumentError(
                f"tools must map tool names to functions, not {type(tools).__name__}",
                argument="tools",
            )
        for name, function in tools.items():
            if not callable(function):
                raise ArgumentError(
                    f"tools must map tool names to functions; {name!r} is "
                    f"a {type(function).__name__}",
                    argument="tools",
                )
        self._tools = tools
        self._spec = spec
        self._raises = on_error == "raise"

    def reject_async_tools(self) -> None:
        """Checks the functions for the sync client.

        Raises:
            ArgumentError: A function is async.
        """
        for name, function in self._tools.items():
            reject_async(function, f"the tool {name}", "tools")

    def outputs(self, chat: Any) -> list[dict[str, str]]:
        """Runs the tool calls that a chat waits for, several of them in parallel threads.

        Raises:
            ToolFailed: A call failed and `on_tool_error` is "raise". It is raised when all calls
                have ended.
        """
        calls = pending_calls(chat, self._spec)
        if len(calls) == 1:
            return [self._output(chat, calls[0])]
        import contextvars
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(
            min(MAX_THREADS, len(calls)), thread_name_prefix="cozekit-tool"
        ) as pool:
            futures = [
                pool.submit(contextvars.copy_context().run, self._output, chat, call)
                for call in calls
            ]
        return [future.result() for future in futures]

    async def outputs_async(self, chat: Any) -> list[dict[str, str]]:
        """Runs the tool calls that a chat waits for concurrently; sync functions in worker threads.

        Raises:
            ToolFailed: A call failed and `on_tool_error` is "raise". The other calls are cancelled.
        """
        import anyio

        calls = pending_calls(chat, self._spec)
        outputs: dict[int, dict[str, str]] = {}
        errors: list[CozeError] = []

        async def run_call(index: int, call: Any, group: TaskGroup) -> None:
            try:
                outputs[index] = await self._output_async(chat, call)
            except self._spec.tool_failed as error:
                errors.append(error)
                group.cancel_scope.cancel()

        async with anyio.create_task_group() as group:
            for index, call in enumerate(calls):
                group.start_soon(run_call, index, call, group)
        if errors:
            raise errors[0]
        return [outputs[index] for index in range(len(calls))]

    def _output(self, chat: Any, call: Any) -> dict[str, str]:
        try:
            function, arguments = self._resolve(chat, call)
            return _tool_output(call, wire_text(function(**arguments)))
        except self._spec.tool_failed:
            raise
        except Exception as error:
            return self._error_output(chat, call, error)

    async def _output_async(self, chat: Any, call: Any) -> dict[str, str]:
        try:
            function, arguments = self._resolve(chat, call)
            return _tool_output(call, wire_text(await call_async(function, **arguments)))
        except self._spec.tool_failed:
            raise
        except Exception as error:
            return self._error_output(chat, call, error)

    def _resolve(self, chat: Any, call: Any) -> tuple[Callable[..., Any], dict[str, Any]]:
        """The function of a call and its arguments."""
        name = call.function.name if call.function else None
        function = self._tools.get(name or "")
        if function is None:
            if call.type in self._spec.questions:
                # A question to the user: the bot would take an error text for the user's answer.
                raise self._tool_failed(
                    chat,
                    call,
                    f"the bot waits for the user's answer to {name}, but there is no tool of that "
                    "name",
                )
            raise LookupError(
                f"there is no tool {name}; available: {', '.join(sorted(self._tools)) or 'none'}"
            )
        text = (call.function.arguments if call.function else None) or "{}"
        try:
            arguments = read_json(text)
        except ValueError as error:
            raise ValueError(f"the arguments are not valid JSON ({error})") from error
        if not isinstance(arguments, dict):
            raise ValueError(f"the arguments are not a JSON object but {type(arguments).__name__}")
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

    def _error_output(self, chat: Any, call: Any, error: Exception) -> dict[str, str]:
        if self._raises:
            raise self._tool_failed(chat, call, f"{type(error).__name__}: {error}") from error
        name = call.function.name if call.function else None
        _logger.warning("the tool %s failed; the bot is told the error", name, exc_info=error)
        return _tool_output(call, wire_text({"error": f"{type(error).__name__}: {error}"}))


async def call_async(function: Callable[..., Any], *values: Any, **named: Any) -> Any:
    """Calls a sync or async function; a sync one runs in a worker thread, so that it cannot block
    the event loop.
    """
    if is_async_function(function):
        return await function(*values, **named)
    from functools import partial

    from anyio import to_thread

    result = await to_thread.run_sync(partial(function, *values, **named))
    return await result if inspect.isawaitable(result) else result


def callable_for(
    function: Callable[..., Any], label: str, argument: str, *, is_async: bool
) -> Callable[..., Any]:
    """The function as the client calls it: in the async client, by `call_async`.

    Args:
        function: A function that the user passed.
        label: What errors call it.
        argument: Name of the argument.
        is_async: Whether the client is async.

    Raises:
        ArgumentError: The function is async, but the client is not.
    """
    if is_async:
        from functools import partial

        return partial(call_async, function)
    reject_async(function, label, argument)
    return function


class ErrorIds:
    """Context manager that adds the ids of a chat or run to errors, so that it can be retrieved.

    An error with attributes of these names gets the ids there. Other errors, such as those of user
    functions and KeyboardInterrupt, get a note.
    """

    def __init__(self, step: str, ids: Mapping[str, Any]) -> None:
        self._step = step
        self._ids = {name: value for name, value in ids.items() if value is not None}

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not isinstance(error, Exception | KeyboardInterrupt):
            return  # no error, or a cancelled task
        text = "\n".join(getattr(error, "__notes__", ()))
        if isinstance(error, CozeError):
            text += str(error)
            for name, value in self._ids.items():
                if getattr(error, name, value) is None:
                    setattr(error, name, value)
        if all(
            f"{name} {value}" in text or f"{name}={value}" in text
            for name, value in self._ids.items()
        ):
            return
        ids = ", ".join(f"{name} {value}" for name, value in self._ids.items())
        with suppress(Exception):  # exceptions of user functions may be frozen
            error.add_note(f"while {self._step} ({ids})")


def wire_text(result: Any) -> str:
    """The result of a function as text: a string as it is, everything else as JSON."""
    if isinstance(result, str):
        return result
    return write_json(result, enc_hook=_plain).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, Model):
        return value.to_dict()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def _tool_output(call: Any, output: str) -> dict[str, str]:
    return {"tool_call_id": call.id or "", "output": output}
