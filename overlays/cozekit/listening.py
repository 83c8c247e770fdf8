"""Callbacks for events: one function for all, or a function for each name of event."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

E = TypeVar("E")

Listener: TypeAlias = "Callable[[E], object] | Mapping[str, Callable[[E], object]]"
"""Called with every event; as a mapping, with the events of that name. In async methods the functions may be async."""


def tell(listener: Listener[Any] | None, event: Any) -> object:
    """Hands an event to who asked for it; returns what the function returns, None when nobody asked."""
    if listener is None:
        return None
    if isinstance(listener, Mapping):
        function = listener.get(event.event)
        return function(event) if function is not None else None
    return listener(event)


async def tell_async(listener: Listener[Any] | None, event: Any) -> None:
    """As `tell`; what an async function returns is awaited."""
    result = tell(listener, event)
    if inspect.isawaitable(result):
        await result
