"""Lets one generator serve the sync and the async client.

The generator yields what a client method returns: a value in the sync client, an awaitable in the
async one. The driver sends back the value, so `bot = yield client.bots.retrieve(id)` means the same
in both, and so do `try`, `with` and `return`.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Awaitable, Callable, Generator
from typing import Any, NamedTuple, TypeAlias, TypeVar

from .errors import ArgumentError

T = TypeVar("T")

Steps: TypeAlias = Generator[Any, Any, T]


class Pause(NamedTuple):
    """A step that sleeps."""

    seconds: float


def run_steps(steps: Steps[T], sleep: Callable[[float], object] = time.sleep) -> T:
    """Runs the steps of a sync client. A coroutine, which nothing would await, raises an
    ArgumentError in the generator.

    Args:
        steps: The generator; its errors are raised here.
        sleep: Sleeps for the seconds of each `Pause`.
    """
    value: Any = None
    error: BaseException | None = None
    while True:
        try:
            step = steps.send(value) if error is None else steps.throw(error)
        except StopIteration as end:
            result: T = end.value
            return result
        except RuntimeError as problem:
            # Python does not let a StopIteration of a user's function leave a generator.
            if isinstance(problem.__cause__, StopIteration):
                raise problem.__cause__ from None
            raise
        finally:
            value = error = None  # this frame must not keep a reference to an error
        value = step
        if isinstance(step, Pause):
            try:
                value = sleep(step.seconds)
            except BaseException as problem:
                value, error = None, problem
        elif inspect.iscoroutine(step):
            step.close()
            name = step.__qualname__
            value, error = None, ArgumentError(f"{name} is async, and a sync call cannot await it")


async def run_steps_async(
    steps: Steps[T], sleep: Callable[[float], Awaitable[object]] | None = None
) -> T:
    """Runs the steps of an async client; errors of an awaited step are raised in the generator.

    Args:
        steps: The generator; its errors are raised here.
        sleep: Sleeps for the seconds of each `Pause`; by default the sleep of the event loop.
    """
    value: Any = None
    error: BaseException | None = None
    while True:
        try:
            step = steps.send(value) if error is None else steps.throw(error)
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            value = error = None  # this frame must not keep a reference to an error
        try:
            if isinstance(step, Pause):
                await (sleep or _sleep)(step.seconds)
            else:
                value = await step if inspect.isawaitable(step) else step
        except BaseException as problem:
            error = problem


def reject_async(
    function: object, label: str, argument: str, hint: str = "use it with AsyncCoze"
) -> None:
    """Checks a function whose result is not awaited.

    Args:
        function: A function that the user passed, or None.
        label: What the error calls it.
        argument: Name of the argument.
        hint: What to do instead.

    Raises:
        ArgumentError: The function is async.
    """
    if is_async_function(function):
        raise ArgumentError(f"{label} is an async function; {hint}", argument=argument)


def is_async_function(function: object) -> bool:
    """Whether a function, or the `__call__` of an object, is a coroutine function."""
    method = getattr(function, "__call__", None)  # noqa: B004  # its type, not whether it has one
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(method)


async def _sleep(seconds: float) -> None:
    import anyio

    await anyio.sleep(seconds)
