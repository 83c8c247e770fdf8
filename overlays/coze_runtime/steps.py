"""One text for sync and async code: the steps of something as a generator, and its two drivers.

A step is what a method of a client returned: its value in the sync client, something to await in
the async one. The generator does not see the difference: `bot = yield client.bots.retrieve(id)`
means the same in both, and so do `try`, `with` and `return`.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Awaitable, Callable, Generator
from typing import Any, NamedTuple, TypeAlias, TypeVar

T = TypeVar("T")

Steps: TypeAlias = Generator[Any, Any, T]


class Pause(NamedTuple):
    """A step that waits."""

    seconds: float


def run_steps(steps: Steps[T], sleep: Callable[[float], object] = time.sleep) -> T:
    """Takes the steps of a sync client.

    Args:
        steps: The generator; what it raises is raised here.
        sleep: Takes the pauses.
    """
    value: Any = None
    while True:
        try:
            value = steps.send(value)
        except StopIteration as end:
            result: T = end.value
            return result
        if isinstance(value, Pause):
            value = sleep(value.seconds)


async def run_steps_async(
    steps: Steps[T], sleep: Callable[[float], Awaitable[object]] | None = None
) -> T:
    """Takes the steps of an async client; what an awaited step raises is raised in the generator.

    Args:
        steps: The generator; what it raises is raised here.
        sleep: Takes the pauses; by default the sleep of the event loop.
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
            value = error = None  # an error that goes on must not be held by this frame
        try:
            if isinstance(step, Pause):
                await (sleep or _sleep)(step.seconds)
            else:
                value = await step if inspect.isawaitable(step) else step
        except BaseException as problem:
            error = problem


async def _sleep(seconds: float) -> None:
    import anyio

    await anyio.sleep(seconds)
